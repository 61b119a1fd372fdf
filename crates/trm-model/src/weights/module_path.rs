//! The place of a visitor in a model's tree of modules, named as in reference checkpoints.

/// What a visitor of a [`Trm`](crate::Trm) has entered and not left.
///
/// The core of a model and the mixing of a block are enums in our tree, and fields of their owners in the reference's: our field
/// and its variant have no name of their own.
#[derive(Clone, Debug, Default)]
pub struct ModulePath(Vec<Option<String>>);

impl ModulePath {
    /// To be called where a visitor enters a module, with what it is told.
    pub fn enter(&mut self, name: &str, container: &str) {
        let has_no_name = matches!(name, "mixer" | "networks") || container.starts_with("Enum:");
        // The only names of the reference that are not snake case.
        let name = match name {
            "h_level" => "H_level",
            "l_level" => "L_level",
            "h_init" => "H_init",
            "l_init" => "L_init",
            name => name,
        };
        self.0.push((!has_no_name).then(|| name.to_owned()));
    }

    /// To be called where a visitor leaves a module.
    pub fn exit(&mut self) {
        self.0.pop();
    }

    /// The name of the tensor that the visitor has reached, `L_level.layers.0.mlp.down_proj.weight` for example.
    pub fn name(&self) -> String {
        let parts: Vec<&str> = self.0.iter().flatten().map(String::as_str).collect();
        parts.join(".")
    }
}

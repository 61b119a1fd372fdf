//! Names of tensors in other people's checkpoints.

/// Parts of a name that wrappers put anywhere into it: compilation, data parallelism, sharding, recomputation.
const WRAPPERS: [&str; 7] =
    ["_orig_mod", "_orig", "_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", ""];
/// Where trainers and the reference's loss head keep the network.
const HOLDERS: [&str; 2] = ["model", "inner"];
/// Tensors that every network of the reference has.
const ALWAYS: [&str; 3] = ["embed_tokens.embedding_weight", "lm_head.weight", "q_head.weight"];

/// The name without wrappers and holders: the reference's own.
pub(super) fn strip(name: &str) -> String {
    let parts = name.split('.').filter(|part| !WRAPPERS.contains(part));
    parts.skip_while(|part| HOLDERS.contains(part)).collect::<Vec<_>>().join(".")
}

/// Whether names, without wrappers, are those of a network of the reference.
pub(super) fn is_network(names: impl Iterator<Item = String>) -> bool {
    let mut missing = ALWAYS.to_vec();
    for name in names {
        missing.retain(|always| *always != name);
    }
    missing.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every wrapper seen on published checkpoints leads to the same name.
    #[test]
    fn wrappers_are_stripped() {
        for prefix in [
            "",
            "_orig_mod.",
            "_orig._mod.",
            "module.",
            ".",
            "module._orig_mod.",
            "._orig_mod.",
            "_fsdp_wrapped_module.",
        ] {
            assert_eq!(strip(&format!("{prefix}model.inner.lm_head.weight")), "lm_head.weight");
        }
        for name in ["lm_head.weight", "inner.lm_head.weight", "model._orig_mod.inner.lm_head.weight"] {
            assert_eq!(strip(name), "lm_head.weight");
        }
        let within = "model.inner.L_level._orig_mod.layers.0._checkpoint_wrapped_module.mlp.down_proj.weight";
        assert_eq!(strip(within), "L_level.layers.0.mlp.down_proj.weight");
        assert_eq!(strip("H_init"), "H_init");
    }
}

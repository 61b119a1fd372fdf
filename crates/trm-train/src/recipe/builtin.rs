//! The recipes that come with this crate, in its folder `recipes`.

use super::Recipe;

const ALL: [(&str, &str); 11] = [
    ("hrm-arc", include_str!("../../recipes/hrm-arc.toml")),
    ("hrm-maze-hard", include_str!("../../recipes/hrm-maze-hard.toml")),
    ("hrm-sudoku-extreme", include_str!("../../recipes/hrm-sudoku-extreme.toml")),
    ("maze-hard", include_str!("../../recipes/maze-hard.toml")),
    ("maze-hard-fork", include_str!("../../recipes/maze-hard-fork.toml")),
    ("maze-hard-fresh", include_str!("../../recipes/maze-hard-fresh.toml")),
    ("maze-hard-local", include_str!("../../recipes/maze-hard-local.toml")),
    ("maze-small", include_str!("../../recipes/maze-small.toml")),
    ("sudoku-extreme-att", include_str!("../../recipes/sudoku-extreme-att.toml")),
    ("sudoku-extreme-mlp", include_str!("../../recipes/sudoku-extreme-mlp.toml")),
    ("sudoku-local", include_str!("../../recipes/sudoku-local.toml")),
];

/// The text of the recipe of this name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Recipe {
    /// The names of the recipes that come with this crate.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(name, _)| *name)
    }
}

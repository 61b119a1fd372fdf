//! An entry of a mixture of mazes: one kind of them, and the steps in which it has turns.

use serde::{Deserialize, Serialize};

/// `[[data.mixture]]`: one kind of mazes of a mixture.
///
/// The entries whose steps include a step take turns, in their order in the recipe. Each has a *lane*: puzzles in work
/// and a stream of mazes of its own, which stay as they are while others have their turn. Entries are known by their
/// place in the list: to end one, give it an `until_step`, and add new ones at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixtureEntry {
    /// Rows and columns.
    pub side: usize,
    /// The least number of `o` cells on a shortest path.
    pub min_path: usize,
    /// Puzzles per step of this entry, over all devices, if not those of `[training]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// As in [`TrmConfig`](trm_model::TrmConfig), if not the model's or that of the stage of recursion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt_max_steps: Option<usize>,
    /// Each maze gets 1 to so many starts, each number alike; the path of every start is in the label.
    #[serde(default = "one_start")]
    pub starts: usize,
    /// The share of mazes whose start cannot reach the goal. They have no label, and `q_halt` learns not to halt.
    #[serde(default)]
    pub no_path: f64,
    /// The first step of the entry; that of the run if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_step: Option<u64>,
    /// The last step of the entry; that of the run if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_step: Option<u64>,
}

fn one_start() -> usize {
    1
}

impl MixtureEntry {
    /// Whether the entry has turns at this step.
    pub(crate) fn is_active(&self, step: u64) -> bool {
        self.from_step.is_none_or(|from| from <= step) && self.until_step.is_none_or(|until| step <= until)
    }
}

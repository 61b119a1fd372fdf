//! Weights and data that others have published for the Maze-Hard task (30x30 mazes).

use crate::RepoId;

/// The Maze-Hard data set of the HRM authors: 1,000 mazes to train on and 1,000 to test on.
pub static MAZE_HARD: RepoId = RepoId::known("sapientinc/maze-30x30-hard-1k");

/// The file of [`MAZE_HARD`] with the mazes to train on.
pub const MAZE_HARD_TRAIN: &str = "train.csv";

/// The file of [`MAZE_HARD`] with the mazes to test on.
pub const MAZE_HARD_TEST: &str = "test.csv";

/// A published checkpoint: a flat PyTorch state dict without the architecture, which [`arch`](Self::arch) names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The model repository.
    pub repo: RepoId,
    /// The file in it.
    pub file: &'static str,
    /// The optimizer step at which it was saved.
    pub step: u64,
    /// The name of the architecture preset that the weights fit.
    pub arch: &'static str,
    /// The share of the 1,000 test mazes solved exactly, from 0 to 1, as measured by its authors; `None` if
    /// they do not say.
    pub exact_accuracy: Option<f64>,
}

/// The published Maze-Hard checkpoints, the best first.
pub static CHECKPOINTS: [Checkpoint; 3] = [
    Checkpoint {
        repo: RepoId::known("alphaXiv/trm-model-maze"),
        file: "maze_hard_step_32550",
        step: 32_550,
        arch: "maze-hard",
        exact_accuracy: Some(0.838),
    },
    Checkpoint {
        repo: RepoId::known("Sanjin2024/TinyRecursiveModel-Maze-Hard"),
        file: "step_9765",
        step: 9_765,
        arch: "maze-hard",
        exact_accuracy: Some(0.787),
    },
    Checkpoint {
        repo: RepoId::known("YuvrajSingh9886/maze-hard-trm"),
        file: "step_32550",
        step: 32_550,
        arch: "maze-hard",
        exact_accuracy: None,
    },
];

/// The published checkpoint of a repository.
pub fn find(repo: &RepoId) -> Option<&'static Checkpoint> {
    CHECKPOINTS.iter().find(|checkpoint| checkpoint.repo == *repo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_name;

    #[test]
    fn the_names_are_well_formed() {
        for repo in CHECKPOINTS.iter().map(|checkpoint| &checkpoint.repo).chain([&MAZE_HARD]) {
            assert_eq!(repo.to_string().parse::<RepoId>().as_ref(), Ok(repo));
        }
        for checkpoint in &CHECKPOINTS {
            assert_eq!(file_name::check(checkpoint.file), Ok(()));
            assert!(checkpoint.file.ends_with(&format!("step_{}", checkpoint.step)));
        }
    }
}

//! Weights and data that others have published.

use crate::RepoId;

/// The Maze-Hard data set of the HRM authors: 1,000 mazes to train on and 1,000 to test on.
pub static MAZE_HARD: RepoId = RepoId::known("sapientinc/maze-30x30-hard-1k");

/// The file of a published data set with the puzzles to train on.
pub const TRAIN_CSV: &str = "train.csv";

/// The file of a published data set with the puzzles to test on.
pub const TEST_CSV: &str = "test.csv";

/// A published checkpoint: a flat PyTorch state dict without the architecture, which [`arch`](Self::arch) names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The model repository.
    pub repo: RepoId,
    /// The file in it.
    pub file: &'static str,
    /// What the weights were trained for.
    pub task: Task,
    /// The name of the architecture preset that the weights fit.
    pub arch: &'static str,
    /// How well they do on the task's test puzzles, as published; `None` if nobody says.
    pub score: Option<Score>,
    /// Bytes of the file; where its listing is not at hand, those of its values alone.
    pub bytes: u64,
    /// The licence (SPDX) that the authors give the weights or, where they do not say, the code beside them; `None` if
    /// neither.
    pub licence: Option<&'static str>,
}

/// A set of test puzzles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// 1,000 mazes of side 30.
    MazeHard,
    /// 422,786 Sudokus.
    SudokuExtreme,
    /// Evaluation tasks of ARC-AGI-1.
    ArcAgi1,
    /// Evaluation tasks of ARC-AGI-2.
    ArcAgi2,
}

/// A share of the test puzzles, 0 to 1, and what was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// Answers that are exactly right.
    Exact(f64),
    /// Exactly right, and mazes answered with any shortest path.
    ExactAndOptimal(f64, f64),
    /// Tasks solved by one of two answers, which a vote over many views of a task has chosen.
    PassAt2(f64),
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::MazeHard => "Maze-Hard",
            Self::SudokuExtreme => "Sudoku-Extreme",
            Self::ArcAgi1 => "ARC-AGI-1",
            Self::ArcAgi2 => "ARC-AGI-2",
        })
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        f.pad(&match *self {
            Self::Exact(share) => format!("{} exact", percent(share)),
            Self::ExactAndOptimal(exact, optimal) => {
                format!("{} exact, {} optimal", percent(exact), percent(optimal))
            }
            Self::PassAt2(share) => format!("{} pass@2", percent(share)),
        })
    }
}

impl std::fmt::Display for Checkpoint {
    /// The name to fetch it by: `owner/name/file`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}/{}", self.repo, self.file))
    }
}

/// Bytes of the networks' values in f32; those for ARC have a table of puzzle embeddings, too.
const MAZE_HARD_BYTES: u64 = 27_297_800;
const SUDOKU_MLP_BYTES: u64 = 20_121_608;
const SUDOKU_ATT_BYTES: u64 = 27_318_280;
const ARC_1_BYTES: u64 = 1_822_205_258;
const ARC_2_BYTES: u64 = 2_467_988_810;
const HRM_MAZE_BYTES: u64 = 109_086_728;
const HRM_SUDOKU_BYTES: u64 = 109_107_208;
const HRM_ARC_2_BYTES: u64 = 2_250_967_048;

const ALPHAXIV_SUDOKU: &str = "alphaXiv/trm-model-sudoku";

/// The published checkpoints that trm can run: of a task the best first, of a repository the one that is meant without a file.
pub static CHECKPOINTS: [Checkpoint; 18] = [
    known(
        "alphaXiv/trm-model-maze",
        "maze_hard_step_32550",
        (Task::MazeHard, "maze-hard"),
        Some(Score::ExactAndOptimal(0.838, 0.907)),
        MAZE_HARD_BYTES,
        Some("MIT"),
    ),
    known(
        "Sanjin2024/TinyRecursiveModel-Maze-Hard",
        "step_9765",
        (Task::MazeHard, "maze-hard"),
        Some(Score::Exact(0.787)),
        MAZE_HARD_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        "sapientinc/HRM-checkpoint-maze-30x30-hard",
        "checkpoint",
        (Task::MazeHard, "hrm-maze-hard"),
        Some(Score::ExactAndOptimal(0.744, 0.816)),
        HRM_MAZE_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        "YuvrajSingh9886/maze-hard-trm",
        "step_32550",
        (Task::MazeHard, "maze-hard"),
        None,
        MAZE_HARD_BYTES,
        None,
    ),
    known(
        "Sanjin2024/TinyRecursiveModels-Sudoku-Extreme-mlp",
        "step_16275",
        (Task::SudokuExtreme, "sudoku-extreme-mlp"),
        Some(Score::Exact(0.848)),
        SUDOKU_MLP_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        ALPHAXIV_SUDOKU,
        "step_32550_sudoku_epoch50k",
        (Task::SudokuExtreme, "sudoku-extreme-mlp"),
        Some(Score::Exact(0.7937)),
        SUDOKU_MLP_BYTES,
        Some("MIT"),
    ),
    known(
        "Sanjin2024/TinyRecursiveModels-Sudoku-Extreme-att",
        "step_21700",
        (Task::SudokuExtreme, "sudoku-extreme-att"),
        Some(Score::Exact(0.7771)),
        SUDOKU_ATT_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        ALPHAXIV_SUDOKU,
        "step_39060_sudoku_epoch_60k",
        (Task::SudokuExtreme, "sudoku-extreme-mlp"),
        Some(Score::Exact(0.7557)),
        SUDOKU_MLP_BYTES,
        Some("MIT"),
    ),
    known(
        ALPHAXIV_SUDOKU,
        "step_39060_sudoku_60k_epoch_attn_type",
        (Task::SudokuExtreme, "sudoku-extreme-att"),
        Some(Score::Exact(0.7366)),
        SUDOKU_ATT_BYTES,
        Some("MIT"),
    ),
    known(
        ALPHAXIV_SUDOKU,
        "step_32550_sudoku_50k_epoch_attn_type",
        (Task::SudokuExtreme, "sudoku-extreme-att"),
        Some(Score::Exact(0.6969)),
        SUDOKU_ATT_BYTES,
        Some("MIT"),
    ),
    known(
        "sapientinc/HRM-checkpoint-sudoku-extreme",
        "checkpoint",
        (Task::SudokuExtreme, "hrm-sudoku-extreme"),
        Some(Score::Exact(0.55)),
        HRM_SUDOKU_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        "alphaXiv/trm-model-arc-agi-1",
        "step_259320_arc_ag1_attn_type_h3l4",
        (Task::ArcAgi1, "arc"),
        Some(Score::PassAt2(0.43)),
        ARC_1_BYTES,
        Some("MIT"),
    ),
    known(
        "arcprize/trm_arc_prize_verification",
        "arc_v1_public/step_518071",
        (Task::ArcAgi1, "arc"),
        Some(Score::PassAt2(0.40)),
        ARC_1_BYTES,
        Some("MIT"),
    ),
    known(
        "Sanjin2024/TinyRecursiveModels-ARC-AGI-1",
        "step_86510",
        (Task::ArcAgi1, "arc"),
        Some(Score::PassAt2(0.385)),
        ARC_1_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        "YuvrajSingh9886/arc_agi_1_trm_model",
        "step_259320_arc_ag1_attn_type_h3l4",
        (Task::ArcAgi1, "arc"),
        None,
        ARC_1_BYTES,
        None,
    ),
    known(
        "arcprize/trm_arc_prize_verification",
        "arc_v2_public/step_723914",
        (Task::ArcAgi2, "arc"),
        Some(Score::PassAt2(0.062)),
        ARC_2_BYTES,
        Some("MIT"),
    ),
    known(
        "Sanjin2024/TinyRecursiveModels-ARC-AGI-2",
        "step_84623",
        (Task::ArcAgi2, "arc"),
        Some(Score::PassAt2(0.033)),
        ARC_2_BYTES,
        Some("Apache-2.0"),
    ),
    known(
        "sapientinc/HRM-checkpoint-ARC-2",
        "checkpoint",
        (Task::ArcAgi2, "hrm-arc"),
        None,
        HRM_ARC_2_BYTES,
        Some("Apache-2.0"),
    ),
];

/// What is known of a file of a repository; without a file, of the best one of the repository.
pub fn find(repo: &RepoId, file: Option<&str>) -> Option<&'static Checkpoint> {
    let is_meant = |checkpoint: &&Checkpoint| file.is_none_or(|file| file == checkpoint.file);
    CHECKPOINTS.iter().filter(|checkpoint| checkpoint.repo == *repo).find(is_meant)
}

const fn known(
    repo: &'static str,
    file: &'static str,
    (task, arch): (Task, &'static str),
    score: Option<Score>,
    bytes: u64,
    licence: Option<&'static str>,
) -> Checkpoint {
    Checkpoint { repo: RepoId::known(repo), file, task, arch, score, bytes, licence }
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
            assert_eq!(find(&checkpoint.repo, Some(checkpoint.file)), Some(checkpoint));
        }
    }

    /// A repository with several files means the one that does best.
    #[test]
    fn the_best_file_is_meant() {
        let repo: RepoId = ALPHAXIV_SUDOKU.parse().expect("a name");
        let best = find(&repo, None).expect("it is known");
        assert_eq!((best.file, best.score), ("step_32550_sudoku_epoch50k", Some(Score::Exact(0.7937))));
        assert_eq!(find(&repo, Some("step_1")), None);
        for (i, one) in CHECKPOINTS.iter().enumerate() {
            let better =
                CHECKPOINTS[..i].iter().find(|other| other.task == one.task && share(other) < share(one));
            assert_eq!(better, None, "listed before {one}");
        }
    }

    fn share(checkpoint: &Checkpoint) -> f64 {
        match checkpoint.score {
            Some(Score::Exact(share) | Score::ExactAndOptimal(share, _) | Score::PassAt2(share)) => share,
            None => 0.0,
        }
    }
}

//! Rollouts: several attempts at each puzzle, and the choice of one answer among them.

use std::{fmt, str::FromStr};

use trm_model::{InitialNoise, RowStep};
use trm_puzzles::Puzzle;

use crate::{Error, Result};

/// How often each puzzle is tried, what attempts differ by, and which answer is taken.
///
/// The first attempt begins with the model's own initial latents, so that one attempt is an evaluation without rollouts. Others
/// add normal noise to them, drawn from the seed and the number of the attempt. Random restarts of one set of weights are EqR's
/// and PTRM's (arXiv 2605.19943), which adds its noise before every step.
#[derive(Clone, Copy, Debug)]
pub struct Rollouts {
    /// Attempts at each puzzle in each orientation; 0 counts as 1.
    pub count: usize,
    /// Standard deviation of the noise on the initial latents of all attempts but the first.
    pub noise: f32,
    /// Chooses the noise.
    pub seed: u64,
    /// Whether boards are solved in every [orientation](Puzzle::orientations); answers are turned back.
    pub symmetries: bool,
    /// Which answer is taken.
    pub choice: Choice,
    /// The kind of puzzle, which symmetries and the choice by rules or by search need to know.
    pub puzzle: Option<&'static dyn Puzzle>,
}

impl Default for Rollouts {
    /// One attempt; should there be more, noise of 0.3 and the choice by `q_halt`.
    fn default() -> Self {
        Self { count: 1, noise: 0.3, seed: 0, symmetries: false, choice: Choice::QHalt, puzzle: None }
    }
}

impl Rollouts {
    /// Attempts at each puzzle in all orientations.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.count.max(1) * self.orientations()
    }

    /// Checks that the puzzle is known where it has to be.
    pub(crate) fn check(&self) -> Result<()> {
        let what = match self.choice {
            Choice::Rules | Choice::Search => "a choice by rules or by search",
            _ if self.symmetries => "solving in all orientations",
            _ => return Ok(()),
        };
        self.puzzle.map(|_| ()).ok_or(Error::WhichPuzzle { what })
    }

    /// The choices that can be made.
    pub(crate) fn choices(&self) -> impl Iterator<Item = Choice> {
        let known = self.puzzle.is_some();
        Choice::ALL
            .into_iter()
            .filter(move |choice| known || !matches!(choice, Choice::Rules | Choice::Search))
    }

    /// The board of attempt `index` at a question.
    pub(crate) fn board(&self, index: usize, question: &[u8]) -> Vec<u8> {
        match self.turning() {
            Some(puzzle) => puzzle.turned(question, index % self.orientations()),
            None => question.to_vec(),
        }
    }

    /// The answer of attempt `index` on the board as it was asked.
    pub(crate) fn turned_back(&self, index: usize, answer: Vec<u8>) -> Vec<u8> {
        match self.turning() {
            Some(puzzle) => puzzle.turned_back(&answer, index % self.orientations()),
            None => answer,
        }
    }

    /// What attempt `index` adds to the initial latents.
    pub(crate) fn initial_noise(&self, index: usize) -> Option<InitialNoise> {
        let rollout = index / self.orientations();
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(rollout as u64);
        (rollout > 0).then_some(InitialNoise { deviation: self.noise, seed })
    }

    fn turning(&self) -> Option<&'static dyn Puzzle> {
        self.puzzle.filter(|_| self.symmetries)
    }

    fn orientations(&self) -> usize {
        self.turning().map_or(1, Puzzle::orientations).max(1)
    }
}

/// Which of several answers to one puzzle is taken. Where attempts are equal in what is asked for, the greatest `q_halt` decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The one the model is surest of: the greatest `q_halt`.
    #[default]
    QHalt,
    /// The one that most attempts agree on.
    Majority,
    /// For every cell the token that most attempts agree on.
    Cells,
    /// The one whose `z_h` changed least in the last step, as EqR chooses.
    Change,
    /// One that keeps the rules of its puzzle ([`Puzzle::grades`], the first): no search, but more than the model says.
    Rules,
    /// One with the strictest grade of its puzzle: for mazes an optimal path, which a search knows. What such a choice reaches is
    /// not the model's alone.
    Search,
}

impl Choice {
    /// All choices.
    pub const ALL: [Self; 6] =
        [Self::QHalt, Self::Majority, Self::Cells, Self::Change, Self::Rules, Self::Search];

    /// The attempt taken of `attempts` at `question`, at least one, and the answer: its own, but for [`Choice::Cells`], where the
    /// attempt is the one that is nearest to it.
    pub(crate) fn take(
        self,
        puzzle: Option<&'static dyn Puzzle>,
        question: &[u8],
        attempts: &[Attempt],
    ) -> (usize, Vec<u8>) {
        let voted = if self == Self::Cells { vote(attempts) } else { Vec::new() };
        let score = |attempt: &Attempt| match self {
            Self::QHalt => 0.0,
            Self::Majority => attempts.iter().filter(|other| other.answer == attempt.answer).count() as f64,
            Self::Cells => voted.iter().zip(&attempt.answer).filter(|(a, b)| a == b).count() as f64,
            Self::Change => -f64::from(attempt.change),
            Self::Rules | Self::Search => {
                let grades = puzzle.map(|puzzle| puzzle.grade(question, &attempt.answer)).unwrap_or_default();
                let grade = if self == Self::Rules { grades.first() } else { grades.last() };
                f64::from(u8::from(grade == Some(&true)))
            }
        };
        let scores: Vec<(f64, f32)> =
            attempts.iter().map(|attempt| (score(attempt), attempt.last.q_halt)).collect();
        let by_score = |a: &usize, b: &usize| {
            let ((score_a, q_a), (score_b, q_b)) = (scores[*a], scores[*b]);
            // Of equals the last one is taken: the first attempt.
            score_a.total_cmp(&score_b).then(q_a.total_cmp(&q_b)).then(b.cmp(a))
        };
        let best = (0..attempts.len()).max_by(by_score).unwrap_or(0);
        let answer = if self == Self::Cells { voted } else { attempts[best].answer.clone() };
        (best, answer)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QHalt => "q",
            Self::Majority => "majority",
            Self::Cells => "cells",
            Self::Change => "change",
            Self::Rules => "rules",
            Self::Search => "search",
        })
    }
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == name);
        found.ok_or_else(|| Error::UnknownChoice { name: name.to_owned() })
    }
}

/// One attempt at a puzzle.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its last step.
    pub last: RowStep,
    /// How much `z_h` changed in it ([`StepReport::changes`](trm_model::StepReport::changes)); 0 where it is the only attempt.
    pub change: f32,
    /// The answer, `[seq_len]` tokens of the board as it was asked.
    pub answer: Vec<u8>,
}

/// The most frequent token of every cell; of equals that of the earlier attempt.
fn vote(attempts: &[Attempt]) -> Vec<u8> {
    let cells = attempts.iter().map(|attempt| attempt.answer.len()).min().unwrap_or(0);
    let winner = |cell: usize| {
        let mut counts = [0u32; 256];
        attempts.iter().for_each(|attempt| counts[usize::from(attempt.answer[cell])] += 1);
        let most = counts.iter().copied().max().unwrap_or(0);
        let tokens = attempts.iter().map(|attempt| attempt.answer[cell]);
        tokens.into_iter().find(|token| counts[usize::from(*token)] == most).unwrap_or(0)
    };
    (0..cells).map(winner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(answer: &[u8], q_halt: f32, change: f32) -> Attempt {
        let last = RowStep { ticket: 0, step: 1, q_halt, q_continue: 0.0, halted: true };
        Attempt { last, change, answer: answer.to_vec() }
    }

    fn puzzle(name: &str) -> &'static dyn Puzzle {
        trm_puzzles::named(name).expect("it is there")
    }

    /// Each choice takes another of the same attempts, by what it asks for.
    #[test]
    fn choices_differ() {
        let attempts = [
            attempt(&[1, 2, 3], 2.0, 0.5),
            attempt(&[1, 2, 4], 1.0, 0.4),
            attempt(&[1, 2, 4], 1.5, 0.3),
            attempt(&[9, 2, 5], 1.0, 0.1),
            attempt(&[9, 9, 3], -1.0, 0.2),
            attempt(&[7, 2, 3], -1.0, 0.2),
        ];
        let take = |choice: Choice| choice.take(None, &[], &attempts);
        assert_eq!(take(Choice::QHalt), (0, vec![1, 2, 3]));
        assert_eq!(take(Choice::Majority), (2, vec![1, 2, 4]));
        assert_eq!(take(Choice::Change), (3, vec![9, 2, 5]));
        assert_eq!(take(Choice::Cells), (0, vec![1, 2, 3]));
    }

    /// What keeps the rules goes before what the model is surest of, and what a search calls best before what keeps the rules.
    #[test]
    fn rules_and_search_ask_the_puzzle() {
        let maze = puzzle("maze");
        let (_, question) = maze.read("S  \n # \nG  ").expect("a maze");
        let with_path = |cells: &[usize]| {
            let mut answer = question.clone();
            cells.iter().for_each(|cell| answer[*cell] = 5);
            answer
        };
        let (none, detour, shortest) = (with_path(&[]), with_path(&[1, 2, 5, 8, 7]), with_path(&[3]));
        assert_eq!(
            [&none, &detour, &shortest].map(|answer| maze.grade(&question, answer)),
            [[false, false], [true, false], [true, true]]
        );
        let attempts = [attempt(&none, 3.0, 0.0), attempt(&detour, 2.0, 0.0), attempt(&shortest, 1.0, 0.0)];
        let take = |choice: Choice| choice.take(Some(maze), &question, &attempts).0;
        assert_eq!([Choice::QHalt, Choice::Rules, Choice::Search].map(take), [0, 1, 2]);
    }

    /// A vote over the cells may be nobody's answer, and of equal votes the earlier attempt's token is taken.
    #[test]
    fn cells_are_voted_for_one_by_one() {
        let of = |answer: &[u8], q| attempt(answer, q, 0.0);
        let attempts = [of(&[1, 2, 2], 0.0), of(&[1, 1, 3], 1.0), of(&[2, 1, 2], 0.0)];
        let (nearest, voted) = Choice::Cells.take(None, &[], &attempts);
        assert_eq!((nearest, voted), (1, vec![1, 1, 2]));
        assert_eq!(vote(&attempts[1..]), [1, 1, 3]);
    }

    /// The first attempt is the model's own; others have noise, each its own; orientations share it.
    #[test]
    fn the_first_attempt_has_no_noise() {
        let rollouts =
            Rollouts { count: 3, symmetries: true, puzzle: Some(puzzle("maze")), ..Rollouts::default() };
        assert_eq!(rollouts.attempts(), 24);
        let noise: Vec<_> = (0..24).map(|index| rollouts.initial_noise(index)).collect();
        assert!(noise[..8].iter().all(Option::is_none));
        assert!(noise[8].is_some() && noise[8..16].iter().all(|other| *other == noise[8]));
        assert_ne!(noise[8], noise[16]);
    }

    /// Boards are turned into eight others, and answers are turned back.
    #[test]
    fn answers_are_turned_back() {
        let rollouts = Rollouts { symmetries: true, puzzle: Some(puzzle("maze")), ..Rollouts::default() };
        let board: Vec<u8> = (0..9).collect();
        let mut seen: Vec<Vec<u8>> = (0..8).map(|index| rollouts.board(index, &board)).collect();
        for (index, turned) in seen.iter().enumerate() {
            assert_eq!(rollouts.turned_back(index, turned.clone()), board);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 8);
    }

    /// Names lead back to choices; an unknown one is refused with those that there are; some need to know the puzzle.
    #[test]
    fn choices_have_names() {
        for choice in Choice::ALL {
            assert_eq!(choice.to_string().parse::<Choice>().ok(), Some(choice));
        }
        let error = "best".parse::<Choice>().map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("\"best\"") && error.contains("majority")));
        let search = Rollouts { choice: Choice::Search, ..Rollouts::default() };
        assert!(matches!(search.check(), Err(Error::WhichPuzzle { .. })));
        assert_eq!(
            (search.choices().count(), Rollouts { puzzle: Some(puzzle("maze")), ..search }.choices().count()),
            (4, 6)
        );
    }
}

//! The judge of an answer: exact, optimal, valid or none of it.

use serde::Serialize;

use crate::{Cell, Grid, Maze};

/// How many steps the search of [`judge`] for one path through all `o` cells may take.
///
/// Whether such a path exists is a Hamiltonian path question, so some answers would take for ever. Only large blobs of
/// `o` come near this limit: along a thin path every step is forced.
pub const MAX_STEPS: usize = 1 << 16;

/// What is right about an answer, from the loosest to the strictest. Each statement but the last implies the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// The answer is the maze with nothing but `o` drawn on open cells: same side, walls, `S` and `G`.
    pub well_formed: bool,
    /// Well formed, and one can walk from `S` to `G` in steps down, left, right or up, stepping on every `o` exactly
    /// once and on nothing else. A detour may touch itself; dead ends, gaps and stray `o` are refused, and so is an
    /// answer for which no walk is found within [`MAX_STEPS`].
    pub valid_path: bool,
    /// A valid path with as few `o` as any path has.
    pub optimal: bool,
    /// The answer equals the label ([`Maze::solve`]), cell by cell. Implies all the others.
    pub exact: bool,
    /// The number of `o` in the answer, well formed or not.
    pub path_cells: usize,
}

impl Verdict {
    /// The verdict in words, for people.
    #[must_use]
    pub fn in_words(&self) -> &'static str {
        match self {
            Verdict { exact: true, .. } => "valid, optimal, and the very path of the labelling rule",
            Verdict { optimal: true, .. } => "valid and optimal",
            Verdict { valid_path: true, .. } => "valid, but not optimal",
            Verdict { well_formed: true, .. } => "not valid: no path from S to G",
            _ => "not valid: the answer changes the maze itself",
        }
    }
}

/// Judges an answer.
#[must_use]
pub fn judge(maze: &Maze, answer: &Grid) -> Verdict {
    let path_cells = answer.count(Cell::Path);
    let well_formed = answer.without_path() == *maze.grid();
    let valid_path = well_formed && is_one_path(maze, answer, path_cells);
    // Solving is the dearest part, and only a valid path can be optimal or exact.
    let label = if valid_path { maze.solve() } else { None };
    Verdict {
        well_formed,
        valid_path,
        optimal: label.as_ref().is_some_and(|label| label.count(Cell::Path) == path_cells),
        exact: label.as_ref() == Some(answer),
        path_cells,
    }
}

/// Judges the raw tokens of a model, one per cell. Tokens that are no cell, or a wrong number of them, make an answer
/// that is not well formed.
#[must_use]
pub fn judge_tokens(maze: &Maze, answer: &[u8]) -> Verdict {
    Grid::from_tokens(answer).map_or_else(
        |_| Verdict {
            path_cells: answer.iter().filter(|&&token| token == Cell::Path.token()).count(),
            ..Verdict::default()
        },
        |answer| judge(maze, &answer),
    )
}

/// Whether a path from start to goal uses each `o` of a well-formed answer once.
fn is_one_path(maze: &Maze, answer: &Grid, path_cells: usize) -> bool {
    let mut walk = Walk {
        grid: answer,
        goal: maze.goal(),
        free: answer.cells().iter().map(|&cell| cell == Cell::Path).collect(),
    };
    // A depth-first search; each level holds the cell stepped on and the moves from there that are still untried.
    let mut trail = vec![(maze.start(), walk.moves(maze.start()))];
    for _ in 0..MAX_STEPS {
        let taken = trail.len() - 1;
        let Some((cell, moves)) = trail.last_mut() else { return false };
        if taken == path_cells && answer.neighbours(*cell).any(|next| next == maze.goal()) {
            return true;
        }
        if let Some(next) = moves.pop() {
            walk.free[next] = false;
            trail.push((next, walk.moves(next)));
        } else {
            walk.free[*cell] = true;
            trail.pop();
            if trail.is_empty() {
                return false;
            }
        }
    }
    false
}

struct Walk<'a> {
    grid: &'a Grid,
    goal: usize,
    /// The `o` cells not stepped on yet.
    free: Vec<bool>,
}

impl Walk<'_> {
    /// The steps from a cell that can still lead to a full path.
    fn moves(&self, from: usize) -> Vec<usize> {
        let mut moves: Vec<usize> = self.grid.neighbours(from).filter(|&next| self.free[next]).collect();
        let exits =
            |cell| self.grid.neighbours(cell).filter(|&next| self.free[next] || next == self.goal).count();
        // A neighbour left behind must later be entered and left by other cells: with one exit it has to be next, and
        // with none it can never be left.
        if moves.iter().any(|&next| exits(next) == 0) {
            return Vec::new();
        }
        let mut forced = moves.iter().copied().filter(|&next| exits(next) == 1);
        match (forced.next(), forced.next()) {
            (Some(_), Some(_)) => moves.clear(),
            (Some(only), None) => moves = vec![only],
            (None, _) => {}
        }
        moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(maze: &str, answer: &str) -> Verdict {
        judge(&maze.parse().expect("maze"), &answer.parse().expect("answer"))
    }

    const MAZE: &str = "S   \n #  \n    \n   G";

    /// Each step from exact to malformed is told apart.
    #[test]
    fn grades_from_exact_to_malformed() {
        let exact = verdict(MAZE, "S   \no#  \no   \noooG");
        assert!(exact.exact && exact.optimal && exact.path_cells == 5);
        let other = verdict(MAZE, "Sooo\n # o\n   o\n   G");
        assert!(!other.exact && other.optimal);
        let detour = verdict("S G\n   \n   ", "S G\nooo\n   ");
        assert!(detour.valid_path && !detour.optimal);
        let stray = verdict(MAZE, "S  o\no#  \no   \noooG");
        assert!(stray.well_formed && !stray.valid_path);
        let branch = verdict(MAZE, "S   \no#  \noo  \noooG");
        assert!(branch.well_formed && !branch.valid_path);
        let gap = verdict(MAZE, "S   \no#  \n    \noooG");
        assert!(gap.well_formed && !gap.valid_path);
        assert!(!verdict(MAZE, "S   \noo  \no   \noooG").well_formed);
    }

    /// Raw output with padding, a wrong length or an unknown token is malformed, never a panic.
    #[test]
    fn raw_tokens_of_any_kind_are_judged() {
        let maze: Maze = "S \n G".parse().expect("maze");
        assert!(judge_tokens(&maze, &[3, 2, 5, 4]).exact);
        for bad in [&[3, 2, 0, 4][..], &[3, 2, 9, 4], &[3, 2, 5], &[]] {
            assert!(!judge_tokens(&maze, bad).well_formed);
        }
    }

    /// A whole field of `o` must end in a verdict soon, whatever it is.
    #[test]
    fn a_field_of_path_cells_is_judged_in_bounded_time() {
        let side = 30;
        let mut cells = vec![Cell::Open; side * side];
        (cells[0], cells[side * side - 2]) = (Cell::Start, Cell::Goal);
        let maze = Maze::new(Grid::new(side, cells.clone()).expect("grid")).expect("maze");
        let answer = cells.iter().map(|&c| if c == Cell::Open { Cell::Path } else { c }).collect();
        let verdict = judge(&maze, &Grid::new(side, answer).expect("grid"));
        assert!(verdict.well_formed && !verdict.optimal);
    }
}

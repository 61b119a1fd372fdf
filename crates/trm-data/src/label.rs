//! The rule behind the labels of Maze-Hard.
//!
//! Nearly every maze has millions of shortest paths, so a label is one of many right answers, chosen by a rule:
//! a breadth-first search from `S` with a first-in-first-out queue looks at the neighbours of a cell in the order
//! down, left, right, up, and each cell keeps the neighbour that found it first as its parent. The parents from `G`
//! back to `S` are the path. All 1,000 training and 1,000 test labels of the published data set follow it.
//!
//! Said otherwise: from any cell of the path the next one is the first of down, left, right, up that is one step nearer
//! to `G`. In this form the rule labels several starts at once.

use crate::{Cell, Grid, Maze};

const NO_PARENT: u32 = u32::MAX;

/// Where the rule goes next from a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextMove {
    /// To the row below.
    Down,
    /// To the column on the left.
    Left,
    /// To the column on the right.
    Right,
    /// To the row above.
    Up,
    /// The goal cannot be reached from here.
    Nowhere,
}

impl NextMove {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// The number of the move, from 0 on in the order of the rule.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

impl Grid {
    /// Where the rule goes next from each cell, `[side * side]`, whatever the starts are; `None` for walls and for the goal.
    /// The path of a maze is a walk along them from its start, so they say of every cell what a label says of the few on
    /// the path. Without a goal, all moves are [`NextMove::Nowhere`].
    #[must_use]
    pub fn next_moves(&self) -> Vec<Option<NextMove>> {
        self.next_moves_by(&self.steps_to_goal())
    }

    /// [`next_moves`](Self::next_moves) by what [`steps_to_goal`](Self::steps_to_goal) has said; of other numbers, or fewer,
    /// nothing that means anything.
    #[must_use]
    pub fn next_moves_by(&self, steps: &[Option<usize>]) -> Vec<Option<NextMove>> {
        let steps_of = |cell: usize| steps.get(cell).copied().flatten();
        let side = self.side();
        let next = |cell: usize| {
            let Some(left) = steps_of(cell) else { return NextMove::Nowhere };
            match self.neighbours(cell).find(|&next| steps_of(next).is_some_and(|nearer| nearer + 1 == left))
            {
                Some(next) if next == cell + side => NextMove::Down,
                Some(next) if next + 1 == cell => NextMove::Left,
                Some(next) if next == cell + 1 => NextMove::Right,
                Some(_) => NextMove::Up,
                None => NextMove::Nowhere,
            }
        };
        let open = |cell: usize| !matches!(self.cells()[cell], Cell::Wall | Cell::Goal);
        (0..self.cells().len()).map(|cell| open(cell).then(|| next(cell))).collect()
    }

    /// How many steps each cell is away from the goal, `[side * side]`; `None` for walls and for cells that cannot reach it.
    #[must_use]
    pub fn steps_to_goal(&self) -> Vec<Option<usize>> {
        let goal = self.find(Cell::Goal);
        goal.map_or_else(|| vec![None; self.cells().len()], |goal| self.steps_to(goal))
    }

    /// How many steps each cell is away from `goal`.
    fn steps_to(&self, goal: usize) -> Vec<Option<usize>> {
        let mut steps = vec![None; self.cells().len()];
        steps[goal] = Some(0);
        let mut queue = vec![goal];
        let mut head = 0;
        while let Some(&cell) = queue.get(head) {
            head += 1;
            for next in self.neighbours(cell) {
                if self.cells()[next] != Cell::Wall && steps[next].is_none() {
                    steps[next] = steps[cell].map(|steps| steps + 1);
                    queue.push(next);
                }
            }
        }
        steps
    }
}

impl Maze {
    /// The label: the maze with the path of the rule drawn as `o`. `None` when the goal cannot be reached.
    #[must_use]
    pub fn solve(&self) -> Option<Grid> {
        let mut cells = self.grid().cells().to_vec();
        for index in self.path()? {
            cells[index] = Cell::Path;
        }
        Grid::new(self.side(), cells).ok()
    }

    /// The number of `o` cells on a shortest path; `None` when the goal cannot be reached.
    #[must_use]
    pub fn shortest_path_cells(&self) -> Option<usize> {
        Some(self.path()?.len())
    }

    /// How many steps each cell is away from the goal, `[side * side]`; `None` for walls and for cells that cannot
    /// reach it.
    #[must_use]
    pub fn steps_to_goal(&self) -> Vec<Option<usize>> {
        self.grid().steps_to(self.goal())
    }

    /// The maze with `others` (indices `row * side + column`) as further starts, and its label: the path of the rule from
    /// each start, all of them drawn as `o`, while starts that lie on the path of another stay `S`. `None` when one of the
    /// others is no open cell, or a start cannot reach the goal.
    #[must_use]
    pub fn with_starts(&self, others: &[usize]) -> Option<(Grid, Grid)> {
        self.with_starts_at(others, &self.steps_to_goal())
    }

    /// [`with_starts`](Self::with_starts), where [`steps_to_goal`](Self::steps_to_goal) are known already.
    pub(crate) fn with_starts_at(&self, others: &[usize], steps: &[Option<usize>]) -> Option<(Grid, Grid)> {
        let mut puzzle = self.grid().cells().to_vec();
        for &start in others {
            let cell = puzzle.get_mut(start).filter(|cell| matches!(cell, Cell::Open | Cell::Start))?;
            *cell = Cell::Start;
        }
        let mut label = puzzle.clone();
        for &start in std::iter::once(&self.start()).chain(others) {
            let mut left = steps.get(start).copied().flatten()?;
            let mut at = start;
            while left > 1 {
                left -= 1;
                at = self.grid().neighbours(at).find(|&next| steps[next] == Some(left))?;
                if label[at] == Cell::Path {
                    break; // the rest is drawn: the rule knows no start
                }
                if label[at] == Cell::Open {
                    label[at] = Cell::Path;
                }
            }
        }
        Some((Grid::new(self.side(), puzzle).ok()?, Grid::new(self.side(), label).ok()?))
    }

    /// The cells between start and goal on the path of the rule, from the goal backwards.
    fn path(&self) -> Option<Vec<usize>> {
        let (grid, start, goal) = (self.grid(), self.start(), self.goal());
        let cells = grid.cells();
        let mut parents = vec![NO_PARENT; cells.len()];
        parents[start] = start as u32;
        let mut queue = Vec::with_capacity(cells.len());
        queue.push(start);
        let mut head = 0;
        while parents[goal] == NO_PARENT {
            let cell = *queue.get(head)?;
            head += 1;
            for next in grid.neighbours(cell) {
                if cells[next] != Cell::Wall && parents[next] == NO_PARENT {
                    parents[next] = cell as u32;
                    queue.push(next);
                }
            }
        }
        let step_back = |&cell: &usize| Some(parents[cell] as usize).filter(|&parent| parent != start);
        let first = step_back(&goal);
        Some(std::iter::successors(first, step_back).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solved(text: &str) -> Option<String> {
        let maze: Maze = text.parse().expect("maze");
        maze.solve().map(|grid| grid.to_string())
    }

    /// The rule decides between equally short paths: down is looked at before right, left before right.
    #[test]
    fn ties_are_broken_down_left_right_up() {
        assert_eq!(solved("S  \n   \n  G").as_deref(), Some("S  \no  \nooG"));
        assert_eq!(solved("G  \n   \n  S").as_deref(), Some("G  \no  \nooS"));
    }

    /// Two starts draw two paths; a start on the path of another stays a start, and what is no open cell is refused.
    #[test]
    fn several_starts() {
        let maze: Maze = "S  \n## \n  G".parse().expect("maze");
        let with = |others: &[usize]| {
            maze.with_starts(others).map(|(puzzle, label)| [puzzle.to_string(), label.to_string()])
        };
        let texts = |puzzle: &str, label: &str| Some([puzzle.to_owned(), label.to_owned()]);
        assert_eq!(with(&[6]), texts("S  \n## \nS G", "Soo\n##o\nSoG"));
        assert_eq!(with(&[2]), texts("S S\n## \n  G", "SoS\n##o\n  G"));
        assert_eq!([with(&[3]), with(&[8]), with(&[9])], [None, None, None]);
    }

    /// Ties go down before left before right before up; what is walled in goes nowhere, walls and the goal have no move.
    #[test]
    fn moves_by_hand() {
        use NextMove::{Down, Left, Nowhere, Right, Up};
        let grid: Grid = "  #\n G#\n ##\n".trim_end().parse().expect("grid");
        let moves = [Some(Down), Some(Down), None, Some(Right), None, None, Some(Up), None, None];
        assert_eq!(grid.next_moves(), moves);
        let grid: Grid = "G \n  ".parse().expect("grid");
        assert_eq!(grid.next_moves(), [None, Some(Left), Some(Up), Some(Left)]);
        let grid: Grid = "G# \n # \n## ".parse().expect("grid");
        let cut_off = [None, None, Some(Nowhere), Some(Up), None, Some(Nowhere), None, None, Some(Nowhere)];
        assert_eq!(grid.next_moves(), cut_off);
        let all = [Down, Left, Right, Up, Nowhere];
        assert_eq!(all.map(NextMove::index), std::array::from_fn::<_, { NextMove::COUNT }, _>(|i| i));
    }

    /// A walk along the moves draws the label, from every start.
    #[test]
    fn moves_lead_along_the_label() {
        let mazes = crate::Generator::new(crate::GeneratorConfig::new(9, 5, 11)).expect("generator");
        for crate::Labelled { maze, solution } in mazes.take(200) {
            let moves = maze.grid().next_moves();
            let mut walked = maze.grid().cells().to_vec();
            let mut at = maze.start();
            loop {
                at = match moves[at].expect("a way") {
                    NextMove::Down => at + 9,
                    NextMove::Left => at - 1,
                    NextMove::Right => at + 1,
                    NextMove::Up => at - 9,
                    NextMove::Nowhere => panic!("a labelled maze has a path"),
                };
                if at == maze.goal() {
                    break;
                }
                walked[at] = Cell::Path;
            }
            assert_eq!(walked, solution.cells());
        }
    }

    /// Neighbouring ends leave nothing to draw; a wall between them leaves nothing to find.
    #[test]
    fn short_and_missing_paths() {
        assert_eq!(solved("SG\n  ").as_deref(), Some("SG\n  "));
        assert_eq!(solved("S#\n#G"), None);
    }
}

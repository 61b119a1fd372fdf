//! The rule behind the labels of Maze-Hard.
//!
//! Nearly every maze has millions of shortest paths, so a label is one of many right answers, chosen by a rule:
//! a breadth-first search from `S` with a first-in-first-out queue looks at the neighbours of a cell in the order
//! down, left, right, up, and each cell keeps the neighbour that found it first as its parent. The parents from `G`
//! back to `S` are the path. All 1,000 training and 1,000 test labels of the published data set follow it.

use crate::{Cell, Grid, Maze};

const NO_PARENT: u32 = u32::MAX;

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

    /// Neighbouring ends leave nothing to draw; a wall between them leaves nothing to find.
    #[test]
    fn short_and_missing_paths() {
        assert_eq!(solved("SG\n  ").as_deref(), Some("SG\n  "));
        assert_eq!(solved("S#\n#G"), None);
    }
}

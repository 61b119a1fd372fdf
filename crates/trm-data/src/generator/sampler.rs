//! Pairs of start and goal that are far apart, drawn from random grids.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::GeneratorConfig;
use super::board::{Board, Cells, Place, places};
use super::row::Row;
use crate::{Cell, Grid, Maze, rng};

/// At most this many searches count the far pairs of one grid. More would make the estimate of their share steadier,
/// and so fewer mazes share a grid, but cost time.
const MAX_SOURCES: usize = 64;
/// The same where most pairs are far, and a random few show their share well enough.
const EASY_SOURCES: usize = 2;

/// Draws random grids and finds the far pairs in them: the (S, G) whose shortest path is long enough.
pub(super) trait Sampler {
    /// Draws a grid whose cells are walls with probability `wall / 2^32`, and gives an unbiased estimate of the share
    /// of far pairs among all ordered pairs of free cells: the probability that a sampler that picks S and G blindly
    /// would keep this grid.
    fn weigh(&mut self, rng: &mut ChaCha8Rng, wall: u32) -> f64;

    /// A uniformly drawn far pair of the grid that was weighed last, as a maze. `None` when none was found.
    fn pick(&mut self, rng: &mut ChaCha8Rng) -> Option<Maze>;
}

/// A sampler for the side of these mazes.
pub(super) fn sampler(config: &GeneratorConfig) -> Box<dyn Sampler> {
    match config.side {
        0..=32 => Box::new(Bits::<u32>::new(config)),
        33..=64 => Box::new(Bits::<[u64; 1]>::new(config)),
        65..=128 => Box::new(Bits::<[u64; 2]>::new(config)),
        _ => Box::new(Bits::<[u64; 4]>::new(config)),
    }
}

/// The sampler for grids whose rows fit an `R`.
struct Bits<R> {
    /// Least distance of S and G, in steps.
    distance: usize,
    /// Most pairs are far enough, so that no cells need to be told apart as fringe.
    easy: bool,
    /// At most this many searches count the far pairs of one grid.
    max_sources: usize,
    board: Board<R>,
    /// Free cells of components that were not looked at yet.
    unseen: Cells<R>,
    /// Cells of which every far pair has at least one.
    fringe: Cells<R>,
    /// Cells that turned out to have no far pair.
    hopeless: Cells<R>,
    /// The fringe cells (or a sample of them) and, for each, the sum of the weights of the pairs up to it.
    sources: Vec<(Place, u64)>,
}

impl<R: Row> Sampler for Bits<R> {
    /// A breadth-first search from each fringe cell sees all far pairs: a pair with both ends in the fringe twice,
    /// another one once, so it counts double. When the fringe has more than `max_sources` cells, a random sample of
    /// that size stands for it; the estimate then varies, but its mean stays exact.
    fn weigh(&mut self, rng: &mut ChaCha8Rng, wall: u32) -> f64 {
        self.sources.clear();
        self.board.draw(rng, wall);
        if self.easy {
            self.fringe.copy(self.board.free());
        } else if !self.find_fringe() {
            return 0.0;
        }
        self.sources.extend(self.fringe.places().map(|place| (place, 0)));
        let fringe = self.sources.len();
        if fringe > self.max_sources {
            for i in 0..self.max_sources {
                let other = i + rng::below(rng, (fringe - i) as u64) as usize;
                self.sources.swap(i, other);
            }
            self.sources.truncate(self.max_sources);
        }
        let mut pairs = 0;
        self.hopeless.clear();
        for (source, sum) in &mut self.sources {
            if !self.hopeless.contains(*source) {
                let longest = self.board.search(*source, self.distance, usize::MAX);
                let far = self.board.far().zip(self.fringe.rows());
                pairs +=
                    far.map(|(far, fringe)| 2 * far.count() - far.and(fringe).count()).sum::<usize>() as u64;
                if let Some(margin) = (self.distance - 1).checked_sub(longest) {
                    // A cell within `margin` steps reaches at most that much farther: not far enough.
                    self.board.search(*source, 0, margin);
                    self.hopeless.add(self.board.reached());
                }
            }
            *sum = pairs;
        }
        let free = self.board.free().count();
        let unsampled = fringe as f64 / self.sources.len().max(1) as f64;
        pairs as f64 * unsampled / (free * free.saturating_sub(1)).max(1) as f64
    }

    fn pick(&mut self, rng: &mut ChaCha8Rng) -> Option<Maze> {
        let drawn = rng::below(rng, self.sources.last()?.1);
        let at = self.sources.partition_point(|&(_, sum)| sum <= drawn);
        let before = at.checked_sub(1).and_then(|at| self.sources.get(at)).map_or(0, |&(_, sum)| sum);
        let &(source, _) = self.sources.get(at)?;
        self.board.search(source, self.distance, usize::MAX);
        let mut left = drawn - before;
        let end = places(self.board.far()).find(|end| {
            let weight = 2 - u64::from(self.fringe.contains(*end));
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })?;
        self.maze(if rng.next_u64() & 1 == 1 { (source, end) } else { (end, source) })
    }
}

impl<R: Row> Bits<R> {
    fn new(config: &GeneratorConfig) -> Self {
        let [unseen, fringe, hopeless] = std::array::from_fn(|_| Cells::new(config.side));
        let distance = config.min_path + 1;
        let easy = distance <= config.side;
        Bits {
            distance,
            easy,
            max_sources: if easy { EASY_SOURCES } else { MAX_SOURCES },
            board: Board::new(config.side),
            unseen,
            fringe,
            hopeless,
            sources: Vec::new(),
        }
    }

    /// Finds cells of which every far pair has at least one; whether there are any.
    ///
    /// By the triangle inequality one end at least of each pair at distance D is D/2 or more away from any given cell
    /// of its component. Seen from the middle of the grid, few cells or none are that far.
    fn find_fringe(&mut self) -> bool {
        let half = self.distance.div_ceil(2);
        let mut any = false;
        let mut left = self.board.free().count();
        self.fringe.clear();
        self.unseen.copy(self.board.free());
        // A component needs more than `distance` cells to hold a far pair.
        while left > self.distance {
            let Some(from) = central(&self.unseen, self.board.side()) else { break };
            let longest = self.board.search(from, half, usize::MAX);
            let size = self.board.reached().map(R::count).sum::<usize>();
            left -= size;
            self.unseen.remove(self.board.reached());
            if size > self.distance && longest >= half {
                self.fringe.add(self.board.far());
                any = true;
            }
        }
        any
    }

    /// The grid with start and goal.
    fn maze(&self, (start, goal): (Place, Place)) -> Option<Maze> {
        let side = self.board.side();
        let mut cells = vec![Cell::Wall; side * side];
        for place in self.board.free().places() {
            cells[(place.row - 1) * side + place.column] = match place {
                _ if place == start => Cell::Start,
                _ if place == goal => Cell::Goal,
                _ => Cell::Open,
            };
        }
        Maze::new(Grid::new(side, cells).ok()?).ok()
    }
}

/// A cell of a set: the first in the right half of the middle row, or else the first of all.
fn central<R: Row>(cells: &Cells<R>, side: usize) -> Option<Place> {
    let middle = (side / 2..side).map(|column| Place { row: side.div_ceil(2), column });
    middle.into_iter().find(|&place| cells.contains(place)).or_else(|| cells.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of far pairs by definition: for each free cell, count the cells whose distance by plain steps is enough.
    fn share_by_definition<R: Row>(board: &Board<R>, distance: usize) -> f64 {
        let free: Vec<Place> = board.free().places().collect();
        let mut far = 0;
        for &from in &free {
            let mut found = vec![from];
            let mut frontier = vec![from];
            let mut near = 1;
            for step in 1.. {
                let next_to = |a: Place, b: Place| a.row.abs_diff(b.row) + a.column.abs_diff(b.column) == 1;
                let new =
                    |place: &Place| !found.contains(place) && frontier.iter().any(|&at| next_to(at, *place));
                frontier = free.iter().copied().filter(|place| new(place)).collect();
                found.extend(&frontier);
                if step < distance {
                    near = found.len();
                }
                if frontier.is_empty() {
                    break;
                }
            }
            far += found.len() - near;
        }
        far as f64 / (free.len() * free.len().saturating_sub(1)).max(1) as f64
    }

    fn weighs_by_definition<R: Row>(side: usize, min_path: usize, grids: u64) {
        let config = GeneratorConfig::new(side, min_path, 0);
        let mut sampler = Bits::<R>::new(&config);
        (sampler.easy, sampler.max_sources) = (false, usize::MAX);
        let mut rng = rng::stream(b"a test  ", side as u64, 0);
        let mut far = 0;
        for grid in 0..grids {
            let wall = (0.2 + 0.3 * grid as f64 / grids as f64) * 2f64.powi(32);
            let weight = sampler.weigh(&mut rng, wall as u32);
            let wanted = share_by_definition(&sampler.board, sampler.distance);
            assert!((weight - wanted).abs() < 1e-12, "{weight} instead of {wanted}");
            far += usize::from(weight > 0.0);
            assert_eq!(sampler.pick(&mut rng).is_some(), weight > 0.0);
        }
        assert!(far > 0, "no grid has far pairs");
    }

    /// The fringe, the pruning and the bits lose no far pair and count none twice, whatever the width of the rows.
    #[test]
    fn weight_is_the_share_of_far_pairs() {
        weighs_by_definition::<u32>(7, 0, 40);
        weighs_by_definition::<u32>(7, 7, 200);
        weighs_by_definition::<[u64; 1]>(7, 9, 200);
        weighs_by_definition::<[u64; 2]>(7, 10, 200);
        weighs_by_definition::<[u64; 4]>(7, 11, 200);
    }

    /// Every maze picked has a path that is long enough, also where rows span several words.
    #[test]
    fn picked_mazes_have_long_paths_at_any_side() {
        for (side, min_path) in
            [(2, 0), (3, 1), (32, 40), (33, 40), (64, 70), (65, 70), (128, 20), (129, 150), (255, 90)]
        {
            let config = GeneratorConfig { max_density: 0.35, ..GeneratorConfig::new(side, min_path, 0) };
            let mut sampler = sampler(&config);
            let mut rng = rng::stream(b"a test  ", side as u64, 1);
            let mut picked = 0;
            for _ in 0..50 {
                if sampler.weigh(&mut rng, (0.32 * 2f64.powi(32)) as u32) > 0.0 {
                    let maze = sampler.pick(&mut rng).expect("maze");
                    assert!(maze.shortest_path_cells() >= Some(min_path), "side {side}");
                    picked += 1;
                }
                if picked == 3 {
                    break;
                }
            }
            assert!(picked > 0, "side {side}");
        }
    }
}

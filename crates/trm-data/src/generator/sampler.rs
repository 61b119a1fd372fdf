use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::GeneratorConfig;
use super::board::{Board, Cells, Place, and, and_not, count, or, places};
use crate::{Cell, Grid, Maze, rng};

/// At most this many searches count the far pairs of one grid; see [`Sampler::weigh`].
const MAX_SOURCES: usize = 32;

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
        ..=64 => Box::new(Bits::<1>::new(config)),
        ..=128 => Box::new(Bits::<2>::new(config)),
        _ => Box::new(Bits::<4>::new(config)),
    }
}

/// A sampler on grids of at most `64 * W` columns.
struct Bits<const W: usize> {
    /// Least distance of S and G, in steps.
    distance: usize,
    board: Board<W>,
    /// Free cells of components that were not looked at yet.
    unseen: Cells<W>,
    /// Cells of which every far pair has at least one.
    fringe: Cells<W>,
    /// The fringe cells (or a sample of them) and, for each, the sum of the weights of the pairs up to it.
    sources: Vec<(Place, u64)>,
}

impl<const W: usize> Sampler for Bits<W> {
    /// A breadth-first search from each fringe cell sees all far pairs: a pair with both ends in the fringe twice,
    /// another one once, so it counts double. When the fringe has more than [`MAX_SOURCES`] cells, a random sample of
    /// that size stands for it; the estimate then varies, but its mean stays exact.
    fn weigh(&mut self, rng: &mut ChaCha8Rng, wall: u32) -> f64 {
        self.sources.clear();
        self.board.draw(rng, wall);
        let free = self.board.free().iter().map(count).sum::<usize>();
        if !self.find_fringe(free) {
            return 0.0;
        }
        self.sources.extend(places(self.fringe.iter().copied()).map(|place| (place, 0)));
        let fringe = self.sources.len();
        if fringe > MAX_SOURCES {
            for i in 0..MAX_SOURCES {
                let other = i + rng::below(rng, (fringe - i) as u64) as usize;
                self.sources.swap(i, other);
            }
            self.sources.truncate(MAX_SOURCES);
        }
        let mut pairs = 0;
        for (source, sum) in &mut self.sources {
            self.board.search(*source, self.distance, usize::MAX);
            let far = self.board.far().zip(&self.fringe);
            pairs += far.map(|(far, fringe)| 2 * count(&far) - count(&and(&far, fringe))).sum::<usize>() as u64;
            *sum = pairs;
        }
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
            let in_fringe = self.fringe[end.row][end.column / 64] >> (end.column % 64) & 1;
            let weight = 2 - in_fringe;
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        })?;
        self.maze(if rng.next_u64() & 1 == 1 { (source, end) } else { (end, source) })
    }
}

impl<const W: usize> Bits<W> {
    fn new(config: &GeneratorConfig) -> Self {
        let board = Board::new(config.side);
        let [unseen, fringe] = [board.free(), board.free()].map(Clone::clone);
        Bits { distance: config.min_path + 1, board, unseen, fringe, sources: Vec::new() }
    }

    /// Finds, component by component, the cells of which every far pair has at least one; whether there are any.
    ///
    /// Two searches from far ends find the middle of a long path. By the triangle inequality one end at least of each
    /// pair at distance D is D/2 or more away from it.
    fn find_fringe(&mut self, free: usize) -> bool {
        let (distance, board) = (self.distance, &mut self.board);
        let mut any = false;
        let mut left = free;
        self.fringe.fill([0; W]);
        self.unseen.copy_from_slice(board.free());
        // A search from the middle of the grid usually shows at once that nothing is far enough.
        let middle = board.side().div_ceil(2);
        // A component needs more than `distance` cells to hold a far pair.
        while left > distance {
            let Some(from) = first_near(&self.unseen, middle) else { break };
            let longest = board.search(from, 0, usize::MAX);
            let size = board.reached().iter().map(count).sum::<usize>();
            left -= size;
            for (unseen, reached) in self.unseen.iter_mut().zip(board.reached()) {
                *unseen = and_not(unseen, reached);
            }
            // No pair is farther apart than twice the largest distance from any one cell.
            if size <= distance || 2 * longest < distance {
                continue;
            }
            let Some(centre) = centre(board) else { continue };
            if 2 * board.search(centre, distance.div_ceil(2), usize::MAX) < distance {
                continue;
            }
            any = true;
            for (fringe, far) in self.fringe.iter_mut().zip(board.far()) {
                *fringe = or(fringe, &far);
            }
        }
        any
    }

    /// The grid with start and goal.
    fn maze(&self, (start, goal): (Place, Place)) -> Option<Maze> {
        let side = self.board.side();
        let mut cells = vec![Cell::Wall; side * side];
        for place in places(self.board.free().iter().copied()) {
            cells[(place.row - 1) * side + place.column] = match place {
                _ if place == start => Cell::Start,
                _ if place == goal => Cell::Goal,
                _ => Cell::Open,
            };
        }
        Maze::new(Grid::new(side, cells).ok()?).ok()
    }
}

/// After a search: the middle of a long path through the component it reached.
fn centre<const W: usize>(board: &mut Board<W>) -> Option<Place> {
    let one = places(board.frontier().iter().copied()).next()?;
    let length = board.search(one, 0, usize::MAX);
    let other = places(board.frontier().iter().copied()).next()?;
    board.search(one, 0, length / 2);
    let half_way = board.frontier().clone();
    board.search(other, 0, length - length / 2);
    places(half_way.iter().zip(board.frontier()).map(|(a, b)| and(a, b))).next()
}

/// A cell of a set: from the middle of the middle row on, or else the first in the rows from there or in any row.
fn first_near<const W: usize>(cells: &Cells<W>, middle: usize) -> Option<Place> {
    let from = |first: usize| {
        places(cells.iter().copied().skip(first)).map(move |place| Place { row: place.row + first, ..place })
    };
    let central = from(middle).take_while(|place| place.row == middle).find(|place| place.column + 1 >= middle);
    central.or_else(|| from(middle).next()).or_else(|| from(0).next())
}

//! The pilot of a generator: which densities of walls give long paths, and how often.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::GeneratorConfig;
use super::sampler::sampler;
use crate::{Error, Result, rng};

/// The range of wall densities is cut into this many equal strata.
const STRATA: usize = 8;
/// The pilot stops when this many grids had far pairs, or when it has looked at `PILOT_CELLS` cells.
const PILOT_HITS: usize = 1024;
const PILOT_CELLS: u64 = 1 << 28;
/// Grids per pilot stream, and streams that run at once. Both fix the pilot's result, on any number of threads.
const PILOT_CHUNK: usize = 32;
const PILOT_CHUNKS: u64 = 16;
/// The part of the mazes of a stratum that may come from grids expected to give more than one.
const SHARING: f64 = 0.1;
/// No stratum is drawn less often than this, relative to the one drawn most often. Rare heavy grids that the pilot
/// missed would otherwise give dozens of mazes each.
const RAREST: f64 = 1.0 / 16.0;

/// How often to draw which wall density, and how many mazes to expect from a grid.
///
/// The target draws the density uniformly and keeps a grid with probability w, the share of its far pairs. A grid of
/// stratum b is drawn with probability q(b) instead and gives K(b) * w mazes on average, with q(b) * K(b) the same
/// for all b. So each maze appears with an expected frequency in proportion to the target, whatever q and K are.
/// Both are chosen for speed: K(b) as large as the heaviest grids of the stratum allow without giving several mazes.
/// They come from a pilot run that does not depend on the seed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    strata: [Stratum; STRATA],
    /// Lowest density and width of a stratum, in units of 2^-32.
    low: f64,
    width: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Stratum {
    /// The probability to draw this stratum or one before it.
    up_to: f64,
    /// Expected mazes per grid and unit of w.
    factor: f64,
}

/// The strata of [`GeneratorConfig::maze_hard`], as [`Plan::by_pilot`] finds them: the pilot of so long mazes takes half a
/// second, which whoever wants a single maze need not wait for.
const MAZE_HARD: [Stratum; STRATA] = [
    Stratum { up_to: 0.081_447_161_808_557_17, factor: 54.411_507_956_056_944 },
    Stratum { up_to: 0.372_122_954_207_876_2, factor: 15.246_067_985_794_015 },
    Stratum { up_to: 0.513_023_523_366_012_1, factor: 31.452_412_997_500_478 },
    Stratum { up_to: 0.726_067_454_117_864, factor: 20.801_638_784_568_112 },
    Stratum { up_to: 0.831_415_305_738_309_5, factor: 42.066_950_816_531_78 },
    Stratum { up_to: 0.905_674_264_165_900_4, factor: 59.678_495_182_043_73 },
    Stratum { up_to: 0.981_832_762_975_042_7, factor: 58.189_997_991_564_57 },
    Stratum { up_to: 1.000_000_000_000_000_2, factor: 243.937_087_772_704_25 },
];

impl Plan {
    /// The plan for these settings; the seed plays no part.
    ///
    /// # Errors
    /// [`Error::NoMazes`] when no pilot grid has a far pair; [`Error::Stopped`] when `should_stop` ends the pilot.
    pub(super) fn new(config: &GeneratorConfig, should_stop: &dyn Fn() -> bool) -> Result<Self> {
        let maze_hard = GeneratorConfig::maze_hard(config.seed);
        if *config == maze_hard {
            Ok(Self::of(config, MAZE_HARD))
        } else {
            Self::by_pilot(config, should_stop)
        }
    }

    /// A plan with these strata.
    fn of(config: &GeneratorConfig, strata: [Stratum; STRATA]) -> Self {
        let unit = 2f64.powi(32);
        let low = config.min_density * unit;
        let width = (config.max_density - config.min_density) * unit / STRATA as f64;
        Self { strata, low, width }
    }

    /// Makes the plan for these settings.
    ///
    /// # Errors
    /// Those of [`Plan::new`].
    fn by_pilot(config: &GeneratorConfig, should_stop: &dyn Fn() -> bool) -> Result<Self> {
        let even = std::array::from_fn(|i| Stratum { up_to: (i + 1) as f64 / STRATA as f64, factor: 1.0 });
        let uniform = Self::of(config, even);
        let weights = uniform.pilot(config, should_stop)?;
        let tops = weights.map(heavy);
        let highest = tops.iter().copied().fold(0.0, f64::max);
        let tops = tops.map(|top| top.max(highest * RAREST));
        let sum: f64 = tops.iter().sum();
        let mut up_to = 0.0;
        let strata = tops.map(|top| {
            up_to += top / sum;
            Stratum { up_to, factor: 1.0 / top }
        });
        Ok(Plan { strata, ..uniform })
    }

    /// The weights w of the pilot's grids that have far pairs, by stratum.
    fn pilot(&self, config: &GeneratorConfig, should_stop: &dyn Fn() -> bool) -> Result<[Vec<f64>; STRATA]> {
        let limit = (PILOT_CELLS / (config.side * config.side) as u64).max(1);
        let mut weights: [Vec<f64>; STRATA] = Default::default();
        let (mut grids, mut hits) = (0, 0);
        for round in 0.. {
            if should_stop() {
                return Err(Error::Stopped);
            }
            let chunks = round * PILOT_CHUNKS..(round + 1) * PILOT_CHUNKS;
            let found: Vec<Vec<(usize, f64)>> = chunks
                .into_par_iter()
                .map_init(
                    || sampler(config),
                    |sampler, chunk| {
                        let mut rng = rng::stream(b"pilot   ", 0, chunk);
                        let mut trial = || {
                            let (stratum, wall) = self.density(&mut rng);
                            (stratum, sampler.weigh(&mut rng, wall))
                        };
                        (0..PILOT_CHUNK).map(|_| trial()).filter(|&(_, weight)| weight > 0.0).collect()
                    },
                )
                .collect();
            grids += PILOT_CHUNKS * PILOT_CHUNK as u64;
            for (stratum, weight) in found.into_iter().flatten() {
                hits += 1;
                weights[stratum].push(weight);
            }
            if hits >= PILOT_HITS || grids >= limit {
                break;
            }
        }
        if hits == 0 {
            return Err(Error::NoMazes { side: config.side, min_path: config.min_path, grids });
        }
        Ok(weights)
    }

    /// Draws a stratum and a wall density in it, in units of 2^-32.
    pub(super) fn density(&self, rng: &mut ChaCha8Rng) -> (usize, u32) {
        let drawn = rng::unit(rng);
        let stratum = self.strata.iter().position(|stratum| drawn < stratum.up_to).unwrap_or(STRATA - 1);
        (stratum, (self.low + (stratum as f64 + rng::unit(rng)) * self.width) as u32)
    }

    /// How many mazes a grid of this stratum and weight gives: its expected number, rounded up or down at random.
    pub(super) fn mazes(&self, rng: &mut ChaCha8Rng, stratum: usize, weight: f64) -> usize {
        let expected = self.strata[stratum].factor * weight;
        let whole = expected.floor();
        whole as usize + usize::from(rng::unit(rng) < expected - whole)
    }
}

/// The weight above which the heaviest grids hold [`SHARING`] of the total weight; 0 without grids.
fn heavy(mut weights: Vec<f64>) -> f64 {
    weights.sort_by(f64::total_cmp);
    let total: f64 = weights.iter().sum();
    let mut above = 0.0;
    let top = weights.iter().rev().find(|&&weight| {
        above += weight;
        above >= total * SHARING
    });
    top.copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same mazes for a seed, whether the plan is looked up or made.
    #[test]
    fn the_known_plan_is_the_pilots() {
        let config = GeneratorConfig::maze_hard(0);
        let (known, made) = (Plan::new(&config, &|| false), Plan::by_pilot(&config, &|| false));
        assert_eq!(known.expect("a plan"), made.expect("a plan"));
    }
}

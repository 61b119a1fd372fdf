//! The generator: the distribution it promises, and the same mazes on every machine.

use std::cell;
use std::collections::HashMap;
use std::ops::ControlFlow;

use trm_data::{
    Cell, Error, ExcludeSet, Generator, GeneratorConfig, Labelled, Maze, Progress, Symmetry, csv, judge,
};

fn generator(side: usize, min_path: usize, seed: u64) -> Generator {
    Generator::new(GeneratorConfig::new(side, min_path, seed)).expect("generator")
}

/// The largest distance between the distribution functions of two samples.
fn kolmogorov_smirnov(mut a: Vec<usize>, mut b: Vec<usize>) -> f64 {
    a.sort_unstable();
    b.sort_unstable();
    let share =
        |sample: &[usize], value| sample.partition_point(|&x| x <= value) as f64 / sample.len() as f64;
    a.iter().chain(&b).map(|&value| (share(&a, value) - share(&b, value)).abs()).fold(0.0, f64::max)
}

/// New mazes cannot be told from the published ones by their walls or their path lengths: two-sample
/// Kolmogorov-Smirnov at level 0.001. The seed is fixed, so the outcome is too.
#[test]
fn mazes_look_like_the_published_ones() {
    let Some(folder) = trm_testing::shared("maze-30x30-hard-1k") else { return };
    let real = csv::read(&folder.join("train.csv")).expect("CSV");
    let mut generator = Generator::new(GeneratorConfig::maze_hard(11)).expect("generator");
    let new = generator.next_batch(400);
    assert!(new.iter().all(|labelled| judge(&labelled.maze, &labelled.solution).exact));
    let (n, m) = (real.len() as f64, new.len() as f64);
    let critical = 1.95 * ((n + m) / (n * m)).sqrt();
    let walls = kolmogorov_smirnov(
        real.iter().map(|row| row.maze.grid().count(Cell::Wall)).collect(),
        new.iter().map(|labelled| labelled.maze.grid().count(Cell::Wall)).collect(),
    );
    assert!(walls < critical, "wall counts: {walls} of {critical}");
    let paths = kolmogorov_smirnov(
        real.iter().map(|row| row.answer.count(Cell::Path)).collect(),
        new.iter().map(|labelled| labelled.solution.count(Cell::Path)).collect(),
    );
    assert!(paths < critical, "path cells: {paths} of {critical}");
    // The tests have the power to see a difference: mazes of two fewer path cells are told apart.
    let shorter = real.iter().map(|row| row.answer.count(Cell::Path) - 2).collect();
    let told_apart =
        kolmogorov_smirnov(shorter, real.iter().map(|row| row.answer.count(Cell::Path)).collect());
    assert!(told_apart > critical);
}

/// Start, goal and number of walls of a maze: fine enough to see any bias, coarse enough to count.
fn class(maze: &Maze) -> (usize, usize, usize) {
    (maze.start(), maze.goal(), maze.grid().count(Cell::Wall))
}

/// The exact probabilities of all classes of mazes of side 3, by going through all grids, starts and goals.
fn exact_classes(min_path: usize) -> HashMap<(usize, usize, usize), f64> {
    const CELLS: usize = 9;
    let mut classes = HashMap::new();
    for walls in 0u32..1 << CELLS {
        let count = walls.count_ones() as usize;
        let free: Vec<usize> = (0..CELLS).filter(|cell| walls >> cell & 1 == 0).collect();
        // The probability of these walls, averaged over the density from 0.3 to 0.5 by the midpoint rule.
        let density = |i: usize| 0.3 + 0.2 * (i as f64 + 0.5) / 1000.0;
        let given = |p: f64| p.powi(count as i32) * (1.0 - p).powi((CELLS - count) as i32);
        let grid = (0..1000).map(|i| given(density(i))).sum::<f64>() / 1000.0;
        for &start in &free {
            for &goal in free.iter().filter(|&&goal| goal != start) {
                let tokens: Vec<u8> = (0..CELLS)
                    .map(|cell| match cell {
                        _ if cell == start => 3,
                        _ if cell == goal => 4,
                        _ if free.contains(&cell) => 2,
                        _ => 1,
                    })
                    .collect();
                let maze = Maze::from_tokens(&tokens).expect("maze");
                if maze.shortest_path_cells() >= Some(min_path) {
                    *classes.entry(class(&maze)).or_insert(0.0) +=
                        grid / (free.len() * (free.len() - 1)) as f64;
                }
            }
        }
    }
    let total: f64 = classes.values().sum();
    classes.values_mut().for_each(|probability| *probability /= total);
    classes
}

/// Every maze is drawn as often as the definition says: chi-square against the exact probabilities on side 3, both
/// where every free cell is sampled (paths no longer than the side) and where the fringe is searched.
#[test]
fn frequencies_are_those_of_the_definition() {
    for min_path in [0, 2, 4] {
        let exact = exact_classes(min_path);
        let drawn = generator(3, min_path, 5).next_batch(60_000);
        let mut counts: HashMap<_, f64> = HashMap::new();
        for labelled in &drawn {
            *counts.entry(class(&labelled.maze)).or_insert(0.0) += 1.0;
        }
        assert!(counts.keys().all(|class| exact.contains_key(class)));
        let (mut chi_square, mut cells) = (0.0, 0.0);
        for (class, probability) in exact {
            let expected = probability * drawn.len() as f64;
            if expected >= 5.0 {
                chi_square += (counts.get(&class).unwrap_or(&0.0) - expected).powi(2) / expected;
                cells += 1.0;
            }
        }
        // Mean `cells`, standard deviation sqrt(2 cells); five of these are a level far below one in 10,000.
        let limit = cells + 5.0 * f64::sqrt(2.0 * cells);
        assert!(
            cells > 20.0 && chi_square < limit,
            "min_path {min_path}: {chi_square} of {limit}, {cells} classes"
        );
    }
}

/// The stream does not depend on the number of threads or on how it is cut into batches.
#[test]
fn stream_is_the_same_on_any_number_of_threads() {
    let on = |threads: usize, batches: &[usize]| -> Vec<Labelled> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let mut generator = generator(10, 20, 7);
            batches.iter().flat_map(|&count| generator.next_batch(count)).collect()
        })
    };
    let one = on(1, &[100]);
    assert_eq!(one, on(3, &[1, 0, 40, 59]));
    assert_ne!(one, generator(10, 20, 8).next_batch(100), "another seed gives other mazes");
}

/// A run that goes on from a saved place sees the mazes that it would have seen.
#[test]
fn stream_goes_on_from_a_saved_place() {
    let mut generator = generator(8, 8, 1);
    for taken in [0, 1, 700, 3] {
        generator.next_batch(taken);
        let saved = serde_json::to_string(&generator.position()).expect("JSON");
        let position = serde_json::from_str(&saved).expect("position");
        let mut resumed = Generator::resume(*generator.config(), position).expect("generator");
        assert_eq!(resumed.next_batch(50), generator.clone().next_batch(50));
    }
}

/// Drawing that is given up loses nothing: the stream goes on where it was.
#[test]
fn drawing_can_be_given_up() {
    let mut stopped = generator(8, 8, 1);
    assert_eq!(stopped.next_batch_unless(1, || true), None);
    let asked = cell::Cell::new(0);
    let third = || asked.replace(asked.get() + 1) == 2;
    assert_eq!(stopped.next_batch_unless(usize::MAX, third), None);
    assert_eq!(stopped.next_batch(50), generator(8, 8, 1).next_batch(50));

    let mut seen = Vec::new();
    let mut stop_at_once = |now: Progress| {
        seen.push(now.done);
        ControlFlow::Break(())
    };
    let error = generator(8, 8, 1).take_unique(50, &mut ExcludeSet::new(), &mut stop_at_once);
    assert!(matches!(error, Err(Error::Stopped)));
    assert_eq!(seen, [0]);
}

/// No maze is given twice or although it is excluded, however it is turned.
#[test]
fn taken_mazes_are_new_up_to_symmetry() {
    let mut generator = generator(4, 3, 2);
    let mut exclude = ExcludeSet::new();
    let first = generator.take_unique(300, &mut exclude, &mut |_| ControlFlow::Continue(())).expect("mazes");
    let mut reports = Vec::new();
    let mut report = |progress| {
        reports.push(progress);
        ControlFlow::Continue(())
    };
    let second = generator.take_unique(300, &mut exclude, &mut report).expect("mazes");
    assert_eq!((exclude.len(), reports.last().map(|last| (last.done, last.total))), (600, Some((300, 300))));
    for labelled in first {
        for symmetry in Symmetry::ALL {
            assert!(second.iter().all(|other| other.maze != labelled.maze.apply(symmetry)));
            assert!(exclude.contains(&labelled.maze.apply(symmetry)));
        }
    }
}

/// What cannot be done ends in an error after bounded work: paths too long, and more mazes than there are.
#[test]
fn impossible_requests_end_in_errors() {
    let fails = |config| Generator::new(config).expect_err("refused");
    assert!(matches!(fails(GeneratorConfig::new(6, 35, 0)), Error::NoMazes { grids: 0, .. }));
    assert!(matches!(fails(GeneratorConfig::new(1, 0, 0)), Error::Setting { field: "side", .. }));
    assert!(matches!(fails(GeneratorConfig::new(256, 0, 0)), Error::Setting { field: "side", .. }));
    assert!(matches!(fails(GeneratorConfig::new(100, 3000, 0)), Error::NoMazes { .. }));
    let open = |min_path| GeneratorConfig {
        min_density: 0.0,
        max_density: 0.0,
        ..GeneratorConfig::new(7, min_path, 0)
    };
    assert!(matches!(fails(open(12)), Error::NoMazes { grids: 0, .. }));
    assert!(Generator::new(open(11)).is_ok(), "from corner to corner");
    let dense = GeneratorConfig { min_density: 0.99, max_density: 0.9, ..GeneratorConfig::new(5, 0, 0) };
    assert!(matches!(fails(dense), Error::Setting { field: "max_density", .. }));
    let error = generator(2, 0, 0)
        .take_unique(1000, &mut ExcludeSet::new(), &mut |_| ControlFlow::Continue(()))
        .expect_err("too many");
    assert!(matches!(error, Error::Exhausted { wanted: 1000, side: 2, .. }), "{error}");
}

/// A pilot that would look for a minute at mazes that hardly exist ends when it is asked to.
#[test]
fn pilots_can_be_given_up() {
    let sparse = GeneratorConfig { min_density: 0.01, max_density: 0.01, ..GeneratorConfig::maze_hard(0) };
    let begun = std::time::Instant::now();
    let asked = std::cell::Cell::new(0);
    let should_stop = || asked.replace(asked.get() + 1) == 2;
    assert!(matches!(Generator::new_unless(sparse, should_stop), Err(Error::Stopped)));
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}

/// Measures mazes per second on one thread, and how many share their walls with another:
/// `cargo test --release -p trm-data --test it generator:: -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement of some 10 seconds"]
fn measure_mazes_per_second() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("pool");
    pool.install(|| {
        let start = std::time::Instant::now();
        let mut generator = Generator::new(GeneratorConfig::maze_hard(1)).expect("generator");
        let (pilot, start) = (start.elapsed(), std::time::Instant::now());
        let mazes = generator.next_batch(3000);
        let speed = mazes.len() as f64 / start.elapsed().as_secs_f64();
        let mut grids: HashMap<Vec<bool>, usize> = HashMap::new();
        for labelled in &mazes {
            let walls = labelled.maze.grid().cells().iter().map(|&cell| cell == Cell::Wall).collect();
            *grids.entry(walls).or_default() += 1;
        }
        let sharing: usize = grids.values().filter(|&&mazes| mazes > 1).sum();
        let share = 100.0 * sharing as f64 / mazes.len() as f64;
        eprintln!("pilot {pilot:.2?}, {speed:.0} mazes/s on one thread, {share:.1} % share their walls");
    });
}

//! The generator of Sudokus, and hard boards for the solver.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Instant;

use trm_data::{Dataset, SplitRequest};
use trm_puzzles::sudoku::{self, ExcludeSet, Generator, GeneratorConfig, Labelled, Size, Sudoku};
use trm_puzzles::{DrawRequest, Error, named};

use crate::unwatched;

fn generator(size: Size, givens: Option<usize>, seed: u64) -> Generator {
    Generator::new(GeneratorConfig { size, givens, seed }).expect("a generator")
}

/// Boards have the givens that were asked for and one solution, the label; as few as can be means that no given can go.
#[test]
fn boards_are_as_asked_for() {
    for (size, givens) in [
        (Size::Four, 5),
        (Size::Four, 9),
        (Size::Six, 12),
        (Size::Nine, 28),
        (Size::Nine, 50),
        (Size::Nine, 81),
    ] {
        for Labelled { question, solution } in generator(size, Some(givens), 1).take(20) {
            assert_eq!(question.grid().givens(), givens);
            assert_eq!(question.solve().expect("one solution"), solution);
        }
    }
    for size in Size::ALL {
        for Labelled { question, .. } in generator(size, None, 1).take(10) {
            let text = question.grid().to_flat_text();
            for at in text.match_indices(|sign| sign != '.').map(|(at, _)| at) {
                let mut fewer = text.clone();
                fewer.replace_range(at..=at, ".");
                let fewer: Sudoku = fewer.parse().expect("a Sudoku");
                assert!(fewer.search(2).count > 1, "{fewer:?}");
            }
        }
    }
}

/// A seed gives the same boards with any number of threads, another seed others.
#[test]
fn boards_follow_the_seed() {
    let drawn = |threads: usize, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| generator(Size::Nine, Some(30), seed).take(150).collect::<Vec<_>>())
    };
    assert_eq!(drawn(1, 7), drawn(3, 7));
    assert_ne!(drawn(1, 7), drawn(1, 8));
    // A seed must mean the same boards for ever.
    let first = generator(Size::Six, Some(12), 0).next().expect("a board");
    assert_eq!(first.question.grid().to_flat_text(), FIRST);
}

const FIRST: &str = ".......3.2.63.1...5....22..53.4..6..";

/// No form of a board comes twice, nor any that is excluded; when there are no more, that is said.
#[test]
fn no_board_comes_twice() {
    let mut known = ExcludeSet::new();
    let first =
        generator(Size::Four, Some(6), 1).take_unique(40, &mut known, &mut unwatched()).expect("boards");
    assert_eq!(known.len(), 40);
    let more =
        generator(Size::Four, Some(6), 1).take_unique(40, &mut known, &mut unwatched()).expect("boards");
    let forms: HashSet<_> = first.iter().chain(&more).map(|labelled| labelled.question).collect();
    assert_eq!((forms.len(), known.len()), (80, 80));
    let error = generator(Size::Four, Some(4), 1).take_unique(9999, &mut known, &mut unwatched());
    let error = error.expect_err("there are 13 with 4 givens").to_string();
    assert!(error.contains("of 9999 different Sudokus of side 4 with 4 givens"), "{error}");
    let stopped = generator(Size::Nine, None, 1).take_unique(9, &mut known, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped)));
    for (size, givens) in [(Size::Four, 3), (Size::Six, 37), (Size::Nine, 16)] {
        let error =
            Generator::new(GeneratorConfig { size, givens: Some(givens), seed: 0 }).expect_err("none");
        assert!(error.to_string().contains(&format!("givens = {givens} cannot be used; choose")), "{error}");
    }
}

/// Fresh data sets: splits, forms beside each board of the training split, data sets to exclude.
#[test]
fn fresh_data_sets_are_drawn() {
    let folder = tempfile::tempdir().expect("folder");
    let splits =
        [("train", 30), ("test", 10)].map(|(name, count)| SplitRequest { name: name.to_owned(), count });
    let sudoku = named("sudoku").expect("it is there");
    let first = folder.path().join("first");
    let request = DrawRequest { givens: Some(14), augment: Some(3), ..DrawRequest::new(6, &splits, &first) };
    let summary = sudoku.draw(&request, &mut unwatched()).expect("drawn");
    assert_eq!((summary.splits[0].rows, summary.splits[1].rows), (120, 10));
    let train = Dataset::load(&first.join("train")).expect("train");
    let figures = sudoku::check(&train);
    assert_eq!((figures.sudokus, figures.unique, figures.valid, figures.side), (120, 120, 120, Some(6)));
    assert_eq!((figures.duplicates, figures.duplicates_up_to_symmetry), (0, 90));
    assert_eq!(figures.givens.map(|givens| (givens.min, givens.max)), Some((14, 14)));
    assert_eq!(train.metadata.total_groups, 30);
    // The same seed without the boards that are there already gives others.
    let exclude = [first.clone()];
    let second = folder.path().join("second");
    let request =
        DrawRequest { givens: Some(14), exclude: &exclude, ..DrawRequest::new(6, &splits, &second) };
    sudoku.draw(&request, &mut unwatched()).expect("drawn");
    let mut known = ExcludeSet::new();
    for (folder, rows) in [(&first, 40), (&second, 80)] {
        for split in ["train", "test"] {
            known.insert_all(&Dataset::load(&folder.join(split)).expect("a split")).expect("Sudokus");
        }
        assert_eq!(known.len(), rows);
    }
}

/// Boards that were made or chosen to be hard for programs: all are solved, in milliseconds each.
const HARD: [&str; 8] = [
    "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..",
    "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9",
    "1....7.9..3..2...8..96..5....53..9...1..8...26....4...3......1..4......7..7...3..",
    "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......",
    "..............1.......2.3...1.......4..5......6....7.......8...3......9..........",
    "85...24..72......9..4.........1.7..23.5...9...4...........8..7..17..........36.4.",
    "..53.....8......2..7..1.5..4....53...1..7...6..32...8..6.5....9..4....3......97..",
    "000000010400000000020000000000050407008000300001090000300400200050100000000806000",
];

/// Hard boards are solved; where there are several solutions that is found too.
#[test]
fn hard_boards_are_solved() {
    let mut solved = 0;
    for text in HARD {
        let sudoku: Sudoku = text.parse().expect("a Sudoku");
        let found = sudoku.search(2);
        let first = found.first.expect("a solution");
        assert!(first.answers(sudoku.grid()), "{text}");
        solved += usize::from(found.count == 1);
    }
    assert_eq!(solved, 7, "one of them has several solutions");
}

/// Speeds, on one thread: `cargo test --release -p trm-puzzles --test it -- --ignored --nocapture speeds`.
#[test]
#[ignore = "measures"]
fn speeds() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        let per_second = |what: &str, count: usize, begun: Instant| {
            println!("{what}: {:.0} a second", count as f64 / begun.elapsed().as_secs_f64());
        };
        for (size, givens) in [
            (Size::Four, Some(6)),
            (Size::Six, Some(12)),
            (Size::Nine, Some(40)),
            (Size::Nine, Some(30)),
            (Size::Nine, Some(26)),
            (Size::Nine, Some(24)),
            (Size::Nine, Some(22)),
            (Size::Nine, None),
        ] {
            let mut generator = generator(size, givens, 1);
            let begun = Instant::now();
            let mut count = 0;
            while begun.elapsed().as_secs_f64() < 2.0 {
                count += generator.by_ref().take(20).count();
            }
            per_second(&format!("fresh boards of side {}, givens {givens:?}", size.side()), count, begun);
        }
        let boards: Vec<_> = generator(Size::Nine, None, 2).take(2000).collect();
        let begun = Instant::now();
        let guesses: u64 = boards.iter().map(|board| board.question.search(2).guesses).sum();
        per_second(&format!("solved with fewest givens ({guesses} guesses)"), boards.len(), begun);
        let begun = Instant::now();
        let rounds = 200;
        let guesses: u64 = (0..rounds)
            .flat_map(|_| HARD)
            .map(|text| text.parse::<Sudoku>().expect("a Sudoku").search(2).guesses)
            .sum();
        per_second(&format!("hard boards solved ({guesses} guesses)"), rounds * HARD.len(), begun);
        for text in HARD {
            let sudoku: Sudoku = text.parse().expect("a Sudoku");
            let begun = Instant::now();
            let found = sudoku.search(2);
            println!("{text}: {} {} guesses, {:?}", found.count, found.guesses, begun.elapsed());
        }
        let mut known = ExcludeSet::new();
        let begun = Instant::now();
        boards.iter().for_each(|board| {
            known.insert(board);
        });
        per_second("keys", boards.len(), begun);
        let begun = Instant::now();
        let split = sudoku::split_of(&boards[..100], 1000, |row, copy| {
            sudoku::Symmetry::draw(
                Size::Nine,
                &mut trm_data::rng::stream(b"a test  ", row as u64, copy as u64),
            )
        });
        per_second("forms drawn and written", split.expect("a split").len(), begun);
    });
}

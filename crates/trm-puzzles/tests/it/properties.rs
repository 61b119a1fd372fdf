//! Laws that hold for all Sudokus, symmetries and puzzles, tried on random ones.

use proptest::collection::vec;
use proptest::prelude::*;
use trm_data::rng;
use trm_puzzles::PUZZLES;
use trm_puzzles::sudoku::{Generator, GeneratorConfig, Grid, Key, Labelled, Size, Sudoku, Symmetry};

fn sizes() -> impl Strategy<Value = Size> {
    prop::sample::select(&Size::ALL[..])
}

/// Sudokus with one solution, from a few to all givens.
fn sudokus() -> impl Strategy<Value = Labelled> {
    (sizes(), any::<u64>(), 0usize..=9).prop_map(|(size, seed, more)| {
        let least = match size {
            Size::Four => 6,
            Size::Six => 14,
            Size::Nine => 30,
        };
        let givens = Some(least + more * (size.cells() - least) / 9);
        Generator::new(GeneratorConfig { size, givens, seed }).expect("settings").next().expect("a Sudoku")
    })
}

fn symmetry(size: Size, seed: u64) -> Symmetry {
    Symmetry::draw(size, &mut rng::stream(b"a test  ", seed, 0))
}

/// Solutions of a small board by trying every digit in every cell.
fn brute_force(grid: &Grid) -> usize {
    let Some(cell) = grid.digits().iter().position(|&digit| digit == 0) else { return 1 };
    let with = |digit| {
        let mut digits = grid.digits().to_vec();
        digits[cell] = digit;
        Grid::new(grid.size(), &digits).expect("a grid")
    };
    (1..=grid.size().side() as u8)
        .map(with)
        .filter(|grid| grid.clash().is_none())
        .map(|g| brute_force(&g))
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A symmetry turns a Sudoku with one solution into another with one solution, which is turned likewise; it can be undone.
    #[test]
    fn symmetries_keep_the_rules(sudoku in sudokus(), seed in any::<u64>()) {
        let size = sudoku.solution.size();
        let symmetry = symmetry(size, seed);
        let turned = symmetry.apply_to(&sudoku.question);
        prop_assert_eq!(turned.grid().givens(), sudoku.question.grid().givens());
        prop_assert_eq!(turned.solve().expect("one solution"), symmetry.apply(&sudoku.solution));
        prop_assert_eq!(symmetry.inverse().apply_to(&turned), sudoku.question);
        prop_assert_eq!(symmetry.apply(&symmetry.inverse().apply(&sudoku.solution)), sudoku.solution);
    }

    /// All forms of a Sudoku have one key; one given less is another Sudoku.
    #[test]
    fn keys_are_shared_by_all_forms(sudoku in sudokus(), seed in any::<u64>(), at in any::<prop::sample::Index>()) {
        let symmetry = symmetry(sudoku.solution.size(), seed);
        let question = sudoku.question.grid();
        let key = Key::of(question, &sudoku.solution);
        prop_assert_eq!(Key::of(&symmetry.apply(question), &symmetry.apply(&sudoku.solution)), key);
        let given: Vec<usize> = (0..question.digits().len()).filter(|&cell| question.digits()[cell] > 0).collect();
        let mut fewer = question.digits().to_vec();
        fewer[given[at.index(given.len())]] = 0;
        let fewer = Grid::new(question.size(), &fewer).expect("a grid");
        prop_assert_ne!(Key::of(&fewer, &sudoku.solution), key);
    }

    /// The solver finds as many solutions as trying everything does.
    #[test]
    fn solver_agrees_with_trying_everything(digits in vec(prop_oneof![3 => Just(0u8), 1 => 1u8..=4], 16)) {
        let grid = Grid::new(Size::Four, &digits).expect("a grid");
        match Sudoku::new(grid) {
            Ok(sudoku) => prop_assert_eq!(sudoku.search(usize::MAX).count, brute_force(&grid)),
            Err(_) => prop_assert!(grid.clash().is_some()),
        }
    }

    /// The only valid answer is the label; every other is refused, whichever cell is wrong.
    #[test]
    fn judge_rejects_mutations(sudoku in sudokus(), at in any::<prop::sample::Index>(), token in 0u8..12) {
        let puzzle = trm_puzzles::named("sudoku").expect("it is there");
        let (question, mut answer) = (sudoku.question.grid().tokens(), sudoku.solution.tokens());
        prop_assert_eq!(puzzle.grade(&question, &answer), [true]);
        prop_assert_eq!(&puzzle.solve(&question).expect("a label"), &answer);
        let at = at.index(answer.len());
        prop_assume!(answer[at] != token);
        answer[at] = token;
        prop_assert_eq!(puzzle.grade(&question, &answer), [false]);
    }

    /// Nothing is lost between the forms of a grid.
    #[test]
    fn text_and_tokens_round_trip(sudoku in sudokus()) {
        for grid in [sudoku.question.grid(), &sudoku.solution] {
            prop_assert_eq!(&grid.to_string().parse::<Grid>().expect("lines"), grid);
            prop_assert_eq!(&Grid::from_flat_text(&grid.to_flat_text()).expect("flat"), grid);
            prop_assert_eq!(&Grid::from_tokens(&grid.tokens()).expect("tokens"), grid);
        }
    }

    /// Any tokens and any text are survived by every puzzle, and what it reads is well formed by its own rules.
    #[test]
    fn anything_is_survived(
        question in prop_oneof![vec(0u8..=255, 0..100), vec(0u8..7, 16), vec(0u8..9, 36), vec(0u8..12, 81), vec(0u8..13, 900)],
        answer in prop_oneof![vec(0u8..=255, 0..100), vec(0u8..7, 16), vec(0u8..9, 36), vec(0u8..12, 81), vec(0u8..13, 900)],
        text in "[0-9.# SGo|+\r\n\u{e9}-]{0,120}",
    ) {
        for puzzle in PUZZLES {
            prop_assert_eq!(puzzle.grade(&question, &answer).len(), puzzle.grades().len());
            let well_formed = puzzle.check(&question).is_ok();
            prop_assert!(well_formed || puzzle.solve(&question).is_err());
            let _ = puzzle.describe(&question, &answer);
            if let Ok((board, tokens)) = puzzle.read(&text) {
                prop_assert_eq!(tokens.len(), board.cells());
                prop_assert!(puzzle.check(&tokens).is_ok());
                prop_assert_eq!(puzzle.read(&board.text(&tokens)).expect("printed").1, tokens);
            }
        }
    }
}

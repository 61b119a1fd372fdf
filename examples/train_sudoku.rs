//! Another puzzle on the same crates: 4x4 Sudoku. A puzzle is tokens, a [`Source`] that draws it for training and a
//! [`Dataset`] to evaluate on; network, trainer, evaluation and files stay as they are.
//!
//! `cargo run --release --example train_sudoku [KEY=VALUE...]`: about a minute on two CPU cores; `training.steps=600`
//! and the like change the recipe.

use std::{env, error::Error};

use burn::backend::{Autodiff, Flex};
use trm_data::{Dataset, rng};
use trm_model::{HaltRule, think};
use trm_train::{Data, Event, Group, Limits, Place, Recipe, Record, Result, Resume, Rows, Run, Source};

/// `kind = "custom"`: this program brings the data, so the model's section must say what shape they have. There are 16
/// cells of 6 tokens: padding, the empty cell and the digits. `mlp_t` mixes the cells by a small network instead of
/// attention, as the paper does for Sudoku: on a small board of one size, each cell has its fixed place.
const RECIPE: &str = r#"
name = "sudoku-4x4"

[model]
vocab_size = 6
seq_len = 16
num_puzzle_identifiers = 1
puzzle_emb_len = 0
hidden_size = 32
num_heads = 4
l_layers = 2
h_cycles = 1
l_cycles = 1
expansion = 3.0
mlp_t = true
pos_encodings = "none"
halt_max_steps = 4

[data]
kind = "custom"

[optimizer]
lr = 2e-3
weight_decay = 0.1
warmup_steps = 50
min_lr_ratio = 0.1
ema_rate = 0.99
token_loss = "softmax"

[training]
batch_size = 32
steps = 300

[evaluation]
every = 100
puzzles = 500
"#;

/// Token 0 is padding everywhere in these crates; the digit 1 is token 2, and so on.
const EMPTY: u8 = 1;
const DIGITS: std::ops::RangeInclusive<u8> = 2..=5;

/// 4 rows of 4 tokens.
type Board = [u8; 16];

/// The ways to fill the empty cells by the rules, at most `limit` of them.
fn solutions(board: &Board, limit: usize) -> Vec<Board> {
    let Some(cell) = board.iter().position(|&token| token == EMPTY) else { return vec![*board] };
    // No digit comes twice in a row, a column or a box.
    let units = |cell: usize| [cell / 4, cell % 4, cell / 8 * 2 + cell % 4 / 2];
    let meet = |a: usize, b: usize| units(a).iter().zip(units(b)).any(|(a, b)| *a == b);
    let mut found = Vec::new();
    for digit in DIGITS {
        let taken = (0..16).any(|other| board[other] == digit && meet(cell, other));
        if !taken && found.len() < limit {
            let mut next = *board;
            next[cell] = digit;
            found.extend(solutions(&next, limit - found.len()));
        }
    }
    found
}

/// Endless puzzles with these solutions.
struct Sudokus {
    solutions: Vec<Board>,
    drawn: u64,
}

impl Sudokus {
    /// A puzzle and its only solution: clues of a full board go, one by one, as long as the solution stays the only one.
    fn draw(&mut self) -> (Board, Board) {
        // A stream of random numbers for every puzzle, so that the place in the source is no more than a count.
        let mut rng = rng::stream(b"sudoku  ", 0, self.drawn);
        self.drawn += 1;
        let solution = self.solutions[rng::below(&mut rng, self.solutions.len() as u64) as usize];
        let mut puzzle = solution;
        for _ in 0..24 {
            let cell = rng::below(&mut rng, 16) as usize;
            let clue = std::mem::replace(&mut puzzle[cell], EMPTY);
            if solutions(&puzzle, 2).len() > 1 {
                puzzle[cell] = clue;
            }
        }
        (puzzle, solution)
    }

    /// The next puzzles as a data set.
    fn data_set(&mut self, count: usize) -> trm_data::Result<Dataset> {
        let (puzzles, solutions): (Vec<_>, Vec<_>) = (0..count).map(|_| self.draw()).unzip();
        let dataset = Dataset::of_rows(6, 16, puzzles.concat(), solutions.concat());
        dataset.validate()?;
        Ok(dataset)
    }
}

impl Source for Sudokus {
    /// A row for each place in the batch. A place that is not free still works on its puzzle and ignores its row; at
    /// puzzles this cheap, it may have one all the same.
    fn next_rows(&mut self, _step: u64, free: &[bool]) -> Result<Rows> {
        let mut rows = Rows::default();
        for _ in free {
            let (puzzle, solution) = self.draw();
            rows.inputs.extend(puzzle.map(i32::from));
            rows.labels.extend(solution.map(i32::from));
            rows.puzzle_identifiers.push(0);
        }
        Ok(rows)
    }

    // A checkpoint keeps the place, and a resumed run seeks it: it draws the puzzles that the first one would have drawn.
    fn place(&self) -> Place {
        Place { unit: 0, item: self.drawn }
    }

    fn seek(&mut self, _step: u64, place: Place) -> Result<()> {
        self.drawn = place.item;
        Ok(())
    }

    fn fingerprint(&self) -> String {
        format!("4x4 sudokus of {} solutions", self.solutions.len())
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    // There are 288 full boards. Training never sees every eighth of them, so knowing them by heart does not help.
    let boards = solutions(&[EMPTY; 16], usize::MAX).into_iter().enumerate();
    let (held_out, known): (Vec<_>, Vec<_>) = boards.partition(|(number, _)| number % 8 == 0);
    let [mut held_out, known] = [held_out, known]
        .map(|boards| Sudokus { solutions: boards.into_iter().map(|(_, board)| board).collect(), drawn: 0 });

    let recipe = Recipe::from_toml("this example", RECIPE, &env::args().skip(1).collect::<Vec<_>>())?;
    let data = Data::custom(&recipe, Box::new(known), Some(held_out.data_set(500)?))?;
    let (folder, device) = (tempfile::tempdir()?, Default::default());
    let mut run =
        Run::<Autodiff<Flex>>::open(recipe, data, folder.path(), Resume::No, &device, Group::alone())?;
    run.run(&Limits::default(), &mut |event: &Event| {
        if let Event::Record(Record::Evaluation(record)) = event {
            let (exact, cells) = (100.0 * record.metrics.exact_accuracy, 100.0 * record.metrics.accuracy);
            println!("step {}: {exact:.1} % of new puzzles solved, {cells:.1} % of cells", record.step);
        }
        Ok(())
    })?;

    // Three more puzzles, each beside the answers after every step of thinking; the model stops when it believes one.
    let model = run.trainer().ema();
    for _ in 0..3 {
        let (puzzle, solution) = held_out.draw();
        let mut boards = vec![puzzle.to_vec()];
        for thought in think(model, &puzzle, 0, HaltRule::QHalt, model.config().halt_max_steps)? {
            boards.push(thought?.answer);
        }
        println!();
        for row in 0..4 {
            let line: Vec<String> = boards.iter().map(|board| digits(&board[4 * row..][..4])).collect();
            println!("{}", line.join("   "));
        }
        println!("{}", if boards.ends_with(&[solution.to_vec()]) { "right" } else { "wrong" });
    }
    Ok(())
}

fn digits(tokens: &[u8]) -> String {
    let symbol = |&token: &u8| if DIGITS.contains(&token) { (b'0' + token - EMPTY) as char } else { '.' };
    tokens.iter().map(symbol).collect()
}

//! What a model is asked by hand: a question of its puzzle, read or drawn, on a board that its weights fit.

use std::{
    fs,
    io::{IsTerminal, Read, stdin},
    path::Path,
};

use trm_data::text;
use trm_model::{SizeFit, TrmConfig};
use trm_puzzles::{Board, Puzzle, puzzle_of_model};

use crate::{Result, messages::warn};

/// A question, and what is known of it.
pub struct Question {
    pub puzzle: &'static dyn Puzzle,
    pub board: Board,
    /// Its tokens, `[cells]`.
    pub tokens: Vec<u8>,
    /// The right answer, where there is one that a program finds.
    pub label: Option<Vec<u8>>,
}

impl Question {
    /// The question of a file or of standard input, if one is given.
    pub fn read(puzzle: &'static dyn Puzzle, path: Option<&Path>) -> Result<Option<Self>> {
        let Some((text, place)) = given(puzzle, path)? else { return Ok(None) };
        let (board, tokens) = puzzle.read(&text).map_err(|error| format!("{place}: {error}"))?;
        let label = puzzle.solve(&tokens);
        if let Err(error) = &label {
            warn(&error.to_string());
        }
        Ok(Some(Self { puzzle, board, tokens, label: label.ok() }))
    }

    /// A fresh question on a board of the model.
    pub fn draw(puzzle: &'static dyn Puzzle, config: &TrmConfig, seed: u64) -> Result<Self> {
        let board = board_of(puzzle, config)?;
        let (tokens, label) =
            puzzle.fresh(board.rows, seed, 1)?.pop().ok_or("no question was drawn; give one")?;
        Ok(Self { puzzle, board, tokens, label: Some(label) })
    }
}

/// The puzzle that a model is for: said by its configuration or by the flag, or the only one that has its boards.
pub fn puzzle_of(
    config: &TrmConfig,
    model: Option<&Path>,
    asked: Option<&'static dyn Puzzle>,
) -> Result<&'static dyn Puzzle> {
    let model = model.unwrap_or(Path::new("the model that comes with trm"));
    let board = [config.seq_len, config.vocab_size];
    Ok(puzzle_of_model(model, config.puzzle.as_deref(), board, asked)?)
}

/// The board that a model was made for.
pub fn board_of(puzzle: &dyn Puzzle, config: &TrmConfig) -> Result<Board> {
    let board = puzzle.board(config.seq_len, config.vocab_size);
    Ok(board.ok_or_else(|| format!("{} have no boards of {} cells", puzzle.plural(), config.seq_len))?)
}

/// The architecture for questions on such a board, if the weights fit it; says so where the model was not trained on such.
pub fn fit_board(config: &TrmConfig, puzzle: &dyn Puzzle, board: &Board) -> Result<TrmConfig> {
    let cells = board.cells();
    if config.fit(cells) == SizeFit::No {
        let size = |board: &Board| format!("{}x{}", board.rows, board.columns);
        let made = board_of(puzzle, config)?;
        return Err(format!(
            "the {} is {}, but the model was made for {}; give it one of that size",
            puzzle.noun(),
            size(board),
            size(&made)
        )
        .into());
    }
    if let Some(warning) = config.size_warning(cells) {
        warn(&warning);
    }
    Ok(config.for_cells(cells)?)
}

/// The text of a file or of standard input, and where it is from.
fn given(puzzle: &dyn Puzzle, path: Option<&Path>) -> Result<Option<(String, String)>> {
    let from_stdin = path.is_none_or(|path| path == Path::new("-"));
    let (bytes, place) = match path {
        Some(path) if path.is_dir() => {
            let (name, noun) = (path.display(), puzzle.noun());
            return Err(format!(
                "{name}: is a folder; give a text file with one {noun}, or evaluate a data set with `trm eval --data {name}`"
            )
            .into());
        }
        Some(path) if !from_stdin => {
            let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            (bytes, path.display().to_string())
        }
        None if stdin().is_terminal() => return Ok(None),
        _ => {
            let mut bytes = Vec::new();
            stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| format!("cannot read standard input: {error}"))?;
            (bytes, "standard input".to_owned())
        }
    };
    if path.is_none() && bytes.is_empty() {
        return Ok(None);
    }
    let text = text::decode(&bytes).map_err(|error| format!("{place}: {error}"))?;
    Ok(Some((text.to_owned(), place)))
}

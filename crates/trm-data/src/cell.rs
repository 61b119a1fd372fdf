//! The cells of a maze, their tokens and their symbols.

use std::fmt;

/// Number of token values: the padding and the five kinds of [`Cell`].
pub const VOCAB_SIZE: usize = 6;

/// The largest side of a grid. It keeps cell numbers and distances in 16 bits and bounds what hostile files can ask for.
pub const MAX_SIDE: usize = 255;

/// The token that is no cell. It pads batches and marks labels to ignore.
pub const PAD: u8 = 0;

/// The label of a cell that counts in no loss and no metric, where labels are wider than tokens (`IGNORE_LABEL_ID` in the
/// reference's `models/losses.py`).
pub const IGNORE_LABEL_ID: i32 = -100;

/// One cell of a grid. Symbols and tokens are those of the Maze-Hard data set and the reference's builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cell {
    /// `#`, token 1: cannot be entered.
    Wall = 1,
    /// Space, token 2: free, not on the path.
    Open = 2,
    /// `S`, token 3: where the path begins.
    Start = 3,
    /// `G`, token 4: where the path ends.
    Goal = 4,
    /// `o`, token 5: free, on the path.
    Path = 5,
}

impl Cell {
    /// All kinds, in the order of their tokens.
    pub const ALL: [Cell; 5] = [Cell::Wall, Cell::Open, Cell::Start, Cell::Goal, Cell::Path];

    /// The token, 1 to 5.
    #[must_use]
    pub const fn token(self) -> u8 {
        self as u8
    }

    /// The cell with this token; `None` for 0 (padding) and for 6 and above.
    #[must_use]
    pub const fn from_token(token: u8) -> Option<Cell> {
        match token {
            1 => Some(Cell::Wall),
            2 => Some(Cell::Open),
            3 => Some(Cell::Start),
            4 => Some(Cell::Goal),
            5 => Some(Cell::Path),
            _ => None,
        }
    }

    /// The character, one of `# SGo`.
    #[must_use]
    pub const fn symbol(self) -> char {
        match self {
            Cell::Wall => '#',
            Cell::Open => ' ',
            Cell::Start => 'S',
            Cell::Goal => 'G',
            Cell::Path => 'o',
        }
    }

    /// The cell with this character; `None` unless it is one of `# SGo`.
    #[must_use]
    pub const fn from_symbol(symbol: char) -> Option<Cell> {
        match symbol {
            '#' => Some(Cell::Wall),
            ' ' => Some(Cell::Open),
            'S' => Some(Cell::Start),
            'G' => Some(Cell::Goal),
            'o' => Some(Cell::Path),
            _ => None,
        }
    }

    /// The same cell with the path wiped off: [`Cell::Path`] becomes [`Cell::Open`].
    #[must_use]
    pub const fn without_path(self) -> Cell {
        match self {
            Cell::Path => Cell::Open,
            other => other,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens and symbols are a file format: they must stay those of the reference's `# SGo`, from 1.
    #[test]
    fn tokens_and_symbols_are_the_reference_s() {
        for (index, symbol) in "# SGo".chars().enumerate() {
            let token = index as u8 + 1;
            let cell = Cell::from_symbol(symbol).expect("known symbol");
            assert_eq!(cell.token(), token);
            assert_eq!(Cell::from_token(token), Some(cell));
            assert_eq!(cell.symbol(), symbol);
        }
        assert_eq!(Cell::from_token(PAD), None);
        assert_eq!(Cell::from_token(VOCAB_SIZE as u8), None);
        assert_eq!(Cell::from_symbol('x'), None);
    }
}

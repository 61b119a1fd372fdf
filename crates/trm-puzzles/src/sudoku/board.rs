//! The boards of Sudokus.

use super::Size;
use crate::Board;

/// The board of a size.
#[must_use]
pub fn board(size: Size) -> Board {
    Board {
        rows: size.side(),
        columns: size.side(),
        boxes: Some([size.box_rows(), size.box_columns()]),
        signs: match size {
            Size::Four => "?.1234",
            Size::Six => "?.123456",
            Size::Nine => "?.123456789",
        },
    }
}

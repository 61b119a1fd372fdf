//! Boards: rows, columns, boxes, and the signs of the tokens on them.

/// The board of a puzzle: how tokens lie on it, and which signs they have in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Rows and columns of the boxes that the board falls into, if it does.
    pub boxes: Option<[usize; 2]>,
    /// The sign of each token, as many as the vocabulary has tokens.
    pub signs: &'static str,
}

/// What stands for a token that a board has no sign for.
const NO_SIGN: char = '?';

impl Board {
    /// Tokens per board, `rows * columns`.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.rows * self.columns
    }

    /// Token values, padding included.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.signs.chars().count()
    }

    /// The sign of a token; `?` for one that has none, such as padding, and beyond the vocabulary.
    #[must_use]
    pub fn sign(&self, token: u8) -> char {
        self.signs.chars().nth(token.into()).unwrap_or(NO_SIGN)
    }

    /// `[cells]` tokens as a line per row, without a line break at the end. Boxes have bars between them, and blanks between
    /// their cells.
    #[must_use]
    pub fn text(&self, tokens: &[u8]) -> String {
        self.text_by(tokens, |_, sign| sign.to_string())
    }

    /// [`text`](Self::text) with each cell as `paint` writes it, from its index and its sign: in colour, for example.
    pub fn text_by(&self, tokens: &[u8], mut paint: impl FnMut(usize, char) -> String) -> String {
        let mut lines = Vec::new();
        for (row, cells) in tokens.chunks(self.columns.max(1)).enumerate() {
            if let Some([box_rows, box_columns]) =
                self.boxes.filter(|[box_rows, _]| row > 0 && row % box_rows == 0)
            {
                debug_assert!(box_rows > 0);
                let dashes: Vec<String> =
                    (0..self.columns / box_columns).map(|_| "-".repeat(2 * box_columns - 1)).collect();
                lines.push(dashes.join("-+-"));
            }
            let mut line = String::new();
            for (column, &token) in cells.iter().enumerate() {
                line.push_str(match self.boxes {
                    Some([_, box_columns]) if column > 0 && column % box_columns == 0 => " | ",
                    Some(_) if column > 0 => " ",
                    _ => "",
                });
                line.push_str(&paint(row * self.columns + column, self.sign(token)));
            }
            lines.push(line);
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boxes are kept apart where there are any; what has no sign is shown as such.
    #[test]
    fn text_shows_boxes() {
        let board = Board { rows: 2, columns: 2, boxes: None, signs: "?.12" };
        assert_eq!(board.text(&[1, 2, 3, 9]), ".1\n2?");
        assert_eq!((board.cells(), board.vocab_size()), (4, 4));
        let board = Board { rows: 4, columns: 4, boxes: Some([2, 2]), signs: "?.1234" };
        let row = [2, 1, 1, 5];
        assert_eq!(board.text(&row.repeat(4)), "1 . | . 4\n1 . | . 4\n----+----\n1 . | . 4\n1 . | . 4");
    }
}

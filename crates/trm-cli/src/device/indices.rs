//! The devices of one kind, by number.

use std::str::FromStr;

/// Which devices of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// The usual one.
    Default,
    /// These, by their numbers. Several on the CPU share its cores.
    List(Vec<usize>),
    /// All there are.
    All,
}

impl FromStr for Indices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is not the number of a device"));
        let list: Vec<usize> = text.split(',').map(number).collect::<Result<_, _>>()?;
        match list.iter().enumerate().find(|(i, index)| list[..*i].contains(index)) {
            Some((_, index)) => Err(format!("device {index} is named twice")),
            None => Ok(Self::List(list)),
        }
    }
}

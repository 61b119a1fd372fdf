//! Names of files inside a repository.

use crate::{Error, Result};

/// Accepts relative paths with `/` between their parts that stay inside the repository on every system.
///
/// # Errors
///
/// [`Error::InvalidFileName`].
pub(crate) fn check(name: &str) -> Result<()> {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    let foreign = |c: char| matches!(c, '\\' | ':') || c.is_control();
    if name.split('/').all(plain) && !name.contains(foreign) {
        Ok(())
    } else {
        Err(Error::InvalidFileName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_inside_the_repository() {
        for name in ["train.csv", "sub/dir/model.safetensors", ".gitattributes", "a b#?.bin", "a..b"] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn rejects_names_that_lead_elsewhere() {
        for name in
            ["", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "..\\x", "C:x", "a\0b", ".."]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}

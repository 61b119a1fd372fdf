//! Bytes of files as text: UTF-8, with or without a byte order mark.

use std::path::Path;

use crate::{Error, Result, files};

/// What some programs put before UTF-8.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a file as text.
///
/// # Errors
/// [`Error::Read`]; [`Error::InFile`] around [`Error::Encoding`].
pub fn read(path: &Path) -> Result<String> {
    let bytes = files::read(path)?;
    decode(&bytes).map(str::to_owned).map_err(|error| error.in_file(path))
}

/// The text of bytes, without the byte order mark that some programs write.
///
/// ```
/// assert_eq!(trm_data::text::decode(b"\xef\xbb\xbfS G")?, "S G");
/// assert!(trm_data::text::decode(b"\xff\xfeS\0").unwrap_err().to_string().contains("UTF-16"));
/// # Ok::<(), trm_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::Encoding`] for UTF-16, and for what is no text at all.
pub fn decode(bytes: &[u8]) -> Result<&str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(Error::Encoding { found: "UTF-16" }),
        _ => {
            let text = std::str::from_utf8(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes));
            text.map_err(|_| Error::Encoding { found: "no UTF-8" })
        }
    }
}

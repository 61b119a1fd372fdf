//! One- and two-dimensional numpy arrays of small integers: the part of the npy format that data sets of puzzles use.
//!
//! The files may come from anywhere. So the header is parsed strictly and its length is bounded, and the size it
//! promises is compared with the size of the file before any memory is taken.
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result, files};

const MAGIC: &[u8] = b"\x93NUMPY";
/// numpy writes 128 bytes; even many more blanks than that fit.
const MAX_HEADER: usize = 4096;
/// numpy starts the data at a multiple of this.
const ALIGNMENT: usize = 64;
/// What [`read_matrix`] takes, in words.
const BYTES: &str = "u8, 0 to 255";
const READ_TYPES: &str = "b1, u1, u2, u4, u8, i1, i2, i4 or i8";

/// Reads a two-dimensional array of values 0 to 255: its elements row by row, and its numbers of rows and columns.
///
/// The elements may be stored as integers of 1, 2, 4 or 8 bytes, with a sign or without, or as booleans; in either order of
/// bytes, and in C or Fortran order.
///
/// # Errors
/// [`Error::Read`], or [`Error::InFile`] around one of the `Npy` errors.
pub fn read_matrix(path: &Path) -> Result<(Vec<u8>, [usize; 2])> {
    let (header, data) = open(path, 2)?;
    header.bytes(data).map_err(|error| error.in_file(path))
}

/// The same from the bytes of a file.
///
/// # Errors
/// One of the `Npy` errors.
pub fn parse_matrix(bytes: &[u8]) -> Result<(Vec<u8>, [usize; 2])> {
    let array = read_from(bytes, bytes.len() as u64, 2);
    // Reading from memory does not fail.
    let (header, data) = array.unwrap_or_else(|cause| Err(Error::Read { path: PathBuf::new(), cause }))?;
    header.bytes(data)
}

/// Whether bytes begin as an npy file does.
#[must_use]
pub fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads a one-dimensional array of values that fit [`i32`], stored as for [`read_matrix`].
///
/// # Errors
/// As for [`read_matrix`].
pub fn read_vector(path: &Path) -> Result<Vec<i32>> {
    let (header, data) = open(path, 1)?;
    header.elements(&data, "i32").map_err(|error| error.in_file(path))
}

/// Writes an array of `u8` with this many columns; numpy reads it back as `uint8` of shape `[rows, columns]`.
///
/// # Errors
/// [`Error::Write`], or [`Error::Inconsistent`] when the last row is not full.
pub fn write_matrix(path: &Path, elements: &[u8], columns: usize) -> Result<()> {
    let header = matrix_header(path, "|u1", elements, columns)?;
    files::write_atomic_by(path, |file| file.write_all(&header).and_then(|()| file.write_all(elements)))
}

/// The same with eight bytes for each element; numpy reads it back as `int64`.
///
/// # Errors
/// Those of [`write_matrix`].
pub fn write_wide_matrix(path: &Path, elements: &[u8], columns: usize) -> Result<()> {
    let header = matrix_header(path, "<i8", elements, columns)?;
    files::write_atomic_by(path, |file| {
        let mut file = BufWriter::new(file);
        file.write_all(&header)?;
        elements.iter().try_for_each(|&element| file.write_all(&i64::from(element).to_le_bytes()))?;
        file.flush()
    })
}

fn matrix_header(path: &Path, descr: &str, elements: &[u8], columns: usize) -> Result<Vec<u8>> {
    match elements.len().checked_rem(columns) {
        Some(0) => Ok(header_of_rows(descr, elements.len() / columns, columns)),
        _ => {
            let problem = format!("{} elements do not fill rows of {columns}", elements.len());
            Err(Error::Inconsistent { field: "shape", problem }.in_file(path))
        }
    }
}

/// Writes an array of `i32`; numpy reads it back as `int32` of shape `[elements]`.
///
/// # Errors
/// [`Error::Write`].
pub fn write_vector(path: &Path, elements: &[i32]) -> Result<()> {
    let mut bytes = header("<i4", &format!("({},)", elements.len()));
    bytes.extend(elements.iter().flat_map(|element| element.to_le_bytes()));
    files::write_atomic(path, &bytes)
}

/// The bytes before the data of a matrix.
pub(crate) fn header_of_rows(descr: &str, rows: usize, columns: usize) -> Vec<u8> {
    header(descr, &format!("({rows}, {columns})"))
}

/// The bytes before the data, as numpy writes them.
fn header(descr: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let start = MAGIC.len() + 4;
    // Blanks fill the header, and a line break ends it. The whole is far below 64 KiB, so two bytes hold the length.
    let padded = (start + text.len() + 1).next_multiple_of(ALIGNMENT) - start;
    text.extend(std::iter::repeat_n(' ', padded - 1 - text.len()));
    text.push('\n');
    let mut bytes = [MAGIC, &[1, 0], &(padded as u16).to_le_bytes()].concat();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Reads the file of an array of this rank: its header and the bytes after it.
fn open(path: &Path, rank: usize) -> Result<(Header, Vec<u8>)> {
    let failed = |cause| Error::Read { path: path.to_path_buf(), cause };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    read_from(file, length, rank).map_err(failed)?.map_err(|error| error.in_file(path))
}

/// Reads an array of `length` bytes; the outer result is about reading, the inner one about what was read.
fn read_from(mut file: impl Read, length: u64, rank: usize) -> io::Result<Result<(Header, Vec<u8>)>> {
    let mut start = Vec::new();
    file.by_ref().take((MAX_HEADER + 12) as u64).read_to_end(&mut start)?;
    let checked = Header::parse(&start).and_then(|header| {
        let size = header.check(rank, length)?;
        Ok((header, size))
    });
    let (header, size) = match checked {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error)),
    };
    // `size` is at most the length of the file, which is as much memory as a hostile file can ask for.
    let mut data = start.split_off(header.length);
    data.reserve_exact(size.saturating_sub(data.len()));
    file.take(size.saturating_sub(data.len()) as u64).read_to_end(&mut data)?;
    Ok(Ok((header, data)))
}

/// How an element is stored: an integer.
#[derive(Debug, Clone, Copy)]
struct Stored {
    signed: bool,
    big_endian: bool,
    /// Bytes: 1, 2, 4 or 8.
    size: usize,
}

impl Stored {
    /// Reads numpy's name of a type, such as `<i4`.
    fn of(descr: &str) -> Option<Stored> {
        let [order, kind, size] = *descr.as_bytes() else { return None };
        let size = match (kind, size) {
            (b'b', b'1') => 1,
            (b'u' | b'i', b'1' | b'2' | b'4' | b'8') => usize::from(size - b'0'),
            _ => return None,
        };
        let big_endian = match order {
            b'<' => false,
            b'>' => true,
            b'|' if size == 1 => false,
            _ => return None,
        };
        Some(Stored { signed: kind == b'i', big_endian, size })
    }

    /// The value of one element of `size` bytes.
    fn value(self, element: &[u8]) -> i128 {
        let mut bytes = [0; 8];
        for (index, from) in element.iter().enumerate() {
            let to = if self.big_endian { element.len() - 1 - index } else { index };
            bytes[to] = *from;
        }
        let (value, unused) = (u64::from_le_bytes(bytes), 64 - 8 * self.size as u32);
        // The sign is the highest bit that is stored.
        if self.signed { i128::from((value << unused) as i64 >> unused) } else { i128::from(value) }
    }
}

#[derive(Debug)]
struct Header {
    stored: Stored,
    shape: Vec<u64>,
    fortran: bool,
    /// Bytes before the data.
    length: usize,
}

impl Header {
    /// Parses the first bytes of a file.
    fn parse(start: &[u8]) -> Result<Header> {
        let bad = |problem: &str| Error::NpyHeader { problem: problem.to_owned() };
        let rest =
            start.strip_prefix(MAGIC).ok_or_else(|| bad("it does not begin with the npy magic number"))?;
        let (text, length) = match *rest {
            [1, 0, a, b, ref text @ ..] => (text, usize::from(u16::from_le_bytes([a, b]))),
            [2 | 3, 0, a, b, c, d, ref text @ ..] => (text, u32::from_le_bytes([a, b, c, d]) as usize),
            [1..=3, 0, ..] | [] | [_] => return Err(bad("it ends within its header")),
            [major, minor, ..] => return Err(bad(&format!("format version {major}.{minor} is unknown"))),
        };
        if length > MAX_HEADER {
            return Err(bad(&format!(
                "its header claims {length} bytes, the most that is read is {MAX_HEADER}"
            )));
        }
        let before = start.len() - text.len();
        let text = text.get(..length).ok_or_else(|| bad("it ends within its header"))?;
        let text = std::str::from_utf8(text).map_err(|_| bad("its header is not text"))?;
        Header::of_text(text.trim(), before + length)
    }

    /// Parses the Python dictionary: `{'descr': '<i4', 'fortran_order': False, 'shape': (20, 900), }`.
    fn of_text(text: &str, length: usize) -> Result<Header> {
        let bad = || Error::NpyHeader { problem: format!("its header is {text:?}") };
        let mut rest = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(bad)?.trim();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, value) = rest.split_once(':').ok_or_else(bad)?;
            let value = value.trim_start();
            let end = match value.strip_prefix('(') {
                Some(inner) => inner.find(')').ok_or_else(bad)? + 2,
                None => value.find(',').unwrap_or(value.len()),
            };
            let (value, after) = value.split_at(end);
            match key.trim() {
                "'descr'" => descr = Some(value.trim().trim_matches('\'')),
                "'fortran_order'" => fortran = Some(value.trim()),
                "'shape'" => shape = Some(value),
                _ => return Err(bad()),
            }
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else { return Err(bad()) };
        let inner = shape.strip_prefix('(').and_then(|shape| shape.strip_suffix(')')).ok_or_else(bad)?;
        let numbers = inner.split(',').map(str::trim).filter(|number| !number.is_empty());
        Ok(Header {
            stored: Stored::of(descr)
                .ok_or_else(|| Error::NpyType { found: descr.to_owned(), wanted: READ_TYPES })?,
            shape: numbers.map(|number| number.parse().map_err(|_| bad())).collect::<Result<_>>()?,
            fortran: match fortran {
                "True" => true,
                "False" => false,
                _ => return Err(bad()),
            },
            length,
        })
    }

    /// Checks the shape and that it fits a file of this length; returns the number of bytes of the data.
    fn check(&self, rank: usize, file: u64) -> Result<usize> {
        if self.shape.len() != rank {
            return Err(Error::NpyRank { found: self.shape.clone(), wanted: rank });
        }
        let size = self.shape.iter().try_fold(self.stored.size as u64, |size, &n| size.checked_mul(n));
        let wanted = size.and_then(|size| size.checked_add(self.length as u64)).unwrap_or(u64::MAX);
        match size.map(usize::try_from) {
            Some(Ok(size)) if wanted == file => Ok(size),
            _ => Err(Error::NpyLength { wanted, found: file }),
        }
    }

    /// The elements of a matrix of bytes in C order, and its numbers of rows and columns. Where they are stored as bytes already,
    /// nothing is copied: such arrays may fill half of the memory.
    fn bytes(&self, data: Vec<u8>) -> Result<(Vec<u8>, [usize; 2])> {
        let is_plain = self.stored.size == 1 && !self.stored.signed && !self.fortran;
        let elements = if is_plain { data } else { self.elements(&data, BYTES)? };
        Ok((elements, [self.shape[0] as usize, self.shape[1] as usize]))
    }

    /// The elements in C order.
    fn elements<T: TryFrom<i128>>(&self, data: &[u8], wanted: &'static str) -> Result<Vec<T>> {
        let size = self.stored.size;
        let value = |(index, element): (usize, &[u8])| {
            let value = self.stored.value(element);
            T::try_from(value).map_err(|_| Error::NpyValue { index, value: value.to_string(), wanted })
        };
        match *self.shape.as_slice() {
            [rows, columns] if self.fortran => {
                let (rows, columns) = (rows as usize, columns as usize);
                let places = (0..rows).flat_map(|row| (0..columns).map(move |column| column * rows + row));
                places.map(|place| &data[place * size..][..size]).enumerate().map(value).collect()
            }
            _ => data.chunks_exact(size).enumerate().map(value).collect(),
        }
    }
}

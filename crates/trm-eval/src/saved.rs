//! Answers in a file of outputs, read one after the other: such a file may be larger than memory.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, tensor::Metadata};

use crate::{Error, Result};

/// The longest header that is read: thousands of tensors fit.
const MAX_HEADER: u64 = 1 << 20;

/// What a model answered to a row of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedAnswer {
    /// The puzzle's identifier.
    pub identifier: i32,
    /// `[seq_len]` tokens of the input; 255 for what is no token.
    pub input: Vec<u8>,
    /// `[seq_len]` tokens of the answer, likewise.
    pub answer: Vec<u8>,
    /// The halting logit.
    pub q_halt: f32,
}

/// The answers of a file that [`Outputs::save`](crate::Outputs::save) wrote, in its order.
#[derive(Debug)]
pub struct SavedAnswers {
    path: PathBuf,
    left: usize,
    seq_len: usize,
    identifiers: BufReader<File>,
    inputs: BufReader<File>,
    answers: BufReader<File>,
    q_halts: BufReader<File>,
}

impl SavedAnswers {
    /// Opens a file and reads what tensors it has: `puzzle_identifiers` `[n]`, `inputs` and `preds` `[n, seq_len]`, all i32, and
    /// `q_halt_logits` `[n]`, f32. Others are passed over.
    ///
    /// # Errors
    /// [`Error::Data`] for a file that cannot be read, [`Error::Saved`] for one that holds something else.
    pub fn open(path: &Path) -> Result<Self> {
        let bad = |problem: String| Error::Saved { path: path.to_owned(), problem };
        let failed = |cause| Error::Data(trm_data::Error::Read { path: path.to_owned(), cause });
        let open = || File::open(path).map_err(failed);
        let mut file = open()?;
        let length = file.metadata().map_err(failed)?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| bad("it is no safetensors file".to_owned()))?;
        let size = u64::from_le_bytes(size);
        if size > MAX_HEADER.min(length.saturating_sub(8)) {
            return Err(bad("it is no safetensors file".to_owned()));
        }
        let mut header = Vec::new();
        file.take(size).read_to_end(&mut header).map_err(failed)?;
        let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| bad(error.to_string()))?;

        let (mut rows, mut seq_len) = (None, None);
        let mut tensor = |name: &str, dtype: Dtype, has_cells: bool| {
            let info = metadata.info(name).ok_or_else(|| bad(format!("it has no tensor `{name}`")))?;
            let fits = info.dtype == dtype
                && match (&info.shape[..], has_cells) {
                    (&[n], false) => *rows.get_or_insert(n) == n,
                    (&[n, cells], true) => {
                        *rows.get_or_insert(n) == n && *seq_len.get_or_insert(cells) == cells
                    }
                    _ => false,
                };
            let (begin, end) = info.data_offsets;
            let bytes = info.shape.iter().try_fold(4usize, |bytes, &n| bytes.checked_mul(n));
            let end = (end as u64).checked_add(8 + size);
            if !fits
                || bytes.is_none()
                || bytes != info.data_offsets.1.checked_sub(begin)
                || end.is_none_or(|end| end > length)
            {
                let found = format!("`{name}` is {:?} of shape {:?}", info.dtype, info.shape);
                return Err(bad(format!("{found}, which does not fit the file or its other tensors")));
            }
            let mut file = open()?;
            file.seek(SeekFrom::Start(8 + size + begin as u64)).map_err(failed)?;
            Ok(BufReader::new(file))
        };
        let identifiers = tensor("puzzle_identifiers", Dtype::I32, false)?;
        let inputs = tensor("inputs", Dtype::I32, true)?;
        let answers = tensor("preds", Dtype::I32, true)?;
        let q_halts = tensor("q_halt_logits", Dtype::F32, false)?;
        let (left, seq_len) = (rows.unwrap_or(0), seq_len.unwrap_or(0));
        Ok(Self { path: path.to_owned(), left, seq_len, identifiers, inputs, answers, q_halts })
    }

    fn read(&mut self) -> std::io::Result<SavedAnswer> {
        let tokens = |values: Vec<[u8; 4]>| {
            values
                .into_iter()
                .map(|token| u8::try_from(i32::from_le_bytes(token)).unwrap_or(u8::MAX))
                .collect()
        };
        Ok(SavedAnswer {
            identifier: i32::from_le_bytes(values(&mut self.identifiers, 1)?[0]),
            input: tokens(values(&mut self.inputs, self.seq_len)?),
            answer: tokens(values(&mut self.answers, self.seq_len)?),
            q_halt: f32::from_le_bytes(values(&mut self.q_halts, 1)?[0]),
        })
    }
}

/// The next values of four bytes each.
fn values(file: &mut BufReader<File>, count: usize) -> std::io::Result<Vec<[u8; 4]>> {
    let mut values = vec![[0; 4]; count];
    file.read_exact(values.as_flattened_mut())?;
    Ok(values)
}

impl Iterator for SavedAnswers {
    type Item = Result<SavedAnswer>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let path = self.path.clone();
        Some(self.read().map_err(|cause| Error::Data(trm_data::Error::Read { path, cause })))
    }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{TensorView, serialize_to_file};

    use super::*;

    /// What was saved is read row by row; files of something else are refused by name.
    #[test]
    fn answers_are_read_one_by_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outputs.safetensors");
        let ints = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let q_halts: Vec<u8> = [0.5f32, -1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let save = |cells: usize| {
            let [identifiers, inputs, preds] = [&[7, 9][..], &[1, 2, 3, 4], &[5, -100, 300, 2]].map(ints);
            let view = |dtype, shape: &[usize], bytes| {
                TensorView::new(dtype, shape.to_vec(), bytes).expect("a tensor")
            };
            let tensors = [
                ("puzzle_identifiers", view(Dtype::I32, &[2], &identifiers)),
                ("inputs", view(Dtype::I32, &[2, 2], &inputs)),
                ("preds", view(Dtype::I32, &[4 / cells, cells], &preds)),
                ("q_halt_logits", view(Dtype::F32, &[2], &q_halts)),
            ];
            serialize_to_file(tensors, None, &path).expect("written");
        };
        save(2);
        let rows: Vec<_> = SavedAnswers::open(&path).expect("opened").collect::<Result<_>>().expect("read");
        let row = |identifier, input: [u8; 2], answer: [u8; 2], q_halt| SavedAnswer {
            identifier,
            input: input.to_vec(),
            answer: answer.to_vec(),
            q_halt,
        };
        assert_eq!(rows, [row(7, [1, 2], [5, 255], 0.5), row(9, [3, 4], [255, 2], -1.0)]);
        let refused = || {
            let error = SavedAnswers::open(&path).expect_err("refused").to_string();
            assert!(error.starts_with(&path.display().to_string()), "{error}");
            error
        };
        save(4);
        assert!(refused().contains("`preds` is I32 of shape [1, 4]"));
        save(2);
        let whole = std::fs::read(&path).expect("read");
        let write = |bytes: &[u8]| std::fs::write(&path, bytes).expect("written");
        write(&whole[..whole.len() - 1]);
        assert!(refused().contains("does not fit the file"));
        write(&[0xff; 64]);
        assert!(refused().contains("no safetensors file"));
        write(b"\x02\0\0\0\0\0\0\0{}");
        assert!(refused().contains("no tensor `puzzle_identifiers`"));
        write(b"");
        refused();
    }
}

//! Checkpoints as `torch.save` writes them: a zip archive of a pickle and of one file for each storage.

use std::io::Read;

use zip::{
    CompressionMethod, ZipArchive,
    read::{ArchiveOffset, Config},
};

use super::{
    records::{Input, MAX_PICKLE, Records, check_byte_order},
    storage::Storage,
    unpickle::{Value, unpickle},
};

/// What was compressed holds at most this many times the file's bytes.
const MAX_INFLATION: u64 = 16;

/// An archive, open.
pub(super) struct Archive {
    zip: ZipArchive<Box<dyn Input>>,
    /// The folder of the archive in which all is.
    folder: String,
    /// Bytes that entries as they are may still have: those of an archive do not overlap, so all of them fit into it.
    stored_left: u64,
    /// Bytes that compressed entries may still unfold to.
    inflated_left: u64,
}

impl Archive {
    pub fn open(input: Box<dyn Input>, file_len: u64) -> Result<Self, String> {
        // Not `Detect`: where the end records are as long as the first header of the directory (PyTorch, an archive
        // name of 21 bytes), it takes the second header for the first, and refuses the file.
        let whole_file = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(whole_file, input)
            .map_err(|error| format!("the zip archive is cut short or damaged ({error}); copy it again"))?;
        let inflated_left = MAX_INFLATION.saturating_mul(file_len);
        Ok(Self { zip, folder: String::new(), stored_left: file_len, inflated_left })
    }

    /// The bytes of an entry, no more than `max`.
    fn entry(&mut self, name: &str, max: u64) -> Result<Vec<u8>, String> {
        let mut entry = self.zip.by_name(name).map_err(|error| format!("{name}: {error}"))?;
        let len = entry.size();
        if len > max {
            return Err(format!("{name} has {len} bytes, and {max} are enough for one"));
        }
        let (left, limit) = match entry.compression() {
            CompressionMethod::Stored => (&mut self.stored_left, "the file has"),
            CompressionMethod::Deflated => (&mut self.inflated_left, "so small a file should unfold to"),
            other => {
                return Err(format!(
                    "{name} is compressed ({other}), and torch.save compresses nothing; unpack the archive and pack it with \
                     `zip -0 -r`"
                ));
            }
        };
        *left =
            left.checked_sub(len).ok_or_else(|| format!("{name} claims {len} bytes, more than {limit}"))?;
        let mut bytes = Vec::with_capacity(len as usize);
        // One byte more than there should be: the checksum is compared where the entry ends.
        let read = entry.by_ref().take(len + 1).read_to_end(&mut bytes);
        if read.map_err(|error| format!("{name}: {error}"))? as u64 != len {
            return Err(format!("{name} does not have the {len} bytes that it claims"));
        }
        Ok(bytes)
    }
}

impl Records for Archive {
    fn value(&mut self) -> Result<Value, String> {
        let names: Vec<String> =
            self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let pickle_name = names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
        let pickle_name = pickle_name.ok_or("the archive has no data.pkl; was it written by torch.save?")?;
        self.folder = pickle_name.trim_end_matches("data.pkl").to_owned();
        let byte_order = format!("{}byteorder", self.folder);
        if names.contains(&byte_order) {
            check_byte_order(&self.entry(&byte_order, 16)?)?;
        }
        let pickle = self.entry(pickle_name, MAX_PICKLE)?;
        unpickle(&pickle).map(|unpickled| unpickled.value)
    }

    fn storage(&mut self, storage: &Storage) -> Result<Vec<u8>, String> {
        self.entry(&format!("{}data/{}", self.folder, storage.key), u64::MAX)
    }
}

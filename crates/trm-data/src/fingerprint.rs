//! The fingerprint of a data set: a hash of its content.

use sha2::{Digest, Sha256};

use crate::{Dataset, Metadata};

impl Dataset {
    /// Names the content: the SHA-256, in 64 hexadecimal digits, of the sizes and all arrays. It does not depend on
    /// the folder, the name of the set or the number types in the files.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Metadata { pad_id, ignore_label_id, blank_identifier_id, vocab_size, seq_len, .. } =
            self.metadata;
        let mut hash = Sha256::new();
        let sizes = [
            u64::from(pad_id),
            ignore_label_id.map_or(u64::MAX, u64::from),
            blank_identifier_id as u64,
            vocab_size as u64,
            seq_len as u64,
            self.metadata.num_puzzle_identifiers as u64,
            self.inputs.len() as u64,
            self.puzzle_identifiers.len() as u64,
            self.group_indices.len() as u64,
        ];
        sizes.iter().for_each(|size| hash.update(size.to_le_bytes()));
        hash.update(&self.inputs);
        hash.update(&self.labels);
        self.puzzle_identifiers.iter().for_each(|identifier| hash.update(identifier.to_le_bytes()));
        let indices = self.puzzle_indices.iter().chain(&self.group_indices);
        indices.for_each(|&index| hash.update((index as u64).to_le_bytes()));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

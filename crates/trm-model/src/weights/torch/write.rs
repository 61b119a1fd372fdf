//! Checkpoints written as `torch.save` writes them.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{super::state::Named, contiguous_strides};
use crate::Precision;

/// Writes a checkpoint that `torch.load` reads (also with `weights_only=True`), each tensor in its precision.
pub(in super::super) fn write(tensors: &Named<'_>, file: &mut File) -> io::Result<()> {
    let mut zip = ZipWriter::new(BufWriter::new(file));
    // PyTorch maps storages into memory, and wants them aligned.
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).with_alignment(64);
    let mut add = |name: &str, bytes: &[u8]| {
        // An entry of 4 GB and more has a longer header, which must be asked for.
        let options = options.large_file(bytes.len() as u64 >= u64::from(u32::MAX));
        zip.start_file(format!("checkpoint/{name}"), options)?;
        zip.write_all(bytes)
    };
    add("data.pkl", &pickle(tensors))?;
    add("byteorder", b"little")?;
    for (key, tensor) in tensors.values().enumerate() {
        add(&format!("data/{key}"), &tensor.to_le_bytes())?;
    }
    add("version", b"3\n")?;
    zip.finish()?.flush()
}

/// The state dictionary as a pickle of protocol 2.
fn pickle(tensors: &Named<'_>) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (key, (name, tensor)) in tensors.iter().enumerate() {
        let kind = match tensor.precision {
            Precision::F32 => "FloatStorage",
            Precision::Bf16 => "BFloat16Storage",
            Precision::F16 => "HalfStorage",
        };
        string(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        string(&mut out, "storage");
        out.extend(format!("ctorch\n{kind}\n").bytes());
        string(&mut out, &key.to_string());
        string(&mut out, "cpu");
        int(&mut out, tensor.values.len());
        out.extend(b"tQ"); // the tuple so far is the storage's persistent id
        int(&mut out, 0);
        tuple(&mut out, &tensor.shape);
        tuple(&mut out, &contiguous_strides(&tensor.shape));
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR"); // requires_grad False, no hooks; call
    }
    out.extend(b"u.");
    out
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
}

fn int(out: &mut Vec<u8>, value: usize) {
    out.extend([0x8a, 8]);
    out.extend((value as u64).to_le_bytes());
}

fn tuple(out: &mut Vec<u8>, values: &[usize]) {
    out.push(b'(');
    for value in values {
        int(out, *value);
    }
    out.push(b't');
}

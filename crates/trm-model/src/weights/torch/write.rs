use std::io::{Cursor, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{super::state::StateDict, contiguous_strides};
use crate::Precision;

/// The bytes of a checkpoint that `torch.load` reads (also with `weights_only=True`), each tensor in its
/// precision.
pub(in super::super) fn to_bytes(state: &StateDict) -> Result<Vec<u8>, String> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // PyTorch maps storages into memory, and wants them aligned.
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).with_alignment(64);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("checkpoint/{name}"), options).map_err(|error| error.to_string())?;
        zip.write_all(bytes).map_err(|error| error.to_string())
    };
    add("data.pkl", &pickle(state))?;
    add("byteorder", b"little")?;
    for (key, tensor) in state.0.values().enumerate() {
        add(&format!("data/{key}"), &tensor.to_le_bytes())?;
    }
    add("version", b"3\n")?;
    Ok(zip.finish().map_err(|error| error.to_string())?.into_inner())
}

/// The state dictionary as a pickle of protocol 2.
fn pickle(state: &StateDict) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (key, (name, tensor)) in state.0.iter().enumerate() {
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

//! Safetensors files of which large tensors keep every `stride`-th value only.
//!
//! A thinned tensor is stored flat under its own name; the file's metadata have `stride:NAME` with the stride and the whole
//! shape, as in `16 8 52 64`.

use std::collections::HashMap;

use safetensors::{SafeTensors, serialize, tensor::TensorView};

/// What the metadata of thinned tensors are named by.
const KEY: &str = "stride:";
/// Tensors with fewer values stay whole.
const SMALL: usize = 4096;

/// The stride and the whole shape of each thinned tensor of a file.
pub(crate) fn strides(file: &[u8]) -> HashMap<String, (usize, Vec<usize>)> {
    let (_, header) = SafeTensors::read_metadata(file).expect("a header");
    let metadata = header.metadata().clone().unwrap_or_default();
    let parse = |(key, value): (String, String)| {
        let mut numbers = value.split(' ').map(|number| number.parse().expect("a number"));
        Some((key.strip_prefix(KEY)?.to_owned(), (numbers.next()?, numbers.collect())))
    };
    metadata.into_iter().filter_map(parse).collect()
}

/// The file with every `stride`-th value only of its large tensors, but for those that `keeps` names.
///
/// # Panics
/// When `file` is no safetensors file.
pub fn thin(file: &[u8], stride: usize, keeps: impl Fn(&str) -> bool) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(file).expect("safetensors");
    let mut metadata = HashMap::new();
    let mut kept = Vec::new();
    for (name, view) in tensors.iter() {
        let size = view.dtype().bitsize() / 8;
        let count = view.data().len() / size;
        if count < SMALL || keeps(name) {
            kept.push((name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec()));
            continue;
        }
        let shape: Vec<String> = view.shape().iter().map(usize::to_string).collect();
        metadata.insert(format!("{KEY}{name}"), format!("{stride} {}", shape.join(" ")));
        let data: Vec<u8> = view.data().chunks(size).step_by(stride).flatten().copied().collect();
        kept.push((name.to_owned(), view.dtype(), vec![data.len() / size], data));
    }
    let views = kept.iter().map(|(name, dtype, shape, data)| {
        (name.clone(), TensorView::new(*dtype, shape.clone(), data).expect("a tensor"))
    });
    serialize(views.collect::<Vec<_>>(), Some(metadata)).expect("serialized")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is thinned reads back as every `stride`-th value of the whole, with the shape of the whole.
    #[test]
    fn thinned_files_know_the_whole() {
        let numbers: Vec<u8> = (0..9000u32).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let view = || TensorView::new(safetensors::Dtype::F32, vec![90, 100], &numbers).expect("a tensor");
        let whole = serialize([("a", view()), ("b", view())], None).expect("serialized");
        let folder = std::env::temp_dir().join(format!("trm-thinned-{}", std::process::id()));
        std::fs::write(&folder, thin(&whole, 16, |name| name == "b")).expect("written");
        let file = crate::read(&folder);
        std::fs::remove_file(&folder).expect("removed");
        assert_eq!((file["a"].stride, file["b"].stride), (16, 1));
        assert_eq!((&file["a"].shape, &file["b"].shape), (&vec![90, 100], &vec![90, 100]));
        let every: Vec<f64> = (0..9000).step_by(16).map(f64::from).collect();
        assert_eq!(file["a"].values, every);
        assert_eq!(file["a"].greatest_difference(&file["b"]), 0.0);
    }
}

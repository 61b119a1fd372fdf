//! The folder where compiled kernels and the choice of the fastest are kept.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig, cache::CacheConfig};

/// Keeps in a folder what GPUs make anew otherwise in every process: which kernels are the fastest, and, for CUDA, the
/// kernels as the driver takes them. For programs to call once, before any tensor is on a GPU.
///
/// CubeCL knows a kernel again by its name and types. So there is a folder in it for each version of the kernels here and for
/// each set of GPUs: another GPU cannot load what was compiled for this one.
///
/// Other settings of CubeCL are those of a `cubecl.toml` and of its environment variables, as always.
pub fn keep_kernels(folder: &Path) {
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    let folder = folder.join(fingerprint());
    config.autotune.cache = CacheConfig::File(folder.clone());
    config.compilation.cache = Some(CacheConfig::File(folder));
    CubeClRuntimeConfig::set(config);
}

/// The files with kernels.
const SOURCES: [&str; 6] = [
    include_str!("adam_atan2.rs"),
    include_str!("heads.rs"),
    include_str!("norm.rs"),
    include_str!("row.rs"),
    include_str!("softmax.rs"),
    include_str!("swiglu.rs"),
];

fn fingerprint() -> String {
    let mut hasher = DefaultHasher::new();
    SOURCES.hash(&mut hasher);
    nvidia_gpus().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The models of NVIDIA's GPUs, as far as the system tells. (Kernels for others are kept by their drivers.)
fn nvidia_gpus() -> Vec<String> {
    let gpus = fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let about = gpus.filter_map(|gpu| fs::read_to_string(gpu.path().join("information")).ok());
    let mut models: Vec<String> = about
        .filter_map(|about| Some(about.lines().find(|line| line.starts_with("Model:"))?.to_owned()))
        .collect();
    models.sort();
    models.dedup();
    models
}

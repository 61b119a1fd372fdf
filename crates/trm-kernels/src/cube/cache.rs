use std::path::Path;

use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig, cache::CacheConfig};

/// Keeps in a folder what GPUs make anew otherwise in every process: which kernels are the fastest, and, for CUDA, the
/// kernels as the driver takes them. For programs to call once, before any tensor is on a GPU.
///
/// Other settings of CubeCL are those of a `cubecl.toml` and of its environment variables, as always.
pub fn keep_kernels(folder: &Path) {
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.autotune.cache = CacheConfig::File(folder.to_owned());
    config.compilation.cache = Some(CacheConfig::File(folder.to_owned()));
    CubeClRuntimeConfig::set(config);
}

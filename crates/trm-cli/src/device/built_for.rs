//! What this binary was built for.

/// The devices this binary was built for.
pub fn built_for() -> Vec<&'static str> {
    let mut devices = vec!["cpu"];
    if cfg!(feature = "wgpu") {
        devices.push("wgpu");
    }
    if cfg!(feature = "cuda") {
        devices.push("cuda");
    }
    if cfg!(feature = "remote") {
        devices.push("remote");
    }
    devices
}

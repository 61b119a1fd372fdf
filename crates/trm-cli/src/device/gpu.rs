//! GPUs: which there are, whether they work, and what to say when they fail.

use std::{
    env,
    panic::{self, AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, Once, PoisonError},
};

#[cfg(feature = "cuda")]
use burn::backend::{Cuda, cuda::CudaDevice};
#[cfg(feature = "wgpu")]
use burn::backend::{
    Wgpu,
    wgpu::{RuntimeOptions, WgpuDevice, graphics::AutoGraphicsApi, init_setup},
};
use burn::tensor::{Tensor, backend::DeviceOps};
use trm_kernels::Kernels;

use super::{Devices, Indices, Job, built_for::built_for};
use crate::{Result, train_view};

/// The devices of CUDA with these numbers.
#[cfg(feature = "cuda")]
pub fn cuda(indices: &Indices) -> Devices<Cuda> {
    of_kind("cuda", indices, CudaDevice::new(0), CudaDevice::new)
}

/// The devices of WGPU with these numbers; its default device goes by the name of its adapter.
#[cfg(feature = "wgpu")]
pub fn wgpu(indices: &Indices) -> Devices<Wgpu> {
    let mut devices = of_kind("wgpu", indices, WgpuDevice::default(), WgpuDevice::DiscreteGpu);
    if let (Indices::Default, Some(adapter)) = (indices, adapter()) {
        devices.name = format!("wgpu, {}", adapter.name);
    }
    devices
}

#[cfg(feature = "cuda")]
pub fn cuda_works() -> bool {
    quietly(|| probe(&cuda(&Indices::Default)).is_ok())
}

/// Drivers that compute on the CPU are far slower than this program's own way to.
#[cfg(feature = "wgpu")]
pub fn wgpu_works_in_hardware() -> bool {
    let works = || probe(&wgpu(&Indices::Default)).is_ok();
    adapter().is_some_and(|adapter| !adapter.in_software) && quietly(works)
}

/// What computes behind the default device of WGPU.
#[cfg(feature = "wgpu")]
#[derive(Clone)]
struct Adapter {
    name: String,
    in_software: bool,
}

#[cfg(feature = "wgpu")]
fn adapter() -> Option<Adapter> {
    static ADAPTER: std::sync::OnceLock<Option<Adapter>> = std::sync::OnceLock::new();
    let find = || {
        keep_kernels();
        let start = || init_setup::<AutoGraphicsApi>(&WgpuDevice::default(), RuntimeOptions::default());
        let setup = quietly(|| guarded(start)).ok()?;
        let info = setup.adapter.get_info();
        // The type of the device belongs to a crate that is not ours to name.
        Some(Adapter { name: info.name, in_software: format!("{:?}", info.device_type) == "Cpu" })
    };
    ADAPTER.get_or_init(find).clone()
}

fn of_kind<B: Kernels>(
    kind: &str,
    indices: &Indices,
    default: B::Device,
    new: impl Fn(usize) -> B::Device,
) -> Devices<B> {
    keep_kernels();
    let name = |suffix: &str| format!("{kind}{suffix}");
    match indices {
        Indices::Default => Devices { all: vec![default], name: name("") },
        Indices::List(list) => {
            let numbers: Vec<String> = list.iter().map(usize::to_string).collect();
            let all = list.iter().copied().map(new).collect();
            Devices { all, name: name(&format!(":{}", numbers.join(","))) }
        }
        Indices::All => {
            let count = guarded(|| B::device_count(default.id().type_id)).unwrap_or(1).max(1);
            Devices { all: (0..count).map(new).collect(), name: name(":all") }
        }
    }
}

/// Has what compiling and choosing kernels found kept for the next process, where a user's caches are.
fn keep_kernels() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let folder = env::var_os("TRM_KERNEL_CACHE").map(PathBuf::from);
        if let Some(folder) = folder.or_else(|| Some(dirs::cache_dir()?.join("trm").join("kernels"))) {
            trm_kernels::keep_kernels(&folder);
        }
    });
}

/// Runs a job where every device works. What a backend panics with becomes the error.
pub fn run<B: Kernels, J: Job>(devices: &Devices<B>, job: J) -> Result<J::Output> {
    probe(devices)?;
    guarded(|| job.run::<B>(devices)).unwrap_or_else(|reason| {
        train_view::restore();
        Err(failed(&devices.name, &reason).into())
    })
}

/// The device to lend.
pub fn only<B: Kernels>(devices: &Devices<B>) -> Result<B::Device> {
    let [device] = &*devices.all else {
        return Err("a process lends one device; start one for each, on ports of their own".into());
    };
    probe(devices)?;
    Ok(device.clone())
}

/// An error unless every device computes.
fn probe<B: Kernels>(devices: &Devices<B>) -> Result<()> {
    let computes = |device: &B::Device| {
        let sum = guarded(|| Tensor::<B, 1>::ones([2], device).sum().try_into_data())?;
        sum.map(drop).map_err(|error| error.to_string())
    };
    devices.all.iter().try_for_each(computes).map_err(|reason| unavailable(&devices.name, &reason).into())
}

type Hook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

/// Runs work in which a backend may panic, often on a thread of its own and with others after it: the first panic is the
/// reason. It is in short; `RUST_BACKTRACE` has all of them printed, as in any program.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let reason = Arc::new(Mutex::new(None));
    let hook: Arc<Hook> = Arc::from(panic::take_hook());
    let is_asked_for = env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    panic::set_hook(Box::new({
        let (reason, hook) = (Arc::clone(&reason), Arc::clone(&hook));
        move |panic| {
            if is_asked_for {
                hook(panic);
            }
            let mut reason = reason.lock().unwrap_or_else(PoisonError::into_inner);
            reason.get_or_insert_with(|| panic.payload_as_str().unwrap_or("no reason given").to_owned());
        }
    }));
    let done = catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(Box::new(move |panic| hook(panic)));
    done.map_err(|_| {
        let first = reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| "no reason given".to_owned())
    })
}

/// Asks a backend something that it may answer with a panic, which is then not worth showing to anyone.
fn quietly<T>(question: impl FnOnce() -> T) -> T {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let answer = question();
    panic::set_hook(hook);
    answer
}

fn unavailable(name: &str, reason: &str) -> String {
    let mut others = built_for();
    others.retain(|device| !name.starts_with(device));
    format!(
        "{name} does not work on this machine ({}); install its driver, or take --device {}",
        in_short(reason),
        others.join(" or ")
    )
}

fn failed(name: &str, reason: &str) -> String {
    let reason_in_lower_case = reason.to_lowercase();
    let is_memory = ["out of memory", "outofmemory", "out_of_memory", "buffer size", "allocat"]
        .iter()
        .any(|words| reason_in_lower_case.contains(words));
    let remedy = if is_memory {
        "it has too little memory for this: take a smaller --batch-size, or for training a training.micro_batch_size"
    } else {
        "a training goes on from its last checkpoint with --resume; --device cpu needs no driver"
    };
    format!("{name} failed ({}); {remedy}", in_short(reason))
}

/// Drivers say what they lack first, and then list where they looked.
fn in_short(reason: &str) -> &str {
    let reason = reason.rsplit_once("on an `Err` value: ").map_or(reason, |(_, error)| error);
    let reason = reason.split(['\n', ';']).next().unwrap_or_default();
    reason.split(" - ").next().unwrap_or_default().split(". ").next().unwrap_or_default()
}

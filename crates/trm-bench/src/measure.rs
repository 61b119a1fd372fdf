//! Timings of a piece of work, with memory and utilisation.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use trm_kernels::Kernels;

use crate::{Error, Measurement, Options, Peak, Result, Work, prepare::prepare};

const LEAST_RUNS: usize = 3;
const WARM_UP_RUNS: usize = 2;

/// Times work on a batch. What the device cannot do is told of as an error of the measurement.
pub(crate) fn measure<B: Kernels>(
    work: Work,
    options: &Options,
    batch: usize,
    peaks: &[Peak],
    device: &B::Device,
) -> Measurement {
    // What earlier work took does not count to this.
    B::memory_cleanup(device);
    let timed = guarded::<B, _>(device, || {
        let mut run = prepare::<B>(work, options, batch, device)?;
        let times = repeat::<B>(&mut run, options.seconds, device)?;
        Ok((times, B::memory_reserved(device)))
    });
    match timed {
        Ok((times, memory)) => {
            let seconds = median(&times);
            let peak = peaks.iter().find(|peak| peak.precision == work.precision(options.precision));
            let tflops = batch as f64 * work.flops(&options.config) / seconds / 1e12;
            Measurement {
                seconds: Some(seconds),
                runs: times.len(),
                puzzles_per_second: Some(batch as f64 / seconds),
                tflops: Some(tflops),
                utilisation: peak.map(|peak| tflops / peak.tflops),
                memory_bytes: memory,
                ..Measurement::of(work, batch)
            }
        }
        Err(error) => Measurement { error: Some(error.to_string()), ..Measurement::of(work, batch) },
    }
}

/// Does work in which a backend may panic, and asks a device that failed what went wrong: one that ran out of memory refuses
/// all work until then.
pub(crate) fn guarded<B: Kernels, T>(device: &B::Device, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(Error::Device { reason: text.lines().next().unwrap_or_default().to_owned() })
    });
    if done.is_err() {
        let _ = catch_unwind(AssertUnwindSafe(|| B::sync(device)));
    }
    done
}

/// Seconds of each of as many runs as fit, after some that do not count.
pub(crate) fn repeat<B: Kernels>(
    run: &mut dyn FnMut() -> Result<()>,
    seconds: f64,
    device: &B::Device,
) -> Result<Vec<f64>> {
    let mut timed = || -> Result<f64> {
        let begun = Instant::now();
        run()?;
        B::sync(device).map_err(|error| Error::Device { reason: error.to_string() })?;
        Ok(begun.elapsed().as_secs_f64())
    };
    for _ in 0..WARM_UP_RUNS {
        timed()?;
    }
    let (begun, limit) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut times = Vec::new();
    while times.len() < LEAST_RUNS || begun.elapsed() < limit {
        times.push(timed()?);
    }
    Ok(times)
}

/// The time in the middle.
pub(crate) fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

//! Ctrl-C and SIGTERM.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Result, train_view};

/// Signals that come so soon after the first are the same wish: schedulers and containers send several at once.
const SAME_WISH: Duration = Duration::from_secs(2);

/// A flag that the first Ctrl-C or SIGTERM raises; a later one ends the process.
pub fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let (flag, mut first) = (interrupted.clone(), None::<Instant>);
    ctrlc::set_handler(move || {
        flag.store(true, Ordering::Relaxed);
        if first.get_or_insert_with(Instant::now).elapsed() > SAME_WISH {
            train_view::restore();
            std::process::exit(130);
        }
    })?;
    Ok(interrupted)
}

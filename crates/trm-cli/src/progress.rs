//! Progress bars on standard error, where it is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts `what`, with rate and remaining time.
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let template = format!(
        "{{bar:32}} {{human_pos}}/{{human_len}} {what}  {{per_sec}}  {{elapsed}} elapsed, {{eta}} left"
    );
    styled(ProgressBar::new(total), &template)
}

/// The length of a [`share`] bar.
pub const WHOLE: u64 = 10_000;

/// A bar for a share of work, with a message that says more.
pub fn share() -> ProgressBar {
    styled(ProgressBar::new(WHOLE), "{bar:32} {msg}  {elapsed} elapsed, {eta} left")
}

/// For work of unknown length, with a message that says what it is.
pub fn spinner() -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}")
}

/// A bar of bytes.
pub fn bytes(total: Option<u64>, file: &str) -> ProgressBar {
    let template = "{msg} {bar:32} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
    styled(total.map_or_else(ProgressBar::no_length, ProgressBar::new), template)
        .with_message(file.to_owned())
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows downloads and uploads.
#[derive(Default)]
pub struct Transfer(std::cell::RefCell<Option<ProgressBar>>);

impl trm_hub::TransferProgress for Transfer {
    fn start(&self, file: &str, total: Option<u64>) {
        *self.0.borrow_mut() = Some(bytes(total, file));
    }

    fn advance(&self, bytes: u64) {
        if let Some(bar) = &*self.0.borrow() {
            bar.inc(bytes);
        }
    }

    fn finish(&self) {
        if let Some(bar) = self.0.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }
}

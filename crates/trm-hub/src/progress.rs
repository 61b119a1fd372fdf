//! The trait that hears how a transfer goes.

/// Is told how a download or an upload goes.
///
/// All calls come from the thread that asked for it. A file that is in the cache causes none. A download that has
/// to begin anew calls [`finish`](Self::finish) and [`start`](Self::start) again.
pub trait TransferProgress {
    /// A transfer of `file`, or of an upload to the repository of that name, begins; `total` is its size in bytes,
    /// if it is known.
    fn start(&self, file: &str, total: Option<u64>);

    /// `bytes` more bytes have arrived.
    fn advance(&self, bytes: u64);

    /// The transfer is over, complete or not; called once after each [`start`](Self::start).
    fn finish(&self);

    /// Whether to give up: [`Error::Stopped`](crate::Error::Stopped) then. Asked several times a second; never, if it is
    /// left as it is.
    fn should_stop(&self) -> bool {
        false
    }
}

/// Ignores the news.
impl TransferProgress for () {
    fn start(&self, _file: &str, _total: Option<u64>) {}

    fn advance(&self, _bytes: u64) {}

    fn finish(&self) {}
}

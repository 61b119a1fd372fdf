//! Progress of long tasks of this crate.

/// How far a long task is. Who is told may break it off, which is [`Error::Stopped`](crate::Error::Stopped) then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Items done.
    pub done: usize,
    /// Items in all.
    pub total: usize,
}

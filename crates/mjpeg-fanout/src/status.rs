//! How the producer's source is doing.

/// How the source of a stream is doing, as its producer tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// On the way to the first frame, or between two connections.
    #[default]
    Connecting,
    /// Connected.
    Online,
    /// Gone; whoever owns the producer tries again, or has paused it.
    Offline,
}

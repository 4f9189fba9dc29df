//! Settings that the libraries do not take.

/// A setting that cannot be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) whose: Whose,
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

/// Whose setting it is, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Listen(usize),
    Stream(usize),
    User(usize),
    Cluster,
}

/// A key, and what is wrong with its value.
pub(crate) type Failed = (&'static str, String);

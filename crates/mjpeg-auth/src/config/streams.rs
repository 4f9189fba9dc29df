//! With which streams one may do something.

use std::{collections::BTreeSet, sync::Arc};

/// A set of streams: all of them, or some by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamSet(Covered);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Covered {
    #[default]
    All,
    Named(BTreeSet<Arc<str>>),
}

impl StreamSet {
    /// All streams, also those that do not exist yet and those without a name.
    pub const ALL: Self = Self(Covered::All);

    /// Makes a set of the streams with these names. `*` among them stands for all.
    pub fn of<N: Into<Arc<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        let names: BTreeSet<Arc<str>> = names.into_iter().map(Into::into).collect();
        if names.contains("*") {
            return Self::ALL;
        }
        Self(Covered::Named(names))
    }

    /// Whether a stream is in the set; `None` stands for one without a name, and for what is not
    /// about a single stream. Only [`ALL`](Self::ALL) contains that.
    pub fn contains(&self, stream: Option<&str>) -> bool {
        match &self.0 {
            Covered::All => true,
            Covered::Named(names) => stream.is_some_and(|stream| names.contains(stream)),
        }
    }

    /// The names; `None` for all streams.
    pub fn names(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.0 {
            Covered::All => None,
            Covered::Named(names) => Some(names.iter().map(|name| &**name)),
        }
    }
}

//! Connections that a fallback service keeps when their listener ends.

use std::{fmt, sync::Arc};

use crate::closing::{Closer, Closing};

/// Lets a fallback service keep a connection that it upgrades, as a stream keeps its viewers: a
/// request extension, from a [`Listener`](crate::Listener) over HTTP/1.
#[derive(Clone)]
pub struct Detach(Arc<Closer>);

impl Detach {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Closer::new()))
    }

    /// Keeps the connection: its listener neither waits for it nor cuts it any more. Whoever calls
    /// this must end it.
    ///
    /// The limits of the listener still apply to it, and it is counted there.
    pub fn detach(&self) {
        self.0.close();
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) fn detaching(&self) -> Closing {
        self.0.closing()
    }
}

impl fmt::Debug for Detach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detach")
            .field("is_detached", &self.is_detached())
            .finish()
    }
}

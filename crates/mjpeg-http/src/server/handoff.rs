//! How a stream's connection leaves hyper.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use http::Response;

use crate::{feed::Feed, response::wire, server::guarded::Flushed, service::StreamService};

/// Passes a requested stream from a connection's service to the connection, which takes it over.
pub(crate) struct Handoff {
    /// A request has come on this connection.
    had_request: AtomicBool,
    left: Mutex<Option<Box<HandedOver>>>,
    flushed: Flushed,
}

/// A requested stream: the head of its response, and the source of its parts.
pub(crate) struct HandedOver {
    pub(crate) service: StreamService,
    pub(crate) head: Response<()>,
    pub(crate) feed: Box<Feed>,
}

impl HandedOver {
    /// What is sent before the first part.
    pub(crate) fn opening(&self) -> Bytes {
        [wire::head_bytes(&self.head), self.feed.opening().into()]
            .concat()
            .into()
    }
}

impl Handoff {
    pub(crate) fn new(flushed: Flushed) -> Self {
        Self {
            had_request: AtomicBool::new(false),
            left: Mutex::default(),
            flushed,
        }
    }

    pub(crate) fn note_request(&self) {
        self.had_request.store(true, Ordering::Relaxed);
    }

    pub(crate) fn had_request(&self) -> bool {
        self.had_request.load(Ordering::Relaxed)
    }

    /// Leaves a stream. It may be taken over once hyper has flushed, at the end of its turn: until
    /// then, answers to earlier requests may still be in hyper's buffer.
    pub(crate) fn leave(&self, stream: HandedOver) {
        self.flushed.reset();
        *self.lock() = Some(Box::new(stream));
    }

    pub(crate) fn take(&self) -> Option<Box<HandedOver>> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<HandedOver>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! How a stream's connection leaves hyper.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use http::Response;

use crate::{feed::Feed, response::wire, server::outgoing::Outgoing, service::StreamService};

/// Passes a requested stream from a connection's service to the connection, which takes it over.
pub(crate) struct Handoff {
    /// A request has come on this connection.
    had_request: AtomicBool,
    left: Mutex<Option<Box<HandedOver>>>,
    outgoing: Outgoing,
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
    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self {
            had_request: AtomicBool::new(false),
            left: Mutex::default(),
            outgoing,
        }
    }

    /// What is being sent on the connection.
    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.outgoing
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
        self.outgoing.reset();
        *self.lock() = Some(Box::new(stream));
    }

    pub(crate) fn take(&self) -> Option<Box<HandedOver>> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<HandedOver>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The log of changes: one line for each that is made or refused.

pub(crate) mod refusals;

use std::sync::Arc;

use axum::response::Response;
use mjpeg_manager::{StreamName, mjpeg_http::Peer};
use tracing::info;

use crate::respond::Outcome;

/// A change that somebody asks for, for the log: one line, whatever comes of it.
pub(crate) struct Audit {
    verb: &'static str,
    user: Option<Arc<str>>,
    peer: Option<Peer>,
    stream: Option<StreamName>,
}

/// The stream that an answer is about, if its path does not say so.
#[derive(Clone)]
pub(crate) struct AuditedStream(pub(crate) StreamName);

/// Who asked, if the request was refused all the same.
#[derive(Clone)]
pub(crate) struct AuditedUser(pub(crate) Arc<str>);

/// Marks the answer to a change that is in the log already.
#[derive(Clone)]
pub(crate) struct IsAudited;

/// Marks the answer to a request that only asked what a change would do: it is none.
#[derive(Clone, Copy)]
pub(crate) struct NoChange;

impl Audit {
    /// A change of what stands in its path: a stream, or a viewer of one.
    pub(crate) fn new(verb: &'static str, peer: Option<Peer>, target: &str) -> Self {
        Self {
            verb,
            user: None,
            peer,
            // Anything else is a text of the client's.
            stream: stream_in(target),
        }
    }

    /// Sets who asks.
    pub(crate) fn with_user(mut self, user: Option<Arc<str>>) -> Self {
        self.user = user;
        self
    }

    pub(crate) fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// Logs the change. What the answer says of it counts.
    pub(crate) fn log(self, response: &mut Response) {
        response.extensions_mut().insert(IsAudited);
        let extensions = response.extensions();
        if extensions.get::<NoChange>().is_some() {
            return;
        }
        let stream = extensions
            .get::<AuditedStream>()
            .map(|AuditedStream(name)| name);
        let stream = stream.or(self.stream.as_ref());
        let user = extensions
            .get::<AuditedUser>()
            .map(|AuditedUser(name)| name);
        let user = user.or(self.user.as_ref());
        let outcome = extensions.get::<Outcome>();
        info!(
            target: "mjpeg_control::audit",
            user = user.map_or("-", |user| user),
            peer = self.peer.map_or_else(|| "-".into(), |peer| peer.to_string()),
            verb = self.verb,
            stream = stream.map_or("-", StreamName::as_str),
            outcome = outcome.map_or("ok", |Outcome(code)| code.as_str()),
            "change by the API"
        );
    }
}

/// The stream in the path of a request: a name, or the id of a viewer.
pub(crate) fn stream_in(target: &str) -> Option<StreamName> {
    let name = target.split_once(':').map_or(target, |(name, _)| name);
    name.parse().ok()
}

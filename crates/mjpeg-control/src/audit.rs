//! The log of changes.

use std::sync::Arc;

use axum::response::Response;
use mjpeg_manager::{
    StreamName,
    mjpeg_http::{Grant, Peer},
};
use tracing::info;

use crate::respond::Outcome;

/// A change that somebody may make, for the log: one line, whatever comes of it.
pub(crate) struct Audit {
    verb: &'static str,
    user: Option<Arc<str>>,
    peer: Option<Peer>,
    stream: Option<StreamName>,
}

/// The stream that an answer is about, if its path does not say so.
#[derive(Clone)]
pub(crate) struct AuditedStream(pub(crate) StreamName);

impl Audit {
    pub(crate) fn new(verb: &'static str, grant: &Grant, peer: Option<Peer>, target: &str) -> Self {
        let name = target.split_once(':').map_or(target, |(name, _)| name);
        Self {
            verb,
            user: grant.identity.clone(),
            peer,
            // Anything else is a text of the client's.
            stream: name.parse().ok(),
        }
    }

    /// Logs the change.
    pub(crate) fn log(self, response: &Response) {
        let extensions = response.extensions();
        let stream = extensions
            .get::<AuditedStream>()
            .map(|AuditedStream(name)| name);
        let stream = stream.or(self.stream.as_ref());
        let outcome = extensions.get::<Outcome>();
        info!(
            target: "mjpeg_control::audit",
            user = self.user.as_deref().unwrap_or("-"),
            peer = self.peer.map_or_else(|| "-".into(), |peer| peer.to_string()),
            verb = self.verb,
            stream = stream.map_or("-", StreamName::as_str),
            outcome = outcome.map_or("ok", |Outcome(code)| code.as_str()),
            "change by the API"
        );
    }
}

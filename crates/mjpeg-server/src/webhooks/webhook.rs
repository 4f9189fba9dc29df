//! A webhook as it is configured.

use std::{collections::BTreeSet, fmt, sync::Arc};

use mjpeg_control::ApiEvent;

use crate::outbound::url::OutboundUrl;

/// Where events are sent to, which ones, and what signs them. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    /// What it is called in logs and metrics.
    pub(crate) name: String,
    pub(crate) url: OutboundUrl,
    pub(crate) secret: WebhookSecret,
    /// The [kinds](ApiEvent::kind) of events that are sent.
    pub(crate) events: BTreeSet<&'static str>,
    pub(crate) streams: WebhookStreams,
}

/// Whose events are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WebhookStreams {
    All,
    Some(BTreeSet<String>),
}

/// What signs requests.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WebhookSecret(Arc<str>);

impl Webhook {
    /// Whether this event is sent.
    pub(super) fn wants(&self, event: &ApiEvent) -> bool {
        let is_of_stream = match &self.streams {
            WebhookStreams::All => true,
            WebhookStreams::Some(streams) => streams.contains(event.stream.as_str()),
        };
        is_of_stream && self.events.contains(event.kind)
    }
}

impl From<String> for WebhookSecret {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl WebhookSecret {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

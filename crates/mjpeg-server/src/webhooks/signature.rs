//! How a receiver knows that a request is ours.

use std::{
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;

use super::{queue::QueuedEvent, webhook::WebhookSecret};

/// The headers of a request that sends this event now.
pub(super) fn headers(event: &QueuedEvent, secret: &WebhookSecret, now: SystemTime) -> HeaderMap {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp = seconds.as_secs().to_string();
    let signature = signature(secret.as_bytes(), &timestamp, &event.json);
    let named = [
        ("x-event-id", event.id.to_string()),
        ("x-timestamp", timestamp),
        ("x-signature", signature),
    ];
    let headers = named.map(|(name, value)| {
        let value = HeaderValue::try_from(value).expect("digits, letters and punctuation");
        (HeaderName::from_static(name), value)
    });
    HeaderMap::from_iter(headers)
}

/// HMAC-SHA256 over the timestamp, a full stop and the body: without the timestamp, a request that
/// somebody has seen could be sent again at any time.
fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut signed = hmac::Context::with_key(&key);
    signed.update(timestamp.as_bytes());
    signed.update(b".");
    signed.update(body);
    let mut text = "sha256=".to_owned();
    for byte in signed.sign().as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

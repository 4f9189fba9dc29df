//! Answers to requests that send pictures.

use http::StatusCode;

use crate::source::push::outcome::PushOutcome;

/// An answer: a status, and a sentence for people.
#[derive(Clone, Debug)]
pub(super) struct PushReply {
    status: u16,
    text: String,
    /// Whether the connection goes on.
    keeps: bool,
    headers: Vec<(&'static str, String)>,
}

impl PushReply {
    pub(super) fn new(status: u16, text: &str) -> Self {
        Self {
            status,
            text: text.into(),
            keeps: true,
            headers: Vec::new(),
        }
    }

    pub(super) fn of(outcome: PushOutcome) -> Self {
        let reply = Self::new(outcome.status(), &outcome.to_string());
        match outcome.retry_after_seconds() {
            Some(seconds) => reply.with_header("Retry-After", &seconds.to_string()),
            None => reply,
        }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn closing(self) -> Self {
        self.keeping(false)
    }

    pub(super) fn keeping(mut self, keeps: bool) -> Self {
        self.keeps = keeps;
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let Self {
            status,
            text,
            keeps,
            headers,
        } = self;
        let reason = StatusCode::from_u16(*status).ok();
        let reason = reason.and_then(|status| status.canonical_reason());
        let mut lines = vec![
            format!("HTTP/1.1 {status} {}", reason.unwrap_or_default()),
            "Content-Type: text/plain; charset=utf-8".into(),
            format!("Content-Length: {}", text.len() + 1),
            // Also for senders that speak HTTP/1.0.
            match keeps {
                true => "Connection: keep-alive".into(),
                false => "Connection: close".into(),
            },
        ];
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        format!("{}\r\n\r\n{text}\n", lines.join("\r\n")).into_bytes()
    }
}

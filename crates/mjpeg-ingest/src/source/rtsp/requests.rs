//! Requests, and the responses that refuse them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{message::RtspResponse, settings::RtspSettings};
use crate::{
    error::{http::HttpError, rtsp::RtspError},
    source::http::{
        challenge::challenges,
        login::Login,
        response::{shown_address, unexpected},
    },
};

/// What is kept from one connection to a camera to the next.
#[derive(Debug, Default)]
pub(super) struct RtspPast {
    knows_digest: AtomicBool,
}

impl RtspPast {
    /// Whether the camera has asked for a Digest login before, and got it.
    pub(super) fn knows_digest(&self) -> bool {
        self.knows_digest.load(Ordering::Relaxed)
    }

    pub(super) fn learn_digest(&self) {
        self.knows_digest.store(true, Ordering::Relaxed);
    }
}

/// Writes requests, one after another.
pub(super) struct RtspRequests {
    pub(super) settings: Arc<RtspSettings>,
    pub(super) past: Arc<RtspPast>,
    /// The login that the camera asked for.
    pub(super) login: Option<Login>,
    pub(super) session: Option<String>,
    number: u32,
}

/// Refuses a response that is none of success. `login_retry` is set if there is a login, which may
/// be the reason.
pub(super) fn check(
    response: &RtspResponse,
    login_retry: Option<Duration>,
) -> Result<(), RtspError> {
    match (response.status, login_retry) {
        (200..=299, _) => Ok(()),
        (300..=399, _) => {
            let to = response.head.all("location").next().unwrap_or(b"nowhere");
            let to = shown_address(to);
            Err(RtspError::Redirected { to })
        }
        (461, _) => Err(RtspError::NotOverTcp),
        // Forbidden, locked, too many requests: another login may lock the account.
        (code, Some(retry_in)) if matches!(code, 401 | 403 | 423 | 429) => {
            let reason = match unexpected(code) {
                HttpError::Status { reason, .. } => reason,
                _ => "",
            };
            Err(HttpError::LoginForbidden {
                code,
                reason,
                retry_in,
            }
            .into())
        }
        (code, _) => Err(unexpected(code).into()),
    }
}

impl RtspRequests {
    pub(super) fn new(settings: Arc<RtspSettings>, past: Arc<RtspPast>) -> Self {
        Self {
            settings,
            past,
            login: None,
            session: None,
            number: 0,
        }
    }

    /// Writes a request. `headers` end with a line break.
    pub(super) fn write(&mut self, method: &str, url: &str, headers: &str) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        let mut request = format!(
            "{method} {url} RTSP/1.0\r\nCSeq: {number}\r\nUser-Agent: {USER_AGENT}\r\n{headers}"
        )
        .into_bytes();
        if let Some(session) = &self.session {
            request.extend(format!("Session: {session}\r\n").bytes());
        }
        if let (Some(login), Some(account)) = (&mut self.login, &self.settings.account) {
            request.extend(b"Authorization: ");
            request.extend(login.answer(account, method, url, fastrand::u128(..)));
            request.extend(b"\r\n");
        }
        request.extend(b"\r\n");
        request
    }

    /// The number of the last request.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Takes a challenge to a request that needs no answer: the nonce was too old.
    pub(super) fn renew_login(&mut self, response: &RtspResponse) {
        let values = response.head.all("www-authenticate").take(MOST_CHALLENGES);
        let challenges: Vec<_> = values.flat_map(challenges).collect();
        let login = Login::choose(&challenges).filter(|login| !login.is_plain());
        if self.login.is_some() && login.is_some() {
            self.login = login;
        }
    }
}

const USER_AGENT: &str = concat!("mjpeg-ingest/", env!("CARGO_PKG_VERSION"));

/// How many `WWW-Authenticate` headers of one head are read.
pub(super) const MOST_CHALLENGES: usize = 16;

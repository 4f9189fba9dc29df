//! One GET after another, through redirects and logins.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use http::header::{self, HeaderName};
use mjpeg_codec::multipart::{RelayId, VIA, Via};
use tokio::{io::ReadBuf, time::Instant};

use super::{
    address::{Origin, Target},
    challenge::challenges,
    cookies::Cookies,
    head::ResponseHead,
    line::Duplex,
    login::{Login, schemes},
    request::Request,
    response::{shown, shown_address, unexpected},
    settings::HttpSettings,
    wire::Wire,
};
use crate::{
    config::IngestConfig,
    error::{ConnectError, HttpError},
    observed::observer::Observer,
    upstream,
    within::within,
};

/// How connections are made.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    /// Returns a connection, and the address of the other side.
    async fn dial(&self, origin: &Origin) -> Result<(Box<dyn Duplex>, String), ConnectError>;
}

/// What is kept from one session of a camera to the next.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The camera has asked for a Digest login, and got it.
    knows_digest: AtomicBool,
}

/// Sends requests over one connection, replaced when it ends; never over two at once.
pub(super) struct Session {
    settings: Arc<HttpSettings>,
    past: Arc<Past>,
    observer: Observer,
    dial: Box<dyn Dial>,
    times: Times,
    /// Where redirects led.
    target: Target,
    /// The relays that the last answer came through.
    via: Via,
    /// The login that the camera asked for.
    login: Option<Login>,
    cookies: Cookies,
    wire: Option<Box<Wire>>,
}

/// Limits of a session.
struct Times {
    connect: Duration,
    answer: Duration,
    login_retry: Duration,
}

impl Session {
    pub(super) fn new(
        settings: Arc<HttpSettings>,
        past: Arc<Past>,
        dial: Box<dyn Dial>,
        config: &IngestConfig,
    ) -> Self {
        let target = settings.target.clone();
        let times = Times {
            connect: config.connect_timeout(),
            answer: config.answer_timeout(),
            login_retry: config.login_retry(),
        };
        Self {
            settings,
            past,
            observer: config.observer.clone().unwrap_or_default(),
            dial,
            times,
            target,
            via: Via::default(),
            login: None,
            cookies: Cookies::default(),
            wire: None,
        }
    }

    /// Requests the URL, follows redirects, logs in, and returns the head of a response with a
    /// status of success. Its body is read by [`poll_body`](Self::poll_body).
    pub(super) async fn get(&mut self) -> Result<ResponseHead, ConnectError> {
        // A login that sets a cookie may lead back to where it began.
        let mut seen = vec![(self.target.clone(), self.cookies.clone())];
        let mut logins = 0;
        let mut is_remembered = self.target != self.settings.target;
        loop {
            let asked = Instant::now();
            let head = self.send().await?;
            self.note(&head, asked.elapsed());
            for cookie in &head.cookies {
                self.cookies.set(&self.target.origin, cookie);
            }
            match (head.status, &head.location) {
                // 204 and 205 have no body.
                (204 | 205, _) => return Err(self.unexpected(head.status).await),
                (200..=299, _) => {
                    let named = head.marks.get(VIA).and_then(|text| text.parse().ok());
                    self.via = named.unwrap_or_default();
                    upstream::check(&self.via).map_err(HttpError::from)?;
                    return Ok(head);
                }
                (300..=399, Some(location)) => {
                    let to = shown_address(location);
                    self.observer.note(|facts| facts.redirected_to = Some(to));
                    let next = self.redirected(location)?;
                    if seen.len() > MAX_REDIRECTS {
                        return Err(HttpError::TooManyRedirects(MAX_REDIRECTS).into());
                    }
                    let step = (next.clone(), self.cookies.clone());
                    if seen.contains(&step) {
                        return Err(HttpError::RedirectLoop.into());
                    }
                    seen.push(step);
                    if next.origin != self.target.origin {
                        self.login = None;
                    }
                    self.target = next;
                    logins = 0;
                }
                // Where an earlier redirect led may have been good for once.
                _ if is_remembered => {
                    is_remembered = false;
                    self.go_back();
                    seen = vec![(self.target.clone(), self.cookies.clone())];
                }
                (401, _) => {
                    self.login = Some(self.challenged(&head, logins)?);
                    logins += 1;
                }
                (status, _) => return Err(self.unexpected(status).await),
            }
            self.skip().await;
        }
    }

    /// Takes notes of an answer.
    fn note(&self, head: &ResponseHead, took: Duration) {
        let server = head.server.as_deref().map(shown);
        self.observer.note(|facts| {
            facts.answered_in = Some(took);
            facts.server = server;
        });
        self.observer.quirks(&head.quirks);
    }

    /// Who takes notes of the camera's answers.
    pub(super) fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Whether the user has chosen how often to ask.
    pub(super) fn has_rate(&self) -> bool {
        self.settings.has_rate()
    }

    /// Reads the next bytes of the body of a response; none at its end.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), HttpError>> {
        match &mut self.wire {
            Some(wire) => wire.poll_body(cx, buf),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Leaves a response before its end. The next request has a connection of its own.
    pub(super) fn leave(&mut self) {
        self.wire = None;
    }

    /// Goes back to the address in the URL: where redirects led may hold only for some time.
    pub(super) fn go_back(&mut self) {
        if self.target.origin != self.settings.target.origin {
            self.login = None;
        }
        self.target = self.settings.target.clone();
    }

    /// The relays that the last answer came through; none if a camera gave it.
    pub(super) fn via(&self) -> Via {
        self.via.clone()
    }

    /// The address of the other side, for people.
    pub(super) fn peer(&self) -> String {
        let wire = self.wire.as_ref();
        wire.map_or_else(|| self.target.origin.to_string(), |wire| wire.peer.clone())
    }

    async fn send(&mut self) -> Result<ResponseHead, ConnectError> {
        if let Some(mut wire) = self.wire.take()
            && wire.origin == self.target.origin
            && wire.is_free().await
        {
            match self.exchange(&mut wire).await {
                Ok(head) => {
                    self.wire = Some(wire);
                    return Ok(head);
                }
                // The camera closed it at the same moment (RFC 9110 section 9.2.2): retry below.
                Err(HttpError::CutShort | HttpError::Broken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // The old connection is closed by now: some cameras accept only one.
        let after = self.times.connect;
        let dialled = within(after, self.dial.dial(&self.target.origin)).await;
        let (io, peer) = dialled.unwrap_or(Err(ConnectError::TimedOut { after }))?;
        let mut wire = Box::new(Wire::over(io, self.target.origin.clone(), peer));
        let head = self.exchange(&mut wire).await?;
        self.wire = Some(wire);
        Ok(head)
    }

    async fn exchange(&mut self, wire: &mut Wire) -> Result<ResponseHead, HttpError> {
        let request = self.request();
        let after = self.times.answer;
        let answered = within(after, wire.send(&request)).await;
        answered.unwrap_or(Err(HttpError::AnswerTimedOut { after }))
    }

    fn request(&mut self) -> Vec<u8> {
        let origin = &self.target.origin;
        let mut request = Request::new(origin);
        let own = RelayId::of_this_process().to_string();
        request.set(HeaderName::from_static(VIA), own.as_bytes());
        if let Some(cookies) = self.cookies.header(origin) {
            request.set(header::COOKIE, &cookies);
        }
        // Another server gets neither the user's headers nor the login.
        if *origin == self.settings.target.origin {
            request.replace(&self.settings.headers);
            if let (Some(login), Some(account)) = (&mut self.login, &self.settings.account) {
                let random = fastrand::u128(..);
                let answer = login.answer(account, "GET", self.target.path.as_str(), random);
                request.set(header::AUTHORIZATION, &answer);
            }
        }
        request.written(self.target.path.as_str())
    }

    fn redirected(&self, location: &[u8]) -> Result<Target, HttpError> {
        let bad = || HttpError::BadRedirect(shown_address(location));
        let next = self.target.redirected(location).ok_or_else(bad)?;
        if self.target.origin.tls && !next.origin.tls {
            return Err(HttpError::RedirectToPlain {
                to: next.origin.to_string(),
            });
        }
        if cfg!(not(feature = "tls")) && next.origin.tls {
            return Err(HttpError::TlsNotBuilt);
        }
        Ok(next)
    }

    /// Prepares the login that the camera asks for, if it may have it. `logins` were answered
    /// before it asked again.
    fn challenged(&self, head: &ResponseHead, logins: u32) -> Result<Login, HttpError> {
        if self.settings.account.is_none() {
            let challenges: Vec<_> = head.challenges.iter().flat_map(|c| challenges(c)).collect();
            let asked = Login::choose(&challenges).map(|login| login.scheme());
            self.observer.note(|facts| facts.login = asked);
            return Err(HttpError::LoginNeeded);
        }
        if self.target.origin != self.settings.target.origin {
            return Err(HttpError::LoginElsewhere {
                to: self.target.origin.to_string(),
            });
        }
        let retry_in = self.times.login_retry;
        let challenges: Vec<_> = head
            .challenges
            .iter()
            .flat_map(|value| challenges(value))
            .collect();
        // A camera that is silent about how to log in has refused a login that was made.
        if challenges.is_empty() && logins > 0 {
            return Err(HttpError::LoginRefused { retry_in });
        }
        let login = Login::choose(&challenges);
        let login = login.ok_or_else(|| HttpError::UnknownLogin(schemes(&challenges)))?;
        self.observer
            .note(|facts| facts.login = Some(login.scheme()));
        if login.is_plain() && self.past.knows_digest.load(Ordering::Relaxed) {
            return Err(HttpError::LoginDowngraded { retry_in });
        }
        // A second challenge means that the login was wrong, unless only its nonce was too old.
        // (Between two images, it may only mean that a nonce has expired.)
        if logins > u32::from(login.is_stale()) {
            return Err(HttpError::LoginRefused { retry_in });
        }
        if !login.is_plain() {
            self.past.knows_digest.store(true, Ordering::Relaxed);
        }
        Ok(login)
    }

    /// Names a status that brings no pictures, once its page has been passed over.
    async fn unexpected(&mut self, code: u16) -> ConnectError {
        self.skip().await;
        match unexpected(code) {
            // Forbidden, locked, too many requests: another login may lock the account.
            HttpError::Status { code, reason }
                if matches!(code, 403 | 423 | 429) && self.login.is_some() =>
            {
                let retry_in = self.times.login_retry;
                HttpError::LoginForbidden {
                    code,
                    reason,
                    retry_in,
                }
                .into()
            }
            error => error.into(),
        }
    }

    /// Reads the rest of a response and ignores it, so that its connection can be used again. If
    /// that may take long, closes the connection instead.
    async fn skip(&mut self) {
        if let Some(wire) = &mut self.wire
            && within(SKIP_TIME, wire.skip(MAX_SKIPPED_BYTES)).await != Some(true)
        {
            self.wire = None;
        }
    }
}

/// How many redirects are followed. Browsers follow 20; a camera needs one or two.
const MAX_REDIRECTS: usize = 5;

/// How much of an error page or redirect is read to keep its connection, in bytes.
const MAX_SKIPPED_BYTES: u64 = 64 << 10;

/// For how long it is read.
const SKIP_TIME: Duration = Duration::from_secs(1);

//! One GET after another, through redirects and logins.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http_auth::{PasswordClient, PasswordParams};
use http_body_util::Empty;
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{self, HeaderMap, HeaderValue},
};
use mjpeg_codec::multipart::{RelayId, VIA, Via};

use super::{
    address::{Origin, Target},
    link::{Duplex, Link},
    response::{shown, translated, unexpected},
    settings::Settings,
};
use crate::{
    error::{ConnectError, HttpError},
    upstream,
};

/// How connections are made.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    /// Returns a connection, and the address of the other side.
    async fn dial(&self, origin: &Origin) -> Result<(Box<dyn Duplex>, String), ConnectError>;
}

/// Sends requests over one connection, replaced when it ends; never over two at once.
pub(super) struct Session {
    settings: Arc<Settings>,
    dial: Box<dyn Dial>,
    /// Where redirects led.
    target: Target,
    /// The relays that the last answer came through.
    via: Via,
    /// The login that the camera asked for, with its request counter.
    login: Option<PasswordClient>,
    link: Option<Box<Link>>,
}

impl Session {
    pub(super) fn new(settings: Arc<Settings>, dial: Box<dyn Dial>) -> Self {
        let target = settings.target.clone();
        Self {
            settings,
            dial,
            target,
            via: Via::default(),
            login: None,
            link: None,
        }
    }

    /// Requests the URL, follows redirects, logs in, and returns the response with status 200.
    pub(super) async fn get(&mut self) -> Result<Response<Incoming>, ConnectError> {
        let mut seen = vec![self.target.clone()];
        let mut answered = false;
        loop {
            let response = self.send().await?;
            let status = response.status();
            if status == StatusCode::OK {
                self.via = passed(response.headers())?;
                return Ok(response);
            }
            if status.is_redirection()
                && let Some(location) = response.headers().get(header::LOCATION)
            {
                let next = self.redirected(location)?;
                if seen.contains(&next) {
                    return Err(HttpError::RedirectLoop.into());
                }
                if seen.len() > MAX_REDIRECTS {
                    return Err(HttpError::TooManyRedirects(MAX_REDIRECTS).into());
                }
                if next.origin != self.target.origin {
                    self.login = None;
                }
                seen.push(next.clone());
                self.target = next;
                answered = false;
            } else if status == StatusCode::UNAUTHORIZED {
                let login = self.challenged(response.headers())?;
                // A second challenge means that the login was wrong. (Between two images, it may
                // only mean that a nonce has expired.)
                if answered {
                    return Err(HttpError::LoginRefused.into());
                }
                self.login = Some(login);
                answered = true;
            } else {
                return Err(unexpected(status).into());
            }
            self.skip(response).await;
        }
    }

    /// Waits for the next bytes of a response; `None` at its end.
    pub(super) async fn chunk(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, HttpError> {
        match &mut self.link {
            Some(link) => link.chunk(body).await.map_err(translated),
            None => Ok(None),
        }
    }

    /// The relays that the last answer came through; none if a camera gave it.
    pub(super) fn via(&self) -> Via {
        self.via.clone()
    }

    /// The address of the other side, for people.
    pub(super) fn peer(&self) -> String {
        let link = self.link.as_ref();
        link.map_or_else(|| self.target.origin.to_string(), |link| link.peer.clone())
    }

    async fn send(&mut self) -> Result<Response<Incoming>, ConnectError> {
        if let Some(mut link) = self.link.take()
            && link.origin == self.target.origin
            && link.is_free().await
        {
            match link.send(self.request()?).await.map_err(translated) {
                Ok(response) => {
                    self.link = Some(link);
                    return Ok(response);
                }
                // The camera closed it at the same moment (RFC 9110 section 9.2.2): retry below.
                Err(HttpError::CutShort | HttpError::Broken(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // The old connection is closed by now: some cameras accept only one.
        let (io, peer) = self.dial.dial(&self.target.origin).await?;
        let link = Link::over(io, self.target.origin.clone(), peer).await;
        let mut link = link.map_err(translated)?;
        let response = link.send(self.request()?).await.map_err(translated)?;
        self.link = Some(link);
        Ok(response)
    }

    fn request(&mut self) -> Result<Request<Empty<Bytes>>, HttpError> {
        let unsendable = |error: http::Error| HttpError::BadResponse(Box::new(error));
        let mut request = Request::get(self.target.path.as_str())
            .header(header::HOST, self.target.origin.host_header())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, ACCEPT)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(VIA, RelayId::of_this_process().to_string())
            .body(Empty::new())
            .map_err(unsendable)?;
        if self.target.origin == self.settings.target.origin {
            request.headers_mut().extend(self.settings.headers.clone());
        }
        if let (Some(login), Some(account)) = (&mut self.login, &self.settings.account) {
            let params = |body| PasswordParams {
                username: &account.user,
                password: &account.password,
                uri: self.target.path.as_str(),
                method: "GET",
                body,
            };
            // Without integrity protection if possible: some cameras offer it and get it wrong.
            let answer = login
                .respond(&params(None))
                .or_else(|_| login.respond(&params(Some(&[]))))
                // The camera requires an unknown kind of integrity protection.
                .map_err(|_| HttpError::UnknownLogin("Digest".into()))?;
            let mut answer = HeaderValue::from_str(&answer)
                .map_err(|error| HttpError::BadResponse(Box::new(error)))?;
            answer.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, answer);
        }
        Ok(request)
    }

    fn redirected(&self, location: &HeaderValue) -> Result<Target, HttpError> {
        let bad = || HttpError::BadRedirect(shown(location.as_bytes()));
        let location = location.to_str().map_err(|_| bad())?;
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

    /// Prepares the login that the camera asks for, if it may have it.
    fn challenged(&self, headers: &HeaderMap) -> Result<PasswordClient, HttpError> {
        if self.settings.account.is_none() {
            return Err(HttpError::LoginNeeded);
        }
        if self.target.origin != self.settings.target.origin {
            return Err(HttpError::LoginElsewhere {
                to: self.target.origin.to_string(),
            });
        }
        let challenges = headers.get_all(header::WWW_AUTHENTICATE);
        let challenges: Vec<_> = challenges
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let builder = challenges
            .iter()
            .fold(PasswordClient::builder(), |builder, value| {
                builder.challenges(value)
            });
        // Only the first word of each is shown: the rest may hold secrets.
        let schemes = challenges.iter().map(|value| {
            let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            shown(value[..end.unwrap_or(value.len())].as_bytes())
        });
        let unknown = |_| HttpError::UnknownLogin(schemes.collect::<Vec<_>>().join(", "));
        builder.build().map_err(unknown)
    }

    /// Reads the rest of a response and ignores it, so that its connection can be used again. If
    /// that may take long, closes the connection instead.
    async fn skip(&mut self, response: Response<Incoming>) {
        let chunked = response.headers().contains_key(header::TRANSFER_ENCODING);
        let mut body = response.into_body();
        let length = body.size_hint().exact();
        let mut left = MAX_SKIPPED_BYTES;
        if !chunked && length.is_none_or(|length| length > left) {
            self.link = None;
            return;
        }
        while let Some(link) = &mut self.link {
            match link.chunk(&mut body).await {
                Ok(None) => return,
                Ok(Some(bytes)) if (bytes.len() as u64) < left => left -= bytes.len() as u64,
                _ => self.link = None,
            }
        }
    }
}

/// The relays that an answer came through, unless this is one of them, or there are too many.
fn passed(headers: &HeaderMap) -> Result<Via, HttpError> {
    let named = headers.get(VIA).and_then(|value| value.to_str().ok());
    let via: Via = named.and_then(|text| text.parse().ok()).unwrap_or_default();
    upstream::check(&via)?;
    Ok(via)
}

/// How many redirects are followed. Browsers follow 20; a camera needs one or two.
const MAX_REDIRECTS: usize = 5;

/// How much of an error page or redirect is read to keep its connection, in bytes.
const MAX_SKIPPED_BYTES: u64 = 64 << 10;

const USER_AGENT: &str = concat!("mjpeg-ingest/", env!("CARGO_PKG_VERSION"));

/// Prefers images over a page, for servers that can choose.
const ACCEPT: &str = "multipart/x-mixed-replace, image/jpeg, */*;q=0.5";

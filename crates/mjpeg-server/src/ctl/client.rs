//! Requests to the API. What answers may be anything, so all that it says is bounded.

use std::time::Duration;

use anyhow::Error;
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    connect::connect,
    credentials::authorization,
    failure::CtlFailure,
    problem::{ApiProblem, HIDDEN, NO_CONTROL, NO_MEMBER},
    target::{RelayTarget, targets},
};
use crate::{cli::ctl::CtlConnection, outbound::tls::Fingerprint};

/// Sends requests to a relay, each on a connection of its own.
pub(super) struct ApiClient {
    /// Where the relay may be; once it has answered, where it is.
    targets: Vec<RelayTarget>,
    authorization: Option<HeaderValue>,
    trusted: Option<Fingerprint>,
    /// Whether there is a socket of a relay that this user may not open.
    was_denied: bool,
}

impl ApiClient {
    /// Reads what says where the relay is and who asks. May ask for a password.
    pub(super) fn new(args: &CtlConnection) -> Result<Self, CtlFailure> {
        let targets = targets(args)?;
        let wrong =
            || CtlFailure::Usage("--fingerprint is not a SHA-256: 64 hexadecimal digits".into());
        let trusted = args.fingerprint.as_deref();
        let trusted = trusted.map(|text| Fingerprint::parse(text).ok_or_else(wrong));
        let trusted = trusted.transpose()?;
        let is_secure = |target: &RelayTarget| match target {
            RelayTarget::Url(url) => url.is_secure,
            RelayTarget::Unix(_) => false,
        };
        if trusted.is_some() && !targets.iter().all(is_secure) {
            let detail = "--fingerprint is for a --url that begins with https://";
            return Err(CtlFailure::Usage(detail.into()));
        }
        let authorization = authorization(args)?;
        Ok(Self {
            targets,
            authorization,
            trusted,
            was_denied: false,
        })
    }

    /// Whether a password or token would go through a network as plain text.
    pub(super) fn is_overheard(&self) -> bool {
        let is_plain = |target: &RelayTarget| match target {
            RelayTarget::Url(url) => !url.is_secure && !url.is_loopback(),
            RelayTarget::Unix(_) => false,
        };
        self.authorization.is_some() && self.targets.iter().any(is_plain)
    }

    /// Where the relay is, or may be.
    pub(super) fn target(&self) -> &RelayTarget {
        &self.targets[0]
    }

    /// Reads something.
    pub(super) async fn get(&mut self, path: &str) -> Result<Value, CtlFailure> {
        let mut most_bytes = MOST_BYTES;
        self.json(Method::GET, path, None, &mut most_bytes).await
    }

    /// Changes something. `null` where the answer has no content.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CtlFailure> {
        let mut most_bytes = MOST_BYTES;
        self.json(method, path, body, &mut most_bytes).await
    }

    /// Reads all pages of a list, which stands in this field of each. All of them together are
    /// bounded like one answer.
    pub(super) async fn list(&mut self, path: &str, field: &str) -> Result<Vec<Value>, CtlFailure> {
        let (mut items, mut next) = (Vec::new(), String::new());
        let mut most_bytes = MOST_BYTES;
        loop {
            let page = format!("{path}?limit={PAGE}{next}");
            let mut page = self.json(Method::GET, &page, None, &mut most_bytes).await?;
            let Some(Value::Array(more)) = page.get_mut(field).map(Value::take) else {
                return Err(CtlFailure::BadAnswer(format!("the answer has no {field}")));
            };
            let is_empty = more.is_empty();
            items.extend(more);
            next = match page.get("next") {
                None | Some(Value::Null) => return Ok(items),
                Some(Value::String(cursor)) if !is_empty => format!("&cursor={}", encoded(cursor)),
                Some(_) => return Err(CtlFailure::BadAnswer("the list has no end".into())),
            };
        }
    }

    /// Asks for events, those after this one if it is given. The body has no end.
    pub(super) async fn subscribe(
        &mut self,
        last_id: Option<&str>,
    ) -> Result<Incoming, CtlFailure> {
        let last_id = last_id.and_then(|id| HeaderValue::try_from(id).ok());
        let headers = last_id.map(|id| (HeaderName::from_static("last-event-id"), id));
        let response = self.open("/events", headers).await?;
        let kind = response.headers().get(CONTENT_TYPE);
        let is_events = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        match is_events {
            true => Ok(response.into_body()),
            false => Err(CtlFailure::BadAnswer("the answer holds no events".into())),
        }
    }

    /// Asks for a file. Its body may be of any length.
    pub(super) async fn download(&mut self, path: &str) -> Result<Response<Incoming>, CtlFailure> {
        let any = HeaderValue::from_static("*/*");
        self.open(path, Some((ACCEPT, any))).await
    }

    /// Asks for something whose body its caller reads.
    async fn open(
        &mut self,
        path: &str,
        header: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Response<Incoming>, CtlFailure> {
        let asking = async {
            let response = self.ask(Method::GET, path, None, header).await?;
            if response.status().is_success() {
                return Ok(response);
            }
            let mut most_bytes = MOST_BYTES;
            let refused = read(response, &mut most_bytes).await;
            Err(refused.err().unwrap_or_else(no_answer))
        };
        let answer = timeout(ANSWER_TIME, asking).await;
        answer.unwrap_or_else(|_| Err(no_answer()))
    }

    async fn json(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        most_bytes: &mut usize,
    ) -> Result<Value, CtlFailure> {
        let asking = async {
            let response = self.ask(method, path, body, None).await?;
            read(response, most_bytes).await
        };
        let answer = timeout(ANSWER_TIME, asking).await;
        answer.unwrap_or_else(|_| Err(no_answer()))
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        header: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Response<Incoming>, CtlFailure> {
        let connected = connect(&self.targets, self.trusted).await?;
        self.was_denied |= connected.was_denied;
        // From now on, only there.
        self.targets = vec![self.targets.swap_remove(connected.index)];
        let request = self.request(method, path, body, header)?;
        let lost = |error: hyper::Error| {
            CtlFailure::unreachable(format!(
                "the relay did not answer: {:#}",
                Error::from(error)
            ))
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(connected.wire))
            .await
            .map_err(lost)?;
        // It ends with the body of the answer.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(lost)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        header: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Request<Full<Bytes>>, CtlFailure> {
        let target = self.target();
        let mut request = Request::builder()
            .uri(format!("{}{API}{path}", target.base_path()))
            .header(HOST, target.authority())
            .header(ACCEPT, "application/json, text/event-stream");
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let (Some((name, value)), Some(headers)) = (header, request.headers_mut()) {
            headers.insert(name, value);
        }
        if method != Method::GET {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.method(method).body(Full::from(body));
        request.map_err(|error| CtlFailure::Usage(error.to_string()))
    }

    /// Adds what to do to a refusal, where the relay cannot know it.
    pub(super) async fn advise(&mut self, failure: &mut CtlFailure) {
        let CtlFailure::Refused(problem) = failure else {
            return;
        };
        let is_url = matches!(self.target(), RelayTarget::Url(_));
        let is_barred = matches!(
            problem.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
        );
        if self.was_denied && is_barred {
            problem.advice = Some(NO_MEMBER);
            return;
        }
        if problem.status == StatusCode::NOT_FOUND
            && problem.json.is_some()
            && is_url
            && let Err(CtlFailure::Refused(of_all)) = self.get("/info").await
        {
            problem.advice = match of_all.status {
                StatusCode::NOT_FOUND => Some(NO_CONTROL),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(HIDDEN),
                _ => None,
            };
        }
    }
}

/// Reads an answer, of at most so many bytes, and what is left of them.
async fn read(response: Response<Incoming>, most_bytes: &mut usize) -> Result<Value, CtlFailure> {
    let (head, body) = response.into_parts();
    let collected = Limited::new(body, *most_bytes).collect().await;
    let bytes = collected.map_err(|error| match error.is::<LengthLimitError>() {
        true => CtlFailure::BadAnswer(format!("the answer has more than {MOST_BYTES} bytes")),
        false => CtlFailure::unreachable("the answer did not come in whole"),
    })?;
    let bytes = bytes.to_bytes();
    *most_bytes -= bytes.len();
    if !head.status.is_success() {
        return Err(CtlFailure::Refused(Box::new(ApiProblem::new(
            head.status,
            &bytes,
        ))));
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes)
        .map_err(|_| CtlFailure::BadAnswer("the answer is not JSON".into()))
}

/// A word as a segment of a path, or the value of a parameter.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn no_answer() -> CtlFailure {
    CtlFailure::unreachable(format!("no answer within {} s", ANSWER_TIME.as_secs()))
}

const API: &str = "/api/v1";
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b':');

/// The most that a page may hold.
const PAGE: usize = 1000;
/// Twenty thousand viewers take a third of it.
const MOST_BYTES: usize = 16 << 20;
/// To add a stream takes as long as its camera does, up to 8 s.
const ANSWER_TIME: Duration = Duration::from_secs(60);

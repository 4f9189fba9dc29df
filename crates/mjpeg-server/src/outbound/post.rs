//! One request with a body of JSON, and the status of its answer. Whoever answers is not trusted.

use std::{io, pin::pin, time::Duration};

use anyhow::Error;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{connect::dial, url::OutboundUrl};

/// Why there is no answer. `Display` names nothing of the URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    #[error("no answer came, or none that is HTTP")]
    Http(#[from] hyper::Error),
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The headers are none that can be sent.
    #[error("the request cannot be made")]
    Request(#[from] http::Error),
    #[error("the answer is {0}")]
    Status(StatusCode),
}

impl OutboundError {
    /// The error with its causes.
    pub(crate) fn chain(self) -> String {
        format!("{:#}", Error::from(self))
    }
}

/// Sends JSON to a URL, on a connection of its own, and returns the answer's status, whatever it
/// is: redirects are not followed, and no proxy is asked. Of the answer, at most 16 KiB of its head
/// and 64 KiB of its body are read.
///
/// # Errors
///
/// [`OutboundError`] if there is no answer within this time.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn post(
    url: &OutboundUrl,
    headers: HeaderMap,
    json: Bytes,
    limit: Duration,
) -> Result<StatusCode, OutboundError> {
    let sending = timeout(limit, send(url, headers, json));
    sending.await.map_err(|_| OutboundError::Timeout(limit))?
}

async fn send(
    url: &OutboundUrl,
    headers: HeaderMap,
    json: Bytes,
) -> Result<StatusCode, OutboundError> {
    let request = request(url, headers, json)?;
    let dialled = dial(url.host(), url.port(), url.protection()).await;
    let wire = TokioIo::new(dialled.map_err(OutboundError::Connect)?);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .handshake(wire)
        .await?;
    let mut asking = pin!(async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        drain(answer.into_body()).await;
        Ok(status)
    });
    tokio::select! {
        biased;
        answer = &mut asking => return answer,
        // What ended it is what is told to who asks, unless the answer has come.
        _ = connection => {}
    }
    asking.await
}

fn request(
    url: &OutboundUrl,
    headers: HeaderMap,
    json: Bytes,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url.target())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, HeaderValue::from_static("close"));
    if let Some(login) = url.login() {
        request = request.header(AUTHORIZATION, login);
    }
    let mut request = request.body(Full::from(json))?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// Takes the rest of a short answer, so that its sender sees no broken connection.
async fn drain(body: Incoming) {
    let _ = timeout(DRAIN_TIME, Limited::new(body, MOST_BODY_BYTES).collect()).await;
}

const AGENT: &str = concat!("mjpeg-server/", env!("CARGO_PKG_VERSION"));
const MOST_HEAD_BYTES: usize = 16 << 10;
const MOST_BODY_BYTES: usize = 64 << 10;
const DRAIN_TIME: Duration = Duration::from_millis(500);

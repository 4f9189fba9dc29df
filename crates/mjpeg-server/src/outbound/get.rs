//! A document at a URL. Whoever answers is not trusted.

use std::{pin::pin, time::Duration};

use anyhow::Error;
use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONNECTION, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{connect::dial, post::OutboundError, url::OutboundUrl};

/// Why there is no document. `Display` names nothing of the URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GetError {
    #[error(transparent)]
    Request(#[from] OutboundError),
    #[error("the answer has more than {0} bytes, or did not come in whole")]
    Body(usize),
}

impl GetError {
    /// The error with its causes.
    pub(crate) fn chain(self) -> String {
        format!("{:#}", Error::from(self))
    }
}

/// Reads what is at a URL, on a connection of its own: at most so many bytes, within this time.
/// Redirects are not followed, and no proxy is asked.
///
/// # Errors
///
/// [`GetError`] if there is no answer in time, or one other than `200`.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn get(
    url: &OutboundUrl,
    most_bytes: usize,
    limit: Duration,
) -> Result<Bytes, GetError> {
    let getting = timeout(limit, ask(url, most_bytes));
    let got = getting.await;
    got.map_err(|_| OutboundError::Timeout(limit))?
}

async fn ask(url: &OutboundUrl, most_bytes: usize) -> Result<Bytes, GetError> {
    let request = request(url).map_err(OutboundError::Request)?;
    let dialled = dial(url.host(), url.port(), url.protection()).await;
    let wire = TokioIo::new(dialled.map_err(OutboundError::Connect)?);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .handshake(wire)
        .await
        .map_err(OutboundError::Http)?;
    let mut asking = pin!(async move {
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(OutboundError::Http)?;
        if answer.status() != StatusCode::OK {
            return Err(OutboundError::Status(answer.status()).into());
        }
        let body = Limited::new(answer.into_body(), most_bytes).collect().await;
        let body = body.map_err(|_| GetError::Body(most_bytes))?;
        Ok(body.to_bytes())
    });
    tokio::select! {
        biased;
        answer = &mut asking => return answer,
        // What ended it is what is told to who asks, unless the answer has come.
        _ = connection => {}
    }
    asking.await
}

fn request(url: &OutboundUrl) -> Result<Request<Empty<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .uri(url.target())
        .header(HOST, url.authority())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, HeaderValue::from_static("close"));
    if let Some(login) = url.login() {
        request = request.header(AUTHORIZATION, login);
    }
    request.body(Empty::new())
}

const AGENT: &str = concat!("mjpeg-server/", env!("CARGO_PKG_VERSION"));
const MOST_HEAD_BYTES: usize = 16 << 10;

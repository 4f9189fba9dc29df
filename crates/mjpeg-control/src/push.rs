//! Pictures that callers send to a stream: `POST /NAME/push` of a gateway.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::response::{IntoResponse, Response as AxumResponse};
use bytes::{Buf, Bytes};
use http::{
    Request, Response, StatusCode,
    header::{COOKIE, ORIGIN},
};
use http_body::Body;
use mjpeg_manager::{
    StreamName,
    mjpeg_ingest::{Push, PushOutcome},
};
use serde::Serialize;
use tokio::io::{AsyncRead, ReadBuf};

use crate::{
    caller::{ApiCaller, Denied},
    code::ErrorCode,
    error::Error,
    origin::refused,
    respond::{Refused, guard, json},
    service::{BodyError, ControlBody, ControlService, misdirected},
};

pub(crate) mod stats;

/// What became of pictures.
#[derive(Serialize)]
struct PushedView {
    /// How many the stream has taken.
    pictures: u64,
}

impl ControlService {
    /// Answers a request that sends pictures to the stream of this name, if the gate lets its
    /// sender [push](mjpeg_manager::mjpeg_http::Action::Push). Path and method do not count.
    /// (Feature `push`.)
    ///
    /// A browser must say that a page of this origin, at a host that is ours, sends it; what says
    /// nothing of that is refused with a cookie. A stream takes pictures if `push:` is among its
    /// sources; else `409`. Pushes are not audited.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the stream may have taken some of the pictures.
    pub async fn push<B>(&self, stream: &str, request: Request<B>) -> Response<ControlBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let mut response = match self.pushed(stream, request).await {
            Ok(response) => response,
            Err(error) => Refused(error).into_response(),
        };
        guard(&mut response);
        self.state().pushes.count(response.status());
        response.map(ControlBody::new)
    }

    async fn pushed<B>(&self, stream: &str, request: Request<B>) -> Result<AxumResponse, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        let (policy, headers) = (self.policy(), &parts.headers);
        let is_of_browser = headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site");
        if is_of_browser && !policy.hosts().include(&parts.uri, headers) {
            return Err(misdirected());
        }
        let state = self.state();
        let caller = ApiCaller::new(&parts, policy, state.config.gate_timeout());
        if !caller.sender().may_write(headers.contains_key(COOKIE)) {
            return Err(refused());
        }
        if stream.parse::<StreamName>().is_err() {
            return Err(Error::not_found());
        }
        if let Err(denied) = caller.may_push(stream).await {
            return self.denied(&caller, stream, denied).await;
        }
        let inlet = state.manager.inlet(stream);
        let Some(inlet) = inlet.map_err(|_| Error::not_found())? else {
            let detail = "this stream takes no pictures from callers: it has another source";
            let hint = "set its source, or a fallback, to push:";
            return Err(Error::new(ErrorCode::NotAPushStream, detail).with_hint(hint));
        };
        let mut push = Push::new(PushedBody::new(body)).with_headers(headers);
        if let Some(addr) = caller.peer().and_then(|peer| peer.addr()) {
            push = push.with_sender(addr.ip());
        }
        match inlet.push(push).await {
            PushOutcome::Taken { pictures } => Ok(json(StatusCode::OK, &PushedView { pictures })),
            outcome => Err(failed(outcome)),
        }
    }
}

impl ControlService {
    /// Refuses somebody. Of a stream that they may not see, the answer is that for one which is not
    /// there.
    async fn denied(
        &self,
        caller: &ApiCaller,
        stream: &str,
        denied: Denied,
    ) -> Result<AxumResponse, Error> {
        let response = match denied.is_about_rights() {
            true => match caller.sees(stream).await {
                Ok(_) if self.state().manager.spec(stream).is_ok() => denied,
                Ok(_) => return Err(Error::not_found()),
                Err(hidden) => hidden,
            },
            false => denied,
        };
        let response = response.into_response();
        match response.status() {
            StatusCode::NOT_FOUND => Err(Error::not_found()),
            _ => Ok(response),
        }
    }
}

fn failed(outcome: PushOutcome) -> Error {
    let code = match outcome {
        PushOutcome::Broken => ErrorCode::BadRequest,
        PushOutcome::NotAPicture | PushOutcome::Encoded => ErrorCode::UnsupportedMediaType,
        PushOutcome::TooLarge { .. } => ErrorCode::PayloadTooLarge,
        PushOutcome::Busy => ErrorCode::OtherSender,
        PushOutcome::Full => ErrorCode::Busy,
        PushOutcome::NotReading | PushOutcome::Ended => ErrorCode::NotReading,
        PushOutcome::Loop => ErrorCode::RelayLoop,
        // The enum may grow.
        _ => ErrorCode::Internal,
    };
    Error::new(code, outcome.to_string())
}

/// A body as a reader. It takes the next piece when the one before has been read.
struct PushedBody<B> {
    body: Pin<Box<B>>,
    piece: Bytes,
}

impl<B> PushedBody<B> {
    fn new(body: B) -> Self {
        Self {
            body: Box::pin(body),
            piece: Bytes::new(),
        }
    }
}

impl<B> AsyncRead for PushedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.piece.is_empty() {
            match ready!(this.body.as_mut().poll_frame(cx)) {
                // Trailers are passed over.
                Some(Ok(frame)) => this.piece = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error.into()))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let n = this.piece.len().min(buf.remaining());
        buf.put_slice(&this.piece[..n]);
        this.piece.advance(n);
        Poll::Ready(Ok(()))
    }
}

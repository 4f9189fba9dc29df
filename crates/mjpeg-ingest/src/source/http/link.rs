//! One connection that speaks HTTP/1.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::address::Origin;

/// The byte stream below an HTTP connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection without a task of its own: each call that waits for the connection also drives it.
///
/// Dropping it closes the socket, and a reader that pauses makes TCP slow the camera down.
pub(super) struct Link {
    sender: SendRequest<Empty<Bytes>>,
    /// `None` when the connection has ended.
    driver: Option<Driver>,
    pub(super) origin: Origin,
    /// The address of the other side, for people.
    pub(super) peer: String,
}

type Driver = http1::Connection<TokioIo<Box<dyn Duplex>>, Empty<Bytes>>;

impl Link {
    pub(super) async fn over(
        io: Box<dyn Duplex>,
        origin: Origin,
        peer: String,
    ) -> hyper::Result<Box<Self>> {
        let (sender, driver) = http1::Builder::new()
            // Some devices know only `Authorization`, not `authorization`.
            .title_case_headers(true)
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(MAX_HEAD_BYTES)
            // Malformed headers do not matter here.
            .ignore_invalid_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .handshake(TokioIo::new(io))
            .await?;
        Ok(Box::new(Self {
            sender,
            driver: Some(driver),
            origin,
            peer,
        }))
    }

    /// Whether another request can be sent, now that the last response has been read.
    pub(super) async fn is_free(&mut self) -> bool {
        let Self { sender, driver, .. } = self;
        driven(driver, sender.ready()).await.is_ok()
    }

    pub(super) async fn send(
        &mut self,
        request: Request<Empty<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        let Self { sender, driver, .. } = self;
        driven(driver, sender.send_request(request)).await
    }

    /// Waits for the next bytes of a response; `None` at its end.
    pub(super) async fn chunk(&mut self, body: &mut Incoming) -> hyper::Result<Option<Bytes>> {
        let next = async {
            while let Some(frame) = body.frame().await {
                // Trailers are ignored, and an empty chunk would look like the end.
                if let Ok(data) = frame?.into_data()
                    && !data.is_empty()
                {
                    return Ok(Some(data));
                }
            }
            Ok(None)
        };
        driven(&mut self.driver, next).await
    }
}

/// Waits for work that depends on the connection, and drives the connection meanwhile.
async fn driven<T>(driver: &mut Option<Driver>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        // If it fails, the work returns the error.
        if let Some(driving) = driver
            && Pin::new(driving).poll(cx).is_ready()
        {
            *driver = None;
        }
        work.as_mut().poll(cx)
    })
    .await
}

/// The largest head of a response, in bytes. Real ones have 100 to 1000.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;

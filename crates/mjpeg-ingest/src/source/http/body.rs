//! The responses of a camera as a stream of bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_util::{Stream, stream::try_unfold};
use hyper::{
    body::{Body, Incoming},
    header::{self, HeaderMap},
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Interval, MissedTickBehavior, interval},
};

use super::{response::shown, session::Session};
use crate::{
    connect::{Connection, Framing},
    error::{ConnectError, HttpError, SourceEnd},
};

/// The content of a response, by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaKind {
    Multipart,
    Image,
    /// The first bytes decide.
    Unknown,
}

/// Sends the first request and makes a connection of its response.
pub(super) async fn open(mut session: Session, fps: f64) -> Result<Connection, ConnectError> {
    let (head, body) = session.get().await?.into_parts();
    let mut body = Payload::new(body);
    let kind = match media_kind(&head.headers)? {
        MediaKind::Unknown => {
            let kind = body.detect(&mut session).await?;
            kind.ok_or_else(|| HttpError::ContentType(content_type(&head.headers)))?
        }
        kind => kind,
    };
    let (peer, via) = (session.peer(), session.via());
    if kind == MediaKind::Multipart {
        let bytes = try_unfold((session, body), |(mut session, mut body)| async move {
            let bytes = body.next(&mut session).await.map_err(failed)?;
            Ok(bytes.map(|bytes| (bytes, (session, body))))
        });
        let connection = Connection::bytes(Chunks::new(bytes), peer);
        return Ok(connection.with_framing(Framing::Multipart).with_via(via));
    }
    let every = Duration::from_secs_f64(1.0 / fps);
    let mut ticks = interval(every);
    // A camera that takes longer than the interval is asked again at once, but only once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let polling = Polling {
        session,
        body,
        ticks,
    };
    let bytes = try_unfold(polling, |mut polling| async move {
        let bytes = polling.next().await.map_err(failed)?;
        Ok(Some((bytes, polling)))
    });
    let connection = Connection::bytes(Chunks::new(bytes), peer);
    Ok(connection.with_interval(every).with_via(via))
}

/// The body of a response, and the bytes already read from it.
struct Payload {
    ahead: Bytes,
    body: Incoming,
}

impl Payload {
    fn new(body: Incoming) -> Self {
        Self {
            ahead: Bytes::new(),
            body,
        }
    }

    async fn next(&mut self, session: &mut Session) -> Result<Option<Bytes>, HttpError> {
        if !self.ahead.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ahead)));
        }
        session.chunk(&mut self.body).await
    }

    /// Recognises the body by its first bytes; `None` if it is neither.
    async fn detect(&mut self, session: &mut Session) -> Result<Option<MediaKind>, HttpError> {
        let has_length = self.body.size_hint().exact().is_some();
        let mut seen = Vec::new();
        let kind = loop {
            let begin = seen.iter().position(|b| !b"\r\n\t ".contains(b));
            match begin.and_then(|begin| seen[begin..].first_chunk()) {
                Some(b"--") => break Some(MediaKind::Multipart),
                Some([0xFF, 0xD8]) if has_length => break Some(MediaKind::Image),
                Some([0xFF, 0xD8]) => break Some(MediaKind::Multipart),
                Some(_) => break None,
                None if seen.len() > MAX_BLANK_BYTES => break None,
                None => match session.chunk(&mut self.body).await? {
                    Some(bytes) => seen.extend_from_slice(&bytes),
                    None => break None,
                },
            }
        };
        self.ahead = seen.into();
        Ok(kind)
    }
}

/// Requests one image after another.
struct Polling {
    session: Session,
    body: Payload,
    ticks: Interval,
}

impl Polling {
    async fn next(&mut self) -> Result<Bytes, ConnectError> {
        loop {
            if let Some(bytes) = self.body.next(&mut self.session).await? {
                return Ok(bytes);
            }
            self.ticks.tick().await;
            let (head, body) = self.session.get().await?.into_parts();
            if media_kind(&head.headers)? == MediaKind::Multipart {
                let found = content_type(&head.headers);
                return Err(HttpError::ContentType(found).into());
            }
            self.body = Payload::new(body);
        }
    }
}

fn media_kind(headers: &HeaderMap) -> Result<MediaKind, HttpError> {
    if let Some(coding) = headers.get(header::CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(HttpError::ContentEncoding(shown(coding.as_bytes())));
    }
    let whole = headers.get(header::CONTENT_TYPE);
    let whole = whole.map_or(&b""[..], |value| value.as_bytes());
    let end = whole.iter().position(|b| b"; ,\t".contains(b));
    let media_type = whole[..end.unwrap_or(whole.len())].to_ascii_lowercase();
    Ok(match &media_type[..] {
        b"image/jpeg" | b"image/jpg" | b"image/pjpeg" => MediaKind::Image,
        multipart if multipart.starts_with(b"multipart/") => MediaKind::Multipart,
        // Some servers call a stream `application/octet-stream`, or send no type (ffmpeg's own).
        _ => MediaKind::Unknown,
    })
}

/// Names the type of a response, for people.
fn content_type(headers: &HeaderMap) -> String {
    match headers.get(header::CONTENT_TYPE) {
        Some(value) => shown(value.as_bytes()),
        None => "something of no named type".into(),
    }
}

fn failed(error: impl Into<ConnectError>) -> io::Error {
    SourceEnd::Failed(Box::new(error.into())).into()
}

/// Reads a stream of byte chunks.
struct Chunks {
    chunks: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    /// The unread rest of the last chunk.
    rest: Bytes,
}

impl Chunks {
    fn new(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self {
            chunks: Box::pin(chunks),
            rest: Bytes::new(),
        }
    }
}

impl AsyncRead for Chunks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            match ready!(this.chunks.as_mut().poll_next(cx)) {
                Some(chunk) => this.rest = chunk?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let n = this.rest.len().min(buf.remaining());
        buf.put_slice(&this.rest[..n]);
        this.rest.advance(n);
        Poll::Ready(Ok(()))
    }
}

/// How many blanks may precede the first significant byte.
const MAX_BLANK_BYTES: usize = 1024;

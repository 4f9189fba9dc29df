//! One answer: asked for, recognised by its first bytes, and read.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use mjpeg_codec::multipart::PartHeaders;
use tokio::io::{AsyncRead, ReadBuf};

use super::{
    extent::Extent,
    head::ResponseHead,
    oddities::boundary,
    polled::answer::{AnswerType, Content, answer_type, content},
    response::shown,
    session::Session,
};
use crate::{
    error::{ConnectError, HttpError},
    framing::Framing,
    observed::quirk::CameraQuirk,
    within::within,
};

/// An answer that holds pictures.
pub(super) struct PictureAnswer {
    pub(super) framing: Framing,
    pub(super) has_length: bool,
    /// The bytes already read from it.
    pub(super) ahead: Vec<u8>,
    /// Its type, for people.
    pub(super) name: String,
    /// What its head says of its picture.
    pub(super) marks: PartHeaders,
    /// What its type says that separates its parts.
    pub(super) boundary: Option<Vec<u8>>,
}

/// Sends a request, and reads of the answer what tells its content.
pub(super) async fn ask(
    mut session: Box<Session>,
    silence: Duration,
) -> (Box<Session>, Result<PictureAnswer, ConnectError>) {
    let answer = answer(&mut session, silence).await;
    (session, answer)
}

async fn answer(session: &mut Session, silence: Duration) -> Result<PictureAnswer, ConnectError> {
    let head = session.get().await?;
    let name = content_type(&head);
    if let Some(coding) = &head.coding {
        return Err(HttpError::ContentEncoding(shown(coding)).into());
    }
    let looked = within(silence, look(session, &head)).await;
    let after = silence;
    let (found, ahead) = looked.unwrap_or(Err(HttpError::PictureTimedOut { after }))?;
    let Content::Pictures(framing) = found else {
        return Err(HttpError::ContentType(name).into());
    };
    let has_length = matches!(head.extent, Extent::Length(_));
    note(session, &head, framing, has_length);
    Ok(PictureAnswer {
        framing,
        has_length,
        boundary: head.content_type.as_deref().and_then(boundary),
        ahead,
        name,
        marks: head.marks,
    })
}

/// Takes notes of an answer with pictures.
fn note(session: &Session, head: &ResponseHead, framing: Framing, has_length: bool) {
    let content_type = head.content_type.as_deref().map(shown);
    session.observer().note(|facts| {
        facts.answers = facts.answers.saturating_add(1);
        facts.framing = Some(framing);
        facts.has_length = has_length;
        facts.content_type = content_type;
    });
    let is_as_announced = match answer_type(&head.media_type()) {
        AnswerType::Multipart => framing == Framing::Multipart,
        AnswerType::Image => framing == Framing::Concatenated,
        AnswerType::Other => head.content_type.is_none(),
    };
    if !is_as_announced {
        session.observer().quirk(CameraQuirk::OtherType);
    }
}

/// Reads until it is decided what an answer holds; returns what was read too.
async fn look(session: &mut Session, head: &ResponseHead) -> Result<(Content, Vec<u8>), HttpError> {
    let kind = answer_type(&head.media_type());
    let mut seen = Vec::new();
    let mut is_whole = false;
    loop {
        match content(kind, &seen, is_whole) {
            Content::Undecided => {}
            found => return Ok((found, seen)),
        }
        let mut space = [0; LOOK_BYTES];
        let mut buf = ReadBuf::new(&mut space);
        poll_fn(|cx| session.poll_body(cx, &mut buf)).await?;
        is_whole = buf.filled().is_empty();
        seen.extend_from_slice(buf.filled());
    }
}

/// The body of an answer, and the bytes already read from it.
pub(super) struct AnswerBody {
    /// Taken when the body has ended.
    pub(super) session: Option<Box<Session>>,
    ahead: Vec<u8>,
    /// Why it ended.
    pub(super) error: Option<HttpError>,
}

impl AnswerBody {
    pub(super) fn new(session: Box<Session>, ahead: Vec<u8>) -> Self {
        Self {
            session: Some(session),
            ahead,
            error: None,
        }
    }
}

impl AsyncRead for AnswerBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..n]);
            self.ahead.drain(..n);
            return Poll::Ready(Ok(()));
        }
        let Some(session) = &mut self.session else {
            return Poll::Ready(Ok(()));
        };
        let read = ready!(session.poll_body(cx, buf));
        Poll::Ready(read.map_err(|error| {
            self.error = Some(error);
            io::ErrorKind::Other.into()
        }))
    }
}

/// Names the type of a response, for people.
fn content_type(head: &ResponseHead) -> String {
    match &head.content_type {
        Some(value) => shown(value),
        None => "something of no named type".into(),
    }
}

/// How much is read at once to see what an answer holds, in bytes.
const LOOK_BYTES: usize = 1024;

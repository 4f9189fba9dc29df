//! One answer that is read to its end, or until it is left.

use std::task::{Context, Poll, ready};

use mjpeg_codec::SplitterConfig;
use tokio::time::Instant;

use super::{
    ask::{AnswerBody, PictureAnswer},
    polled::{answer::Pictures, rhythm::Rhythm},
    session::Session,
    wanted::wanted,
};
use crate::{
    error::HttpError, framed::Framed, framing::Framing, observed::parts::PartWatch, parsed::Parsed,
    timer::Timer, within::STOOD_STILL,
};

/// An answer that is being read.
pub(super) struct Reading {
    framed: Framed<AnswerBody>,
    pub(super) pictures: Pictures,
    pub(super) framing: Framing,
    /// When it began, or the time it was given anew.
    begun: Instant,
    /// The type of the answer, for people.
    pub(super) name: String,
    /// How the answer ended, until that is acted upon.
    pub(super) end: Option<Result<(), HttpError>>,
}

impl Reading {
    pub(super) fn new(
        session: Box<Session>,
        answer: PictureAnswer,
        splitter: SplitterConfig,
    ) -> Self {
        let PictureAnswer {
            framing,
            has_length,
            ahead,
            name,
            marks,
            boundary,
        } = answer;
        let watch = PartWatch::new(session.observer().clone(), boundary);
        Self {
            framed: Framed::new(AnswerBody::new(session, ahead), framing, splitter)
                .with_marks(marks)
                .with_watch(watch),
            pictures: Pictures::new(framing, has_length),
            framing,
            begun: Instant::now(),
            name,
            end: None,
        }
    }

    /// Takes the session when the answer has ended.
    pub(super) fn session(&mut self) -> Option<Box<Session>> {
        self.framed.reader_mut().session.take()
    }

    /// Stops reading; [`poll_found`](Self::poll_found) returns the rest.
    pub(super) fn finish(&mut self) {
        if self.end.is_none() {
            self.framed.finish();
        }
    }

    /// Stops reading where the camera may not have meant to end.
    pub(super) fn cut_off(&mut self) {
        if self.end.is_none() {
            self.framed.cut_off();
        }
    }

    /// What the codec's decisions have cost, and how many bytes were read.
    pub(super) fn cost(&self) -> (u64, u64) {
        self.framed.cost()
    }

    /// Returns the next finding in the bytes read so far; `None` when more must be read. Pending
    /// when it is the turn of other tasks.
    pub(super) fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        let Some(found) = ready!(self.framed.poll_found(cx)) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(wanted(found, &mut self.pictures)))
    }

    /// Whether this is a stream, or may be one, which is limited as any other connection is.
    pub(super) fn is_stream(&self) -> bool {
        self.framing == Framing::Multipart || self.pictures.is_stream()
    }

    /// Reads once; false if that was the end of the answer.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        rhythm: &Rhythm,
        timer: &mut Timer,
        last_read: Instant,
    ) -> Poll<bool> {
        // A camera may send without end behind its picture.
        let leaves_at = rhythm.leaves_at(!self.pictures.has_length());
        let is_late = self.pictures.is_enough() && leaves_at <= Instant::now();
        if !is_late {
            match self.framed.poll_read(cx) {
                Poll::Ready(Ok(n)) if n > 0 => return Poll::Ready(true),
                Poll::Ready(Ok(_)) => return self.ended(Ok(())),
                Poll::Ready(Err(error)) => {
                    let ours = self.framed.reader_mut().error.take();
                    let error = ours.unwrap_or(HttpError::Broken(error));
                    return self.ended(Err(error));
                }
                Poll::Pending if self.is_stream() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        let (deadline, end) = if self.pictures.is_enough() {
            (leaves_at, Ok(()))
        } else {
            let silent_at = last_read.max(self.begun) + rhythm.silence();
            let late_at = self.begun + rhythm.patience();
            let after = if silent_at < late_at {
                rhythm.silence()
            } else {
                rhythm.patience()
            };
            (
                silent_at.min(late_at),
                Err(HttpError::PictureTimedOut { after }),
            )
        };
        ready!(timer.poll(cx, deadline));
        let now = Instant::now();
        if end.is_err() && now.saturating_duration_since(deadline) >= STOOD_STILL {
            // This process stood still, and what came meanwhile has yet to be read.
            self.begun = now;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(session) = &mut self.framed.reader_mut().session {
            session.leave();
        }
        self.ended(end)
    }

    fn ended(&mut self, end: Result<(), HttpError>) -> Poll<bool> {
        match end {
            Ok(()) => self.framed.finish(),
            Err(_) => self.framed.cut_off(),
        }
        self.end = Some(end);
        Poll::Ready(false)
    }
}

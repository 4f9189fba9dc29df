//! One request whose body is being read.

use std::task::{Context, Poll, ready};

use mjpeg_codec::{DiscardReason, SplitterConfig};

use super::{intake::Present, outcome::PushOutcome, request::PushRequest};
use crate::{
    framed::Framed,
    framing::Framing,
    parsed::Parsed,
    source::http::{
        polled::answer::{AnswerType, Pictures},
        wanted::wanted,
    },
};

/// A body that is being read.
pub(super) struct PushReading {
    framed: Framed<PushRequest>,
    pictures: Pictures,
    framing: Framing,
    /// It has no end, or none that is near.
    is_stream: bool,
    taken: u64,
    /// Something was too large for a frame.
    too_large: bool,
    /// The body has ended; whether it came in whole.
    end: Option<bool>,
    max_frame_bytes: usize,
}

impl PushReading {
    pub(super) fn new(request: PushRequest, framing: Framing, splitter: SplitterConfig) -> Self {
        let head = &request.head;
        let has_length = head.length.is_some();
        let is_stream = match head.length {
            Some(length) => length > splitter.max_frame_bytes() as u64,
            None => head.kind != AnswerType::Image,
        };
        let marks = head.marks.clone();
        Self {
            max_frame_bytes: splitter.max_frame_bytes(),
            framed: Framed::new(request, framing, splitter).with_marks(marks),
            pictures: Pictures::new(framing, has_length),
            framing,
            is_stream,
            taken: 0,
            too_large: false,
            end: None,
        }
    }

    /// What the body is for who waits for its end.
    pub(super) fn present(&self) -> Present {
        match self.is_stream {
            true => Present::Stream,
            false => Present::Single,
        }
    }

    /// What the codec's decisions have cost, and how many bytes were read.
    pub(super) fn cost(&self) -> (u64, u64) {
        self.framed.cost()
    }

    pub(super) fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        if self.is_hopeless() {
            return Poll::Ready(None);
        }
        let Some(found) = ready!(self.framed.poll_found(cx)) else {
            return Poll::Ready(None);
        };
        let found = wanted(found, &mut self.pictures);
        match &found {
            Parsed::Frame { .. } => self.taken += 1,
            Parsed::Discarded { reason, .. } => {
                self.too_large |= *reason == DiscardReason::TooLarge;
            }
            Parsed::State { .. } => {}
        }
        Poll::Ready(Some(found))
    }

    /// Reads once; false if nothing was read, because the body has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let read = ready!(self.framed.poll_read(cx));
        Poll::Ready(match read {
            Ok(n) if n > 0 => true,
            Ok(_) => {
                self.framed.finish();
                self.end = Some(true);
                false
            }
            Err(_) => {
                self.cut_off();
                false
            }
        })
    }

    /// Ends the reading before the end of the body.
    pub(super) fn cut_off(&mut self) {
        if self.end.is_none() {
            self.framed.cut_off();
            self.end = Some(false);
        }
    }

    /// Whether it is to be answered: the body has ended, or nothing of it can be used.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some() || self.is_hopeless()
    }

    /// Whether it begins with something that is too large to be its picture.
    fn is_hopeless(&self) -> bool {
        self.too_large && self.taken == 0 && !self.is_multipart()
    }

    fn is_multipart(&self) -> bool {
        self.framing == Framing::Multipart
    }

    /// Answers the request. A picture that is whole was taken, whatever became of the rest.
    pub(super) fn answer(&mut self) {
        let outcome = match self.taken {
            0 if self.too_large => PushOutcome::TooLarge {
                limit: self.max_frame_bytes,
            },
            0 => PushOutcome::Broken,
            pictures => PushOutcome::Taken { pictures },
        };
        self.framed.reader_mut().answer(outcome);
    }
}

//! A part of the past as a file, made while it is sent.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use mjpeg_codec::Frame;
use mjpeg_fanout::{ReplayRing, RingFrame};
use mjpeg_mux::{ClipFormat, ClipPlan, Error, MuxFrame, MuxStep, Muxer};
use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    replay::{moment::MomentClock, places::ReplayPlace},
    viewers::{answer::AnswerState, answer_permit::AnswerPermit},
};

/// A clip that is about to be sent.
pub(crate) struct PlannedClip {
    ring: ReplayRing,
    /// The numbers of its frames.
    numbers: Vec<u64>,
    muxer: Muxer,
    /// The first frame.
    pub(crate) first: RingFrame,
}

/// Why a clip cannot be made.
#[derive(Debug)]
pub(crate) enum NoClip {
    /// The ring has no frame of that time.
    Nothing,
    /// It would be too large.
    TooLarge(Error),
}

impl PlannedClip {
    /// Plans the clip of what was captured from `from` to `to`, both included.
    ///
    /// It takes some milliseconds for a hundred thousand frames, so not on a task that serves.
    pub(crate) async fn plan(
        ring: ReplayRing,
        format: ClipFormat,
        (from, to): (Instant, Instant),
        clock: MomentClock,
    ) -> Result<Self, NoClip> {
        let planned = spawn_blocking(move || Self::plan_now(ring, format, (from, to), clock));
        // It neither panics nor is it aborted.
        planned.await.unwrap_or(Err(NoClip::Nothing))
    }

    fn plan_now(
        ring: ReplayRing,
        format: ClipFormat,
        (from, to): (Instant, Instant),
        clock: MomentClock,
    ) -> Result<Self, NoClip> {
        let mut list = ring.list(from, to, ClipPlan::MAX_FRAMES + 1).into_iter();
        // Older frames may be dropped while this reads.
        let first = loop {
            let (number, ..) = list.next().ok_or(NoClip::Nothing)?;
            if let Some(first) = frame(&ring, number) {
                break first;
            }
        };
        let (width, height) = size(first.frame());
        let mut plan = ClipPlan::new(clock.wall(first.at()), width, height);
        let mut numbers = Vec::with_capacity(list.len() + 1);
        let bytes = first.frame().bytes().len();
        for (number, at, bytes) in [(first.number(), first.at(), bytes)]
            .into_iter()
            .chain(list)
        {
            let offset = at.saturating_duration_since(first.at());
            plan.push(offset, bytes).map_err(NoClip::TooLarge)?;
            numbers.push(number);
        }
        let muxer = Muxer::new(format, plan).map_err(NoClip::TooLarge)?;
        Ok(Self {
            ring,
            numbers,
            muxer,
            first,
        })
    }

    /// How many frames it has.
    pub(crate) fn frames(&self) -> usize {
        self.numbers.len()
    }

    /// Makes its body, which keeps its place and its permit until the last byte is handed over.
    pub(crate) fn body(self, place: ReplayPlace, permit: AnswerPermit) -> ClipBody {
        let state = Arc::clone(permit.state());
        let length = self.muxer.content_length();
        let making = ClipMaking {
            ring: self.ring,
            numbers: self.numbers,
            muxer: self.muxer,
            fetched: 0,
            kept: Arc::new((permit, place)),
        };
        ClipBody {
            pieces: Mutex::new(Box::pin(stream::unfold(making, ClipMaking::next))),
            state,
            length,
            given: 0,
        }
    }
}

/// The body of a clip. It never ends early: where its length is not known, that would pass for its
/// end.
pub(crate) struct ClipBody {
    /// Never locked: the mutex makes the body `Sync`.
    pieces: Mutex<Pin<Box<dyn Stream<Item = Bytes> + Send>>>,
    state: Arc<AnswerState>,
    /// How many bytes are left, if that is known.
    length: Option<u64>,
    /// How many bytes were given out since others had their turn.
    given: usize,
}

impl ClipBody {
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // A client that takes all at once would keep this thread for many milliseconds.
        if self.given >= TURN_BYTES {
            self.given = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let pieces = self.pieces.get_mut();
        let pieces = pieces.unwrap_or_else(PoisonError::into_inner);
        let piece = pieces.as_mut().poll_next(cx);
        if let Poll::Ready(Some(piece)) = &piece {
            self.given += piece.len();
            let length = self.length.as_mut();
            if let Some(length) = length {
                *length = length.saturating_sub(piece.len() as u64);
            }
        }
        piece
    }

    pub(crate) fn state(&self) -> &Arc<AnswerState> {
        &self.state
    }

    /// How many bytes are left, if that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }
}

impl fmt::Debug for ClipBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClipBody").finish_non_exhaustive()
    }
}

/// A clip while it is being made.
struct ClipMaking {
    ring: ReplayRing,
    numbers: Vec<u64>,
    muxer: Muxer,
    /// How many frames the muxer has asked for.
    fetched: usize,
    kept: Arc<(AnswerPermit, ReplayPlace)>,
}

impl ClipMaking {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            // As many frames in a row may be gone as the clip has.
            tokio::task::consume_budget().await;
            let step;
            (self, step) = self.step().await?;
            match step {
                MuxStep::Write(bytes) => {
                    self.kept.0.state().restart(Instant::now());
                    let piece = Bytes::from_owner(ClipPiece {
                        bytes,
                        _kept: Arc::clone(&self.kept),
                    });
                    return Some((piece, self));
                }
                MuxStep::NeedsFrame(index) => {
                    let number = self.numbers.get(index);
                    let frame = number.and_then(|number| frame(&self.ring, *number));
                    let frame = frame.map(|frame| {
                        let (width, height) = size(frame.frame());
                        MuxFrame::new(frame.frame().bytes().clone(), width, height)
                    });
                    self.fetched = index + 1;
                    // It asked, and the frame is the one in the plan.
                    self.muxer.push(frame).ok()?;
                }
                _ => return None,
            }
        }
    }

    /// The tables at the end of a long clip are made in one step of some milliseconds, which must
    /// not delay others.
    async fn step(mut self) -> Option<(Self, MuxStep)> {
        if self.fetched < self.numbers.len() || self.fetched < LONG_CLIP {
            let step = self.muxer.poll();
            return Some((self, step));
        }
        let stepped = spawn_blocking(move || {
            let step = self.muxer.poll();
            (self, step)
        });
        stepped.await.ok()
    }
}

/// A piece of a clip. hyper drops it when its last byte is in the kernel.
struct ClipPiece {
    bytes: Bytes,
    _kept: Arc<(AnswerPermit, ReplayPlace)>,
}

impl AsRef<[u8]> for ClipPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The frame with this number, unless it was dropped.
fn frame(ring: &ReplayRing, number: u64) -> Option<RingFrame> {
    let frame = ring.after(number.checked_sub(1)?)?;
    (frame.number() == number).then_some(frame)
}

fn size(frame: &Frame) -> (u16, u16) {
    (frame.width(), frame.height())
}

/// Some frames, or one that is longer. The runtime looks for what has arrived on sockets only after
/// some dozens of turns, so that a turn must be short.
const TURN_BYTES: usize = 64 << 10;

/// In frames: the tables of fewer take less than a millisecond.
const LONG_CLIP: usize = 5_000;

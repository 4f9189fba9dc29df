//! The pictures in the buffers of a capture.

use std::{
    collections::VecDeque,
    io, mem,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::unfold};
use mjpeg_codec::{DiscardReason, Found, Frame, Polled, Splitter, SplitterConfig, Stamp};
use tokio::{
    task::{coop, yield_now},
    time::Instant,
};

use super::capture::{BufferContent, Capture, Filled};
use crate::{
    event::Captured,
    parsed::{Parsed, ParsedFeed},
};

/// Finds the pictures in the buffers of a capture: one in each, whatever lies around it.
pub(super) struct V4l2Feed {
    buffers: Pin<Box<dyn Stream<Item = io::Result<Filled>> + Send>>,
    found: VecDeque<Parsed>,
    /// Decides about buffers that do not simply begin with a picture.
    splitter: Splitter,
    /// The time of the buffer that the splitter looks at, if there is one.
    splitting: Option<Stamp>,
    /// It has found a picture in there.
    has_picture: bool,
    /// The work left before other tasks have their turn.
    work: usize,
    /// How many bytes the driver wrote.
    bytes: u64,
    last_read: Instant,
}

impl V4l2Feed {
    pub(super) fn new(capture: Capture, splitter: SplitterConfig) -> Self {
        let buffers = unfold(capture, async |mut capture| {
            let next = capture.next().await;
            Some((next, capture))
        });
        Self {
            buffers: Box::pin(buffers),
            found: VecDeque::new(),
            splitter: Splitter::new(splitter),
            splitting: None,
            has_picture: false,
            work: WORK_PER_TURN,
            bytes: 0,
            last_read: Instant::now(),
        }
    }

    fn record(&mut self, filled: Filled) {
        let Filled {
            content,
            used,
            stamp,
            dropped,
        } = filled;
        self.last_read = Instant::now();
        let reason = DiscardReason::DriverDropped;
        let gap = (0..dropped).map(|_| Parsed::Discarded { reason, bytes: 0 });
        self.found.extend(gap);
        self.bytes += used as u64;
        match content {
            BufferContent::Picture(frame) => {
                let behind = used.saturating_sub(frame.bytes().len());
                self.work = self.work.saturating_sub(frame.memory_bytes());
                let captured = Captured::new(frame, stamp);
                let relay = None;
                self.found.push_back(Parsed::Frame { captured, relay });
                self.discard(DiscardReason::Garbage, behind);
            }
            BufferContent::Bytes(bytes) => {
                let behind = used.saturating_sub(bytes.len());
                self.work = self.work.saturating_sub(bytes.len());
                self.splitter.push(bytes);
                // The buffer ends where the driver meant it to end.
                self.splitter.finish();
                self.splitting = Some(stamp);
                self.discard(DiscardReason::Garbage, behind);
            }
            // One picture was lost, also where not a byte of it came.
            BufferContent::Lost => self.found.push_back(Parsed::Discarded {
                reason: DiscardReason::Truncated,
                bytes: used as u64,
            }),
        }
    }

    fn discard(&mut self, reason: DiscardReason, bytes: usize) {
        if bytes > 0 {
            let bytes = bytes as u64;
            self.found.push_back(Parsed::Discarded { reason, bytes });
        }
    }

    /// A buffer holds one picture; a second one would be a preview. One without an end may be torn,
    /// and another may follow.
    fn judged(&mut self, frame: Frame, stamp: Stamp) -> Parsed {
        if mem::replace(&mut self.has_picture, frame.has_eoi()) {
            self.has_picture = true;
            return Parsed::Discarded {
                reason: DiscardReason::ExtraImage,
                bytes: frame.bytes().len() as u64,
            };
        }
        let captured = Captured::new(frame, stamp);
        let relay = None;
        Parsed::Frame { captured, relay }
    }

    fn poll_splitter(&mut self, cx: &mut Context<'_>, stamp: Stamp) -> Poll<Option<Parsed>> {
        loop {
            return Poll::Ready(match self.splitter.poll_within(&mut self.work) {
                Polled::Found(Found::Frame(frame)) => Some(self.judged(frame, stamp)),
                Polled::Found(Found::Discarded { reason, range }) => Some(Parsed::Discarded {
                    reason,
                    bytes: range.end - range.start,
                }),
                // The enum may grow.
                Polled::Found(_) => continue,
                Polled::NeedMore => None,
                _ => {
                    self.work = WORK_PER_TURN;
                    let turn = pin!(yield_now());
                    // Pending, and the task is woken when the others had their turn.
                    ready!(turn.poll(cx));
                    continue;
                }
            });
        }
    }
}

impl ParsedFeed for V4l2Feed {
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        if let Some(stamp) = self.splitting {
            if let Some(found) = ready!(self.poll_splitter(cx, stamp)) {
                return Poll::Ready(Some(found));
            }
            (self.splitting, self.has_picture) = (None, false);
            self.splitter.refill();
        }
        Poll::Ready(self.found.pop_front())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        // A driver that always has a buffer must not keep other tasks from running.
        let progress = ready!(coop::poll_proceed(cx));
        let Poll::Ready(next) = self.buffers.as_mut().poll_next(cx) else {
            self.work = WORK_PER_TURN;
            return Poll::Pending;
        };
        progress.made_progress();
        let Some(filled) = next.transpose()? else {
            return Poll::Ready(Ok(false));
        };
        self.record(filled);
        Poll::Ready(Ok(true))
    }

    fn finish(&mut self) {}

    fn cut_off(&mut self) {}

    fn cost(&self) -> (u64, u64) {
        (self.splitter.cost(), self.bytes)
    }

    fn last_read(&self) -> Instant {
        self.last_read
    }

    fn keeps_time(&self) -> bool {
        false
    }
}

/// The work after which other tasks have their turn, in the codec's units: about 0.3 ms at most.
const WORK_PER_TURN: usize = 256 << 10;

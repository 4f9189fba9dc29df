//! The steps of the state machine: what each state makes of the bytes at hand.

use memchr::{memchr, memmem};

use super::{Progress, Splitter, State, Step};
use crate::{
    error::DiscardReason,
    marker::{self, FrameHeader},
};

impl Splitter {
    pub(super) fn seek(&mut self) -> Step {
        let data = &self.buf[..self.filled];
        let found = memmem::find(&data[self.pos..], &SOI_AND_MARKER).map(|i| self.pos + i);
        // The last two bytes may be the beginning of an SOI.
        let garbage = found.unwrap_or(
            data.len()
                .saturating_sub(SOI_AND_MARKER.len() - 1)
                .max(self.pos),
        );
        if garbage >= GARBAGE_BLOCK_BYTES {
            self.pos = garbage - GARBAGE_BLOCK_BYTES;
            return Step::Event(self.discard(DiscardReason::Garbage, GARBAGE_BLOCK_BYTES));
        }
        self.pos = garbage;
        if found.is_none() {
            return Step::NeedMore;
        }
        self.state = State::Marker(Progress::default());
        self.pos = 2;
        if garbage == 0 {
            return Step::Again;
        }
        Step::Event(self.discard(DiscardReason::Garbage, garbage))
    }

    pub(super) fn marker(&mut self, mut so_far: Progress) -> Step {
        let data = self.window();
        let Some(&first) = data.get(self.pos) else {
            return self.starved(self.pos);
        };
        if first != 0xFF {
            return self.broken(DiscardReason::Malformed, so_far, self.pos);
        }
        // Any number of fill bytes may come before a marker (B.1.1.2).
        let Some(fill) = data[self.pos..].iter().position(|&b| b != 0xFF) else {
            self.pos = data.len() - 1;
            return self.starved(self.pos);
        };
        let at = self.pos + fill;
        let code = data[at];
        match code {
            marker::SOI => self.broken_here(DiscardReason::Truncated, so_far, at - 1),
            marker::EOI => match so_far.header {
                Some(header) if so_far.scanned => self.complete(header, at + 1),
                _ => self.lost(DiscardReason::Malformed, at + 1),
            },
            code if marker::has_segment(code) => {
                let Some(&[hi, lo]) = data.get(at + 1..at + 3) else {
                    return self.starved(at + 1);
                };
                let (payload, length) = (at + 3, usize::from(u16::from_be_bytes([hi, lo])));
                let end = at + 1 + length;
                so_far.last_payload = payload;
                if length < 2 {
                    return self.broken(DiscardReason::Malformed, so_far, at + 1);
                }
                if end > self.config.max_frame_bytes {
                    return self.broken(DiscardReason::TooLarge, so_far, at + 1);
                }
                self.pos = payload;
                self.state = State::Segment { code, end, so_far };
                Step::Again
            }
            // RSTn outside a scan, reserved codes, FF 00: no marker stands here.
            _ => self.broken(DiscardReason::Malformed, so_far, at + 1),
        }
    }

    pub(super) fn segment(&mut self, code: u8, end: usize, mut so_far: Progress) -> Step {
        let Some(payload) = self.buf[..self.filled].get(self.pos..end) else {
            return Step::NeedMore;
        };
        let sound = if marker::is_sof(code) {
            let header = FrameHeader::parse(code, payload);
            match &mut so_far.header {
                // A hierarchical sequence has several frame headers; the first has the size.
                Some(first) => first.plain = false,
                none => *none = header,
            }
            header.is_some()
        } else {
            let after_header = so_far.header.is_some() || code != marker::SOS;
            after_header && marker::payload_is_sound(code, payload)
        };
        if !sound {
            return self.broken(DiscardReason::Malformed, so_far, self.pos);
        }
        if let (marker::DNL, Some(header), &[hi, lo]) = (code, &mut so_far.header, payload) {
            // B.2.5: defines or redefines the number of lines.
            header.height = u16::from_be_bytes([hi, lo]);
        }
        self.pos = end;
        self.state = if code == marker::SOS {
            so_far.scanned = true;
            State::Scan(so_far)
        } else {
            State::Marker(so_far)
        };
        Step::Again
    }

    pub(super) fn scan(&mut self, mut so_far: Progress) -> Step {
        let data = self.window();
        let mut pos = self.pos;
        while let Some(i) = memchr(0xFF, &data[pos..]) {
            let at = pos + i;
            match data.get(at + 1) {
                Some(0x00 | marker::RST0..=marker::RST7) => pos = at + 2,
                Some(0xFF) => pos = at + 1,
                Some(_) => {
                    so_far.last_payload = 0;
                    self.pos = at;
                    self.state = State::Marker(so_far);
                    return Step::Again;
                }
                None => {
                    self.pos = at;
                    return self.starved(at);
                }
            }
        }
        self.pos = data.len();
        self.starved(self.pos)
    }

    /// What may be looked at of the frame in hand: no more than a frame may have, so that the verdict on one that is too
    /// large does not depend on how much has come beyond the limit.
    fn window(&self) -> &[u8] {
        &self.buf[..self.filled.min(self.config.max_frame_bytes)]
    }

    /// The window ends before the frame does: more bytes are needed, or it is too large.
    fn starved(&mut self, resume: usize) -> Step {
        if self.filled < self.config.max_frame_bytes {
            return Step::NeedMore;
        }
        self.lost(DiscardReason::TooLarge, resume)
    }

    /// The frame in hand is no frame. If a segment was just passed, its length is what cannot be trusted, and the
    /// next frame may begin inside it; otherwise the search goes on at `at`.
    fn broken(&mut self, reason: DiscardReason, so_far: Progress, at: usize) -> Step {
        let resume = if so_far.last_payload > 0 {
            so_far.last_payload.min(at)
        } else {
            at
        };
        self.broken_here(reason, so_far, resume)
    }

    /// Like [`Self::broken`], but the search goes on at `at`. A lone SOI is not worth the name of a frame and becomes garbage.
    fn broken_here(&mut self, reason: DiscardReason, so_far: Progress, at: usize) -> Step {
        if so_far.last_payload == 0 && !so_far.scanned {
            self.state = State::Seek;
            self.pos = 2;
            return Step::Again;
        }
        self.lost(reason, at)
    }

    /// Drops the frame in hand up to `upto` and looks for the next one from there.
    fn lost(&mut self, reason: DiscardReason, upto: usize) -> Step {
        self.state = State::Seek;
        self.pos = 0;
        Step::Event(self.discard(reason, upto))
    }
}

/// An SOI, and the first byte of the marker that must follow it.
const SOI_AND_MARKER: [u8; 3] = [0xFF, marker::SOI, 0xFF];

/// Garbage is reported in pieces of at most this size, so that endless garbage is counted while it comes and costs
/// no memory.
const GARBAGE_BLOCK_BYTES: usize = 64 << 10;

//! Walking the marker segments of one complete frame.

use std::ops::Range;

use super::{marker, search};

/// One marker segment of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The second byte of its marker.
    pub(crate) code: u8,
    /// Where it begins. Fill bytes before its marker belong to it.
    pub(crate) start: usize,
    /// The bytes after its length field. In an SOS segment this is the scan header; the
    /// entropy-coded data begin at its end.
    pub(crate) payload: Range<usize>,
}

/// A walk over the segments between a frame's SOI and its EOI, across its scans. Yields neither SOI
/// and EOI nor the scans' data.
///
/// The walk ends early where the bytes do not have the form of a frame. Those of a
/// [`Frame`](crate::Frame) always have it.
#[derive(Debug)]
pub(crate) struct Walk {
    at: usize,
    is_in_scan: bool,
}

/// The outcome of a step of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WalkStep {
    Segment(Segment),
    /// The step looked at as much as it might, inside a scan.
    Again,
    End,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self {
            at: 2,
            is_in_scan: false,
        }
    }

    /// Returns how far the walk has come.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Walks to the next segment. Looks at `most` bytes of a scan at most.
    pub(crate) fn step(&mut self, frame: &[u8], most: usize) -> WalkStep {
        if self.is_in_scan {
            let to = frame.len().min(self.at.saturating_add(most.max(2)));
            match search::next_marker(&frame[..to], self.at) {
                Some(at) => (self.at, self.is_in_scan) = (at, false),
                None if to == frame.len() => return WalkStep::End,
                None => {
                    // The search did not judge the last byte.
                    self.at = to - 1;
                    return WalkStep::Again;
                }
            }
        }
        match segment(frame, self.at) {
            Some(segment) => {
                self.at = segment.payload.end;
                self.is_in_scan = segment.code == marker::SOS;
                WalkStep::Segment(segment)
            }
            None => WalkStep::End,
        }
    }
}

/// Walks the segments of a frame without a bound on the work.
#[cfg(feature = "__fuzzing")]
pub(crate) fn segments(frame: &[u8]) -> impl Iterator<Item = Segment> {
    let mut walk = Walk::new();
    std::iter::from_fn(move || match walk.step(frame, usize::MAX) {
        WalkStep::Segment(segment) => Some(segment),
        WalkStep::Again | WalkStep::End => None,
    })
}

/// Returns the segment at `start`, if there is one.
fn segment(frame: &[u8], start: usize) -> Option<Segment> {
    let fill = search::fill_len(frame.get(start..)?);
    let code_at = start + fill;
    let &[code, hi, lo] = frame.get(code_at..code_at + 3)? else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([hi, lo]));
    let payload = code_at + 3..code_at + 1 + length;
    let is_sound = fill > 0 && marker::has_segment(code) && length >= 2;
    (is_sound && payload.end <= frame.len()).then_some(Segment {
        code,
        start,
        payload,
    })
}

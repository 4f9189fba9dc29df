//! Looks ahead for where a frame's orientation is, or where it is to be inserted.

use super::exif::{OrientationEntry, is_exif};
use crate::jpeg::{
    marker,
    walk::{Walk, WalkStep},
};

/// A walk over a frame's header to its first Exif segment.
#[derive(Debug)]
pub(super) struct LookAhead {
    walk: Walk,
    /// Where an Exif segment of our own would stand.
    place: usize,
    /// All segments so far were APP0.
    is_leading: bool,
}

/// What is to be done about the orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrientationPlan {
    /// A segment is inserted, before the segment that begins here.
    Insert(usize),
    /// The first Exif segment has the tag.
    Edit,
    /// The bytes are not a frame, so there is no place for the tag.
    Nothing,
}

impl LookAhead {
    pub(super) fn new() -> Self {
        let walk = Walk::new();
        Self {
            place: walk.position(),
            walk,
            is_leading: true,
        }
    }

    /// Returns how far it has come.
    pub(super) fn position(&self) -> usize {
        self.walk.position()
    }

    /// Looks at the next segment. Returns the plan, once.
    pub(super) fn step(&mut self, frame: &[u8]) -> Option<OrientationPlan> {
        // Never inside a scan, so the bound does not matter.
        let WalkStep::Segment(segment) = self.walk.step(frame, usize::MAX) else {
            return Some(OrientationPlan::Nothing);
        };
        let payload = &frame[segment.payload.clone()];
        if segment.code == marker::SOS {
            return Some(OrientationPlan::Insert(self.place));
        }
        if is_exif(segment.code, payload) {
            return Some(match OrientationEntry::find(payload) {
                Some(_) => OrientationPlan::Edit,
                None => OrientationPlan::Insert(self.place),
            });
        }
        self.is_leading &= segment.code == marker::APP0 && segment.payload.end <= MOST_BEFORE_BYTES;
        if self.is_leading {
            self.place = segment.payload.end;
        }
        None
    }
}

/// How many bytes may stand before an inserted segment, so that these are copied in one go.
const MOST_BEFORE_BYTES: usize = 64 << 10;

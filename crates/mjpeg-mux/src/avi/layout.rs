//! Where everything is in an AVI, computed from the plan.

use crate::{
    avi::{head, index, rate, rate::Slots},
    error::Error,
    limits::MAX_AVI_BYTES,
    plan::ClipPlan,
};

/// The structure of the file.
pub(super) struct Layout {
    pub(super) slot_us: u64,
    /// At least one. More than one, or one with [`Layout::is_open_dml`], has OpenDML's indices.
    pub(super) segments: Vec<Segment>,
    open_dml: bool,
    pub(super) file_bytes: u64,
    /// Slots of the whole file.
    pub(super) slots: u64,
    pub(super) longest_frame: u32,
}

/// A list `RIFF` of the file, with frames and the index of their places.
pub(super) struct Segment {
    /// The first frame.
    pub(super) first: usize,
    /// What the slots before this segment have come to.
    pub(super) before: Slots,
    pub(super) slots: u64,
    /// The bytes of the chunks that are frames or empty slots.
    pub(super) chunks_bytes: u64,
    /// Where the segment begins in the file.
    pub(super) offset: u64,
    /// Where its list `movi` has its first chunk.
    pub(super) chunks_offset: u64,
    /// From its beginning to that of the next.
    pub(super) bytes: u64,
}

impl Layout {
    pub(super) fn of(plan: &ClipPlan) -> Result<Self, Error> {
        let slot_us = rate::slot_us(plan);
        let whole = split(plan, slot_us, u64::MAX);
        let frames_bytes: u64 = whole.iter().map(|segment| segment.chunks_bytes).sum();
        let mut layout = Self {
            slot_us,
            slots: whole.iter().map(|segment| segment.slots).sum(),
            longest_frame: plan.frames().iter().map(|f| f.bytes).max().unwrap_or(0),
            segments: whole,
            open_dml: false,
            file_bytes: 0,
        };
        if frames_bytes > MAX_AVI_BYTES {
            let bytes = frames_bytes;
            return Err(Error::AviTooLarge { bytes });
        }
        layout.place();
        if layout.file_bytes > SEGMENT_BYTES {
            layout.open_dml = true;
            layout.segments = split(plan, slot_us, SEGMENT_BYTES - HEAD_ROOM_BYTES);
            layout.place();
        }
        Ok(layout)
    }

    /// Gives each segment its place.
    fn place(&mut self) {
        let mut offset = 0;
        for number in 0..self.segments.len() {
            let head = if number == 0 {
                head::head_bytes(self)
            } else {
                head::NEXT_SEGMENT_BYTES
            };
            let slots = self.segments[number].slots;
            let standard = if self.open_dml {
                index::standard_bytes(slots)
            } else {
                0
            };
            let legacy = if number == 0 {
                index::legacy_bytes(slots)
            } else {
                0
            };
            let segment = &mut self.segments[number];
            segment.offset = offset;
            segment.chunks_offset = offset + head;
            segment.bytes = head + segment.chunks_bytes + standard + legacy;
            offset += segment.bytes;
        }
        self.file_bytes = offset;
    }

    pub(super) fn is_open_dml(&self) -> bool {
        self.open_dml
    }

    pub(super) fn slots(&self) -> Slots {
        Slots::new(self.slot_us)
    }

    /// The index of the frame after the segment's last.
    pub(super) fn end_of(&self, segment: usize, plan: &ClipPlan) -> usize {
        let next = self.segments.get(segment + 1);
        next.map_or(plan.len(), |next| next.first)
    }

    /// The length of the list `movi` of a segment, after the four bytes of its name.
    pub(super) fn movi_bytes(&self, segment: &Segment) -> u64 {
        let standard = if self.open_dml {
            index::standard_bytes(segment.slots)
        } else {
            0
        };
        segment.chunks_bytes + standard
    }
}

/// Splits the frames into segments whose chunks and indices take at most `max_bytes`, if that is
/// more than a frame takes.
fn split(plan: &ClipPlan, slot_us: u64, max_bytes: u64) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut slots = Slots::new(slot_us);
    let mut taken = 0;
    for (index, frame) in plan.frames().iter().enumerate() {
        let before = slots.clone();
        let empty = slots.place(frame.at_us);
        let chunks = empty * CHUNK_HEAD_BYTES + CHUNK_HEAD_BYTES + padded(frame.bytes);
        let needed = chunks + (empty + 1) * index::SLOT_BYTES;
        if segments.is_empty() || taken + needed > max_bytes {
            taken = 0;
            segments.push(Segment {
                first: index,
                before,
                slots: 0,
                chunks_bytes: 0,
                offset: 0,
                chunks_offset: 0,
                bytes: 0,
            });
        }
        taken += needed;
        if let Some(segment) = segments.last_mut() {
            segment.slots += empty + 1;
            segment.chunks_bytes += chunks;
        }
    }
    segments
}

/// Chunks begin at even offsets.
pub(super) fn padded(bytes: u32) -> u64 {
    u64::from(bytes) + u64::from(bytes % 2)
}

const CHUNK_HEAD_BYTES: u64 = super::CHUNK_HEAD_BYTES;
/// Readers of before OpenDML stop here, and so does each segment.
pub(super) const SEGMENT_BYTES: u64 = 1 << 30;
/// For the head of the file, whose length depends on the number of segments.
const HEAD_ROOM_BYTES: u64 = 1 << 20;

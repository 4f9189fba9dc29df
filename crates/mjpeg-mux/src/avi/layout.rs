//! Where each part of an AVI is, computed from the plan.

use crate::{
    avi::{
        chunk::{CHUNK_HEAD_BYTES, padded},
        rate,
        rate::Slots,
        sizes::{NEXT_SEGMENT_BYTES, SLOT_BYTES, head_bytes, legacy_bytes, standard_bytes},
    },
    error::Error,
    limits::MAX_AVI_BYTES,
    plan::ClipPlan,
};

/// The structure of the file.
pub(super) struct AviLayout {
    pub(super) slot_us: u64,
    /// At least one. With [`AviLayout::is_open_dml`], each has an index of OpenDML.
    pub(super) segments: Vec<RiffSegment>,
    open_dml: bool,
    pub(super) file_bytes: u64,
    /// How many slots the whole file has.
    pub(super) slots: u64,
    pub(super) longest_frame: u32,
}

/// A `RIFF` list of the file, with frames and an index of their places.
pub(super) struct RiffSegment {
    /// The first frame.
    pub(super) first: usize,
    /// The state of the slots at the beginning of this segment.
    pub(super) before: Slots,
    pub(super) slots: u64,
    /// The length of the chunks that are frames or empty slots.
    pub(super) chunks_bytes: u64,
    /// The length of these chunks, and of the segment's OpenDML index if it has one.
    pub(super) movi_bytes: u64,
    /// Where the first chunk is in the file.
    pub(super) chunks_offset: u64,
    /// The length from its beginning to the beginning of the next one.
    pub(super) bytes: u64,
}

impl AviLayout {
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

    /// Computes the place of each segment.
    fn place(&mut self) {
        let open_dml = self.open_dml.then_some(self.segments.len());
        let mut head = head_bytes(open_dml);
        // Only the first segment has the index of before OpenDML.
        let mut legacy = legacy_bytes(self.segments[0].slots);
        let mut offset = 0;
        for segment in &mut self.segments {
            let standard = open_dml.map_or(0, |_| standard_bytes(segment.slots));
            segment.chunks_offset = offset + head;
            segment.movi_bytes = segment.chunks_bytes + standard;
            segment.bytes = head + segment.movi_bytes + legacy;
            offset += segment.bytes;
            (head, legacy) = (NEXT_SEGMENT_BYTES, 0);
        }
        self.file_bytes = offset;
    }

    pub(super) fn is_open_dml(&self) -> bool {
        self.open_dml
    }

    pub(super) fn slots(&self) -> Slots {
        Slots::new(self.slot_us)
    }

    /// Returns the index of the frame after the segment's last one.
    pub(super) fn end_of(&self, segment: usize, plan: &ClipPlan) -> usize {
        let next = self.segments.get(segment + 1);
        next.map_or(plan.len(), |next| next.first)
    }
}

/// Splits the frames into segments whose chunks and indices take at most `max_bytes`. A frame that
/// alone takes more has a segment of its own.
fn split(plan: &ClipPlan, slot_us: u64, max_bytes: u64) -> Vec<RiffSegment> {
    let mut segments: Vec<RiffSegment> = Vec::new();
    let mut slots = Slots::new(slot_us);
    let mut taken = 0;
    for (index, frame) in plan.frames().iter().enumerate() {
        let before = slots.clone();
        let empty = slots.place(frame.at_us);
        let chunks = empty * CHUNK_HEAD_BYTES + CHUNK_HEAD_BYTES + padded(frame.bytes);
        let needed = chunks + (empty + 1) * SLOT_BYTES;
        if segments.is_empty() || taken + needed > max_bytes {
            taken = 0;
            segments.push(RiffSegment {
                first: index,
                before,
                slots: 0,
                chunks_bytes: 0,
                movi_bytes: 0,
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

/// Readers that do not know OpenDML read no further than this, so no segment is longer.
const SEGMENT_BYTES: u64 = 1 << 30;
/// Room for the head of the file, whose length depends on the number of segments.
const HEAD_ROOM_BYTES: u64 = 1 << 20;

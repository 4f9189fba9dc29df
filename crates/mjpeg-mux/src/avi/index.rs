//! The indices of an AVI: one of each segment as OpenDML has them, and the one of before.

use crate::{
    avi::{
        CHUNK, CHUNK_HEAD_BYTES, chunk_head,
        layout::{Layout, padded},
        rate::Slots,
    },
    clip::Clip,
    limits::PIECE_BYTES,
    output::Output,
};

/// The entries of an index, which are computed again from the plan while they are written.
pub(super) struct Entries {
    kind: Kind,
    segment: usize,
    /// The next frame, unless `empty` is above zero.
    frame: usize,
    slots: Slots,
    /// Empty slots that come before the frame, if they are known.
    empty: Option<u64>,
    /// Where the next chunk is, from the first.
    offset: u64,
    begun: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standard,
    Legacy,
}

impl Entries {
    /// The index of a segment, `ix00`.
    pub(super) fn standard(layout: &Layout, segment: usize) -> Self {
        Self::new(Kind::Standard, layout, segment)
    }

    /// The index of the first segment, `idx1`.
    pub(super) fn legacy(layout: &Layout) -> Self {
        Self::new(Kind::Legacy, layout, 0)
    }

    fn new(kind: Kind, layout: &Layout, segment: usize) -> Self {
        let at = &layout.segments[segment];
        Self {
            kind,
            segment,
            frame: at.first,
            slots: at.before.clone(),
            empty: None,
            offset: 0,
            begun: false,
        }
    }

    /// Writes a piece. Returns whether there are more.
    pub(super) fn write(&mut self, clip: &Clip, layout: &Layout, out: &mut Output) -> bool {
        if !self.begun {
            self.begun = true;
            self.write_head(layout, out);
        }
        let end = layout.end_of(self.segment, &clip.plan);
        for _ in 0..PIECE_BYTES / LEGACY_ENTRY_BYTES as usize {
            if self.frame == end {
                return false;
            }
            self.write_entry(clip, out);
        }
        true
    }

    fn write_entry(&mut self, clip: &Clip, out: &mut Output) {
        let frame = clip.plan.frames()[self.frame];
        let empty = self
            .empty
            .take()
            .unwrap_or_else(|| self.slots.place(frame.at_us));
        if empty > 0 {
            self.empty = Some(empty - 1);
            self.put(0, out);
            self.offset += CHUNK_HEAD_BYTES;
            return;
        }
        let there = clip.is_present(self.frame);
        self.put(if there { frame.bytes } else { 0 }, out);
        self.offset += CHUNK_HEAD_BYTES + padded(frame.bytes);
        self.frame += 1;
    }

    /// Adds the entry of a chunk. One without bytes needs the frame before it: it is no keyframe.
    fn put(&self, bytes: u32, out: &mut Output) {
        // A segment is at most a few GiB long.
        let offset = self.offset as u32;
        match self.kind {
            Kind::Standard => {
                let delta = if bytes == 0 { DELTA_FRAME } else { 0 };
                out.put(&(offset + CHUNK_HEAD_BYTES as u32).to_le_bytes());
                out.put(&(bytes | delta).to_le_bytes());
            }
            Kind::Legacy => {
                let flags = if bytes == 0 { 0 } else { KEYFRAME };
                out.put(CHUNK);
                out.put(&flags.to_le_bytes());
                out.put(&(offset + LIST_NAME_BYTES).to_le_bytes());
                out.put(&bytes.to_le_bytes());
            }
        }
    }

    fn write_head(&self, layout: &Layout, out: &mut Output) {
        let segment = &layout.segments[self.segment];
        match self.kind {
            Kind::Standard => {
                let bytes = standard_bytes(segment.slots) - CHUNK_HEAD_BYTES;
                out.put(&chunk_head(b"ix00", bytes as u32));
                // Two longs per entry, no sub-type, an index of chunks.
                out.put(&[2, 0, 0, 1]);
                out.put(&(segment.slots as u32).to_le_bytes());
                out.put(CHUNK);
                out.put(&segment.chunks_offset.to_le_bytes());
                out.put(&[0; 4]);
            }
            Kind::Legacy => {
                let bytes = legacy_bytes(segment.slots) - CHUNK_HEAD_BYTES;
                out.put(&chunk_head(b"idx1", bytes as u32));
            }
        }
    }
}

/// The length of a segment's index.
pub(super) fn standard_bytes(slots: u64) -> u64 {
    CHUNK_HEAD_BYTES + STANDARD_HEAD_BYTES + STANDARD_ENTRY_BYTES * slots
}

/// The length of the index of the first segment.
pub(super) fn legacy_bytes(slots: u64) -> u64 {
    CHUNK_HEAD_BYTES + LEGACY_ENTRY_BYTES * slots
}

const STANDARD_HEAD_BYTES: u64 = 24;
const STANDARD_ENTRY_BYTES: u64 = 8;
const LEGACY_ENTRY_BYTES: u64 = 16;
/// What a slot takes in both indices.
pub(super) const SLOT_BYTES: u64 = STANDARD_ENTRY_BYTES + LEGACY_ENTRY_BYTES;
/// Offsets of `idx1` count from the name of the list.
const LIST_NAME_BYTES: u32 = 4;
const KEYFRAME: u32 = 0x10;
const DELTA_FRAME: u32 = 1 << 31;

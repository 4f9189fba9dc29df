//! The indices of an AVI: `ix00` of OpenDML for each segment, and the older `idx1` for the first
//! one.

use crate::{
    avi::{
        chunk::{CHUNK_HEAD_BYTES, FRAME, chunk_head, padded},
        layout::AviLayout,
        rate::Slots,
        sizes::{legacy_bytes, standard_bytes},
    },
    clip::Clip,
    file_pieces::FilePieces,
    limits::PIECE_BYTES,
};

/// The entries of an index. They are computed again from the plan while they are written.
pub(super) struct IndexEntries {
    kind: IndexKind,
    segment: usize,
    /// The next frame. If `empty` is above zero, empty slots come first.
    frame: usize,
    slots: Slots,
    /// How many empty slots come before the frame, if that is known.
    empty: Option<u64>,
    /// The offset of the next chunk from the first one.
    offset: u64,
    begun: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IndexKind {
    Standard,
    Legacy,
}

impl IndexEntries {
    /// Makes the entries of a segment's index, `ix00`.
    pub(super) fn standard(layout: &AviLayout, segment: usize) -> Self {
        Self::new(IndexKind::Standard, layout, segment)
    }

    /// Makes the entries of the first segment's index, `idx1`.
    pub(super) fn legacy(layout: &AviLayout) -> Self {
        Self::new(IndexKind::Legacy, layout, 0)
    }

    fn new(kind: IndexKind, layout: &AviLayout, segment: usize) -> Self {
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

    /// Writes some of the entries. Returns whether there are more.
    pub(super) fn write(&mut self, clip: &Clip, layout: &AviLayout, out: &mut FilePieces) -> bool {
        if !self.begun {
            self.begun = true;
            self.write_head(layout, out);
        }
        let end = layout.end_of(self.segment, &clip.plan);
        for _ in 0..ENTRIES_AT_A_TIME {
            if self.frame == end {
                return false;
            }
            self.write_entry(clip, out);
        }
        true
    }

    fn write_entry(&mut self, clip: &Clip, out: &mut FilePieces) {
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

    /// Adds the entry of a chunk. A chunk without bytes needs the frame before it, so it is not a
    /// keyframe.
    fn put(&self, bytes: u32, out: &mut FilePieces) {
        // A segment is at most a few GiB long.
        let offset = self.offset as u32;
        match self.kind {
            IndexKind::Standard => {
                let delta = if bytes == 0 { DELTA_FRAME } else { 0 };
                out.put(&(offset + CHUNK_HEAD_BYTES as u32).to_le_bytes());
                out.put(&(bytes | delta).to_le_bytes());
            }
            IndexKind::Legacy => {
                let flags = if bytes == 0 { 0 } else { KEYFRAME };
                out.put(FRAME);
                out.put(&flags.to_le_bytes());
                out.put(&(offset + LIST_NAME_BYTES).to_le_bytes());
                out.put(&bytes.to_le_bytes());
            }
        }
    }

    fn write_head(&self, layout: &AviLayout, out: &mut FilePieces) {
        let segment = &layout.segments[self.segment];
        match self.kind {
            IndexKind::Standard => {
                let bytes = standard_bytes(segment.slots) - CHUNK_HEAD_BYTES;
                out.put(&chunk_head(b"ix00", bytes as u32));
                // Two longs per entry, no sub-type, an index of chunks.
                out.put(&[2, 0, 0, 1]);
                out.put(&(segment.slots as u32).to_le_bytes());
                out.put(FRAME);
                out.put(&segment.chunks_offset.to_le_bytes());
                out.put(&[0; 4]);
            }
            IndexKind::Legacy => {
                let bytes = legacy_bytes(segment.slots) - CHUNK_HEAD_BYTES;
                out.put(&chunk_head(b"idx1", bytes as u32));
            }
        }
    }
}

/// Offsets of `idx1` count from the name of the list.
const LIST_NAME_BYTES: u32 = 4;
const KEYFRAME: u32 = 0x10;
const DELTA_FRAME: u32 = 1 << 31;
/// Each entry has at most 16 bytes.
const ENTRIES_AT_A_TIME: usize = PIECE_BYTES / 16;

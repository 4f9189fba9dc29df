//! The lengths of the parts of an AVI that are not frames.

use crate::avi::chunk::{CHUNK_HEAD_BYTES, LIST_HEAD_BYTES};

/// Returns the length from the beginning of the file to the first chunk of a frame. With OpenDML,
/// it depends on the number of segments.
pub(super) fn head_bytes(open_dml_segments: Option<usize>) -> u64 {
    let extensions = open_dml_segments.map_or(0, |segments| {
        let indx = CHUNK_HEAD_BYTES + 24 + SUPER_ENTRY_BYTES * segments as u64;
        let odml = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + DMLH_BYTES as u64;
        indx + odml
    });
    2 * LIST_HEAD_BYTES + HDRL_BYTES + INFO_BYTES + extensions
}

/// Returns the length of the index of a segment, `ix00`.
pub(super) fn standard_bytes(slots: u64) -> u64 {
    CHUNK_HEAD_BYTES + STANDARD_HEAD_BYTES + STANDARD_ENTRY_BYTES * slots
}

/// Returns the length of the index of the first segment, `idx1`.
pub(super) fn legacy_bytes(slots: u64) -> u64 {
    CHUNK_HEAD_BYTES + LEGACY_ENTRY_BYTES * slots
}

/// The bytes that a slot takes in both indices.
pub(super) const SLOT_BYTES: u64 = STANDARD_ENTRY_BYTES + LEGACY_ENTRY_BYTES;
/// The heads of the lists `RIFF` and `movi`.
pub(super) const NEXT_SEGMENT_BYTES: u64 = 2 * LIST_HEAD_BYTES;
/// The content of `dmlh`.
pub(super) const DMLH_BYTES: usize = 248;
const STANDARD_HEAD_BYTES: u64 = 24;
const STANDARD_ENTRY_BYTES: u64 = 8;
const LEGACY_ENTRY_BYTES: u64 = 16;
const SUPER_ENTRY_BYTES: u64 = 16;
/// A list with a wall-clock time as text of 24 bytes.
const INFO_BYTES: u64 = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + 24;
const STRL_BYTES: u64 = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + 56 + CHUNK_HEAD_BYTES + 40;
const HDRL_BYTES: u64 = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + 56 + STRL_BYTES;

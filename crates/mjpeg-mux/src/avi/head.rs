//! The head of an AVI, and those of its further segments.

use crate::{
    avi::{
        CHUNK, CHUNK_HEAD_BYTES, chunk_head, index,
        layout::{Layout, Segment},
    },
    plan::ClipPlan,
    utc::UtcTime,
};

/// From the beginning of the file to its first chunk of a frame.
pub(super) fn head(plan: &ClipPlan, layout: &Layout) -> Vec<u8> {
    let first = &layout.segments[0];
    let mut stream = chunk(b"strh", &stream_header(plan, layout));
    stream.extend(chunk(b"strf", &bitmap_info(plan)));
    if layout.is_open_dml() {
        stream.extend(chunk(b"indx", &super_index(layout)));
    }
    let mut header = chunk(b"avih", &main_header(plan, layout));
    header.extend(list(b"strl", &stream));
    if layout.is_open_dml() {
        let mut extended = [0; DMLH_BYTES];
        extended[..4].copy_from_slice(&(layout.slots as u32).to_le_bytes());
        header.extend(list(b"odml", &chunk(b"dmlh", &extended)));
    }
    let taken = UtcTime::of_frame(plan, 0).rfc3339();
    let mut head = riff(b"AVI ", first);
    head.extend(list(b"hdrl", &header));
    head.extend(list(b"INFO", &chunk(b"ICRD", taken.as_bytes())));
    head.extend(movi(layout, first));
    head
}

/// The length of [`head`].
pub(super) fn head_bytes(layout: &Layout) -> u64 {
    if layout.is_open_dml() {
        let indx = CHUNK_HEAD_BYTES + 24 + SUPER_ENTRY_BYTES * layout.segments.len() as u64;
        let odml = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + DMLH_BYTES as u64;
        PLAIN_HEAD_BYTES + indx + odml
    } else {
        PLAIN_HEAD_BYTES
    }
}

/// From the beginning of a further segment to its first chunk of a frame.
pub(super) fn next_segment(layout: &Layout, number: usize) -> Vec<u8> {
    let segment = &layout.segments[number];
    let mut head = riff(b"AVIX", segment);
    head.extend(movi(layout, segment));
    head
}

fn riff(name: &[u8; 4], segment: &Segment) -> Vec<u8> {
    let bytes = segment.bytes - CHUNK_HEAD_BYTES;
    [&chunk_head(b"RIFF", bytes as u32), name.as_slice()].concat()
}

fn movi(layout: &Layout, segment: &Segment) -> Vec<u8> {
    let bytes = layout.movi_bytes(segment) + 4;
    [&chunk_head(b"LIST", bytes as u32), b"movi".as_slice()].concat()
}

fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&chunk_head(id, content.len() as u32), content].concat()
}

fn list(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let bytes = content.len() as u32 + 4;
    [&chunk_head(b"LIST", bytes), name.as_slice(), content].concat()
}

fn longs(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// `AVIMAINHEADER`. Its count of frames is that of the first segment, as OpenDML says.
fn main_header(plan: &ClipPlan, layout: &Layout) -> Vec<u8> {
    let (width, height) = plan.size();
    let seconds = (layout.slots * layout.slot_us).div_ceil(1_000_000).max(1);
    let rate = u32::try_from(layout.file_bytes / seconds).unwrap_or(u32::MAX);
    longs(&[
        u32::try_from(layout.slot_us).unwrap_or(u32::MAX),
        rate,
        0,
        HAS_INDEX | TRUST_CHUNK_TYPE,
        layout.segments[0].slots as u32,
        0,
        1,
        layout.longest_frame + CHUNK_HEAD_BYTES as u32,
        width.into(),
        height.into(),
        0,
        0,
        0,
        0,
    ])
}

/// `AVISTREAMHEADER`.
fn stream_header(plan: &ClipPlan, layout: &Layout) -> Vec<u8> {
    let divisor = common_divisor(layout.slot_us, 1_000_000);
    let scale = u32::try_from(layout.slot_us / divisor).unwrap_or(u32::MAX);
    let mut header = b"vidsMJPG".to_vec();
    header.extend(longs(&[
        0,
        0,
        0,
        scale,
        (1_000_000 / divisor) as u32,
        0,
        layout.slots as u32,
        layout.longest_frame + CHUNK_HEAD_BYTES as u32,
        // The default quality, and samples of any length.
        u32::MAX,
        0,
    ]));
    let (width, height) = plan.size();
    for corner in [0, 0, width, height] {
        header.extend(corner.to_le_bytes());
    }
    header
}

/// `BITMAPINFOHEADER`.
fn bitmap_info(plan: &ClipPlan) -> Vec<u8> {
    let (width, height) = plan.size();
    let pixels = u32::from(width) * u32::from(height);
    let mut info = longs(&[40, width.into(), height.into()]);
    // One plane of 24 bits a pixel.
    info.extend([1, 0, 24, 0]);
    info.extend(b"MJPG");
    info.extend(longs(&[pixels.saturating_mul(3), 0, 0, 0, 0]));
    info
}

/// The index of the indices of the segments.
fn super_index(layout: &Layout) -> Vec<u8> {
    // Four longs per entry, no sub-type, an index of indices.
    let mut index = vec![4, 0, 0, 0];
    index.extend(longs(&[layout.segments.len() as u32]));
    index.extend(CHUNK);
    index.extend([0; 12]);
    for segment in &layout.segments {
        let offset = segment.chunks_offset + segment.chunks_bytes;
        index.extend(offset.to_le_bytes());
        let bytes = index::standard_bytes(segment.slots);
        index.extend(longs(&[bytes as u32, segment.slots as u32]));
    }
    index
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

const LIST_HEAD_BYTES: u64 = 12;
/// A wall-clock time as text, which has 24 bytes.
const INFO_BYTES: u64 = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + 24;
const STRL_BYTES: u64 = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + 56 + CHUNK_HEAD_BYTES + 40;
const HDRL_BYTES: u64 = LIST_HEAD_BYTES + CHUNK_HEAD_BYTES + 56 + STRL_BYTES;
/// With the heads of the lists `RIFF` and `movi`.
const PLAIN_HEAD_BYTES: u64 = 2 * LIST_HEAD_BYTES + HDRL_BYTES + INFO_BYTES;
pub(super) const NEXT_SEGMENT_BYTES: u64 = 2 * LIST_HEAD_BYTES;
const SUPER_ENTRY_BYTES: u64 = 16;
const DMLH_BYTES: usize = 248;
const HAS_INDEX: u32 = 0x10;
const TRUST_CHUNK_TYPE: u32 = 0x800;

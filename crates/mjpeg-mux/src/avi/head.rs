//! The head of an AVI, and the heads of its further segments.

use crate::{
    avi::{
        chunk::{CHUNK_HEAD_BYTES, FRAME, LIST_HEAD_BYTES, chunk, list, list_head, longs},
        layout::{AviLayout, RiffSegment},
        sizes::{DMLH_BYTES, standard_bytes},
    },
    plan::ClipPlan,
    utc::UtcTime,
};

/// Makes the bytes from the beginning of the file to its first chunk of a frame.
pub(super) fn head(plan: &ClipPlan, layout: &AviLayout) -> Vec<u8> {
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
    let info = chunk(b"ICRD", taken.as_bytes());
    let between = [list(b"hdrl", &header), list(b"INFO", &info)].concat();
    lists(b"AVI ", first, &between)
}

/// Makes the bytes from the beginning of a further segment to its first chunk of a frame.
pub(super) fn next_segment(layout: &AviLayout, number: usize) -> Vec<u8> {
    lists(b"AVIX", &layout.segments[number], &[])
}

/// Makes the heads of the lists of a segment, and what is between them.
fn lists(name: &[u8; 4], segment: &RiffSegment, between: &[u8]) -> Vec<u8> {
    let riff = list_head(b"RIFF", name, segment.bytes - LIST_HEAD_BYTES);
    let movi = list_head(b"LIST", b"movi", segment.movi_bytes);
    [&riff, between, &movi].concat()
}

/// Makes the `AVIMAINHEADER`. It counts only the frames of the first segment, as OpenDML says.
fn main_header(plan: &ClipPlan, layout: &AviLayout) -> Vec<u8> {
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

/// Makes the `AVISTREAMHEADER`.
fn stream_header(plan: &ClipPlan, layout: &AviLayout) -> Vec<u8> {
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

/// Makes the `BITMAPINFOHEADER`.
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

/// Makes the index of the segments' indices.
fn super_index(layout: &AviLayout) -> Vec<u8> {
    // Four longs per entry, no sub-type, an index of indices.
    let mut index = vec![4, 0, 0, 0];
    index.extend(longs(&[layout.segments.len() as u32]));
    index.extend(FRAME);
    index.extend([0; 12]);
    for segment in &layout.segments {
        let offset = segment.chunks_offset + segment.chunks_bytes;
        index.extend(offset.to_le_bytes());
        let bytes = standard_bytes(segment.slots);
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

const HAS_INDEX: u32 = 0x10;
const TRUST_CHUNK_TYPE: u32 = 0x800;

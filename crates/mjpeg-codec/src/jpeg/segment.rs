//! The form of segments: which payloads T.81 allows for which marker.

use super::{
    frame_header::FrameHeader,
    marker::{DAC, DHP, DHT, DNL, DQT, DRI, EXP, SOS},
};
use crate::work;

/// Returns whether a segment's payload has the form that T.81 B.2.3 and B.2.4 prescribe for its
/// marker. Does not check frame headers.
///
/// This distinguishes a true segment from bytes that merely look like one. Free-form payloads
/// always pass.
pub(crate) fn payload_is_sound(code: u8, payload: &[u8]) -> bool {
    match code {
        DQT => tables_fill(payload, |p| {
            // Pq (0: 8 bit, 1: 16 bit) in the upper half, Tq (0 to 3) in the lower (B.2.4.1).
            match p[0] {
                0x00..=0x03 => Some(65),
                0x10..=0x13 => Some(129),
                _ => None,
            }
        }),
        DHT => tables_fill(payload, |p| {
            // Tc (0: DC or lossless, 1: AC), Th (0 to 3), then 16 counts, then that many values
            // (B.2.4.2).
            let counts: &[u8; 16] = p.get(1..)?.first_chunk()?;
            let values = usize::from(counts.iter().fold(0, |sum, &n| sum + u16::from(n)));
            (matches!(p[0], 0x00..=0x03 | 0x10..=0x13) && values <= 256).then_some(17 + values)
        }),
        DAC => payload.len().is_multiple_of(2),
        DRI | DNL => payload.len() == 2,
        EXP => payload.len() == 1,
        DHP => FrameHeader::parse(code, payload).is_some(),
        // Ns (1 to 4), then that many Cs with Td and Ta (0 to 3 each), Ss and Se (0 to 63),
        // Ah (0 to 13) and Al (B.2.3).
        SOS => {
            let Some((&count, [specifications @ .., start, end, approximation])) =
                payload.split_first()
            else {
                return false;
            };
            let (specifications, left_over) = specifications.as_chunks::<2>();
            (1..=4).contains(&count)
                && left_over.is_empty()
                && specifications.len() == usize::from(count)
                && specifications.iter().all(|[_, tables]| tables & 0xCC == 0)
                && *start <= 63
                && *end <= 63
                && approximation >> 4 <= 13
        }
        _ => true,
    }
}

/// Returns whether tables fill the payload exactly. `table_len` reads the length of a table from
/// its first bytes.
fn tables_fill(mut payload: &[u8], table_len: impl Fn(&[u8]) -> Option<usize>) -> bool {
    for _ in 0..MOST_TABLES {
        work::count(1);
        if payload.is_empty() {
            return true;
        }
        let Some(rest) = table_len(payload).and_then(|len| payload.get(len..)) else {
            return false;
        };
        payload = rest;
    }
    payload.is_empty()
}

/// A segment needs to define at most 4 quantization or 8 Huffman tables (B.2.4). Twice that leaves
/// room for sloppy encoders. Without a bound, a hostile stream could force a walk over the same
/// 64 KiB every few bytes.
const MOST_TABLES: usize = 16;

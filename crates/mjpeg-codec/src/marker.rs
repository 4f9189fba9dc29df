//! JPEG markers and segments as ITU-T T.81 names them.

use crate::work;

pub(crate) const SOF0: u8 = 0xC0;
pub(crate) const SOF1: u8 = 0xC1;
pub(crate) const SOF2: u8 = 0xC2;
pub(crate) const DHT: u8 = 0xC4;
pub(crate) const JPG: u8 = 0xC8;
pub(crate) const DAC: u8 = 0xCC;
pub(crate) const RST0: u8 = 0xD0;
pub(crate) const RST7: u8 = 0xD7;
pub(crate) const SOI: u8 = 0xD8;
pub(crate) const EOI: u8 = 0xD9;
pub(crate) const SOS: u8 = 0xDA;
pub(crate) const DQT: u8 = 0xDB;
pub(crate) const DNL: u8 = 0xDC;
pub(crate) const DRI: u8 = 0xDD;
pub(crate) const DHP: u8 = 0xDE;
pub(crate) const EXP: u8 = 0xDF;
pub(crate) const APP0: u8 = 0xE0;
pub(crate) const APP14: u8 = 0xEE;
pub(crate) const APP15: u8 = 0xEF;
pub(crate) const COM: u8 = 0xFE;

/// What a frame header (SOF segment, T.81 B.2.2) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) sof: u8,
    pub(crate) precision: u8,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) components: u8,
    /// Whether decoders in browsers can be expected to make something of this header: it gives the height itself, and is the
    /// only one of its image.
    pub(crate) plain: bool,
}

impl FrameHeader {
    /// Reads the payload of a SOF segment (what follows its length field).
    pub(crate) fn parse(sof: u8, payload: &[u8]) -> Option<Self> {
        let [precision, y1, y2, x1, x2, components, rest @ ..] = payload else {
            return None;
        };
        let header = Self {
            sof,
            precision: *precision,
            width: u16::from_be_bytes([*x1, *x2]),
            height: u16::from_be_bytes([*y1, *y2]),
            components: *components,
            plain: (*y1, *y2) != (0, 0),
        };
        let (specifications, left_over) = rest.as_chunks::<3>();
        let whole = left_over.is_empty() && specifications.len() == usize::from(*components);
        // C, then H and V (1 to 4), then Tq (0 to 3).
        let sound = |&[_, sampling, table]: &[u8; 3]| {
            (1..=4).contains(&(sampling >> 4)) && (1..=4).contains(&(sampling & 15)) && table <= 3
        };
        // Y may be 0 (a DNL segment tells it later), X may not. P is at most 16 (table B.2).
        let sane = header.width > 0 && header.components > 0 && (2..=16).contains(precision);
        (whole && sane && specifications.iter().all(sound)).then_some(header)
    }
}

/// Whether a code is one of the frame header markers SOF0 to SOF15.
pub(crate) fn is_sof(code: u8) -> bool {
    matches!(code, 0xC0..=0xCF) && !matches!(code, DHT | JPG | DAC)
}

/// Whether a code is a marker with a segment that may stand before, between or after the scans of a frame.
pub(crate) fn has_segment(code: u8) -> bool {
    HAS_SEGMENT[usize::from(code)]
}

/// By code, because it is asked for every few bytes of a stream that is nothing but markers.
const HAS_SEGMENT: [bool; 256] = {
    let mut table = [false; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = matches!(
            code as u8,
            0xC0..=0xC7 | 0xC9..=0xCF | SOS | DQT | DNL | DRI | DHP | EXP | APP0..=APP15 | COM
        );
        code += 1;
    }
    table
};

/// Whether an image can go on with this code after its SOI and an `FF`: a marker that may come first (T.81 B.2.1, figure B.2 and
/// table B.1: tables, miscellaneous segments, a frame header, DHP), or a fill byte.
///
/// Without branches, for it stands in an inner loop.
pub(crate) fn may_follow_soi(code: u8) -> bool {
    let frame_header_or_tables = (code & 0xF0 == 0xC0) & (code != JPG);
    let table = (code == DQT) | (code == DRI) | (code == DHP);
    let miscellaneous = (code & 0xF0 == APP0) | (code == COM) | (code == 0xFF);
    frame_header_or_tables | table | miscellaneous
}

/// Whether a segment's payload has the inner form that T.81 B.2.3 and B.2.4 give to its marker, frame headers aside.
///
/// This is what tells a true segment from bytes that merely look like one; free-form payloads always pass.
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
            // Tc (0: DC or lossless, 1: AC), Th (0 to 3), then 16 counts, then that many values (B.2.4.2).
            let counts: &[u8; 16] = p.get(1..)?.first_chunk()?;
            let values = usize::from(counts.iter().fold(0, |sum, &n| sum + u16::from(n)));
            (matches!(p[0], 0x00..=0x03 | 0x10..=0x13) && values <= 256).then_some(17 + values)
        }),
        DAC => payload.len().is_multiple_of(2),
        DRI | DNL => payload.len() == 2,
        EXP => payload.len() == 1,
        DHP => FrameHeader::parse(code, payload).is_some(),
        // Ns (1 to 4), then that many Cs with Td and Ta (0 to 3 each), Ss and Se (0 to 63), Ah (0 to 13) and Al (B.2.3).
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

/// Whether tables, each as long as `table_len` says of its first bytes, fill the payload exactly.
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

/// A segment has at most 4 quantization or 8 Huffman tables to define (B.2.4); twice that leaves room for sloppy encoders. Without a
/// bound, bytes made for it could have the same 64 KiB walked again for every few bytes.
const MOST_TABLES: usize = 16;

//! Marker codes: the second byte of each marker (T.81 table B.1).

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

/// Returns whether a code is one of the frame header markers SOF0 to SOF15.
pub(crate) fn is_sof(code: u8) -> bool {
    matches!(code, 0xC0..=0xCF) && !matches!(code, DHT | JPG | DAC)
}

/// Returns whether a code is a marker with a segment that may stand before, between or after the
/// scans of a frame.
pub(crate) fn has_segment(code: u8) -> bool {
    HAS_SEGMENT[usize::from(code)]
}

/// Indexed by code: a table, because a stream of nothing but markers asks every few bytes.
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

/// Returns whether an image can continue with this code after its SOI and an `FF`: a fill byte, or
/// a marker that may come first (T.81 B.2.1, figure B.2 and table B.1: tables, miscellaneous
/// segments, a frame header, DHP).
///
/// Branch-free, because it is called in an inner loop.
pub(crate) fn may_follow_soi(code: u8) -> bool {
    let frame_header_or_tables = (code & 0xF0 == 0xC0) & (code != JPG);
    let table = (code == DQT) | (code == DRI) | (code == DHP);
    let miscellaneous = (code & 0xF0 == APP0) | (code == COM) | (code == 0xFF);
    frame_header_or_tables | table | miscellaneous
}

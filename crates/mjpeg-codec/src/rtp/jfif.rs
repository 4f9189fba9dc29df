//! The headers of a JPEG file, from those of the packets (RFC 2435 section 4.1).

use super::{
    headers::MainHeader,
    quantization::{QuantTable, QuantTables},
    reason::DropReason,
};
use crate::jpeg::{
    frame_header::FrameHeader,
    marker::{APP0, DQT, DRI, SOF0, SOF1, SOI, SOS},
    tables::TYPICAL_SEGMENT,
};

/// Writes what stands before the scan of a picture.
pub(super) fn write(
    header: MainHeader,
    tables: &QuantTables,
    described: Option<(u16, u16)>,
    out: &mut Vec<u8>,
) -> Result<FrameHeader, DropReason> {
    // Brightness has twice the samples of colour across, and in type 1 down as well.
    let sampling = match header.kind & !WITH_RESTARTS {
        0 => 0x21,
        1 => 0x22,
        _ => return Err(DropReason::UnknownType),
    };
    let width = size(header.width, described.map(|size| size.0)).ok_or(DropReason::NoSize)?;
    let height = size(header.height, described.map(|size| size.1)).ok_or(DropReason::NoSize)?;
    // Baseline pictures have tables of 8 bits (T.81 B.2.4.1).
    let is_wide = tables.luma.is_wide() || tables.chroma.is_wide();
    let sof = if is_wide { SOF1 } else { SOF0 };
    out.extend([0xFF, SOI]);
    // A version, no unit, pixels as wide as high, no thumbnail.
    put(out, APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    put_table(out, 0, &tables.luma);
    put_table(out, 1, &tables.chroma);
    if header.restart_interval != 0 {
        put(out, DRI, &header.restart_interval.to_be_bytes());
    }
    let [[y1, y2], [x1, x2]] = [height, width].map(u16::to_be_bytes);
    let frame = [8, y1, y2, x1, x2, 3, 1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1];
    put(out, sof, &frame);
    out.extend(TYPICAL_SEGMENT);
    put(out, SOS, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    Ok(FrameHeader {
        sof,
        precision: 8,
        width,
        height,
        components: 3,
        plain: true,
    })
}

/// Decides a size in pixels by the packets and the session's description.
fn size(sent: u8, described: Option<u16>) -> Option<u16> {
    // What the description states, rounded up to units of 8 and cut off at 8 bits.
    let is_same = |&described: &u16| described.div_ceil(8) as u8 == sent;
    match described {
        Some(described) if sent == 0 || is_same(&described) => Some(described),
        _ => (sent > 0).then(|| 8 * u16::from(sent)),
    }
}

fn put_table(out: &mut Vec<u8>, id: u8, table: &QuantTable) {
    match table {
        QuantTable::Bytes(bytes) => put(out, DQT, &[&[id][..], bytes].concat()),
        QuantTable::Words(words) => put(out, DQT, &[&[0x10 | id][..], words].concat()),
    }
}

/// Appends a segment; its payload is short.
fn put(out: &mut Vec<u8>, code: u8, payload: &[u8]) {
    out.extend([0xFF, code]);
    out.extend((payload.len() as u16 + 2).to_be_bytes());
    out.extend(payload);
}

/// Types 64 and 65 are 0 and 1 with restart markers.
const WITH_RESTARTS: u8 = 64;

/// The most that headers take: two tables of 16 bits, and all segments.
pub(super) const MOST_BYTES: usize = 1024;

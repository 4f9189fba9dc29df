//! Naive repairs, piece by piece, as an oracle for those of the crate; and frames built piece by
//! piece.

use bytes::Bytes;
use mjpeg_codec::{
    Found, Frame, MissingEoi, Splitter, SplitterConfig,
    repair::{Orientation, Repairs},
};
use mjpeg_testkit::jpeg;

/// A part of a frame: a marker with its segment and the fill bytes before it, or the data of a
/// scan.
pub(crate) struct Piece<'a> {
    /// The second byte of the marker; 0 for a scan's data.
    pub(crate) code: u8,
    pub(crate) bytes: &'a [u8],
    /// How many fill bytes `bytes` begins with.
    fill: usize,
}

impl<'a> Piece<'a> {
    /// The bytes after the marker, including the length.
    fn behind_marker(&self) -> &'a [u8] {
        &self.bytes[self.fill + 2..]
    }

    /// The bytes after the length.
    pub(crate) fn payload(&self) -> &'a [u8] {
        &self.bytes[self.fill + 4..]
    }

    pub(crate) fn is_app_or_com(&self) -> bool {
        matches!(self.code, 0xE0..=0xEF | 0xFE)
    }

    pub(crate) fn embeds_markers(&self) -> bool {
        self.behind_marker()
            .windows(2)
            .any(|pair| pair == [0xFF, 0xD8] || pair == [0xFF, 0xD9])
    }
}

/// Cuts a well-formed frame into pieces, whose concatenation is the frame. Its EOI may be missing.
pub(crate) fn pieces(frame: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = frame;
    while !rest.is_empty() {
        let fill = rest.iter().take_while(|&&b| b == 0xFF).count().max(1) - 1;
        let after_scan_header = pieces.last().is_some_and(|p: &Piece<'_>| p.code == 0xDA);
        let (code, len) = match rest.get(fill + 1) {
            _ if after_scan_header => (0, scan_len(rest)),
            Some(&code @ (0xD8 | 0xD9)) => (code, fill + 2),
            Some(&code) => {
                let length = u16::from_be_bytes([rest[fill + 2], rest[fill + 3]]);
                (code, fill + 2 + usize::from(length))
            }
            // Fill bytes, and then nothing.
            None => (0, rest.len()),
        };
        let (bytes, after) = rest.split_at(len);
        pieces.push(Piece { code, bytes, fill });
        rest = after;
    }
    pieces
}

pub(crate) fn repair(frame: &[u8], repairs: Repairs) -> Vec<u8> {
    let pieces = pieces(frame);
    let header: Vec<_> = pieces.iter().take_while(|p| p.code != 0xDA).collect();
    // Of several SOF, the first counts.
    let sof = header
        .iter()
        .find(|p| matches!(p.code, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF));
    let baseline = sof.is_some_and(|p| p.code == 0xC0 && p.payload()[0] == 8);
    let tables_missing = baseline && header.iter().all(|p| p.code != 0xC4);
    let exif = header.iter().position(|p| {
        p.code == 0xE1 && p.payload().len() >= 6 && p.payload().starts_with(b"Exif\0")
    });
    let tag = exif.and_then(|at| Tag::of(header[at].payload()));
    let turned = repairs.orientation();
    let insert_at = (tag.is_none() && turned != Orientation::UPRIGHT).then(|| {
        let leading = header[1..].iter().take_while(|p| p.code == 0xE0);
        let mut at = 2;
        let fits = leading.take_while(|p| {
            at += p.bytes.len();
            at <= 65536
        });
        1 + fits.count()
    });
    let mut repaired = Vec::new();
    let mut scans = 0;
    for (i, piece) in pieces.iter().enumerate() {
        if insert_at == Some(i) {
            repaired.extend(exif_segment(turned));
        }
        let tag = tag.as_ref().filter(|_| exif == Some(i));
        if piece.code == 0xDA {
            scans += 1;
            if repairs.huffman_tables() && tables_missing && scans == 1 {
                repaired.extend(standard_tables());
            }
        }
        if repairs.embedded_markers() && piece.is_app_or_com() && piece.embeds_markers() {
            let kept = tag.map(|tag| tag.says.then(turned));
            match kept.filter(|kept| *kept != Orientation::UPRIGHT) {
                Some(kept) => repaired.extend(exif_segment(kept)),
                None => repaired.extend(stripped(piece)),
            }
        } else if let Some(tag) = tag.filter(|_| turned != Orientation::UPRIGHT) {
            let payload = piece.bytes.len() - piece.payload().len();
            let (head, rest) = piece.bytes.split_at(payload + tag.at);
            repaired.extend(head);
            repaired.extend(tag_entry(tag.is_big, tag.says.then(turned)));
            repaired.extend(&rest[12..]);
        } else {
            repaired.extend(piece.bytes);
        }
    }
    if repairs.eoi() && pieces.last().is_none_or(|p| p.code != 0xD9) {
        repaired.extend([0xFF, 0xD9]);
    }
    repaired
}

/// Where the orientation tag is in the payload of an Exif segment.
struct Tag {
    at: usize,
    is_big: bool,
    says: Orientation,
}

impl Tag {
    fn of(exif: &[u8]) -> Option<Self> {
        let is_big = match exif.get(6..8)? {
            b"MM" => true,
            b"II" => false,
            _ => return None,
        };
        let number = |at: usize, len: usize| {
            let mut bytes = exif.get(at..at + len)?.to_vec();
            if is_big {
                bytes.reverse();
            }
            Some(bytes.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)))
        };
        let directory = number(10, 4)?;
        if number(8, 2)? != 42 || directory < 8 {
            return None;
        }
        let count = number(6 + directory, 2)?;
        for entry in 0..count {
            let at = 8 + directory + 12 * entry;
            exif.get(at..at + 12)?;
            if number(at, 2)? == 0x0112 {
                let is_short = number(at + 2, 2)? == 3 && number(at + 4, 4)? == 1;
                let value = if is_short { number(at + 8, 2)? } else { 1 };
                let says = Orientation::from_exif(value as u16).unwrap_or_default();
                return Some(Self { at, is_big, says });
            }
        }
        None
    }
}

fn tag_entry(is_big: bool, orientation: Orientation) -> [u8; 12] {
    let value = orientation.exif() as u8;
    if is_big {
        [1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]
    } else {
        [0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0]
    }
}

/// A segment that holds nothing but the orientation.
pub(crate) fn exif_segment(orientation: Orientation) -> Vec<u8> {
    let tiff = b"Exif\0\0MM\0*\0\0\0\x08\0\x01";
    segment(
        0xE1,
        &[&tiff[..], &tag_entry(true, orientation), &[0; 4]].concat(),
    )
}

/// One DHT segment with the tables of the test kit's encoder, which are the standard ones, ordered
/// by class and identifier.
pub(crate) fn standard_tables() -> Vec<u8> {
    let jpeg = jpeg::numbered(1);
    let payloads: Vec<u8> = pieces(&jpeg)
        .iter()
        .filter(|p| p.code == 0xC4)
        .flat_map(|p| p.payload().to_vec())
        .collect();
    let mut tables = Vec::new();
    let mut rest = &payloads[..];
    while !rest.is_empty() {
        let values: usize = rest[1..17].iter().map(|&n| usize::from(n)).sum();
        let (table, after) = rest.split_at(17 + values);
        tables.push(table);
        rest = after;
    }
    tables.sort_by_key(|table| table[0]);
    let tables = tables.concat();
    let length = (2 + tables.len() as u16).to_be_bytes();
    [&[0xFF, 0xC4], &length[..], &tables].concat()
}

/// Makes a frame of these bytes, even without EOI.
pub(crate) fn frame(bytes: &[u8]) -> Frame {
    let config = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    let mut splitter = Splitter::new(config);
    splitter.push(bytes.to_vec());
    splitter.finish();
    match splitter.poll() {
        Some(Found::Frame(frame)) => {
            assert_eq!(frame.bytes(), bytes);
            frame
        }
        other => panic!("not one frame: {other:?}"),
    }
}

/// Inserts bytes before the `n`th marker with this code and before its fill bytes.
pub(crate) fn insert_before(jpeg: &[u8], code: u8, n: usize, inserted: &[u8]) -> Bytes {
    let mut at = 0;
    let mut left = n;
    for piece in pieces(jpeg) {
        if piece.code == code {
            if left == 0 {
                return [&jpeg[..at], inserted, &jpeg[at..]].concat().into();
            }
            left -= 1;
        }
        at += piece.bytes.len();
    }
    panic!("no such marker");
}

pub(crate) fn segment(code: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, code], &length[..], payload].concat()
}

fn stripped(piece: &Piece<'_>) -> Vec<u8> {
    let payload = piece.payload();
    if piece.code == 0xEE && payload.starts_with(b"Adobe") {
        return piece.bytes.to_vec();
    }
    if piece.code == 0xE0 && payload.starts_with(b"JFIF\0") && payload.len() >= 14 {
        let marker = &piece.bytes[..piece.fill + 2];
        return [marker, &[0, 16], &payload[..12], &thumbnail_size(payload)].concat();
    }
    Vec::new()
}

/// None, unless the segment is all header already.
fn thumbnail_size(jfif: &[u8]) -> [u8; 2] {
    if jfif.len() == 14 {
        [jfif[12], jfif[13]]
    } else {
        [0, 0]
    }
}

/// Returns the length of entropy-coded data: up to the first marker other than RSTn.
fn scan_len(data: &[u8]) -> usize {
    (0..data.len().saturating_sub(1))
        .find(|&at| data[at] == 0xFF && !matches!(data[at + 1], 0x00 | 0xD0..=0xD7 | 0xFF))
        .unwrap_or(data.len())
}

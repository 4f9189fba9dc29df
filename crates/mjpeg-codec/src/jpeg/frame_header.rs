//! The frame header, a SOF segment (T.81 B.2.2).

/// The contents of a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The second byte of the SOF marker.
    pub(crate) sof: u8,
    pub(crate) precision: u8,
    pub(crate) width: u16,
    /// 0 if the header leaves the height open. A DNL segment may state it later.
    pub(crate) height: u16,
    pub(crate) components: u8,
    /// Whether browsers' decoders can use this header: it states the height itself, and it is the
    /// only frame header of its image.
    pub(crate) plain: bool,
}

impl FrameHeader {
    /// Parses the payload of a SOF segment: the bytes after its length field.
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
        // Y may be 0, X may not. P is at most 16 (table B.2).
        let sane = header.width > 0 && header.components > 0 && (2..=16).contains(precision);
        (whole && sane && specifications.iter().all(sound)).then_some(header)
    }
}

//! A second marker walk, independent of the kit's own, to judge that one.

/// The markers of a JPEG in order, with SOI, EOI and restarts. Panics at anything malformed.
pub(crate) fn markers(jpeg: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = jpeg;
    loop {
        let [0xff, marker, after @ ..] = rest else {
            panic!(
                "no marker at byte {} of {}",
                jpeg.len() - rest.len(),
                jpeg.len()
            );
        };
        found.push(*marker);
        rest = match marker {
            0xd8 => after,
            0xd9 => {
                assert!(after.is_empty(), "{} bytes after EOI", after.len());
                return found;
            }
            0xd0..=0xd7 => coded(after),
            0x01..=0xbf | 0xff | 0x00 => panic!("illegal marker {marker:02x}"),
            _ => {
                let length = usize::from(u16::from_be_bytes([after[0], after[1]]));
                let next = &after[length..];
                if *marker == 0xda { coded(next) } else { next }
            }
        };
    }
}

/// Skips coded data.
fn coded(mut data: &[u8]) -> &[u8] {
    while !(data[0] == 0xff && data[1] != 0x00) {
        data = &data[1..];
    }
    data
}

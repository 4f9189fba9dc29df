//! A marker walk of its own, so that the kit's is not its own judge.

/// The markers of a JPEG in order, restarts included, SOI and EOI too. Panics at anything that is not as it should be.
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

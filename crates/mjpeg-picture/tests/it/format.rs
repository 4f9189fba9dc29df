//! The bytes are JPEG of the kind that every browser and relay accepts.

use std::time::UNIX_EPOCH;

use mjpeg_picture::TestPicture;

use crate::decode::{Decoded, segments};

#[test]
fn every_size_is_one_whole_baseline_jpeg() {
    for (width, height) in SIZES {
        let jpeg = TestPicture::new("cam", width, height)
            .unwrap()
            .render(7, UNIX_EPOCH);
        assert_eq!(jpeg[..2], [0xFF, 0xD8], "{width}x{height}");
        assert_eq!(jpeg[jpeg.len() - 2..], [0xFF, 0xD9], "{width}x{height}");

        let (segments, scan) = segments(&jpeg);
        let markers: Vec<u8> = segments.iter().map(|&(marker, _)| marker).collect();
        let count = |wanted: u8| markers.iter().filter(|&&marker| marker == wanted).count();
        // APP0, SOF0, and at least one table of each kind; any other SOFn or APPn would be one too
        // many.
        assert_eq!((count(0xE0), count(0xC0)), (1, 1), "{markers:02X?}");
        assert!(count(0xC4) > 0 && count(0xDB) > 0, "{markers:02X?}");
        let known = [0xE0, 0xC0, 0xC4, 0xDB, 0xDA];
        assert!(
            markers.iter().all(|marker| known.contains(marker)),
            "{markers:02X?}"
        );
        // The first marker inside the scan is the EOI at its very end.
        let marker = scan
            .windows(2)
            .position(|pair| pair[0] == 0xFF && pair[1] != 0);
        assert_eq!(marker, Some(scan.len() - 2), "{width}x{height}");
    }
}

#[test]
fn frame_header_states_the_size_and_halved_chroma() {
    for (width, height) in SIZES {
        let jpeg = TestPicture::new("cam", width, height)
            .unwrap()
            .render(7, UNIX_EPOCH);
        let (segments, _) = segments(&jpeg);
        let (_, sof) = segments.iter().find(|(marker, _)| *marker == 0xC0).unwrap();
        let ([h1, h2], [w1, w2]) = (height.to_be_bytes(), width.to_be_bytes());
        assert_eq!(sof[..6], [8, h1, h2, w1, w2, 3]);
        let sampling: Vec<u8> = sof[6..].chunks(3).map(|component| component[1]).collect();
        assert_eq!(sampling, [0x22, 0x11, 0x11]);
    }
}

#[test]
fn every_size_decodes() {
    for (width, height) in SIZES {
        let jpeg = TestPicture::new("cam", width, height)
            .unwrap()
            .render(7, UNIX_EPOCH);
        let decoded = Decoded::new(&jpeg);
        assert_eq!(
            (decoded.width, decoded.height),
            (width.into(), height.into())
        );
    }
}

/// Usual sizes, odd ones, and both limits of each side.
const SIZES: [(u16, u16); 7] = [
    (640, 480),
    (160, 120),
    (161, 121),
    (17, 31),
    (16, 16),
    (8192, 16),
    (16, 8192),
];

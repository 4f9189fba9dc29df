//! Encoding RGB pixels.

use mjpeg_picture::{Encoder, Error};

use crate::decode::Decoded;

#[test]
fn pixels_come_back_in_their_places_and_colours() {
    let (width, height) = (64, 32);
    let pixel = |x: u16, y: u16| match (x < width / 2, y < height / 2) {
        (true, true) => [220, 20, 20],
        (false, true) => [20, 220, 20],
        (true, false) => [20, 20, 220],
        (false, false) => [200, 200, 200],
    };
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let rgb: Vec<u8> = rows.flat_map(|(x, y)| pixel(x, y)).collect();
    let encoder = Encoder::default().with_quality(95).unwrap();
    let decoded = Decoded::new(&encoder.encode_rgb(&rgb, width, height).unwrap());
    assert_eq!((decoded.width, decoded.height), (64, 32));
    // Chroma bleeds over the edges between the colours.
    for (x, y) in [(8, 4), (55, 4), (8, 27), (55, 27)] {
        let at = 3 * usize::from(y * width + x);
        let (got, want) = (&decoded.pixels[at..at + 3], pixel(x, y));
        let near = got.iter().zip(want).all(|(a, b)| a.abs_diff(b) < 12);
        assert!(near, "{got:?} at {x}, {y}");
    }
}

#[test]
fn quality_decides_the_length_and_is_75_unless_set() {
    let noise: Vec<u8> = (0..64 * 64 * 3_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let encoded = |encoder: Encoder| encoder.encode_rgb(&noise, 64, 64).unwrap();
    let of = |quality| encoded(Encoder::default().with_quality(quality).unwrap());
    assert_eq!(encoded(Encoder::default()), of(75));
    assert!(of(20).len() < of(90).len());
    let refused = Encoder::default().with_quality(0);
    assert_eq!(refused, Err(Error::Quality { quality: 0 }));
}

#[test]
fn pixels_that_do_not_make_the_picture_are_refused() {
    let encoder = Encoder::default();
    assert!(encoder.encode_rgb(&[1, 2, 3], 1, 1).is_ok());
    for (bytes, width, height) in [
        (4, 1, 1),
        (2, 1, 1),
        (0, 0, 0),
        (0, 0, 5),
        (0, 65535, 65535),
    ] {
        let error = encoder.encode_rgb(&[0; 8][..bytes], width, height);
        let expected = Error::Pixels {
            width,
            height,
            bytes,
        };
        assert_eq!(error, Err(expected));
    }
    let error = encoder.encode_rgb(&[0; 5], 2, 1).unwrap_err();
    let text = "5 bytes do not make a picture of 2x1 RGB pixels";
    assert_eq!(error.to_string(), text);
}

//! Small pictures against libjpeg-turbo's: `djpeg -scale 1/8` computes one sample per block, too.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

use bytes::Bytes;
use mjpeg_codec::{
    Frame,
    small::{MOST_SAMPLES, NoSmallPicture, SmallEncoder, SmallPicture, SmallReader},
    verify::{Flaw, NotChecked, Verdict},
};
use mjpeg_testkit::jpeg;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

use crate::{corpus, made::Made};

/// Runs a program of libjpeg-turbo on some bytes. Returns `None` if it complains.
fn libjpeg(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}, of libjpeg-turbo-progs: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    (output.status.success() && output.stderr.is_empty()).then_some(output.stdout)
}

/// A decoded picture.
#[derive(PartialEq, Eq)]
struct Pixels {
    width: usize,
    height: usize,
    values: Vec<u8>,
}

impl Pixels {
    fn of_pnm(pnm: &[u8]) -> Self {
        let mut fields = pnm.splitn(4, |byte| byte.is_ascii_whitespace());
        let mut number = || {
            let field = std::str::from_utf8(fields.next().unwrap()).unwrap();
            field.trim_start_matches('P').parse().unwrap()
        };
        let (_, width, height): (usize, usize, usize) = (number(), number(), number());
        // Then the largest value, and a line break.
        let values = fields.next().unwrap().strip_prefix(b"255\n").unwrap().to_vec();
        Self {
            width,
            height,
            values,
        }
    }

    fn djpeg(jpeg: &[u8], arguments: &[&str]) -> Option<Self> {
        let pnm = libjpeg("djpeg", &[arguments, &["-nosmooth"]].concat(), jpeg)?;
        Some(Self::of_pnm(&pnm))
    }

    /// The mean absolute difference of a value.
    fn distance(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height));
        assert_eq!(self.values.len(), other.values.len());
        let pairs = self.values.iter().zip(&other.values);
        let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / self.values.len() as f64
    }
}

/// A colourful picture with slopes, edges and noise, as PPM.
fn ppm(width: usize, height: usize) -> Vec<u8> {
    let mut ppm = format!("P6\n{width} {height}\n255\n").into_bytes();
    let mut noise = 1u32;
    for y in 0..height {
        for x in 0..width {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let edge = if (x / 24 + y / 40) % 2 == 0 { 60 } else { 0 };
            let grain = (noise >> 27) as usize;
            let value = |slope: usize| (slope + edge + grain).min(255) as u8;
            ppm.extend([
                value(x * 160 / width),
                value(y * 160 / height),
                value((x + y) * 160 / (width + height)),
            ]);
        }
    }
    ppm
}

fn cjpeg(width: usize, height: usize, arguments: &[&str]) -> Frame {
    let jpeg = libjpeg("cjpeg", arguments, &ppm(width, height)).expect("cjpeg encodes");
    Frame::parse(jpeg).expect("cjpeg makes frames")
}

#[track_caller]
fn small(frame: &Frame) -> SmallPicture {
    SmallPicture::from_frame(frame).expect("a small picture")
}

#[track_caller]
fn refused(jpeg: impl Into<Bytes>) -> NoSmallPicture {
    let frame = Frame::parse(jpeg).expect("a frame");
    SmallPicture::from_frame(&frame).expect_err("no small picture")
}

/// Returns the brightness that djpeg sees at an eighth of the size.
fn luma_by_djpeg(frame: &Frame) -> Pixels {
    Pixels::djpeg(frame.bytes(), &["-scale", "1/8", "-grayscale"]).expect("djpeg decodes")
}

fn luma(small: &SmallPicture) -> Pixels {
    Pixels {
        width: small.luma().width(),
        height: small.luma().height(),
        values: small.luma().samples().to_vec(),
    }
}

/// Checks a frame against djpeg: exactly the same brightness, or nearly so if it is progressive.
/// Decoded again, the encoded picture has nearly the same colours.
#[track_caller]
fn check(name: &str, frame: &Frame, most_distance: f64) {
    let small = small(frame);
    let (expected, got) = (luma_by_djpeg(frame), luma(&small));
    if frame.sof() == 0xC2 {
        let distance = got.distance(&expected);
        assert!(distance < 1.0, "{name}: {distance}");
    } else {
        assert!(got == expected, "{name}: {}", got.distance(&expected));
    }
    let jpeg = small.encode();
    let again = Frame::parse(jpeg.clone()).expect("the encoded picture is a frame");
    assert!(again.displayable(), "{name}");
    assert_eq!(again.verify(), Verdict::Complete { surplus_bytes: 0 });
    assert_eq!(
        (again.width(), again.height()),
        (frame.width().div_ceil(8), frame.height().div_ceil(8))
    );
    let whole = Pixels::djpeg(frame.bytes(), &["-scale", "1/8"]).expect("djpeg decodes");
    let decoded = Pixels::djpeg(&jpeg, &[]).expect("djpeg decodes what was encoded");
    let distance = decoded.distance(&whole);
    assert!(distance < most_distance, "{name}: {distance}");
}

#[test]
fn brightness_is_exactly_what_djpeg_sees_at_an_eighth_of_the_size() {
    let samplings = ["1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2"];
    for (width, height) in [(640, 480), (333, 217), (16, 16), (17, 9), (7, 5), (1, 1)] {
        for sampling in samplings {
            let name = format!("{width}x{height} {sampling}");
            let arguments = ["-quality", "90", "-sample", sampling];
            check(&name, &cjpeg(width, height, &arguments), 9.0);
        }
        for more in [
            &["-grayscale"][..],
            &["-rgb"],
            &["-restart", "1"],
            &["-restart", "3B"],
            &["-optimize"],
            &["-progressive"],
            &["-quality", "20"],
        ] {
            let name = format!("{width}x{height} {more:?}");
            let frame = cjpeg(width, height, &[&["-quality", "90"], more].concat());
            if more == ["-rgb"] {
                continue;
            }
            check(&name, &frame, 9.0);
        }
    }
}

//! Small pictures against libjpeg-turbo's: `djpeg -scale 1/8` computes one sample per block, too.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

use bytes::Bytes;
use mjpeg_codec::{
    Frame,
    repair::{Orientation, Repairs},
    small::{MOST_SAMPLES, NoSmallPicture, SmallEncoder, SmallPicture, SmallReader},
    verify::{Flaw, NotChecked, Verdict},
};
use mjpeg_testkit::jpeg;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

use crate::{corpus, made::Made};

/// Runs a program of libjpeg-turbo on some bytes. Returns what it writes, and whether it complains.
fn libjpeg(program: &str, arguments: &[&str], input: &[u8]) -> (Vec<u8>, bool) {
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
    let is_content = output.status.success() && output.stderr.is_empty();
    (output.stdout, !is_content)
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
        let values = fields
            .next()
            .unwrap()
            .strip_prefix(b"255\n")
            .unwrap()
            .to_vec();
        Self {
            width,
            height,
            values,
        }
    }

    fn djpeg(jpeg: &[u8], arguments: &[&str]) -> Option<Self> {
        let (pnm, complains) = libjpeg("djpeg", &[arguments, &["-nosmooth"]].concat(), jpeg);
        (!complains).then(|| Self::of_pnm(&pnm))
    }

    fn pnm(&self) -> Vec<u8> {
        let Self { width, height, .. } = self;
        let kind = if self.values.len() == width * height {
            5
        } else {
            6
        };
        let mut pnm = format!("P{kind}\n{width} {height}\n255\n").into_bytes();
        pnm.extend(&self.values);
        pnm
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
    // It complains of low qualities.
    let (jpeg, _) = libjpeg("cjpeg", arguments, &ppm(width, height));
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
fn check(name: &str, frame: &Frame) {
    let small = small(frame);
    let (expected, got) = (luma_by_djpeg(frame), luma(&small));
    if frame.sof() == 0xC2 {
        let distance = got.distance(&expected);
        assert!(distance < 1.0, "{name}: {distance}");
    } else {
        assert!(got == expected, "{name}: {}", got.distance(&expected));
    }
    check_encoded(name, frame, &small);
}

/// Checks that the encoded picture is sound, and has nearly the colours that djpeg sees.
#[track_caller]
fn check_encoded(name: &str, frame: &Frame, small: &SmallPicture) {
    let jpeg = small.encode();
    let again = Frame::parse(jpeg.clone()).expect("the encoded picture is a frame");
    assert!(again.displayable(), "{name}");
    assert_eq!(again.verify(), Verdict::Complete { surplus_bytes: 0 });
    assert_eq!(
        (again.width(), again.height()),
        (frame.width().div_ceil(8), frame.height().div_ceil(8))
    );
    // In a tiny picture, djpeg has four colours for each of ours.
    let grey: &[&str] = match frame.width() < 100 {
        true => &["-grayscale"],
        false => &[],
    };
    let scaled = [&["-scale", "1/8"], grey].concat();
    let whole = Pixels::djpeg(frame.bytes(), &scaled).expect("djpeg decodes");
    let decoded = Pixels::djpeg(&jpeg, grey).expect("djpeg decodes what was encoded");
    let distance = decoded.distance(&whole);
    // What cjpeg loses at the same quality; of a few pixels, one more or less matters.
    let (by_cjpeg, _) = libjpeg("cjpeg", &["-quality", "35"], &whole.pnm());
    let by_cjpeg = Pixels::djpeg(&by_cjpeg, &[]).unwrap().distance(&whole);
    let most = by_cjpeg + if frame.width() < 100 { 2.0 } else { 0.5 };
    assert!(distance < most, "{name}: {distance}, {by_cjpeg}");
}

#[test]
fn brightness_is_exactly_what_djpeg_sees_at_an_eighth_of_the_size() {
    let samplings = ["1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2"];
    for (width, height) in [(640, 480), (333, 217), (16, 16), (17, 9), (7, 5), (1, 1)] {
        for sampling in samplings {
            let name = format!("{width}x{height} {sampling}");
            let arguments = ["-quality", "90", "-sample", sampling];
            check(&name, &cjpeg(width, height, &arguments));
        }
        for more in [
            &["-grayscale"][..],
            &["-restart", "1"],
            &["-restart", "3B"],
            &["-optimize"],
            &["-progressive"],
            &["-quality", "20"],
        ] {
            let name = format!("{width}x{height} {more:?}");
            let frame = cjpeg(width, height, &[&["-quality", "90"], more].concat());
            check(&name, &frame);
        }
    }
}

/// The lowest bit, which is in a later scan, is put in at its mean: two levels at this quality.
#[test]
fn progressive_frame_is_neither_brighter_nor_darker() {
    let frame = cjpeg(333, 217, &["-quality", "50", "-progressive"]);
    let mean =
        |samples: &[u8]| samples.iter().map(|&s| f64::from(s)).sum::<f64>() / samples.len() as f64;
    let expected = mean(&luma_by_djpeg(&frame).values);
    let got = small(&frame).luma().mean();
    assert!((got - expected).abs() < 0.4, "{got} instead of {expected}");
}

#[test]
fn rgb_stays_rgb() {
    let frame = cjpeg(333, 217, &["-quality", "90", "-rgb"]);
    // Without the Adobe segment too: libjpeg goes by the identifiers.
    let plain = Frame::parse(without_segment(frame.bytes(), 0xEE)).unwrap();
    for frame in [frame, plain] {
        let small = small(&frame);
        check_encoded("rgb", &frame, &small);
        let whole = Pixels::djpeg(frame.bytes(), &["-scale", "1/8"]).unwrap();
        let green: Vec<u8> = whole.values.iter().skip(1).step_by(3).copied().collect();
        assert_eq!(small.luma().samples(), green);
    }
}

#[test]
fn small_picture_is_shown_as_the_frame_is() {
    let upright = cjpeg(64, 40, &[]);
    for (degrees, mirror) in [(0, true), (90, false), (180, false), (270, true)] {
        let orientation = Orientation::new(degrees, mirror).unwrap();
        let repairs = Repairs::NONE.with_orientation(orientation);
        let (frame, _) = upright.repaired(repairs);
        assert_eq!(Orientation::of(&frame), orientation);
        let small = Frame::parse(small(&frame).encode()).unwrap();
        assert_eq!(Orientation::of(&small), orientation);
        assert_eq!((small.width(), small.height()), (8, 5));
    }
    let small = Frame::parse(small(&upright).encode()).unwrap();
    assert_eq!(Orientation::of(&small), Orientation::UPRIGHT);
}

/// Returns the JPEG without its first segment with this marker, if there is one.
fn without_segment(jpeg: &[u8], marker: u8) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    if let Some(at) = jpeg.windows(2).position(|pair| pair == [0xFF, marker]) {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        jpeg.drain(at..at + 2 + length);
    }
    jpeg
}

/// Replaces bytes wherever they are.
fn replaced(jpeg: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    for at in 0..=jpeg.len() - from.len() {
        if jpeg[at..].starts_with(from) {
            jpeg[at..at + to.len()].copy_from_slice(to);
        }
    }
    jpeg
}

#[test]
fn frame_without_huffman_tables_is_read_with_the_typical_ones() {
    let whole = jpeg::of_length(1, 20_000);
    let bare = Frame::parse(jpeg::without_dht(&whole)).unwrap();
    assert_eq!(small(&bare), small(&Frame::parse(whole).unwrap()));
}

#[test]
fn scans_of_one_component_each_are_the_same_picture() {
    let frame = cjpeg(333, 217, &["-quality", "90"]);
    let script = std::env::temp_dir().join(format!("mjpeg-small-{}.scans", std::process::id()));
    std::fs::write(&script, "0;\n2;\n1;\n").unwrap();
    let arguments = ["-scans", script.to_str().unwrap()];
    let (separate, complains) = libjpeg("jpegtran", &arguments, frame.bytes());
    std::fs::remove_file(script).unwrap();
    assert!(!complains);
    let separate = Frame::parse(separate).unwrap();
    assert_ne!(separate.bytes(), frame.bytes());
    assert_eq!(small(&separate), small(&frame));
}

#[test]
fn frames_that_have_none_say_why() {
    let plain = jpeg::numbered(1);
    let with_sof = |sof| replaced(&plain, &[0xFF, 0xC0], &[0xFF, sof]);
    for (sof, reason) in [
        (0xC3, NotChecked::Lossless),
        (0xC9, NotChecked::Arithmetic),
        (0xC5, NotChecked::Hierarchical),
    ] {
        assert_eq!(refused(with_sof(sof)), NoSmallPicture::Coding(reason));
    }
    let twelve_bits = replaced(&plain, &[0xFF, 0xC0, 0, 17, 8], &[0xFF, 0xC1, 0, 17, 12]);
    assert_eq!(refused(twelve_bits), NoSmallPicture::Precision(12));
    for samplings in [&[0x11; 4][..], &[0x11; 2]] {
        let made = Made {
            samplings,
            ..Made::gray(8, 8)
        };
        let refused = refused(made.frame(&[0b0100_1001, 0b0010_1111]));
        assert_eq!(refused, NoSmallPicture::Components(samplings.len() as u8));
    }
    let unquantized = without_segment(&without_segment(&plain, 0xDB), 0xDB);
    let NoSmallPicture::Damaged(damage) = refused(unquantized) else {
        panic!("not damaged");
    };
    assert_eq!(damage.flaw, Flaw::Header);
    let cut = [&plain[..plain.len() - 100], &[0xFF, 0xD9]].concat();
    let NoSmallPicture::Damaged(damage) = refused(cut) else {
        panic!("not damaged");
    };
    assert_eq!(damage.flaw, Flaw::Truncated);
}

#[test]
fn size_that_the_bytes_cannot_hold_allocates_nothing() {
    // One more row of blocks than the limit, and exactly the limit.
    let frame = |height| Frame::parse(Made::gray(8192, height).frame(&[0x49, 0x2F])).unwrap();
    assert_eq!(
        SmallPicture::from_frame(&frame(8193)),
        Err(NoSmallPicture::TooLarge)
    );
    let NoSmallPicture::Damaged(damage) = SmallPicture::from_frame(&frame(8192)).unwrap_err()
    else {
        panic!("not damaged");
    };
    let outcome = (damage.flaw, damage.mcus, damage.expected_mcus);
    assert_eq!(outcome, (Flaw::Truncated, 0, MOST_SAMPLES));
}

#[test]
fn slices_change_nothing() {
    for frame in [
        cjpeg(333, 217, &["-progressive"]),
        cjpeg(640, 480, &["-sample", "2x1", "-restart", "2"]),
    ] {
        let mut reader = SmallReader::new(&frame);
        let read = std::iter::repeat_with(|| reader.step(1)).find_map(|read| read);
        let read = read.unwrap().unwrap();
        assert_eq!(read, small(&frame));
        assert!(reader.step(1).is_none());
        let mut encoder = SmallEncoder::new(&read);
        let mut slices = 0;
        let jpeg = std::iter::repeat_with(|| encoder.step(1)).inspect(|_| slices += 1);
        assert_eq!(jpeg.flatten().next(), Some(read.encode()));
        assert!(slices > 5);
        assert!(encoder.step(1).is_none());
    }
}

/// A picture of the shortest blocks is read in slices, too, each of which does a bounded part.
#[test]
fn frame_made_to_take_long_is_read_in_slices() {
    let blocks = 1 << 20;
    let head = Made::gray(8192, 8192).frame(&[]);
    let dqt = [&[0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
    let (soi, rest) = head[..head.len() - 2].split_at(2);
    // Eight blocks in three bytes.
    let scan = [0x49, 0x24, 0x92].repeat(blocks / 8);
    let frame = Frame::parse([soi, &dqt, rest, &scan, &[0xFF, 0xD9]].concat()).unwrap();
    let mut reader = SmallReader::new(&frame);
    let mut slices = 1;
    let read = loop {
        match reader.step(500_000) {
            Some(read) => break read.unwrap(),
            None => slices += 1,
        }
    };
    assert!(slices > 15, "{slices}");
    assert_eq!(read.memory_bytes(), blocks);
    let mut encoder = SmallEncoder::new(&read);
    slices = 1;
    while encoder.step(500_000).is_none() {
        slices += 1;
    }
    assert!(slices > 8, "{slices}");
}

/// Other decoders read what was encoded like djpeg does.
#[test]
fn other_decoders_read_the_encoded_picture() {
    let rgb = cjpeg(333, 217, &["-quality", "90", "-rgb"]);
    let grey = cjpeg(100, 60, &["-grayscale"]);
    for frame in [cjpeg(1920, 1080, &["-sample", "2x2"]), rgb, grey] {
        let jpeg = small(&frame).encode();
        let by_djpeg = Pixels::djpeg(&jpeg, &["-rgb"]).unwrap();
        let mut decoder = JpegDecoder::new(ZCursor::new(&jpeg[..]));
        let by_zune = Pixels {
            values: decoder.decode().expect("zune-jpeg decodes"),
            ..by_djpeg
        };
        let distance = by_zune.distance(&by_djpeg);
        assert!(distance < 3.0, "{distance}");
        assert!(ffmpeg_decodes(&jpeg, by_djpeg.width, by_djpeg.height));
    }
}

/// Whether ffmpeg decodes a JPEG without an error.
fn ffmpeg_decodes(jpeg: &[u8], width: usize, height: usize) -> bool {
    let arguments = "-v error -f mjpeg -i - -f rawvideo -pix_fmt gray -";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let (pixels, complains) = libjpeg("ffmpeg", &arguments, jpeg);
    !complains && pixels.len() == width * height
}

/// Each sound frame of real cameras and encoders has a small picture, whose brightness is exactly
/// djpeg's, or the reason why it has none is right.
#[test]
fn corpus_frames_have_the_brightness_that_djpeg_sees() {
    let Some(names) = corpus::names() else {
        return;
    };
    let (mut exact, mut none) = (0, 0);
    let frames = names.iter().flat_map(|name| {
        // A few of each stream: djpeg takes its time.
        let frames = corpus::frames(name).into_iter().take(5);
        frames.map(move |frame| (name, Frame::parse(frame).unwrap()))
    });
    for (name, frame) in frames {
        let Some(expected) = Pixels::djpeg(frame.bytes(), &["-scale", "1/8", "-grayscale"]) else {
            continue;
        };
        match SmallPicture::from_frame(&frame) {
            Ok(small) if frame.sof() == 0xC2 => {
                assert!(luma(&small).distance(&expected) < 1.5, "{name}");
                exact += 1;
            }
            Ok(small) => {
                assert!(luma(&small) == expected, "{name}");
                exact += 1;
            }
            Err(reason) => {
                let is_right = matches!(
                    reason,
                    NoSmallPicture::Coding(_) | NoSmallPicture::Components(_)
                );
                assert!(is_right, "{name}: {reason}");
                none += 1;
            }
        }
    }
    assert!(exact > 100, "{exact} have one, {none} have none");
}

/// A wall of a hundred small tiles, each with two pictures a second, takes less than 1 MB per
/// second: pictures of real cameras, as cameras of 1080p would send them.
#[test]
fn small_pictures_of_real_cameras_have_five_kilobytes_at_most() {
    let Some(names) = corpus::names() else {
        return;
    };
    let is_camera = |name: &&String| {
        let of = ["cam_", "esp32_ov", "mpf_", "webcam_"];
        of.iter().any(|kind| name.starts_with(kind))
    };
    let arguments = "-v quiet -f mjpeg -i - -frames:v 1 -vf scale=1920:1080 -pix_fmt yuvj420p \
                     -q:v 4 -f mjpeg -";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let sizes: Vec<usize> = names
        .iter()
        .filter(is_camera)
        .filter_map(|name| {
            let first = corpus::frames(name).into_iter().next()?;
            let (scaled, _) = libjpeg("ffmpeg", &arguments, &first);
            Some(small(&Frame::parse(scaled).ok()?).encode().len())
        })
        .collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!(sizes.len() > 5 && mean < 5000, "{mean}: {sizes:?}");
}

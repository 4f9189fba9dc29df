//! Streams of small whole frames: none is ever lost, whatever their size, coding and framing.

use std::{fs, path::Path};

use bytes::Bytes;
use mjpeg_codec::{DiscardReason, Found, Frame, Splitter, multipart::Parser};
use proptest::prelude::*;

use crate::corpus;

/// Reads a stream that is one block again and again. Checks the frames of each block, and that
/// nothing but framing and text is discarded.
#[track_caller]
fn read_again_and_again(style: &Style, frames: &[Bytes], count: usize) {
    let block: Vec<u8> = (0..)
        .zip(frames)
        .flat_map(|(n, frame)| (style.part)(n, frame))
        .collect();
    let block = Bytes::from(block);
    let mut reader = Reader::new(style);
    let mut found = 0;
    while found < count {
        reader.push(block.clone());
        while let Some(event) = reader.poll() {
            match event {
                Found::Frame(frame) => {
                    let expected = &frames[found % frames.len()];
                    assert!(frame.bytes() == expected, "{}: frame {found}", style.name);
                    found += 1;
                }
                Found::Discarded { reason, range } => assert!(
                    reason == DiscardReason::Framing || reason == DiscardReason::NotJpeg,
                    "{}: {reason} {range:?} after {found} frames",
                    style.name
                ),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(found % frames.len(), 0, "{}", style.name);
}

enum Reader {
    Raw(Box<Splitter>),
    Parts(Box<Parser>),
}

impl Reader {
    fn new(style: &Style) -> Self {
        match style.name {
            "raw" => Self::Raw(Box::default()),
            _ => Self::Parts(Box::default()),
        }
    }

    fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Raw(splitter) => splitter.push(chunk),
            Self::Parts(parser) => parser.push(chunk),
        }
    }

    fn poll(&mut self) -> Option<Found> {
        match self {
            Self::Raw(splitter) => splitter.poll(),
            Self::Parts(parser) => parser.poll(),
        }
    }
}

/// How a server frames its pictures.
struct Style {
    name: &'static str,
    part: fn(usize, &[u8]) -> Vec<u8>,
}

static STYLES: [Style; 14] = [
    Style {
        name: "raw",
        part: |_, image| image.to_vec(),
    },
    Style {
        name: "mjpg-streamer",
        part: |n, image| part("", &[TYPE, &length(image), &time(n)], image, "\r\n--B\r\n"),
    },
    Style {
        name: "ustreamer with extra headers",
        part: |n, image| {
            let extra: Vec<String> = (0..14)
                .map(|i| format!("X-UStreamer-Extra-{i}: {n}.000001"))
                .collect();
            let extra = extra.join("\r\n");
            let headers = [TYPE, &length(image), &time(n), &extra];
            part("", &headers, image, "\r\n--boundarydonotcross\r\n")
        },
    },
    Style {
        name: "ustreamer with advance headers",
        part: |n, image| {
            let end = [
                "\r\n--boundarydonotcross\r\n",
                TYPE,
                "\r\n",
                &time(n),
                "\r\n\r\n",
            ]
            .concat();
            [image, end.as_bytes()].concat()
        },
    },
    Style {
        name: "ESP32",
        part: |n, image| {
            let headers = [TYPE, &length(image), "X-Framerate: 60", &time(n)];
            part(
                "\r\n--123456789000000000000987654321\r\n",
                &headers,
                image,
                "",
            )
        },
    },
    Style {
        name: "go2rtc",
        part: |_, image| part("--frame\r\n", &[TYPE, &length(image)], image, "\r\n"),
    },
    Style {
        name: "motion",
        part: |_, image| {
            let length = format!("Content-Length: {:9}", image.len());
            let headers = ["Content-type: image/jpeg", &length];
            part("--BoundaryString\r\n", &headers, image, "\r\n")
        },
    },
    Style {
        name: "mjpeg-proxy",
        part: |_, image| {
            let headers = [&length(image), TYPE];
            part(
                "--0123456789abcdef0123456789abcdef\r\n",
                &headers,
                image,
                "",
            )
        },
    },
    Style {
        name: "LF only",
        part: |n, image| {
            let head = format!("\n--frame\n{TYPE}\nX-Timestamp: {n}.5\n\n");
            [head.as_bytes(), image].concat()
        },
    },
    Style {
        name: "boundary only",
        part: |_, image| [b"--frame\r\n\r\n", image, b"\r\n"].concat(),
    },
    Style {
        name: "headers only",
        part: |_, image| part("", &[TYPE, &length(image)], image, "\r\n"),
    },
    Style {
        name: "sixty headers",
        part: |n, image| {
            let lines: Vec<String> = (0..60).map(|i| format!("X-Header-{i}: {n}")).collect();
            part("--frame\r\n", &[TYPE, &lines.join("\r\n")], image, "\r\n")
        },
    },
    Style {
        name: "text of many lines",
        part: |_, image| {
            let lines = "temperature 21.5\r\n".repeat(40);
            let text = format!("--frame\r\nContent-Type: text/plain\r\n\r\n{lines}");
            let head = part("--frame\r\n", &[TYPE, &length(image)], image, "\r\n");
            [text.as_bytes(), &head].concat()
        },
    },
    Style {
        name: "blank lines and a closing boundary each time",
        part: |_, image| {
            part(
                "\r\n\r\n\r\n--f\r\n",
                &[TYPE],
                image,
                "\r\n\r\n--f--\r\n\r\n",
            )
        },
    },
];

const TYPE: &str = "Content-Type: image/jpeg";

fn length(image: &[u8]) -> String {
    format!("Content-Length: {}", image.len())
}

fn time(n: usize) -> String {
    format!("X-Timestamp: {n}.000123")
}

fn part(before: &str, headers: &[&str], image: &[u8], after: &str) -> Vec<u8> {
    let head = format!("{before}{}\r\n\r\n", headers.join("\r\n"));
    [head.as_bytes(), image, after.as_bytes()].concat()
}

/// Makes a displayable frame of about this length.
fn frame(coding: usize, len: usize) -> Bytes {
    let sof = |code: u8, components: u8| {
        let mut sof = vec![
            0xFF,
            code,
            0,
            8 + 3 * components,
            8,
            0,
            24,
            0,
            32,
            components,
        ];
        (0..components).for_each(|id| sof.extend([id, 0x11, 0]));
        sof
    };
    let sos = |component: u8| [0xFF, 0xDA, 0, 8, 1, component, 0, 0, 63, 0];
    let jfif = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    let mut frame = vec![0xFF, 0xD8];
    match coding % 5 {
        0 => frame.extend([&sof(0xC0, 1)[..], &sos(0)].concat()),
        1 => frame.extend([&jfif[..], &sof(0xC0, 1), &sos(0)].concat()),
        // Many small segments.
        2 => {
            frame.extend(jfif);
            frame.extend([0xFF, 0xFE, 0, 3, b'x'].repeat(8));
            frame.extend([0xFF, 0xDD, 0, 4, 0, 1]);
            frame.extend([&sof(0xC1, 3)[..], &sos(0), &[0x5A, 0xFF, 0xD0, 0x5A]].concat());
        }
        // Progressive, with a scan every few bytes.
        3 => {
            frame.extend(sof(0xC2, 1));
            (0..10).for_each(|_| frame.extend([&sos(0)[..], &[0x5A]].concat()));
        }
        _ => {
            frame.extend(sof(0xC0, 3));
            (0..3).for_each(|id| frame.extend([&sos(id)[..], &[0x5A]].concat()));
        }
    }
    frame.resize(frame.len().max(len.saturating_sub(2)), 0x5A);
    frame.extend([0xFF, 0xD9]);
    let frame = Bytes::from(frame);
    assert!(Frame::parse(frame.clone()).unwrap().displayable());
    frame
}

/// Frames of cameras, if there are any beside the checkout.
fn frames_of_cameras() -> Vec<Bytes> {
    let names = corpus::names().unwrap_or_default();
    let frames = names.iter().flat_map(|name| corpus::frames(name));
    let is_small = |frame: &Vec<u8>| frame.len() <= 4096;
    let frames = frames.filter(is_small).map(Bytes::from);
    let displayable = |frame: &Bytes| Frame::parse(frame.clone()).unwrap().displayable();
    frames.filter(displayable).collect()
}

fn data(name: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(folder.join(name)).unwrap().into()
}

/// All styles, with frames of all kinds; this many of each.
fn all_styles(count: usize) {
    let small: Vec<Bytes> = (0..50).map(|coding| frame(coding, 100)).collect();
    let esp32 = vec![data("esp32_96x96.jpg"); 50];
    let cameras = frames_of_cameras();
    for style in &STYLES {
        for frames in [&small, &esp32, &cameras] {
            if !frames.is_empty() {
                read_again_and_again(style, frames, count);
            }
        }
    }
}

#[test]
fn no_frame_of_any_style_is_lost() {
    all_styles(2_500);
}

/// The same for a million frames: `cargo nextest run --release -p mjpeg-codec --run-ignored all
/// million`.
#[test]
#[ignore = "takes a minute in release"]
fn no_frame_of_a_million_is_lost() {
    all_styles(25_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_frame_of_any_length_and_coding_is_lost(
        style in 0..STYLES.len(),
        kinds in proptest::collection::vec((0usize..5, 100usize..4_000), 1..40),
    ) {
        let frames: Vec<Bytes> = kinds.iter().map(|&(coding, len)| frame(coding, len)).collect();
        read_again_and_again(&STYLES[style], &frames, 2_000);
    }
}

#[test]
fn grey_pictures_with_optimized_tables_are_no_flood() {
    let stream = data("gray_32x24_optimized.mjpeg");
    let mut splitter = Splitter::default();
    let mut frames = 0;
    for _ in 0..5_000 {
        splitter.push(stream.clone());
        while let Some(event) = splitter.poll() {
            assert!(matches!(event, Found::Frame(_)), "{event:?}");
            frames += 1;
        }
    }
    assert_eq!(frames, 40_000);
}

/// A flood draws on the allowance, and the small frames behind it do not suffer for it.
#[test]
fn no_frame_behind_a_flood_is_lost() {
    let flood = [0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF].repeat(100_000);
    for style in &STYLES {
        let mut reader = Reader::new(style);
        reader.push(flood.clone().into());
        // The flood may claim the first of them as the contents of its last segment.
        reader.push(vec![0; 70_000].into());
        let frames: Vec<Bytes> = (0..200).map(|coding| frame(coding, 100)).collect();
        let parts: Vec<u8> = (0..)
            .zip(&frames)
            .flat_map(|(n, frame)| (style.part)(n, frame))
            .collect();
        reader.push(parts.into());
        let mut found = Vec::new();
        let mut flood = 0;
        while let Some(event) = reader.poll() {
            match event {
                Found::Frame(frame) => found.push(frame.into_bytes()),
                Found::Discarded {
                    reason: DiscardReason::Flood,
                    range,
                } => {
                    flood += range.end - range.start;
                }
                _ => {}
            }
        }
        assert!(found == frames, "{}: {} frames", style.name, found.len());
        assert!(flood > 300_000, "{}: {flood}", style.name);
    }
}

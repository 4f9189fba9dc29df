//! What a part may hold: one image, or none; and what is passed over.

use std::{fs, path::Path};

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason::*,
    Found, Splitter, SplitterConfig,
    multipart::{Parser, ParserConfig},
};
use mjpeg_testkit::jpeg;
use proptest::{collection::vec, prelude::*};

use crate::check::{Discarded, Expected, Part, Told, check_parts, frames_in, parts};

/// A delimiter and headers with a timestamp of `n` seconds.
fn head(n: u64) -> Vec<u8> {
    format!("--frame\r\nX-Timestamp: {n}.0\r\n\r\n").into_bytes()
}

fn typed(media_type: &str) -> Vec<u8> {
    format!("--frame\r\nContent-Type: {media_type}\r\n\r\n").into_bytes()
}

fn told(n: u64) -> Told {
    Told {
        timestamp: Some(std::time::Duration::from_secs(n)),
        ..Told::default()
    }
}

#[test]
fn first_image_of_a_part_is_the_picture() {
    let (a, preview, b) = (jpeg::numbered(1), jpeg::numbered(2), jpeg::numbered(3));
    let stream = [&head(1)[..], &a[..], &preview, b"\r\n", &head(3), &b].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Part(a, told(1)),
        Discarded(ExtraImage, preview.len() + 2),
        Discarded(Framing, head(3).len()),
        Part(b, told(3)),
    ];
    check_parts(&stream, &expected);
}

#[test]
fn second_image_of_a_multi_picture_file_is_passed_over() {
    // CIPA DC-007: an APP2 segment in the first image; the others follow, perhaps after padding.
    let first = jpeg::with_segment(&jpeg::numbered(1), 0xE2, b"MPF\0II*\0\x08\0\0\0\0\0");
    let second = jpeg::numbered(2);
    let stream = [
        &head(1)[..],
        &first[..],
        &[0; 6],
        &second,
        b"\r\n",
        &head(2),
    ]
    .concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Part(first, told(1)),
        Discarded(Garbage, 6),
        Discarded(ExtraImage, second.len() + 2),
        Discarded(Framing, head(2).len()),
    ];
    check_parts(&stream, &expected);
}

/// A trailer that only looks like the beginning of an image holds up nothing.
#[test]
fn picture_behind_a_trailer_comes_out_at_once() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let trailer = [0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xF0, 1, 2, 3];
    let mut parser = Parser::default();
    let mut frames = |bytes: Vec<u8>| {
        parser.push(bytes);
        let found: Vec<_> = std::iter::from_fn(|| parser.poll()).collect();
        let is_frame = |found: &&Found| matches!(found, Found::Frame(_));
        found.iter().filter(is_frame).count()
    };
    assert_eq!(frames([&head(1)[..], &a, &trailer].concat()), 1);
    assert_eq!(frames([b"\r\n", &head(2)[..], &b].concat()), 1);
}

#[test]
fn image_behind_a_broken_one_is_the_picture_of_the_part() {
    let (a, b) = (jpeg::of_length(1, 3000), jpeg::numbered(2));
    let cut = a.slice(..1500);
    let stream = [&head(1)[..], &cut, &b].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Discarded(Truncated, cut.len()),
        // It may have swallowed the headers of the next.
        Part(b, Told::default()),
    ];
    check_parts(&stream, &expected);
}

/// A camera that sends one head, and then pictures without end, loses some at the start.
#[test]
fn pictures_without_delimiters_are_back_after_a_megabyte() {
    let frame = jpeg::of_length(1, 10_000);
    let stream = [&head(1)[..], &frame.repeat(150)].concat();
    let events = parts(&ParserConfig::default(), stream.chunks(1460));
    let frames = frames_in(&events);
    assert!(frames.len() > 40, "{}", frames.len());
    assert!(frames.iter().all(|found| *found == frame));
}

#[test]
fn sound_that_looks_like_an_image_is_passed_over() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    for sound in [
        &b"\x7F\x7F\xFF\xD8\xFF\xFE\x7E\x7E\x7E\x7E"[..],
        b"\xFF\xD8\xFF\xE0\xFF\xFF",
        b"\n\xFF\xD8\xFF\xDB\0\x43\n\n",
        b"",
    ] {
        let audio = typed("audio/basic");
        let stream = [
            &head(1)[..],
            &a,
            b"\r\n",
            &audio,
            sound,
            b"\r\n",
            &head(2),
            &b,
        ]
        .concat();
        let mut expected = vec![
            Discarded(Framing, head(1).len()),
            Part(a.clone(), told(1)),
            Discarded(Framing, 2 + audio.len()),
            Discarded(NotJpeg, sound.len() + 2),
        ];
        expected.extend([Discarded(Framing, head(2).len()), Part(b.clone(), told(2))]);
        check_parts(&stream, &expected);
    }
}

#[test]
fn recorded_sound_holds_up_no_picture() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio_with_false_soi.body");
    let stream = fs::read(data).unwrap();
    let mut parser = Parser::default();
    let (mut frames, mut pushed) = (0, 0_u64);
    for &byte in &stream {
        parser.push(vec![byte]);
        pushed += 1;
        while let Some(found) = parser.poll() {
            if let Found::Frame(frame) = found {
                frames += 1;
                let end = frame.offset() + frame.bytes().len() as u64;
                assert_eq!(end, pushed, "not held up");
                assert_eq!(parser.headers().content_type(), Some("image/jpeg"));
            }
        }
    }
    assert_eq!(frames, 4);
}

#[test]
fn text_and_data_that_hold_an_image_are_passed_over() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    for media_type in ["text/html", "application/json; x=y", "APPLICATION/xml"] {
        let head_of_text = typed(media_type);
        let body = [b"{", &b[..], b"}\r\n"].concat();
        let stream = [&head_of_text[..], &body, &head(1), &a].concat();
        let expected = [
            Discarded(Framing, head_of_text.len()),
            Discarded(NotJpeg, body.len()),
            Discarded(Framing, head(1).len()),
            Part(a.clone(), told(1)),
        ];
        check_parts(&stream, &expected);
    }
}

/// Whatever length the part states, and whatever of the framing behind it is missing.
#[test]
fn part_without_an_image_never_swallows_the_picture_behind_it() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let sound = [&b"\xFF\xD8\xFF\xFE\x7F\xFF"[..], &[0x7F; 394]].concat();
    for length in [0, 10, 399, 400, 401, 402, 2_000, 1_u64 << 40] {
        for framing in [
            "\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n",
            "--frame\r\nContent-Type: image/jpeg\r\n\r\n",
            "\r\nContent-Type: image/jpeg\r\n\r\n",
            "\n--frame\n\n",
            "--frame\r\n\r\n",
        ] {
            let audio =
                format!("--frame\r\nContent-Type: audio/basic\r\nContent-Length: {length}\r\n\r\n");
            let stream = [
                &head(1)[..],
                &a,
                b"\r\n",
                audio.as_bytes(),
                &sound,
                framing.as_bytes(),
                &b,
            ]
            .concat();
            let events = parts(&ParserConfig::default(), stream.chunks(7));
            let frames = frames_in(&events);
            assert!(frames == [a.clone(), b.clone()], "{length} {framing:?}");
        }
    }
}

/// What a part of a well-formed stream holds.
#[derive(Clone, Debug)]
enum Content {
    Image(u32),
    /// An image, and something behind it.
    WithExtra(u32, Vec<u8>),
    Sound(Vec<u8>),
    Text(Vec<u8>),
}

fn content() -> impl Strategy<Value = Content> {
    let byte = prop_oneof![3 => any::<u8>(), 1 => Just(0xFF), 1 => Just(0xD8), 1 => Just(0xE0)];
    // Without line breaks, behind which a delimiter could follow by chance.
    let bytes = || vec(byte.clone().prop_filter("no line", |b| *b != b'\n'), 0..60);
    let extra = prop_oneof![
        bytes(),
        (0u32..9).prop_map(|n| jpeg::numbered(n).to_vec()),
        (0u32..9, bytes()).prop_map(|(n, pad)| [&pad[..], &jpeg::numbered(n)].concat()),
    ];
    prop_oneof![
        3 => (0u32..9).prop_map(Content::Image),
        2 => (0u32..9, extra).prop_map(|(n, extra)| Content::WithExtra(n, extra)),
        1 => bytes().prop_map(Content::Sound),
        1 => bytes().prop_map(Content::Text),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pictures_are_the_first_images_of_the_parts_that_hold_images(
        contents in vec(content(), 1..12),
        size in 1usize..3000,
    ) {
        let mut stream = Vec::new();
        let mut pictures = Vec::new();
        for content in contents {
            let (media_type, body) = match content {
                Content::Image(n) => ("image/jpeg", jpeg::numbered(n)),
                Content::WithExtra(n, extra) => {
                    ("image/jpeg", Bytes::from([&jpeg::numbered(n)[..], &extra].concat()))
                }
                Content::Sound(bytes) => ("audio/basic", bytes.into()),
                // An image at its beginning is one.
                Content::Text(bytes) => ("text/plain", [b"-", &bytes[..]].concat().into()),
            };
            if media_type == "image/jpeg" {
                pictures.push(mjpeg_codec::Frame::parse_prefix(body.clone()).unwrap().into_bytes());
            }
            stream.extend([&typed(media_type), &body[..], b"\r\n"].concat());
        }
        stream.extend(b"--frame--\r\n");
        let events = parts(&ParserConfig::default(), stream.chunks(size));
        prop_assert_eq!(frames_in(&events), pictures);
        let is_lost = |e: &Expected| matches!(e, Discarded(reason, _) if reason.is_frame());
        prop_assert!(!events.iter().any(is_lost));
    }
}

#[test]
fn only_the_first_frame_of_a_stream_comes_out_if_only_that_is_wanted() {
    let (a, preview) = (jpeg::numbered(1), jpeg::numbered(2));
    let stream = [b"\0\0", &a[..], &[7; 9], &preview].concat();
    let config = SplitterConfig::default().with_only_first(true);
    let expected = [
        Discarded(Garbage, 2),
        crate::check::Frame(a.clone()),
        Discarded(ExtraImage, 9 + preview.len()),
    ];
    crate::check::check_with(config.clone(), &stream, &expected);
    // The next stream has a first frame again.
    let mut splitter = Splitter::new(config);
    for _ in 0..3 {
        splitter.push(stream.clone());
        splitter.finish();
        let found: Vec<_> = std::iter::from_fn(|| splitter.poll()).collect();
        let is_a = |found: &Found| matches!(found, Found::Frame(frame) if *frame.bytes() == a);
        assert_eq!(found.len(), 3);
        assert!(is_a(&found[1]));
    }
}

//! Three readers that cannot read everything that JPEG and multipart allow: the viewers of Mainsail
//! and Fluidd, and Home Assistant's still images. `tests/consumers` holds them, rewritten from a
//! description of their behaviour.

use std::slice;

use bytes::Bytes;
use mjpeg_codec::{
    Frame,
    multipart::{Boundary, Layout, PartHeaders, render},
    repair::Repairs,
};
use mjpeg_testkit::jpeg;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

use crate::{
    corpus,
    naive::{self, insert_before, pieces, segment},
    programs::{Body, FLUIDD, HOME_ASSISTANT, MAINSAIL, Seen},
};

#[test]
fn repaired_frames_reach_every_consumer_whole() {
    let plain = jpeg::numbered(1);
    let mut frames: Vec<Bytes> = (0..10)
        .flat_map(|n| [with_thumbnail(n), webcam(n), jpeg::numbered(n)])
        .collect();
    frames.extend([
        jpeg::with_thumbnail(&webcam(1), &plain),
        jpeg::with_thumbnail(&jpeg::of_length(2, 200_000), &jpeg::of_length(3, 40_000)),
        jpeg::with_thumbnail(&jpeg::progressive(4), &jpeg::progressive(5)),
        insert_before(&plain, 0xDA, 0, &segment(0xFE, b"\xFF\xD9\xFF\xD8\xFF")),
        jpeg::with_restarts(6, 4),
    ]);
    let mut frames: Vec<Frame> = frames.into_iter().map(parse).collect();
    let closed = with_thumbnail(1);
    let open = naive::frame(&closed[..closed.len() - 2]);
    frames.insert(5, open);
    check(&frames);
}

/// Frames of real cameras with embedded JPEGs or without Huffman tables.
#[test]
fn repaired_corpus_frames_reach_every_consumer_whole() {
    const NAMES: [&str; 6] = [
        "avi1_nodht_generated",
        "avi_canon_nodht",
        "cam_exif_small",
        "meta_heavy",
        "nested_in_segments",
        "webcam_nodht",
    ];
    if corpus::names().is_none() {
        return;
    }
    for name in NAMES {
        let frames: Vec<Frame> = corpus::frames(name).into_iter().map(parse).collect();
        eprintln!("{name}: {} frames", frames.len());
        check(&frames);
    }
}

/// The reason for the repair, and the proof that the tests above can fail.
#[test]
fn frames_with_thumbnails_are_misread_unless_repaired() {
    let frames: Vec<Bytes> = (0..10).map(with_thumbnail).collect();
    let body = body(&frames);
    let seen = MAINSAIL.read(slice::from_ref(&body));
    assert_eq!(count(&seen[0], &frames), (0, 10));
    for (stills, frame) in HOME_ASSISTANT.read(&each(&body)).iter().zip(&frames) {
        let still = &stills[0].frame;
        assert!(still.len() < frame.len() && frame.starts_with(still));
    }
}

#[test]
fn frames_without_tables_do_not_decode_unless_repaired() {
    let bare = [jpeg::without_dht(&jpeg::numbered(1))];
    let seen = MAINSAIL.read(&[body(&bare)]);
    assert_eq!(seen[0][0].frame, bare[0]);
    assert!(!has_tables(&bare[0]) && !decodes(&bare[0]));
}

/// Ten frames in each form that servers were seen to send. The numbers of whole and corrupt frames
/// were measured with the real viewers; the rewritten ones must do no better.
#[test]
fn viewers_stumble_where_the_real_ones_do() {
    let frames: Vec<Bytes> = (0..10).map(jpeg::numbered).collect();
    let thumbnails: Vec<Bytes> = (0..10).map(with_thumbnail).collect();
    let usual = body(&frames);
    let form = |part: fn(&Bytes) -> Vec<u8>| {
        let parts = frames.iter().map(|frame| part(frame).into());
        Body::new([usual.reads[0].clone()].into_iter().chain(parts).collect())
    };

    let mut leading = usual.clone();
    let last = leading.reads[10].len() - leading.reads[0].len();
    leading.reads[10].truncate(last);
    let mut quoted = usual.clone();
    quoted.content_type = "multipart/x-mixed-replace;boundary=\"boundarydonotcross\"".into();
    let mut dashed = usual.clone();
    dashed.content_type = "multipart/x-mixed-replace;boundary=--boundarydonotcross".into();
    let no_length = form(|jpeg| part("Content-Type: image/jpeg", jpeg, "\r\n"));
    let mut no_opening = usual.clone();
    no_opening.reads.remove(0);
    let lines = form(|jpeg| part(&format!("Content-Length: {}", jpeg.len()), jpeg, "\n"));
    let mut headers = form(|jpeg| {
        let (long, length) = ("x".repeat(300), jpeg.len());
        let head = format!("x-long: {long}\r\ncontent-length: {length}\r\nX-Timestamp: 1.5");
        part(&head, jpeg, "\r\n")
    });
    headers.reads.push("--boundarydonotcross--\r\n".into());
    let mut split = usual.clone();
    for i in 1..=10 {
        let soi = split.reads[2 * i - 1]
            .windows(2)
            .position(|w| w == [0xFF, 0xD8]);
        let tail = split.reads[2 * i - 1].split_off(soi.unwrap() + 1);
        split.reads.insert(2 * i, tail);
    }
    let mut empty = usual.clone();
    empty.reads.insert(6, body(&[Bytes::new()]).reads.remove(1));
    let mut truncated = usual.clone();
    truncated.reads[6] = body(&[frames[5].slice(..700)]).reads.remove(1);

    let rows = [
        ("as we send it", usual, (10, 0), (10, 0)),
        ("delimiter before the part only", leading, (10, 0), (9, 0)),
        ("boundary quoted", quoted, (10, 0), (0, 0)),
        ("boundary declared with dashes", dashed, (10, 0), (0, 0)),
        ("no Content-Length", no_length, (0, 0), (10, 0)),
        ("no first delimiter", no_opening, (10, 0), (9, 0)),
        ("LF instead of CRLF", lines, (10, 0), (0, 0)),
        ("odd headers", headers, (10, 0), (10, 0)),
        ("SOI split over two reads", split, (0, 0), (10, 0)),
        ("an empty part", empty, (10, 0), (10, 1)),
        ("a truncated frame", truncated, (9, 1), (9, 1)),
        ("thumbnails", body(&thumbnails), (0, 10), (10, 0)),
    ];
    let bodies: Vec<Body> = rows.iter().map(|(_, body, ..)| body.clone()).collect();
    let (by_mainsail, by_fluidd) = (MAINSAIL.read(&bodies), by_fluidd(&bodies));
    let sent = [frames, thumbnails].concat();
    for (i, (form, _, mainsail, fluidd)) in rows.into_iter().enumerate() {
        assert_eq!(count(&by_mainsail[i], &sent), mainsail, "Mainsail, {form}");
        assert_eq!(count(&by_fluidd[i], &sent), fluidd, "Fluidd, {form}");
    }
}

/// Repairs frames, sends them, and checks that the consumers get them and that each decodes.
fn check(frames: &[Frame]) {
    let repaired = frames.iter().map(|f| f.repaired(Repairs::RECOMMENDED).0);
    let sent: Vec<Bytes> = repaired.map(Frame::into_bytes).collect();
    for (i, frame) in sent.iter().enumerate() {
        assert!(has_tables(frame), "frame {i} has no Huffman tables");
        assert!(decodes(frame), "frame {i} does not decode");
    }
    let body = body(&sent);
    let bodies = [body.clone(), in_segments(&body), in_full_buffers(&body)];
    for by_viewer in [MAINSAIL.read(&bodies), by_fluidd(&bodies)] {
        for seen in &by_viewer {
            assert_eq!(count(seen, &sent), (sent.len(), 0));
            assert!(seen.iter().map(|s| &s.frame).eq(&sent), "out of order");
        }
        // After the opening, each read is a part: no frame is shown later than its own.
        let reads = by_viewer[0].iter().map(|seen| seen.read);
        assert!(reads.eq(1..=sent.len()));
    }
    let mut bodies = each(&body);
    bodies.extend(each(&body).iter().map(in_full_buffers));
    let stills = HOME_ASSISTANT.read(&bodies);
    for (i, frame) in (0..sent.len()).chain(0..sent.len()).zip(&stills) {
        assert!(frame[0].frame == sent[i], "the still is not frame {i}");
    }
}

/// Renders a body of these images, with one part per read.
fn body(images: &[Bytes]) -> Body {
    let boundary = Boundary::default();
    let headers = PartHeaders::default();
    let parts = images
        .iter()
        .map(|jpeg| render(&boundary, &headers, jpeg).bytes(Layout::Trailing));
    Body::new(
        [boundary.opening(Layout::Trailing)]
            .into_iter()
            .chain(parts)
            .collect(),
    )
}

/// Reads for a client that keeps up, over a network: each part arrives in its own segments, with
/// headers and SOI in the first.
fn in_segments(body: &Body) -> Body {
    let parts = body.reads.iter();
    let segments = parts.flat_map(|part| part.chunks(1460).map(|s| part.slice_ref(s)));
    Body::new(segments.collect())
}

/// Reads for a client that lags: buffers of 64 KiB, whatever they cut. Mainsail loses a frame if a
/// buffer ends inside its SOI, which no server can prevent. Here a buffer ends before such an SOI.
fn in_full_buffers(body: &Body) -> Body {
    let mut rest = Bytes::from(body.reads.concat());
    let mut reads = Vec::new();
    while !rest.is_empty() {
        let mut len = rest.len().min(64 << 10);
        if rest[len - 1..].starts_with(&[0xFF, 0xD8]) {
            len -= 1;
        }
        reads.push(rest.split_to(len));
    }
    Body::new(reads)
}

/// Renders a body for each frame, for a client that connects just before it.
fn each(body: &Body) -> Vec<Body> {
    let (opening, parts) = body.reads.split_first().unwrap();
    let from = |i: usize| parts[i..].iter().take(2);
    let body = |i| Body::new([opening].into_iter().chain(from(i)).cloned().collect());
    (0..parts.len()).map(body).collect()
}

/// Renders a part whose lines end with `line_end`.
fn part(head: &str, jpeg: &[u8], line_end: &str) -> Vec<u8> {
    let head = format!("{head}{line_end}{line_end}");
    let tail = format!("{line_end}--boundarydonotcross{line_end}");
    [head.as_bytes(), jpeg, tail.as_bytes()].concat()
}

/// Removes the line end before the delimiter. Fluidd leaves it on the frame; decoders ignore it
/// there.
fn by_fluidd(bodies: &[Body]) -> Vec<Vec<Seen>> {
    let mut by_fluidd = FLUIDD.read(bodies);
    for seen in by_fluidd.iter_mut().flatten() {
        assert!(seen.frame.ends_with(b"\r\n"));
        seen.frame.truncate(seen.frame.len() - 2);
    }
    by_fluidd
}

/// Counts how many of these were sent, and how many were not.
fn count(seen: &[Seen], sent: &[Bytes]) -> (usize, usize) {
    let whole = seen.iter().filter(|s| sent.contains(&s.frame)).count();
    (whole, seen.len() - whole)
}

fn parse(jpeg: impl Into<Bytes>) -> Frame {
    Frame::parse(jpeg).expect("a frame")
}

fn with_thumbnail(number: u32) -> Bytes {
    jpeg::with_thumbnail(&jpeg::numbered(number), &jpeg::numbered(number + 100))
}

/// Makes a frame as webcams send it.
fn webcam(number: u32) -> Bytes {
    let bare = jpeg::without_dht(&jpeg::numbered(number));
    jpeg::with_segment(&bare, 0xE0, b"AVI1\0\0\0\0\0\0\0\0\0\0")
}

fn has_tables(jpeg: &[u8]) -> bool {
    let mut header = pieces(jpeg).into_iter().take_while(|p| p.code != 0xDA);
    header.any(|p| p.code == 0xC4)
}

fn decodes(jpeg: &[u8]) -> bool {
    JpegDecoder::new(ZCursor::new(jpeg)).decode().is_ok()
}

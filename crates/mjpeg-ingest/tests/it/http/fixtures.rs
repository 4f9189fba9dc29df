//! The codec's recordings of how real cameras and servers frame their images, each sent as the
//! response of a camera.

use std::{fs, path::Path};

use bytes::Bytes;
use mjpeg_ingest::{
    Event,
    mjpeg_codec::{Found, multipart::Parser},
};
use mjpeg_testkit::jpeg;

use super::{event, once, open};

/// Fills in the placeholders of a fixture, which `mjpeg-codec/tests/data/README.md` explains, and
/// returns its head and body.
fn filled(text: &str) -> (String, Vec<u8>) {
    let (head, body) = match text.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/") => (head, body),
        _ => (
            "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b",
            text,
        ),
    };
    let mut bytes = Vec::new();
    let pieces: Vec<_> = body.split("{image}").collect();
    for (i, piece) in pieces.iter().enumerate() {
        let image = jpeg::numbered(1 + i as u32);
        let length = image.len();
        let piece = piece
            .replace("{length}", &length.to_string())
            .replace("{length:9}", &format!("{length:9}"));
        bytes.extend_from_slice(piece.as_bytes());
        if i + 1 < pieces.len() {
            bytes.extend_from_slice(&image);
        }
    }
    (format!("{head}\r\n\r\n"), bytes)
}

/// Reads the frames of a camera that sends this response once and closes the connection.
async fn frames(answer: Vec<u8>) -> Vec<Bytes> {
    let camera = once(answer);
    let mut ingest = open(&camera.url("/"));
    let mut frames = Vec::new();
    loop {
        match event(&mut ingest).await {
            Event::Frame(captured) => frames.push(captured.frame.into_bytes()),
            Event::Offline { .. } => return frames,
            _ => {}
        }
    }
}

#[tokio::test]
async fn frames_are_those_that_the_codec_finds_in_the_body() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mjpeg-codec/tests/data");
    let mut with_frames = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Its chunk sizes are wrong on purpose.
        if path.extension() != Some("http".as_ref()) || path.ends_with("ffmpeg_chunks_left_in.http")
        {
            continue;
        }
        let (head, body) = filled(&fs::read_to_string(&path).unwrap());
        let mut parser = Parser::default();
        parser.push(body.clone());
        parser.finish();
        let mut expected = Vec::new();
        while let Some(found) = parser.poll() {
            if let Found::Frame(frame) = found {
                expected.push(frame.into_bytes());
            }
        }
        with_frames += usize::from(expected.len() > 1);
        let whole = [head.as_bytes(), &body].concat();
        assert_eq!(frames(whole).await, expected, "{}", path.display());
    }
    assert!(with_frames > 20, "{with_frames}");
}

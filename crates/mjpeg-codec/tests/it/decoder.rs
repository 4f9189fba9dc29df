//! Splitter and parser as decoders of tokio-util.

use bytes::BytesMut;
use futures_util::StreamExt as _;
use mjpeg_codec::{
    Found, Splitter, SplitterConfig,
    multipart::{Boundary, Layout, Parser, PartHeaders, render},
};
use mjpeg_testkit::jpeg;
use tokio_util::codec::{Decoder, FramedRead};

use crate::check::{Discarded, Expected, Frame, outcome};

/// Decodes chunks the way tokio-util calls a decoder.
fn decoded<D>(mut decoder: D, chunks: &[&[u8]]) -> Vec<Found>
where
    D: Decoder<Item = Found, Error = std::io::Error>,
{
    let mut buffer = BytesMut::new();
    let mut all = Vec::new();
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
        while let Some(found) = decoder.decode(&mut buffer).unwrap() {
            all.push(found);
        }
    }
    // After the end of a stream tokio-util may read on, so the end must be repeatable.
    for _ in 0..2 {
        while let Some(found) = decoder.decode_eof(&mut buffer).unwrap() {
            all.push(found);
        }
    }
    all
}

fn expected(found: Found) -> Expected {
    match found {
        Found::Frame(frame) => Frame(frame.into_bytes()),
        Found::Discarded { reason, range } => Discarded(reason, (range.end - range.start) as usize),
        other => panic!("{other:?}"),
    }
}

#[test]
fn decoder_finds_what_the_splitter_finds() {
    let image = jpeg::numbered(1);
    let stream = [b"x", &image[..], b"\r\n", &image, &image[..99]].concat();
    let split = outcome(&SplitterConfig::default(), [&stream[..]].into_iter());
    for size in [1, 7, 1460, stream.len()] {
        let chunks: Vec<&[u8]> = stream.chunks(size).collect();
        let decoded = decoded(Splitter::default(), &chunks);
        let decoded: Vec<_> = decoded.into_iter().map(expected).collect();
        assert_eq!(decoded, split, "in chunks of {size}");
    }
}

#[tokio::test]
async fn framed_read_gives_parts_with_their_headers() {
    let boundary = Boundary::default();
    let mut body = boundary.opening(Layout::Trailing).to_vec();
    for n in 0..3 {
        let part = render(&boundary, &PartHeaders::default(), &jpeg::numbered(n));
        body.extend_from_slice(&part.bytes(Layout::Trailing));
    }
    let mut stream = FramedRead::with_capacity(&body[..], Parser::default(), 100);
    let mut lengths = Vec::new();
    while let Some(found) = stream.next().await {
        if let Found::Frame(frame) = found.unwrap() {
            let stated = stream.decoder().headers().content_length();
            assert_eq!(stated, Some(frame.bytes().len() as u64));
            lengths.push(stated);
        }
    }
    assert_eq!(lengths.len(), 3);
}

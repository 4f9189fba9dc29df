//! Oracles shared by fuzz targets and the replay tests. Each panics if its promise does not hold.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::{
    config::{MissingEoi, SplitterConfig},
    error::DiscardReason,
    found::Found,
    frame::Frame,
    framing::headers::PartHeaders,
    jpeg::{marker, search, walk},
    multipart::{Boundary, Layout, render},
    repair::{Orientation, Repairer, Repairs},
    splitter::Splitter,
    verify::{Verdict, Verifier},
};

mod run;

use run::{LIMIT_BYTES, account, events, fill, fill_part, limits, parts, push, push_part, run};

/// Returns the bytes examined or copied and steps taken by all splitters of this thread so far.
pub fn work() -> u64 {
    crate::work::counted()
}

/// Returns how much memory a splitter's buffers take.
pub fn buffer_bytes(splitter: &Splitter) -> usize {
    splitter.buffer_bytes()
}

/// The output does not depend on the chunking. The input's first byte chooses the chunks, and
/// whether floods begin early.
pub fn codec_chunk_independent(data: &[u8]) {
    let Some((&seed, stream)) = data.split_first() else {
        return;
    };
    let (config, chunk) = (limits(seed >= 128), usize::from(seed) + 2);
    let whole = run(&config, stream, stream.len().max(1), push);
    assert_eq!(whole, run(&config, stream, 1, push));
    assert_eq!(whole, run(&config, stream, chunk, push));
    assert_eq!(whole, run(&config, stream, chunk, fill));
    let end = whole
        .iter()
        .fold(0, |next, event| account(event, stream, next));
    assert_eq!(end, stream.len() as u64);
}

/// Frames and discarded ranges cover the stream in order. Each frame is a copy of the bytes it
/// claims, and parses by itself.
pub fn codec_accounting(stream: &[u8]) {
    let mut next = 0;
    for event in events(stream, stream.len().max(1)) {
        next = account(&event, stream, next);
        if let Found::Frame(frame) = event {
            let again = Frame::parse(frame.bytes().clone()).expect("a frame parses by itself");
            assert_eq!(
                (again.width(), again.height(), again.sof()),
                (frame.width(), frame.height(), frame.sof())
            );
            assert_eq!(again.verify(), frame.verify());
        }
    }
    assert_eq!(next, stream.len() as u64);
}

/// The output of a multipart stream and the headers of each part do not depend on the chunking, nor
/// on the slices of work, and cover the stream in order. They hold the frames that a splitter
/// finds, unless parts hold more than one image or say that they hold none. The input's first byte
/// chooses the chunks, and whether a frame needs an EOI or floods begin early.
pub fn codec_multipart_chunk_independent(data: &[u8]) {
    let Some((&seed, stream)) = data.split_first() else {
        return;
    };
    let (accept, chunk) = (seed >= 128, usize::from(seed % 128) + 2);
    let whole = parts(stream, stream.len().max(1), accept, push_part);
    assert_eq!(whole, parts(stream, 1, accept, push_part));
    assert_eq!(whole, parts(stream, chunk, accept, push_part));
    assert_eq!(whole, parts(stream, chunk, accept, fill_part));
    let end = whole
        .iter()
        .fold(0, |next, (event, _)| account(event, stream, next));
    assert_eq!(end, stream.len() as u64);
    let is_extra = |(event, _): &(Found, PartHeaders)| matches!(event, Found::Discarded { reason, .. } if *reason == DiscardReason::ExtraImage);
    if !accept && !whole.iter().any(is_extra) && !names_other_contents(stream) {
        let frames = |event: Found| match event {
            Found::Frame(frame) => Some(frame),
            Found::Discarded { .. } => None,
        };
        let split = events(stream, stream.len().max(1));
        assert!(
            split
                .into_iter()
                .filter_map(frames)
                .eq(whole.into_iter().filter_map(|(event, _)| frames(event)))
        );
    }
}

/// Returns whether a stream may name a type of contents that are passed over.
fn names_other_contents(stream: &[u8]) -> bool {
    let types = ["audio", "text", "application", "message", "font", "model"];
    types.iter().any(|name| {
        let mut windows = stream.windows(name.len());
        windows.any(|bytes| bytes.eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// A parser reverses `render`: it finds the same images and times, and framing. The input chooses
/// the boundary, the layout, the images and the times.
pub fn codec_roundtrip(data: &[u8]) {
    let mut data = data.iter().copied();
    let mut bytes = |n: usize| -> Vec<u8> { data.by_ref().take(n).collect() };
    let [length, chunk] = bytes(2)[..] else {
        return;
    };
    let advance = chunk >= 128;
    let layout = if advance {
        Layout::Advance
    } else {
        Layout::Trailing
    };
    let boundary: String = bytes(usize::from(length))
        .iter()
        .map(|b| char::from(b % 128))
        .collect();
    let boundary = Boundary::new(&boundary).unwrap_or_default();
    let mut stream = boundary.opening(layout).to_vec();
    let mut sent = Vec::new();
    while let [time, comment, scan] = bytes(3)[..] {
        // The lowest bit says whether there is a time, the others how many of its bytes follow.
        let micros = bytes(usize::from(time >> 1).min(8))
            .iter()
            .fold(0, |micros, &b| micros << 8 | u64::from(b));
        let since = (time & 1 == 1).then(|| Duration::from_micros(micros));
        let image = image(&bytes(comment.into()), &bytes(scan.into()));
        let headers = since.map_or_else(PartHeaders::default, |since| {
            PartHeaders::default().with_timestamp(SystemTime::UNIX_EPOCH + since)
        });
        stream.extend_from_slice(&render(&boundary, &headers, &image).bytes(layout));
        let timestamp = headers.timestamp().filter(|_| !advance);
        sent.push((image, timestamp));
    }
    let mut came = Vec::new();
    for (event, headers) in parts(&stream, usize::from(chunk) + 1, false, push_part) {
        match event {
            Found::Frame(frame) => {
                assert_eq!(headers.content_type(), Some("image/jpeg"));
                let length = frame.bytes().len() as u64;
                assert_eq!(headers.content_length(), (!advance).then_some(length));
                came.push((frame.into_bytes(), headers.timestamp()));
            }
            Found::Discarded { reason, .. } => assert_eq!(reason, DiscardReason::Framing),
        }
    }
    assert_eq!(came, sent);
}

/// A repaired frame is a frame of the same size with the same scans, and needs no further repair.
/// The repairs made are reported. Only APPn segments that describe colours hold an SOI or EOI
/// afterwards.
pub fn codec_repair(stream: &[u8]) {
    let accept = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    let mut splitter = Splitter::new(accept.with_max_frame_bytes(LIMIT_BYTES));
    splitter.push(Bytes::copy_from_slice(stream));
    splitter.finish();
    for event in std::iter::from_fn(|| splitter.poll()) {
        let Found::Frame(frame) = event else { continue };
        let (same, made) = frame.repaired(Repairs::NONE);
        assert_eq!((&same, made), (&frame, Repairs::NONE));
        // Upright every eighth time.
        let turned = Orientation::from_exif(frame.width() % 8 + 1).unwrap_or_default();
        let repairs = Repairs::RECOMMENDED.with_orientation(turned);
        let (repaired, made) = frame.repaired(repairs);
        assert_eq!(made == Repairs::NONE, repaired.bytes() == frame.bytes());
        assert_eq!(made.orientation(), turned);
        let mut repairer = Repairer::new(&frame, repairs);
        let in_slices = std::iter::repeat_with(|| repairer.step(1)).find_map(|done| done);
        assert_eq!(in_slices, Some((repaired.clone(), made)));
        let again = Frame::parse(repaired.bytes().clone()).expect("a repaired frame is a frame");
        assert_eq!(
            (again.width(), again.height(), again.sof()),
            (frame.width(), frame.height(), frame.sof())
        );
        assert_eq!(again.repaired(Repairs::RECOMMENDED).1, Repairs::NONE);
        assert_eq!(scans(repaired.bytes()), scans(frame.bytes()));
        for segment in walk::segments(repaired.bytes()) {
            let pairs = repaired.bytes()[segment.payload.start - 2..segment.payload.end].windows(2);
            let embedded = pairs
                .into_iter()
                .any(|pair| matches!(pair, [0xFF, 0xD8 | 0xD9]));
            let free = matches!(segment.code, marker::APP0..=marker::APP15 | marker::COM);
            let colours = matches!(segment.code, marker::APP0 | marker::APP14);
            assert!(!embedded || !free || colours);
        }
    }
}

/// The check of a frame never panics, and gives the same in slices. It assumes the standard tables
/// if a frame has none, so inserting them does not change the verdict.
pub fn codec_verify(stream: &[u8]) {
    for event in events(stream, stream.len().max(1)) {
        let Found::Frame(frame) = event else { continue };
        let mut verifier = Verifier::new(&frame);
        let in_slices = std::iter::repeat_with(|| verifier.step(1)).find_map(|verdict| verdict);
        assert_eq!(in_slices, Some(frame.verify()));
        let (whole, _) = frame.repaired(Repairs::NONE.with_huffman_tables(true));
        match (frame.verify(), whole.verify()) {
            (Verdict::Damaged(a), Verdict::Damaged(b)) => {
                assert_eq!(
                    (a.flaw, a.mcus, a.expected_mcus),
                    (b.flaw, b.mcus, b.expected_mcus)
                );
                assert!(a.offset <= frame.bytes().len());
            }
            (a, b) => assert_eq!(a, b),
        }
    }
}

/// The small picture of a frame never panics, is the same in slices, and takes little memory for
/// the frame's length. It is encoded as a whole frame of its size, whose own small picture exists.
#[cfg(feature = "small")]
pub fn codec_small(stream: &[u8]) {
    use crate::small::{SmallEncoder, SmallPicture, SmallReader};

    for event in events(stream, stream.len().max(1)) {
        let Found::Frame(frame) = event else { continue };
        let mut reader = SmallReader::new(&frame);
        let in_slices = std::iter::repeat_with(|| reader.step(1)).find_map(|read| read);
        let read = SmallPicture::from_frame(&frame);
        assert_eq!(in_slices.as_ref(), Some(&read));
        let Ok(small) = read else { continue };
        assert!(small.memory_bytes() <= 8 * frame.bytes().len());
        let mut encoder = SmallEncoder::new(&small);
        let in_slices = std::iter::repeat_with(|| encoder.step(1)).find_map(|jpeg| jpeg);
        let jpeg = small.encode();
        assert_eq!(in_slices.as_ref(), Some(&jpeg));
        let again = Frame::parse(jpeg).expect("an encoded picture is a frame");
        assert_eq!(
            (again.width(), again.height()),
            (frame.width().div_ceil(8), frame.height().div_ceil(8))
        );
        assert_eq!(again.verify(), Verdict::Complete { surplus_bytes: 0 });
        assert!(SmallPicture::from_frame(&again).is_ok());
    }
}

/// What comes out of any packets are displayable frames that parse by themselves, within the
/// limits, and no byte is reported twice. The input is a list of packets: a byte that says how each
/// differs from the one before, its length in words, and its payload.
#[cfg(feature = "rtp")]
pub fn codec_rtp(data: &[u8]) {
    use crate::rtp::{Depacketizer, DepacketizerConfig, Packet, Reassembled};

    let Some((&size, mut rest)) = data.split_first() else {
        return;
    };
    let size = u16::from(size);
    let config = DepacketizerConfig::default()
        .with_max_frame_bytes(LIMIT_BYTES + 1024)
        .with_size((size % 16 * 301, size / 16 * 301));
    let mut depacketizer = Depacketizer::new(config);
    let (mut sequence, mut timestamp, mut pushed) = (65_530u16, 0, 0u64);
    let (mut frames, mut dropped) = (0u64, 0u64);
    let mut take = |found: Vec<Reassembled>| {
        for found in found {
            match found {
                Reassembled::Frame { frame, .. } => {
                    frames += 1;
                    let again = Frame::parse(frame.bytes().clone()).expect("a whole frame");
                    assert_eq!(again, frame);
                    assert!(frame.displayable() && again.displayable() && again.has_eoi());
                    let sizes = |frame: &Frame| (frame.width(), frame.height(), frame.sof());
                    assert_eq!(sizes(&again), sizes(&frame));
                    assert!(frame.bytes().len() <= LIMIT_BYTES + 1024);
                    assert!(frame.memory_bytes() <= 3 * frame.bytes().len());
                }
                Reassembled::Dropped { bytes, .. } => dropped += bytes,
            }
        }
    };
    while let [control, words, after @ ..] = rest {
        let (payload, after) = after.split_at((4 * usize::from(*words)).min(after.len()));
        rest = after;
        let step = [1, 1, 2, 0, u16::MAX, 3, 70, 5000][usize::from(control & 7)];
        sequence = sequence.wrapping_add(step);
        timestamp += u32::from(control >> 3 & 1);
        let made = Packet {
            payload_type: 26,
            marker: control & 0x10 != 0,
            sequence,
            timestamp,
            ssrc: u32::from(control >> 6 & 1),
            payload,
        };
        let parsed = Packet::parse(payload).filter(|_| control & 0x80 != 0);
        let packet = parsed.unwrap_or(made);
        pushed += packet.payload.len() as u64;
        take(depacketizer.push(&packet));
    }
    take(depacketizer.finish());
    // A frame has a byte of payload at least, beside its headers.
    assert!(dropped + 9 * frames <= pushed);
}

/// Returns the entropy-coded data of each scan.
fn scans(frame: &[u8]) -> Vec<&[u8]> {
    let scans = walk::segments(frame).filter(|segment| segment.code == marker::SOS);
    let data = |segment: walk::Segment| {
        let start = segment.payload.end;
        // Up to the next marker, or to the end of a frame without EOI. That may end in an FF that
        // now begins a marker.
        let end = search::next_marker(frame, start).unwrap_or(frame.len());
        let data = &frame[start..end];
        &data[..data.len() - data.iter().rev().take_while(|&&b| b == 0xFF).count()]
    };
    scans.map(data).collect()
}

/// Makes the smallest frame around any bytes.
fn image(comment: &[u8], scan: &[u8]) -> Bytes {
    let mut image = vec![0xFF, 0xD8, 0xFF, 0xFE];
    image.extend_from_slice(&(comment.len() as u16 + 2).to_be_bytes());
    image.extend_from_slice(comment);
    image.extend_from_slice(&[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    image.extend_from_slice(&[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0]);
    for &byte in scan {
        image.push(byte);
        if byte == 0xFF {
            image.push(0);
        }
    }
    image.extend_from_slice(&[0xFF, 0xD9]);
    image.into()
}

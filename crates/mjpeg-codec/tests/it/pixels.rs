//! A repaired frame has the same pixels as before, decoded by two independent decoders.
//! libjpeg-turbo's `djpeg` assumes the standard Huffman tables if there are none, as browsers do.
//! `zune-jpeg` does so only after AVI's APP0, and shares no code with it.

use std::{
    collections::HashSet,
    io::Write,
    process::{Command, Stdio},
    thread,
};

use bytes::Bytes;
use mjpeg_codec::{
    Frame,
    repair::{Orientation, Repairs},
};
use mjpeg_testkit::jpeg;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

use crate::{
    corpus,
    naive::{self, insert_before, segment},
};

#[test]
fn repairs_change_no_pixel() {
    let plain = jpeg::numbered(1);
    let bare = jpeg::without_dht(&plain);
    let webcam = jpeg::with_segment(&bare, 0xE0, b"AVI1\0\0\0\0\0\0\0\0\0\0");
    let progressive = jpeg::progressive(2);
    let frames = [
        webcam.clone(),
        jpeg::with_thumbnail(&webcam, &jpeg::numbered(2)),
        jpeg::with_thumbnail(&jpeg::with_restarts(3, 4), &plain),
        insert_before(&progressive, 0xDA, 1, &segment(0xFE, b"\xFF\xD8")),
        insert_before(&plain, 0xD9, 0, &segment(0xFE, b"\xFF\xD9")),
        red_green_blue(&plain),
    ];
    let turned = Orientation::new(90, true).unwrap();
    let turned = Repairs::RECOMMENDED.with_orientation(turned);
    let repairs = [Repairs::RECOMMENDED, turned];
    for (i, (frame, repairs)) in frames
        .iter()
        .flat_map(|frame| repairs.map(|repairs| (frame, repairs)))
        .enumerate()
    {
        let (before, after) = repaired(frame, repairs);
        assert_ne!(before, after);
        let pixels = zune(&before).expect("a frame that zune-jpeg decodes");
        assert!(
            zune(&after).as_ref() == Some(&pixels),
            "zune-jpeg, frame {i}"
        );
        let pixels = djpeg(&before).expect("a frame that djpeg decodes");
        assert!(djpeg(&after).as_ref() == Some(&pixels), "djpeg, frame {i}");
    }
}

#[test]
fn inserted_tables_are_those_the_camera_left_out() {
    let plain = jpeg::of_length(1, 20_000);
    let (bare, whole) = repaired(&jpeg::without_dht(&plain), Repairs::RECOMMENDED);
    assert_eq!(zune(&bare), None);
    assert!(zune(&whole).is_some() && zune(&whole) == zune(&plain));
    assert!(djpeg(&whole).is_some() && djpeg(&whole) == djpeg(&plain));
}

#[test]
fn appended_eoi_changes_no_pixel() {
    let plain = jpeg::numbered(1);
    let open = naive::frame(&plain[..plain.len() - 2]);
    let (closed, _) = open.repaired(Repairs::RECOMMENDED);
    assert_eq!(*closed.bytes(), plain);
    assert!(djpeg(open.bytes()).is_some() && djpeg(open.bytes()) == djpeg(closed.bytes()));
}

/// Every sound frame of the corpus is repaired like the naive way does, stays one frame, and keeps
/// the pixels that decoders saw before.
#[test]
fn corpus_frames_keep_their_pixels() {
    let Some(frames) = corpus_frames() else {
        return;
    };
    let (mut changed, mut by_zune, mut by_djpeg) = (0, 0, 0);
    for (name, frame) in &frames {
        let (before, after) = repaired(frame, Repairs::RECOMMENDED);
        let plain_way = naive::repair(&before, Repairs::RECOMMENDED);
        assert!(after == plain_way, "{name}");
        if after == before {
            continue;
        }
        changed += 1;
        if let Some(pixels) = zune(&before) {
            by_zune += 1;
            assert!(
                zune(&after) == Some(pixels),
                "{name}: zune-jpeg sees a difference"
            );
        }
        if let Some(pixels) = djpeg(&before) {
            by_djpeg += 1;
            assert!(
                djpeg(&after) == Some(pixels),
                "{name}: djpeg sees a difference"
            );
        }
    }
    eprintln!(
        "{} frames, {changed} repaired, compared by zune-jpeg {by_zune}, by djpeg {by_djpeg}",
        frames.len()
    );
    assert!(by_zune > 100 && by_djpeg > 100);
}

/// Returns the frame before and after the repairs, checked to be one frame each time.
fn repaired(frame: &[u8], repairs: Repairs) -> (Bytes, Bytes) {
    let before = Frame::parse(frame.to_vec()).expect("a frame");
    let (after, _) = before.repaired(repairs);
    let again = Frame::parse(after.bytes().clone()).expect("a frame");
    assert_eq!(
        (again.width(), again.height()),
        (before.width(), before.height())
    );
    (before.into_bytes(), after.into_bytes())
}

/// Returns each distinct sound frame of the corpus, with its stream's name.
fn corpus_frames() -> Option<Vec<(String, Vec<u8>)>> {
    let mut seen = HashSet::new();
    let mut frames = Vec::new();
    for name in corpus::names()? {
        for frame in corpus::frames(&name) {
            if seen.insert(frame.clone()) {
                frames.push((name.clone(), frame));
            }
        }
    }
    Some(frames)
}

/// The same image with components named R, G and B, which count as colours unless a JFIF segment
/// says otherwise. Its JFIF segment holds a thumbnail that must be removed.
fn red_green_blue(jpeg: &[u8]) -> Bytes {
    let mut jpeg = jpeg.to_vec();
    let position = |jpeg: &[u8], code| jpeg.windows(2).position(|w| w == [0xFF, code]).unwrap();
    let (sof, sos) = (position(&jpeg, 0xC0), position(&jpeg, 0xDA));
    for (i, name) in b"RGB".iter().enumerate() {
        jpeg[sof + 10 + 3 * i] = *name;
        jpeg[sos + 5 + 2 * i] = *name;
    }
    let thumbnail = [&jpeg[6..18], &[1, 1, 0xFF, 0xD8, 0]].concat();
    jpeg.splice(2..20, segment(0xE0, &thumbnail));
    jpeg.into()
}

fn zune(jpeg: &[u8]) -> Option<Vec<u8>> {
    JpegDecoder::new(ZCursor::new(jpeg)).decode().ok()
}

fn djpeg(jpeg: &[u8]) -> Option<Vec<u8>> {
    let mut djpeg = Command::new("djpeg")
        .arg("-pnm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("djpeg runs (cargo xtask ci --install installs it, from libjpeg-turbo-progs)");
    let mut stdin = djpeg.stdin.take().expect("piped");
    let output = thread::scope(|scope| {
        // It stops reading at what it considers the end of the image.
        scope.spawn(move || drop(stdin.write_all(jpeg)));
        djpeg.wait_with_output().expect("djpeg ends")
    });
    // Of an image that it cannot decode, it writes only a header without pixels.
    (output.stdout.len() > 20).then_some(output.stdout)
}

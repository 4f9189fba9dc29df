//! QuickTime movies, as ffmpeg and GStreamer read them.

use std::time::Duration;

use mjpeg_mux::ClipFormat;

use crate::{
    programs::ClipFile,
    support::{Shot, concat, jittered, left, mux, mux_without, shots},
};

fn clip(shots: &[Shot], gone: &[usize]) -> ClipFile {
    ClipFile::new(ClipFormat::Mov, &mux_without(ClipFormat::Mov, shots, gone))
}

/// Each frame is at its time since the first, within a millisecond.
fn assert_times(clip: &ClipFile, shots: &[Shot]) {
    let packets = clip.packets();
    assert_eq!(packets.len(), shots.len());
    for (packet, shot) in packets.iter().zip(shots) {
        let expected = (shot.at - shots[0].at).as_secs_f64();
        assert!(
            (packet.seconds - expected).abs() < 0.001,
            "{packet:?}, {expected}"
        );
        assert_eq!(packet.bytes, shot.frame.jpeg.len());
    }
}

/// The sizes in the descriptions of frames.
fn described(file: &[u8]) -> Vec<(u16, u16)> {
    let entries = file.windows(32).filter(|bytes| bytes.starts_with(b"jpeg"));
    let short = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
    entries
        .map(|entry| (short(&entry[28..]), short(&entry[30..])))
        .collect()
}

#[test]
fn frames_have_their_times_and_bytes() {
    let shots = shots(jittered(100));
    let clip = clip(&shots, &[]);
    assert_times(&clip, &shots);
    assert_eq!(clip.jpegs_by_ffmpeg(), concat(&shots));
    assert_eq!(clip.jpegs_by_gstreamer("qtdemux"), concat(&shots));
    clip.decode_by_ffmpeg();
}

#[test]
fn movie_says_its_size_and_when_it_was_taken() {
    let clip = clip(&shots(jittered(2)), &[]);
    assert_eq!(
        clip.probe("stream=codec_name,width,height"),
        "mjpeg\n64\n48"
    );
    let taken = clip.probe("format_tags=creation_time");
    assert_eq!(taken, "2026-11-28T12:00:00.000000Z");
}

#[test]
fn last_frame_is_shown_for_the_median_interval() {
    // Frames of one moment say nothing of it.
    for (times, duration) in [
        ([0, 100, 200, 300, 700], "0.800000"),
        ([0, 0, 0, 0, 700], "1.400000"),
    ] {
        let times = times.map(Duration::from_millis);
        let clip = clip(&shots(times), &[]);
        assert_eq!(clip.probe("format=duration"), duration);
    }
}

#[test]
fn single_frame_is_shown_for_a_second() {
    let shots = shots(jittered(1));
    let clip = clip(&shots, &[]);
    assert_times(&clip, &shots);
    assert_eq!(clip.probe("format=duration"), "1.000000");
    clip.decode_by_ffmpeg();
}

#[test]
fn frame_that_is_gone_is_left_out_and_the_others_keep_their_times() {
    let shots = shots(jittered(30));
    let gone = [7, 8, 29];
    let clip = clip(&shots, &gone);
    let left = left(&shots, &gone);
    assert_times(&clip, &left);
    assert_eq!(clip.jpegs_by_ffmpeg(), concat(&left));
}

#[test]
fn movie_begins_with_the_first_frame_that_is_not_gone() {
    let shots = shots((0..30).map(Duration::from_secs));
    let clip = clip(&shots, &[0, 1, 2]);
    assert_times(&clip, &left(&shots, &[0, 1, 2]));
    let taken = clip.probe("format_tags=creation_time");
    assert_eq!(taken, "2026-11-28T12:00:03.000000Z");
}

#[test]
fn movie_whose_frames_are_all_gone_is_empty() {
    let shots = shots(jittered(3));
    let file = mux_without(ClipFormat::Mov, &shots, &[0, 1, 2]);
    let text = String::from_utf8_lossy(&file).into_owned();
    assert!(text.contains("moov") && !text.contains("mdat"));
}

#[test]
fn frames_of_other_sizes_are_decoded_at_their_size() {
    let sizes = [(64, 48), (64, 48), (96, 64), (32, 32), (96, 64), (64, 48)];
    let shots: Vec<Shot> = (0..)
        .zip(sizes)
        .map(|(number, (width, height))| {
            Shot::new(number, Duration::from_millis(100) * number, width, height)
        })
        .collect();
    let file = mux(ClipFormat::Mov, &shots);
    assert_eq!(described(&file), [(64, 48), (96, 64), (32, 32)]);
    let clip = ClipFile::new(ClipFormat::Mov, &file);
    assert_times(&clip, &shots);
    let decoded = clip.probe("frame=width,height");
    let expected = sizes.map(|(width, height)| format!("{width}\n{height}"));
    assert_eq!(decoded, expected.join("\n"));
    assert_eq!(clip.jpegs_by_gstreamer("qtdemux"), concat(&shots));
}

#[test]
fn each_size_has_one_description() {
    let shots: Vec<Shot> = (0..300)
        .map(|number| {
            let side = 16 + (number % 100) as u16;
            Shot::new(number, Duration::from_millis(100) * number, side, 16)
        })
        .collect();
    let file = mux(ClipFormat::Mov, &shots);
    let expected: Vec<_> = (16..80).map(|side| (side, 16)).collect();
    assert_eq!(described(&file), expected);
    assert_times(&ClipFile::new(ClipFormat::Mov, &file), &shots);
}

#[test]
fn pauses_of_any_length_keep_their_length() {
    let minute = Duration::from_secs(60);
    for pause in [
        10 * minute,
        13 * 60 * minute,
        14 * 60 * minute,
        31 * 24 * 60 * minute - minute,
    ] {
        let mut times = jittered(20);
        let later: Vec<Duration> = times.iter().map(|at| *at + pause).collect();
        times.extend(later);
        let shots = shots(times);
        assert_times(&clip(&shots, &[]), &shots);
    }
}

#[test]
fn frames_of_one_moment_are_all_there_at_different_times() {
    let shots = shots([0, 0, 0, 50, 100].map(Duration::from_millis));
    let clip = clip(&shots, &[]);
    assert_times(&clip, &shots);
    let packets = clip.packets();
    assert!(
        packets
            .windows(2)
            .all(|pair| pair[0].seconds < pair[1].seconds)
    );
    assert_eq!(clip.jpegs_by_ffmpeg(), concat(&shots));
}

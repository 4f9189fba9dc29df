//! AVIs, as ffmpeg and GStreamer read them.

use std::{io::Cursor, time::Duration};

use mjpeg_mux::{ClipFormat, Muxer};

use crate::{
    programs::{ClipFile, Packet},
    riff::read_avi,
    support::{Shot, concat, jittered, left, mux, mux_without, plan, shots},
};

/// Makes a clip, whose structure is as it should be.
fn clip(shots: &[Shot], gone: &[usize]) -> ClipFile {
    let file = mux_without(ClipFormat::Avi, shots, gone);
    let avi = read_avi(&mut Cursor::new(&file));
    assert!(!avi.is_open_dml());
    let frames = avi.slots.iter().filter(|slot| slot.bytes > 0);
    assert_eq!(frames.count(), shots.len() - gone.len());
    ClipFile::new(ClipFormat::Avi, &file)
}

/// The packets that are frames, not repeated ones.
fn frames(clip: &ClipFile) -> Vec<Packet> {
    let packets = clip.packets();
    packets
        .into_iter()
        .filter(|packet| packet.bytes > 0)
        .collect()
}

/// Each frame is at its time since the first, within `interval`.
fn assert_times(frames: &[Packet], first: Duration, shots: &[Shot], interval: f64) {
    assert_eq!(frames.len(), shots.len());
    for (frame, shot) in frames.iter().zip(shots) {
        let expected = (shot.at - first).as_secs_f64();
        assert!(
            (frame.seconds - expected).abs() <= interval,
            "{frame:?}, {expected}"
        );
        assert_eq!(frame.bytes, shot.frame.jpeg.len());
    }
}

#[test]
fn frames_have_their_times_and_bytes() {
    let shots = shots(jittered(200));
    let clip = clip(&shots, &[]);
    assert_times(&frames(&clip), shots[0].at, &shots, 0.034);
    assert_eq!(clip.jpegs_by_ffmpeg(), concat(&shots));
    assert_eq!(clip.jpegs_by_gstreamer("avidemux"), concat(&shots));
    clip.decode_by_ffmpeg();
}

#[test]
fn even_intervals_leave_no_slot_empty() {
    let shots = shots((0..50).map(|number| Duration::from_millis(40) * number));
    let clip = clip(&shots, &[]);
    assert_eq!(clip.packets().len(), 50);
    assert_eq!(clip.probe("stream=r_frame_rate,nb_frames"), "25/1\n50");
    assert_eq!(clip.probe("format=duration"), "2.000000");
}

#[test]
fn head_says_size_and_when_it_was_taken() {
    let clip = clip(&shots(jittered(2)), &[]);
    assert_eq!(
        clip.probe("stream=codec_name,width,height"),
        "mjpeg\n64\n48"
    );
    assert_eq!(clip.probe("format_tags=date"), "2026-11-28T12:00:00.123Z");
}

#[test]
fn single_frame_is_shown_for_a_second() {
    let shots = shots(jittered(1));
    let clip = clip(&shots, &[]);
    assert_times(&frames(&clip), shots[0].at, &shots, 0.0);
    assert_eq!(clip.probe("format=duration"), "1.000000");
    assert_eq!(clip.jpegs_by_gstreamer("avidemux"), concat(&shots));
}

#[test]
fn frame_that_is_gone_leaves_its_place() {
    let shots = shots(jittered(30));
    let whole = mux(ClipFormat::Avi, &shots).len();
    for gone in [&[7, 8, 29][..], &[0], &[0, 1, 2]] {
        let file = mux_without(ClipFormat::Avi, &shots, gone);
        assert_eq!(file.len(), whole);
        let clip = clip(&shots, gone);
        let left = left(&shots, gone);
        assert_times(&frames(&clip), shots[0].at, &left, 0.034);
        assert_eq!(clip.jpegs_by_ffmpeg(), concat(&left));
        assert_eq!(clip.jpegs_by_gstreamer("avidemux"), concat(&left));
    }
}

#[test]
fn place_of_a_frame_is_filled_whatever_its_length() {
    for bytes in [8, 9, 15, 16, 17, 65_535, 65_536, 65_552, 300_001] {
        let mut shots = shots(jittered(3));
        shots[1].frame.jpeg = vec![0; bytes].into();
        let clip = clip(&shots, &[1]);
        assert_eq!(
            clip.jpegs_by_ffmpeg(),
            concat(&left(&shots, &[1])),
            "{bytes}"
        );
    }
}

#[test]
fn file_can_be_read_without_its_index() {
    let shots = shots(jittered(30));
    let file = mux_without(ClipFormat::Avi, &shots, &[4]);
    let index = file.windows(4).rposition(|id| id == b"idx1").unwrap();
    let clip = ClipFile::new(ClipFormat::Avi, &file[..index]);
    assert_eq!(clip.jpegs_by_ffmpeg(), concat(&left(&shots, &[4])));
}

#[test]
fn frames_of_other_sizes_are_decoded_at_their_size() {
    let sizes = [(64, 48), (96, 64), (32, 32), (64, 48)];
    let shots: Vec<Shot> = (0..)
        .zip(sizes)
        .map(|(number, (width, height))| {
            Shot::new(number, Duration::from_millis(100) * number, width, height)
        })
        .collect();
    let clip = clip(&shots, &[]);
    let decoded = clip.probe("frame=width,height");
    let expected = sizes.map(|(width, height)| format!("{width}\n{height}"));
    assert_eq!(decoded, expected.join("\n"));
}

#[test]
fn frames_of_a_burst_are_late_by_one_interval_at_most() {
    // The link stands for half a second, and then brings what was meanwhile.
    let mut times: Vec<Duration> = (0..90).map(|n| Duration::from_micros(33_333) * n).collect();
    for time in &mut times[30..45] {
        *time = Duration::from_millis(1_480);
    }
    let shots = shots(times);
    let clip = clip(&shots, &[]);
    assert_times(&frames(&clip), shots[0].at, &shots, 0.034);
}

#[test]
fn pauses_of_hours_keep_their_length_and_the_rate() {
    for minutes in [10, 120, 8 * 60] {
        let mut times = jittered(60);
        let pause = Duration::from_secs(60) * minutes;
        let later: Vec<Duration> = times.iter().map(|at| *at + pause).collect();
        times.extend(later);
        let shots = shots(times);
        let clip = clip(&shots, &[]);
        assert_times(&frames(&clip), shots[0].at, &shots, 0.034);
    }
}

#[test]
fn pause_of_days_costs_a_million_empty_slots_and_the_rate() {
    let mut times = jittered(60);
    let pause = Duration::from_secs(30 * 24 * 60 * 60);
    let later: Vec<Duration> = times.iter().map(|at| *at + pause).collect();
    times.extend(later);
    let shots = shots(times);
    let file = mux(ClipFormat::Avi, &shots);
    let slot = 24;
    let most = (1_000_000 + 16 * shots.len()) * slot + concat(&shots).len() + 10_000;
    assert!(
        file.len() < most && file.len() > most - 100_000,
        "{}",
        file.len()
    );
    let frames = frames(&ClipFile::new(ClipFormat::Avi, &file));
    // The pause makes up for the frames before it.
    let second = (shots[60].at - shots[0].at).as_secs_f64();
    assert!((frames[60].seconds - second).abs() < 3.0);
    assert_eq!(frames.len(), 120);
}

#[test]
fn length_is_known_before_the_frames_are() {
    let shots = shots(jittered(500));
    let stated = Muxer::new(ClipFormat::Avi, plan(&shots))
        .unwrap()
        .content_length();
    assert_eq!(stated, Some(mux(ClipFormat::Avi, &shots).len() as u64));
}

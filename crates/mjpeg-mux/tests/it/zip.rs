//! Archives, as Python and Info-ZIP read them.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxStep, Muxer};
use serde_json::{Value, json};

use crate::{
    programs::ClipFile,
    support::{Shot, jittered, mux, mux_without, shots},
};

fn clip(shots: &[Shot]) -> ClipFile {
    ClipFile::new(ClipFormat::Zip, &mux(ClipFormat::Zip, shots))
}

fn index(clip: &ClipFile) -> Value {
    serde_json::from_slice(&clip.unzip("index.json")).unwrap()
}

#[test]
fn files_are_the_frames_in_order_and_the_index() {
    let shots = shots([0, 33, 67].map(Duration::from_millis));
    let clip = clip(&shots);
    assert_eq!(clip.python("zip.testzip()"), "None");
    assert!(clip.unzip_test().contains("No errors detected"));
    let names = [
        "000001-20261128T120000.123Z.jpg",
        "000002-20261128T120000.156Z.jpg",
        "000003-20261128T120000.190Z.jpg",
    ];
    for (name, shot) in names.iter().zip(&shots) {
        assert_eq!(clip.unzip(name), shot.frame.jpeg);
    }
    let listed = clip.python("' '.join(zip.namelist())");
    assert_eq!(listed, format!("{} index.json", names.join(" ")));
    let about =
        clip.python("[(i.date_time, i.compress_type, i.flag_bits) for i in zip.filelist][0]");
    assert_eq!(about, "((2026, 11, 28, 12, 0, 0), 0, 0)");
}

#[test]
fn index_says_what_the_names_do_not() {
    let mut shots = shots([0, 33, 2_067].map(Duration::from_millis));
    shots[1] = Shot::new(1, Duration::from_micros(33_333), 96, 64);
    let bytes = |number: usize| shots[number].frame.jpeg.len();
    let expected = json!({
        "start": "2026-11-28T12:00:00.123Z",
        "frames": [
            {
                "name": "000001-20261128T120000.123Z.jpg", "time": "2026-11-28T12:00:00.123Z",
                "offset": 0.0, "width": 64, "height": 48, "bytes": bytes(0),
            },
            {
                "name": "000002-20261128T120000.156Z.jpg", "time": "2026-11-28T12:00:00.156Z",
                "offset": 0.033333, "width": 96, "height": 64, "bytes": bytes(1),
            },
            {
                "name": "000003-20261128T120002.190Z.jpg", "time": "2026-11-28T12:00:02.190Z",
                "offset": 2.067, "width": 64, "height": 48, "bytes": bytes(2),
            },
        ],
    });
    assert_eq!(index(&clip(&shots)), expected);
}

#[test]
fn frame_that_is_gone_is_left_out_and_the_others_keep_their_numbers() {
    let shots = shots((0..4).map(Duration::from_secs));
    for (gone, numbers) in [
        (&[0, 2][..], &["000002", "000004"][..]),
        (&[3], &["000001", "000002", "000003"]),
        (&[0, 1, 2, 3], &[]),
    ] {
        let file = mux_without(ClipFormat::Zip, &shots, gone);
        let clip = ClipFile::new(ClipFormat::Zip, &file);
        assert_eq!(clip.python("zip.testzip()"), "None");
        let index = index(&clip);
        let frames = index["frames"].as_array().unwrap();
        let names = frames.iter().map(|frame| frame["name"].as_str().unwrap());
        let found: Vec<&str> = names.map(|name| &name[..6]).collect();
        assert_eq!(found, numbers);
        let listed = clip.python("len(zip.namelist())");
        assert_eq!(listed, (numbers.len() + 1).to_string());
    }
}

#[test]
fn more_files_than_the_plain_format_counts_are_all_there() {
    let mut one = shots(jittered(1)).remove(0);
    one.frame.jpeg = Bytes::from_static(b"not a real JPEG");
    let shots: Vec<Shot> = (0..65_600)
        .map(|number| Shot {
            at: Duration::from_millis(10) * number,
            ..one.clone()
        })
        .collect();
    let clip = clip(&shots);
    assert_eq!(clip.python("len(zip.namelist())"), "65601");
    assert!(clip.unzip_test().contains("No errors detected"));
    assert_eq!(index(&clip)["frames"].as_array().unwrap().len(), 65_600);
}

#[test]
fn moments_that_no_calendar_of_the_format_has_are_the_nearest() {
    let far = UNIX_EPOCH + Duration::from_secs(1 << 37);
    for (start, year) in [(UNIX_EPOCH - Duration::from_secs(1), "1980"), (far, "2107")] {
        let shots = shots(jittered(1));
        let mut plan = ClipPlan::new(start, 64, 48);
        plan.push(Duration::ZERO, shots[0].frame.jpeg.len())
            .unwrap();
        let mut muxer = Muxer::new(ClipFormat::Zip, plan).unwrap();
        let mut file = Vec::new();
        loop {
            match muxer.poll() {
                MuxStep::Write(bytes) => file.extend(bytes),
                MuxStep::NeedsFrame(_) => muxer.push(Some(shots[0].frame.clone())).unwrap(),
                _ => break,
            }
        }
        let clip = ClipFile::new(ClipFormat::Zip, &file);
        assert_eq!(clip.python("zip.filelist[0].date_time[0]"), year);
    }
}

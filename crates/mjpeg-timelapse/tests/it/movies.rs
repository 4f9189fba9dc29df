//! Movies, as ffmpeg reads them.

use std::{fs, path::Path, process::Command, time::Duration};

use mjpeg_mux::ClipFormat;
use mjpeg_timelapse::{
    Error, TimelapseId, TimelapseMovie, TimelapsePace, TimelapseSpec, TimelapseStore,
};

use crate::support::{Home, new_job, picture};

fn filled(frames: u64) -> (Home, TimelapseStore, TimelapseId) {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    for number in 0..frames {
        store.append(&id, &picture(number)).unwrap();
    }
    (home, store, id)
}

fn read(mut movie: TimelapseMovie) -> Vec<u8> {
    let stated = movie.content_length();
    let mut file = Vec::new();
    while let Some(piece) = movie.next_piece().unwrap() {
        file.extend(piece);
    }
    assert!(stated.is_none_or(|bytes| bytes == file.len() as u64));
    assert!(movie.next_piece().unwrap().is_none());
    file
}

fn jpegs(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let frames = numbers.into_iter().map(picture);
    frames.flat_map(|frame| frame.jpeg).collect()
}

/// Asks ffprobe for entries of the only stream, with its packets counted.
fn probe(file: &Path, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-of", "csv=p=0"])
        .args(["-show_entries", entries])
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && error.is_empty(), "{error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn movie_has_all_frames_at_its_rate() {
    let (home, store, id) = filled(121);
    for format in [ClipFormat::Mov, ClipFormat::Avi] {
        for fps in [1, 7, 24, 25, 30, 60, 120] {
            let movie = store.movie(&id, format, TimelapsePace::Fps(fps)).unwrap();
            let file = home.path().join(format!("movie.{format}"));
            fs::write(&file, read(movie)).unwrap();
            let found = probe(&file, "stream=avg_frame_rate,nb_read_packets");
            let (rate, packets) = found.split_once(',').unwrap();
            let (over, under) = rate.split_once('/').unwrap();
            let rate = over.parse::<f64>().unwrap() / under.parse::<f64>().unwrap();
            let error = (rate / f64::from(fps) - 1.0).abs();
            assert!(error < 1e-3, "{format}, {fps}: {found}");
            assert_eq!(packets, "121", "{format}, {fps}");
        }
    }
}

#[test]
fn frames_are_in_the_movie_byte_for_byte() {
    let (_home, store, id) = filled(10);
    for format in ClipFormat::ALL {
        let movie = store.movie(&id, format, TimelapsePace::Fps(25)).unwrap();
        let file = read(movie);
        for number in 0..10 {
            let jpeg = picture(number).jpeg;
            let found = file.windows(jpeg.len()).filter(|bytes| *bytes == jpeg);
            assert_eq!(found.count(), 1, "{format}, {number}");
        }
    }
    let plain = store.movie(&id, ClipFormat::Mjpeg, TimelapsePace::Fps(25));
    assert_eq!(read(plain.unwrap()), jpegs(0..10));
}

#[test]
fn true_times_are_those_of_the_frames_and_never_go_back() {
    let home = Home::new();
    let store = home.open();
    let id = new_job(&store);
    // The clock is set back by an hour.
    for (number, minute) in [(0, 100), (1, 101), (2, 40), (3, 103)] {
        let mut frame = picture(number);
        frame.at = picture(minute).at;
        store.append(&id, &frame).unwrap();
    }
    let movie = store.movie(&id, ClipFormat::Mov, TimelapsePace::TrueTimes);
    let file = home.path().join("movie.mov");
    fs::write(&file, read(movie.unwrap())).unwrap();
    let times = probe(&file, "packet=pts_time");
    let times: Vec<f64> = times.lines().map(|line| line.parse().unwrap()).collect();
    let expected = [0.0, 60.0, 60.0, 180.0];
    assert_eq!(times.len(), 4);
    for (time, expected) in times.iter().zip(expected) {
        assert!((time - expected).abs() < 0.01, "{times:?}");
    }
}

#[test]
fn movie_of_a_running_job_has_the_frames_of_its_beginning() {
    let (_home, store, id) = filled(5);
    let movie = store.movie(&id, ClipFormat::Mjpeg, TimelapsePace::Fps(25));
    for number in 5..9 {
        store.append(&id, &picture(number)).unwrap();
    }
    assert_eq!(read(movie.unwrap()), jpegs(0..5));
}

#[test]
fn movie_of_a_job_that_is_deleted_meanwhile_is_whole() {
    let (_home, store, id) = filled(5);
    let mut movie = store
        .movie(&id, ClipFormat::Mjpeg, TimelapsePace::Fps(25))
        .unwrap();
    let first = movie.next_piece().unwrap().unwrap();
    store.delete(&id).unwrap();
    drop(store);
    assert_eq!([&first[..], &read(movie)].concat(), jpegs(0..5));
}

/// A damaged picture leaves its place in an AVI empty, and a damaged record leaves none.
#[test]
fn damaged_frames_are_left_out_and_counted() {
    let (home, store, id) = filled(6);
    let (mut index, mut data) = home.files(&id);
    index[2 * 32] ^= 1;
    data[picture(0).jpeg.len() + 100] ^= 1;
    home.write_files(&id, &index, &data);
    for format in ClipFormat::ALL {
        let mut movie = store.movie(&id, format, TimelapsePace::Fps(25)).unwrap();
        assert_eq!(movie.missing(), 1);
        let stated = movie.content_length();
        let mut file = Vec::new();
        while let Some(piece) = movie.next_piece().unwrap() {
            file.extend(piece);
        }
        assert_eq!(movie.missing(), 2);
        assert!(stated.is_none_or(|bytes| bytes == file.len() as u64));
        for number in 0..6 {
            let jpeg = picture(number).jpeg;
            let found = file.windows(jpeg.len()).filter(|bytes| *bytes == jpeg);
            let expected = usize::from(![1, 2].contains(&number));
            assert_eq!(found.count(), expected, "{format}, {number}");
        }
    }
}

#[test]
fn movie_that_cannot_be_made_says_why() {
    let (_home, store, id) = filled(0);
    let movie = |pace| store.movie(&id, ClipFormat::Mov, pace).map(drop);
    let none = movie(TimelapsePace::Fps(25)).unwrap_err();
    assert!(matches!(none, Error::Movie(mjpeg_mux::Error::NoFrame)));
    let mut late = picture(0);
    late.at += Duration::from_secs(32 * 24 * 60 * 60);
    store.append(&id, &picture(0)).unwrap();
    store.append(&id, &late).unwrap();
    let long = movie(TimelapsePace::TrueTimes).unwrap_err();
    assert!(matches!(
        long,
        Error::Movie(mjpeg_mux::Error::TooLong { .. })
    ));
    movie(TimelapsePace::Fps(1)).unwrap();
    for fps in [TimelapseSpec::MIN_FPS - 1, TimelapseSpec::MAX_FPS + 1] {
        let refused = movie(TimelapsePace::Fps(fps)).unwrap_err();
        assert!(matches!(
            refused,
            Error::InvalidSetting { setting: "fps", .. }
        ));
    }
    let past = store.frame(&id, 2).unwrap_err();
    assert!(matches!(past, Error::NoFrame { number: 2 }));
}

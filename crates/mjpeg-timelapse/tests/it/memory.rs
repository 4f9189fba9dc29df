//! What a long movie takes.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
};

use mjpeg_mux::ClipFormat;
use mjpeg_timelapse::TimelapsePace;

use crate::support::{Home, frame_of, new_job, record};

const FRAMES: u64 = 200_000;
const FRAME_BYTES: usize = 2_000;

/// The most memory this process has had so far.
fn most_memory_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<usize>().unwrap() << 10
}

#[test]
fn movie_takes_16_bytes_per_frame() {
    let home = Home::new();
    let id = new_job(&home.open());
    // All records are of the same picture, so that the test writes little.
    let frame = frame_of(0, FRAME_BYTES);
    home.write_files(&id, &[], &frame.jpeg);
    let mut index = BufWriter::new(File::create(home.file(&id, "index")).unwrap());
    for number in 0..FRAMES {
        index.write_all(&record(number, 0, &frame)).unwrap();
    }
    index.flush().unwrap();
    let store = home.open();
    let before = most_memory_bytes();
    let movie = store.movie(&id, ClipFormat::Avi, TimelapsePace::Fps(120));
    let mut movie = movie.unwrap();
    let mut written = 0;
    while let Some(piece) = movie.next_piece().unwrap() {
        written += piece.len();
    }
    assert_eq!(movie.missing(), 0);
    assert!(written > FRAMES as usize * FRAME_BYTES);
    let more = most_memory_bytes().saturating_sub(before);
    assert!(more < 8 << 20, "{more}");
}

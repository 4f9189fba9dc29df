use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use mjpeg_testkit::jpeg;

use crate::program::{folder, kit, run, stream};

#[test]
fn one_line_per_frame_and_nothing_else() {
    let file = folder("frames_lines").join("any.name");
    let (bytes, places) = stream();
    fs::write(&file, bytes).unwrap();
    let expected: String = places.iter().map(|(o, l)| format!("{o} {l}\n")).collect();
    let done = run(kit(&["frames"], &file));
    assert_eq!(done, (Some(0), expected, String::new()));
}

#[test]
fn a_file_without_frames_gives_no_line() {
    let file = folder("frames_none").join("noise");
    fs::write(&file, "no picture").unwrap();
    let done = run(kit(&["frames"], &file));
    assert_eq!(done, (Some(0), String::new(), String::new()));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = folder("frames_unreadable");
    for path in [folder.join("absent.mjpeg"), folder] {
        let (code, out, error) = run(kit(&["frames"], &path));
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn a_reader_that_stops_early_is_not_an_error() {
    let file = folder("frames_head").join("long.mjpeg");
    // More lines than fit into a pipe and the buffers before it.
    fs::write(&file, jpeg::numbered(1).repeat(20_000)).unwrap();
    let mut child = kit(&["frames"], &file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(out);
    let done = child.wait_with_output().unwrap();
    assert!(first.starts_with("0 "), "{first}");
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}

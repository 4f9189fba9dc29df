//! Streams with known contents, if the machine has them. They lie beside the project and are not
//! part of it.

use std::{fs, path::PathBuf};

use mjpeg_codec::Frame;

/// Returns the names of all streams. Without a corpus, prints that and returns `None`.
pub(crate) fn names() -> Option<Vec<String>> {
    let Ok(entries) = fs::read_dir(folder()) else {
        eprintln!("no corpus here, nothing checked");
        return None;
    };
    let files = entries.map(|entry| entry.expect("a readable folder").file_name());
    let names = files.filter_map(|file| Some(file.to_str()?.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    Some(names)
}

/// Returns the sound frames of a stream.
pub(crate) fn frames(name: &str) -> Vec<Vec<u8>> {
    let file = |extension| folder().join(format!("{name}.{extension}"));
    let stream = fs::read(file("mjpeg")).expect("a stream beside its truth");
    let truth = fs::read(file("json")).expect("a readable truth");
    let truth: serde_json::Value = serde_json::from_slice(&truth).expect("JSON");
    let frames = truth["frames"].as_array().expect("a list of frames").iter();
    let frames = frames.filter_map(|frame| {
        let number = |key: &str| frame[key].as_u64().expect("a number") as usize;
        let bytes = stream[number("offset")..][..number("length")].to_vec();
        // JPEG-LS is not JPEG.
        let sound = frame["damaged"] != true && Frame::parse(bytes.clone()).is_ok();
        sound.then_some(bytes)
    });
    frames.collect()
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../../shared/corpus"]
        .iter()
        .collect()
}

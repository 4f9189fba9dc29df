use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{folder, kit, run, stream};

fn corpus(folder: &Path) -> (Option<i32>, String, String) {
    run(kit(&["corpus"], folder))
}

/// The truth of [`stream`], without optional fields.
fn truth() -> Value {
    let (bytes, places) = stream();
    let frames: Vec<Value> = places
        .iter()
        .map(|(offset, length)| json!({ "offset": offset, "length": length }))
        .collect();
    json!({ "bytes": bytes.len(), "frames": frames })
}

fn write(folder: &Path, name: &str, truth: &Value) {
    let file = |extension| folder.join(format!("{name}.{extension}"));
    fs::write(file("mjpeg"), stream().0).expect("a file can be written");
    fs::write(file("json"), truth.to_string()).expect("a file can be written");
}

/// A truth that the splitter does not meet: its last frame is a byte too long.
fn unmet() -> Value {
    let mut truth = truth();
    let length = truth["frames"][2]["length"].as_u64().expect("a length");
    truth["frames"][2]["length"] = json!(length + 1);
    truth
}

#[test]
fn perfect_streams_pass() {
    let folder = folder("corpus_passes");
    write(&folder, "with.dots", &truth());
    fs::write(folder.join("README.md"), "not a stream").unwrap();
    let (code, out, error) = corpus(&folder);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("\nwith.dots "), "{out}");
    assert!(out.contains("1 streams: 1 of 1 perfect"), "{out}");
}

#[test]
fn a_stream_that_is_not_perfect_fails() {
    let folder = folder("corpus_fails");
    write(&folder, "good", &truth());
    write(&folder, "hurt", &unmet());
    let (code, out, error) = corpus(&folder);
    assert_eq!(code, Some(1), "{out}");
    assert!(error.contains("1 stream(s) not perfect"), "{error}");
    assert!(out.contains("\nNot perfect:\n\nhurt\n"), "{out}");
    assert!(out.contains("missed: frame 2 at "), "{out}");
}

#[test]
fn a_debatable_stream_is_listed_and_passes() {
    let folder = folder("corpus_debatable");
    let mut truth = unmet();
    truth["debatable"] = json!(true);
    truth["debatable_why"] = json!("the last byte is open");
    write(&folder, "either", &truth);
    let (code, out, error) = corpus(&folder);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("debatable: the last byte is open"), "{out}");
}

#[test]
fn a_stream_that_cannot_be_scored_fails_and_the_others_are_scored() {
    let folder = folder("corpus_unscored");
    write(&folder, "good", &truth());
    let mut longer = truth();
    longer["bytes"] = json!(1);
    write(&folder, "longer", &longer);
    let mut other = truth();
    other["sha256"] = json!("00");
    write(&folder, "other", &other);
    fs::write(folder.join("broken.mjpeg"), stream().0).unwrap();
    fs::write(folder.join("broken.json"), "{\"frames\": [").unwrap();
    fs::write(folder.join("untold.mjpeg"), stream().0).unwrap();
    fs::write(folder.join("unseen.json"), truth().to_string()).unwrap();
    let (code, out, error) = corpus(&folder);
    assert_eq!(code, Some(1), "{out}");
    let counts = "0 stream(s) not perfect, 5 not scored";
    assert!(error.contains(counts), "{error}");
    assert!(out.contains("\nNot scored:\n\n"), "{out}");
    assert!(out.contains("6 streams: 1 of 1 perfect"), "{out}");
    for named in [
        "longer.json: is for a stream of 1 bytes",
        "other.json: is for a stream with sha256 00",
        "broken.json: not a valid truth: EOF",
        "untold.json is missing",
        "unseen.mjpeg is missing",
    ] {
        assert!(out.contains(named), "no `{named}` in\n{out}");
    }
}

#[test]
fn the_error_for_a_folder_without_streams_states_the_format() {
    let folder = folder("corpus_empty");
    for path in [folder.join("absent"), folder] {
        let (code, out, error) = corpus(&path);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains("NAME.mjpeg"), "{error}");
    }
}

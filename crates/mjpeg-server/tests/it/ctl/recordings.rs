//! `ctl timelapse` and `ctl clip`, against a relay, and against what answers as the API does.

use std::{fs, path::PathBuf, process::Command};

use mjpeg_testkit::{FakeHttpCamera, Step};
use serde_json::{Value, json};

use super::{ControlledRelay, Done, ctl, links::answering};
use crate::folder::Folder;

fn recording(id: &str) -> Value {
    json!({
        "id": id, "stream": "garage", "title": "Shelf", "state": "running", "reason": null,
        "created": "2026-11-29T08:00:00.000Z", "ended": null, "every_s": 90.0, "until": null,
        "max_frames": 500, "fps": 25, "frames": 120, "bytes": 32_715_572,
        "last": "2026-11-29T11:00:00.000Z", "refused": 0, "problem": null,
    })
}

/// What a command prints at what answers with this, and what it has asked for.
fn asked(status: &str, answer: &Value, args: &[&str]) -> (Done, String, Value) {
    let (url, asked) = answering(status, answer);
    let done = Done::at(&url, args);
    let (line, body) = asked.join().unwrap();
    assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
    (done, line, body)
}

#[test]
fn timelapses_are_listed_with_their_progress_and_what_is_wrong() {
    let mut ended = recording("t-2");
    for (key, value) in [
        ("state", json!("ended")),
        ("reason", json!("finished")),
        ("every_s", Value::Null),
        ("max_frames", Value::Null),
        ("problem", json!("the disk is full")),
        ("title", json!("")),
    ] {
        ended[key] = value;
    }
    let all = json!({
        "timelapses": [recording("t-1"), ended],
        "damaged": [{ "id": "t-3", "reason": "job.json is empty", "bytes": 4096 }],
        "used_bytes": 2_040_109_466, "quota_bytes": 10_737_418_240_u64, "may_add": true,
    });
    for args in [&["timelapse"][..], &["timelapse", "list"]] {
        let (done, line, _) = asked("200 OK", &all, args);
        let expected = "\
ID   STREAM  STATE            FRAMES     SIZE  EVERY    LAST (UTC)           TITLE
t-1  garage  running          120/500  31.2 MiB  90s      2026-11-29 11:00:00  Shelf
t-2  garage  ended: finished      120  31.2 MiB  request  2026-11-29 11:00:00  -
";
        let words = |text: &str| -> Vec<Vec<String>> {
            let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
            text.lines().map(words).collect()
        };
        assert_eq!(words(&done.stdout), words(expected), "{}", done.stdout);
        let notes = "\
warning: t-2: no frame could be kept: the disk is full
warning: t-3 is damaged: job.json is empty
1.9 GiB of 10.0 GiB used
";
        assert_eq!(done.stderr, notes);
        assert_eq!(line, "GET /api/v1/timelapses HTTP/1.1");
    }
    let (done, ..) = asked("200 OK", &all, &["timelapse", "list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&done.stdout).unwrap(), all);
    let none = json!({ "clips": [], "damaged": [] });
    let (done, line, _) = asked("200 OK", &none, &["clip"]);
    assert_eq!((&*done.stdout, &*done.stderr), ("", "there are no clips\n"));
    assert_eq!(line, "GET /api/v1/clips HTTP/1.1");
}

#[test]
fn timelapse_is_started_triggered_and_finished() {
    let start = [
        "timelapse",
        "start",
        "garage",
        "--every",
        "90s",
        "--title",
        "Shelf",
        "--until",
        "2026-12-24T19:00:00+01:00",
        "--max-frames",
        "500",
        "--fps",
        "30",
    ];
    let (done, line, body) = asked("201 Created", &recording("t-1"), &start);
    assert_eq!(done.stdout, "t-1 is running: a frame every 90s\n");
    assert_eq!(line, "POST /api/v1/timelapses HTTP/1.1");
    let expected = json!({
        "stream": "garage", "every_s": 90.0, "title": "Shelf", "until": "2026-12-24T18:00:00Z",
        "max_frames": 500, "fps": 30,
    });
    assert_eq!(body, expected);
    let mut on_request = recording("t-2");
    on_request["every_s"] = Value::Null;
    let (done, _, body) = asked(
        "201 Created",
        &on_request,
        &["timelapse", "start", "garage"],
    );
    assert!(
        done.stdout.starts_with("t-2 is running: a frame whenever"),
        "{done:?}"
    );
    assert_eq!(body, json!({ "stream": "garage" }));

    let frame = ["timelapse", "frame", "t-1"];
    let (done, line, body) = asked("200 OK", &json!({ "number": 7 }), &frame);
    assert_eq!(done.stdout, "frame 7 of t-1 is kept\n");
    assert_eq!(line, "POST /api/v1/timelapses/t-1/frame HTTP/1.1");
    assert_eq!(body, json!({}));
    let finish = ["timelapse", "finish", "t-1"];
    let (done, line, _) = asked("200 OK", &recording("t-1"), &finish);
    assert_eq!(done.stdout, "t-1 is finished; 120 frames\n");
    assert_eq!(line, "POST /api/v1/timelapses/t-1/finish HTTP/1.1");
    let remove = ["timelapse", "remove", "a/b"];
    let (done, line, _) = asked("204 No Content", &Value::Null, &remove);
    assert_eq!(done.stdout, "a/b is removed\n");
    assert_eq!(line, "DELETE /api/v1/timelapses/a%2Fb HTTP/1.1");
}

#[test]
fn clip_is_kept_and_removed() {
    let keep = [
        "clip", "keep", "garage", "--from", "-30s", "--to", "-5s", "--title", "Postman",
    ];
    let (done, line, body) = asked("201 Created", &recording("c-1"), &keep);
    assert_eq!(done.stdout, "c-1 is kept: 120 frames, 31.2 MiB\n");
    assert_eq!(line, "POST /api/v1/clips HTTP/1.1");
    let expected = json!({ "stream": "garage", "from": "-30s", "to": "-5s", "title": "Postman" });
    assert_eq!(body, expected);
    let (done, line, _) = asked("204 No Content", &Value::Null, &["clip", "remove", "c-1"]);
    assert_eq!(done.stdout, "c-1 is removed\n");
    assert_eq!(line, "DELETE /api/v1/clips/c-1 HTTP/1.1");
}

#[test]
fn command_line_that_says_no_time_is_2() {
    for (args, word) in [
        (
            &["timelapse", "start", "garage", "--every", "often"][..],
            "--every",
        ),
        (
            &["timelapse", "start", "garage", "--until", "8h"],
            "--until",
        ),
        (
            &["timelapse", "start", "garage", "--until", "+9999999999999d"],
            "--until",
        ),
        (&["timelapse", "get", "t-1", "--format", "gif"], "--format"),
        (&["clip", "keep", "garage"], "--from"),
    ] {
        Done::of(ctl(args)).fails(2, &[word]);
    }
}

/// Sends a movie of this content, of which the head says that it has so many bytes.
fn sending(disposition: &str, content: &'static [u8], length: usize) -> FakeHttpCamera {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: video/quicktime\r\nContent-Length: {length}\r\n\
         {disposition}Connection: close\r\n\r\n"
    );
    FakeHttpCamera::start(move |_| {
        vec![
            Step::Send(head.clone().into()),
            Step::Send(content.into()),
            Step::Close,
        ]
    })
}

/// A command that runs in this folder.
fn within(folder: &Folder, relay: &FakeHttpCamera, args: &[&str]) -> Command {
    let mut command = ctl(&[&["--url", &relay.url("")], args].concat());
    command.current_dir(folder.path());
    command
}

/// The names of the files that are there, and hidden ones.
fn files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries.map(|it| name(it).into_string().unwrap()).collect();
    names.sort();
    names
}

const NAMED: &str = "Content-Disposition: attachment; filename=\"../../garage-2026.mov\"\r\n";
const MOVIE: &[u8] = &[7; 100_000];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn movie_goes_to_a_file_that_is_called_as_the_relay_proposes() {
    let folder = Folder::new();
    let relay = sending(NAMED, MOVIE, MOVIE.len());
    let get = ["timelapse", "get", "t-1", "--fps", "60"];
    let done = Done::of(within(&folder, &relay, &get));
    assert_eq!(done.stdout, "garage-2026.mov: 98 KiB\n", "{done:?}");
    assert_eq!(files(&folder), ["garage-2026.mov"]);
    let file = folder.path().join("garage-2026.mov");
    assert_eq!(fs::read(&file).unwrap(), MOVIE);
    let requests = relay.requests();
    let path = requests[0].path();
    assert_eq!(path, "/api/v1/timelapses/t-1/movie.mov?fps=60");

    // Nothing is replaced unless that is wanted.
    fs::write(&file, "mine").unwrap();
    let refused = Done::of(within(&folder, &relay, &get));
    refused.fails(1, &["garage-2026.mov is there already", "--force"]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let done = Done::of(within(
        &folder,
        &relay,
        &[&get[..], &["--force", "--json"]].concat(),
    ));
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        printed,
        json!({ "file": "garage-2026.mov", "bytes": 100_000 })
    );
    assert_eq!(fs::read(&file).unwrap(), MOVIE);
    assert_eq!(files(&folder), ["garage-2026.mov"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn movie_goes_where_it_is_told() {
    let folder = Folder::new();
    let relay = sending("", MOVIE, MOVIE.len());
    fs::create_dir(folder.path().join("clips")).unwrap();
    for (output, file) in [
        ("clips", "clips/c-1.avi"),
        ("x", "x"),
        ("clips/y.avi", "clips/y.avi"),
    ] {
        let get = ["clip", "get", "c-1", "--format", "avi", "-o", output];
        let done = Done::of(within(&folder, &relay, &get));
        assert_eq!(done.code, Some(0), "{done:?}");
        let file: PathBuf = folder.path().join(file);
        assert_eq!(fs::read(&file).unwrap(), MOVIE, "{output}");
    }
    assert_eq!(relay.requests()[0].path(), "/api/v1/clips/c-1/movie.avi");
    let piped = within(&folder, &relay, &["clip", "get", "c-1", "-o", "-"]).output();
    assert_eq!(piped.unwrap().stdout, MOVIE);
    let get = ["clip", "get", "c-1", "-o", "none/such"];
    Done::of(within(&folder, &relay, &get)).fails(1, &["cannot write none/such"]);
    assert_eq!(files(&folder), ["clips", "x"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_movie_that_does_not_come_in_whole() {
    let folder = Folder::new();
    let cut = sending(NAMED, MOVIE, MOVIE.len() + 1);
    folder.write("garage-2026.mov", "mine");
    for more in [&["-o", "new.mov"][..], &["--force"]] {
        let get = [&["timelapse", "get", "t-1"], more].concat();
        Done::of(within(&folder, &cut, &get)).fails(3, &["did not come in whole"]);
        assert_eq!(files(&folder), ["garage-2026.mov"], "{more:?}");
    }
    let kept = fs::read(folder.path().join("garage-2026.mov")).unwrap();
    assert_eq!(kept, b"mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_movie_is_not_kept() {
    let folder = Folder::new();
    let problem = json!({ "status": 404, "code": "not_found", "detail": "no such time-lapse" });
    let (url, _) = answering("404 Not Found", &problem);
    let mut command = ctl(&["--url", &url, "timelapse", "get", "t-9", "-o", "new.mov"]);
    command.current_dir(folder.path());
    Done::of(command).fails(4, &["no such time-lapse"]);
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi";
    let page = FakeHttpCamera::saying(page);
    Done::of(within(&folder, &page, &["timelapse", "get", "t-9"])).fails(1, &["no movie"]);
    assert!(files(&folder).is_empty());
}

/// Ctrl-C.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_movie_that_is_interrupted() {
    use std::{process::Stdio, time::Duration};

    let folder = Folder::new();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: video/quicktime\r\nContent-Length: 1000000\r\n{NAMED}\r\n"
    );
    let slow = FakeHttpCamera::start(move |_| {
        vec![Step::Send(head.clone().into()), Step::Send(MOVIE.into())]
    });
    let mut command = within(&folder, &slow, &["timelapse", "get", "t-1"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A part of it is there.
    let has_come = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        let lengths = entries.filter_map(|entry| entry.ok()?.metadata().ok());
        lengths.into_iter().any(|it| it.len() == MOVIE.len() as u64)
    };
    for _ in 0..300 {
        if has_come() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(has_come(), "{:?}", files(&folder));
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert!(files(&folder).is_empty(), "{:?}", files(&folder));
}

/// The id at the beginning of what is printed.
fn id(printed: &str) -> &str {
    printed.split_once(" is ").expect(printed).0
}

#[test]
fn relay_keeps_what_it_is_told_to_and_sends_it() {
    let relay = ControlledRelay::start();
    relay.done(&["add", "door", "test:?fps=20", "replay=60s"]);
    let start = [
        "timelapse",
        "start",
        "door",
        "--title",
        "Shelf",
        "--max-frames",
        "3",
    ];
    let started = relay.done(&[&start[..], &["--until", "+8h"]].concat());
    let shelf = id(&started);
    for number in 0..2 {
        let kept = relay.done(&["timelapse", "frame", shelf]);
        assert_eq!(kept, format!("frame {number} of {shelf} is kept\n"));
    }
    let listed = relay.done(&["timelapse"]);
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..4], [shelf, "door", "running", "2/3"], "{listed}");
    let folder = Folder::new();
    let get = |args: &[&str]| {
        let mut command = relay.command(args);
        command.current_dir(folder.path());
        let done = Done::of(command);
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
    };
    get(&["timelapse", "get", shelf]);
    let proposed = files(&folder);
    assert!(
        proposed[0].contains("door") && proposed[0].ends_with(".mov"),
        "{proposed:?}"
    );
    let kept = relay.done(&[
        "clip", "keep", "door", "--from", "-30s", "--title", "Postman",
    ]);
    let postman = id(&kept);
    for (format, magic) in [
        ("mov", "ftyp"),
        ("avi", "RIFF"),
        ("zip", "PK"),
        ("mjpeg", ""),
    ] {
        get(&["clip", "get", postman, "--format", format, "-o", format]);
        let bytes = fs::read(folder.path().join(format)).unwrap();
        let has_magic = bytes[..8]
            .windows(magic.len().max(1))
            .any(|it| it == magic.as_bytes());
        let is_jpeg = magic.is_empty() && bytes.starts_with(b"\xFF\xD8");
        assert!(has_magic || is_jpeg, "{format}");
    }
    let finished = relay.done(&["timelapse", "finish", shelf]);
    assert_eq!(finished, format!("{shelf} is finished; 2 frames\n"));
    relay
        .ctl(&["timelapse", "frame", shelf])
        .fails(1, &["has ended"]);
    relay.done(&["timelapse", "remove", shelf]);
    relay.done(&["clip", "remove", postman]);
    for kind in ["timelapse", "clip"] {
        let none = relay.ctl(&[kind]);
        assert!(
            none.stdout.is_empty() && none.stderr.contains("there are no"),
            "{none:?}"
        );
    }
    relay.ctl(&["clip", "get", postman]).fails(4, &["error: "]);
    relay
        .ctl(&["clip", "keep", "nobody", "--from", "-1s"])
        .fails(4, &["error: "]);
    relay
        .ctl(&["clip", "keep", "garage", "--from", "-1s"])
        .fails(4, &["keeps no past", "replay"]);
}

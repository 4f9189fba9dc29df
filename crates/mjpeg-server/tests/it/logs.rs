//! What the program logs, as text and as JSON.

mod fail2ban;
mod hostile;
mod logins;

use std::time::Duration;

use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, refused_addr};
use serde_json::{Map, Value};

use crate::{
    folder::Folder,
    process::{Server, command, run},
};

fn live() -> Script {
    let frames = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(20))
}

/// The lines of a log in JSON. Each must be an object with a head as documented.
fn events(log: &str) -> Vec<Map<String, Value>> {
    let event = |line: &str| {
        let event: Map<_, _> = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let begins = r#"{"time":""#;
        assert!(line.starts_with(begins), "{line}");
        let time = event["time"].as_str().unwrap();
        // 2026-11-29T06:49:25.415405Z
        assert!(
            time.len() == 27 && time.ends_with('Z') && &time[10..11] == "T",
            "{line}"
        );
        let levels = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
        assert!(levels.contains(&event["level"].as_str().unwrap()), "{line}");
        assert!(event["target"].is_string(), "{line}");
        assert_ne!(event["message"].as_str().unwrap(), "", "{line}");
        event
    };
    log.lines().map(event).collect()
}

/// The only event with this message.
fn only<'a>(events: &'a [Map<String, Value>], message: &str) -> &'a Map<String, Value> {
    let mut with = events.iter().filter(|event| event["message"] == message);
    let event = with
        .next()
        .unwrap_or_else(|| panic!("{message}: {events:#?}"));
    assert!(with.next().is_none(), "{message}: {events:#?}");
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_line_of_json_has_the_fields_of_its_stream_viewer_and_listener() {
    let camera = Camera::start(live()).await;
    let dead = refused_addr().await;
    let folder = Folder::new();
    let text = format!(
        "log = \"mjpeg_http=debug\"\nlog_format = \"json\"\n\
         [[listen]]\nname = \"main\"\naddress = \"127.0.0.1:0\"\n\
         [[streams]]\nname = \"door\"\nsource = \"{}\"\n\
         [[streams]]\nname = \"yard\"\nsource = \"tcp://{dead}\"\n",
        camera.url()
    );
    let file = folder.write("mjpeg.toml", text);
    let mut server = Server::start(&["run", "-c", &file], 3);
    let mut log = server.stderr_until("camera online");
    let mut viewer = Viewer::open(server.addr(0), "/door/?key=me").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
    let peer = viewer.local_addr().to_string();
    drop(viewer);
    log.extend(server.stderr_until("viewer gone"));
    server.end_by("TERM");
    let events = events(&(log.join("\n") + "\n" + &server.stderr()));

    let field = |message: &str, field: &str| only(&events, message)[field].clone();
    assert_eq!(field("the configuration is in a file", "file"), *file);
    let opened = only(&events, "gateway opened");
    assert_eq!(opened["listener"], "main");
    let online = only(&events, "camera online");
    assert_eq!(online["stream"], "door");
    assert_eq!(online["source"], camera.url());
    assert_eq!(online["peer"], camera.addr().to_string());
    let offline = only(&events, "camera offline; retrying until it returns");
    assert_eq!(offline["stream"], "yard");
    assert_eq!(offline["level"], "WARN");
    assert!(offline["error"].as_str().unwrap().contains("refused"));
    let accepted = only(&events, "connection accepted");
    assert_eq!(accepted["listener"], "main");
    assert_eq!(accepted["address"], opened["address"]);
    assert_eq!(accepted["peer"], peer);
    for message in ["viewer admitted", "viewer gone"] {
        let event = only(&events, message);
        assert_eq!(event["stream"], "door");
        assert_eq!(event["viewer"], 1);
        assert_eq!(event["peer"], peer);
    }
    let admitted = only(&events, "viewer admitted");
    assert_eq!(admitted["listener"], "main");
    assert_eq!(admitted["path"], "/door/");
    assert_eq!(admitted["key"], "me");
    assert!(only(&events, "viewer gone")["sent"].as_u64().unwrap() > 0);
    let started = events
        .iter()
        .filter(|event| event["message"] == "stream started");
    let started: Vec<_> = started.map(|event| event["stream"].clone()).collect();
    assert_eq!(started.len(), 2);
    assert!(started.contains(&"door".into()) && started.contains(&"yard".into()));
}

#[tokio::test]
async fn own_port_of_a_stream_is_called_like_the_stream() {
    let args = ["run", "--log=debug", "--log-format=json", "--stream"];
    let stream = "door=test:@127.0.0.1:0";
    let mut server = Server::start(&[&args[..], &[stream]].concat(), 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
    server.end_by("TERM");
    let events = events(&server.stderr());
    for message in ["connection accepted", "viewer admitted"] {
        assert_eq!(only(&events, message)["listener"], "door");
    }
}

#[tokio::test]
async fn outage_is_one_line_of_json() {
    let camera = Camera::start_with(|nth| match nth {
        0..3 => Script::close(),
        3 => Script::new(vec![Step::Wait(Duration::from_millis(100)), Step::Reset]),
        _ => live(),
    })
    .await;
    let stream = format!("door={}@127.0.0.1:0", camera.url());
    let args = ["run", "--log-format", "json", "--stream", &stream];
    let mut server = Server::start(&args, 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    while jpeg::number_of(&viewer.next_frame().await.unwrap().unwrap()).is_none() {}
    server.end_by("TERM");
    let events = events(&server.stderr());
    let messages: Vec<_> = events
        .iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    let expected = [
        "stream started",
        "camera offline; retrying until it returns",
        "camera online",
        "ending; a second signal ends at once",
    ];
    assert_eq!(messages, expected);
    let online = only(&events, "camera online");
    assert_eq!(online["attempts"], 4);
    assert!(online["outage_seconds"].as_f64().unwrap() > 0.0);
}

/// What is logged while a viewer sees this many frames.
async fn lines_while_frames_come(level: &str, frames: u32) -> Vec<String> {
    let frames_of_camera = (0..20).map(jpeg::numbered).collect();
    let script = Script::live(frames_of_camera, Duration::from_millis(3));
    let camera = Camera::start(script).await;
    let stream = format!("door={}@127.0.0.1:0", camera.url());
    let args = ["run", "--log", level, "--log-format", "json", "--stream"];
    let mut server = Server::start(&[&args[..], &[&stream]].concat(), 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    for _ in 0..frames {
        assert!(viewer.next_frame().await.unwrap().is_some());
    }
    server.end_by("TERM");
    let log = events(&server.stderr());
    let messages = log.iter().map(|event| event["message"].to_string());
    // The camera and the viewer may come in any order.
    let mut messages: Vec<_> = messages.collect();
    messages.sort();
    messages
}

#[tokio::test]
async fn frames_add_no_line() {
    for level in ["info", "trace"] {
        let few = lines_while_frames_come(level, 5).await;
        let many = lines_while_frames_come(level, 500).await;
        assert_eq!(few, many, "{level}");
        assert!(few.len() >= 3, "{few:?}");
    }
}

/// Whether the program logs JSON with these arguments and this value of the variable.
fn logs_json(args: &[&str], value: Option<&str>) -> bool {
    let mut started = command(&[&["run", "--stream", "a=test:@127.0.0.1:0"], args].concat());
    started.envs(value.map(|value| ("MJPEG_LOG_FORMAT", value)));
    let mut server = Server::of(started, 1);
    server.stderr_until("stream started")[0].starts_with('{')
}

#[test]
fn format_is_that_of_the_flag_the_variable_or_the_file() {
    let folder = Folder::new();
    let json = folder.write("json.toml", "log_format = \"json\"");
    assert!(!logs_json(&[], None));
    assert!(logs_json(&["--log-format", "json"], None));
    assert!(logs_json(&["-c", &json], None));
    assert!(!logs_json(&["-c", &json, "--log-format", "text"], None));
    assert!(logs_json(&[], Some("json")));
    assert!(logs_json(&["-c", &json], Some("")), "counts as unset");
    assert!(!logs_json(&["-c", &json], Some("text")));
    assert!(logs_json(&["--log-format", "json"], Some("text")));
    let wrong = ["run", "--log-format", "xml", "--stream", "a=test:@1"];
    let (code, _, err) = run(&wrong);
    assert_eq!(code, Some(2));
    assert!(err.contains("--log-format"), "{err}");
}

#[test]
fn filter_is_that_of_the_flag_the_variable_or_the_file() {
    let folder = Folder::new();
    let file = folder.write(
        "mjpeg.toml",
        "log = \"error\"\n[[streams]]\nname = \"a\"\nsource = \"test:\"\nlisten = \"127.0.0.1:0\"",
    );
    let is_logged = |args: &[&str], value: &str| {
        let mut started = command(&[&["run", "-c", &file], args].concat());
        started.env("MJPEG_LOG", value);
        let mut server = Server::of(started, 1);
        server.end_by("TERM");
        server.stderr().contains("stream started")
    };
    assert!(!is_logged(&[], ""));
    assert!(is_logged(&[], "info"));
    assert!(!is_logged(&["--log", "off"], "info"));
    assert!(is_logged(&["--log", "mjpeg_http=off"], "off"));
}

#[tokio::test]
async fn failed_start_is_an_object_too() {
    let dead = refused_addr().await;
    let stream = format!("door=tcp://{dead}@127.0.0.1:0");
    let args = ["run", "--log-format=json", "--log=off", "--require-cameras"];
    let (code, _, err) = run(&[&args[..], &["--stream", &stream]].concat());
    assert_eq!(code, Some(1));
    let events = events(&err);
    assert_eq!(events.len(), 1, "{err}");
    assert_eq!(events[0]["message"], "the program has failed");
    let error = events[0]["error"].as_str().unwrap();
    assert!(error.contains("door: cannot reach the camera"), "{error}");
}

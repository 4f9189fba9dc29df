//! What runs.

use std::time::Duration;

use mjpeg_testkit::{Camera, Script, Viewer, jpeg};

use crate::{
    folder::Folder,
    process::{Server, command, run},
};

fn live() -> Script {
    Script::live(
        (0..20).map(jpeg::numbered).collect(),
        Duration::from_millis(20),
    )
}

fn stream(name: &str, url: &str) -> String {
    format!("[[streams]]\nname = \"{name}\"\nsource = \"{url}\"\nlisten = \"127.0.0.1:0\"\n")
}

async fn shows_pictures(server: &Server, stream: usize) {
    let mut viewer = Viewer::open(server.addr(stream), "/").await.unwrap();
    let frame = viewer.next_frame().await.unwrap().unwrap();
    assert!(jpeg::number_of(&frame).is_some(), "a picture of the camera");
}

#[tokio::test]
async fn streams_of_a_file_and_of_those_that_it_includes_run() {
    let camera = Camera::start(live()).await;
    let folder = Folder::new();
    let url = camera.url();
    let main = "include = [\"streams.d/*.toml\", \"streams.d/b.toml\", \"*.more.toml\"]\n";
    let main = folder.write("mjpeg.toml", main.to_owned() + &stream("one", &url));
    folder.write("streams.d/b.toml", stream("three", &url));
    folder.write("streams.d/a.toml", stream("two", &url));
    folder.write("four.more.toml", stream("four", &url));
    folder.write("streams.d/.hidden.toml", "nonsense");
    folder.write("streams.d/a.toml~", "nonsense");
    let mut server = Server::start(&["run", "--config", &main], 4);
    for stream in 0..4 {
        shows_pictures(&server, stream).await;
    }
    server.end_by("TERM");
    let log = server.stderr();
    assert!(
        log.contains(&format!("the configuration is in a file file={main}")),
        "{log}"
    );
    let started: Vec<_> = log
        .lines()
        .filter(|l| l.contains("stream started"))
        .collect();
    assert_eq!(started.len(), 4, "{log}");

    // Relative to the folder of the file, also where that is this one.
    let mut here = command(&["check", "mjpeg.toml"]);
    let output = here.current_dir(folder.path()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("4 streams"), "{out}");
    let (_, shown, _) = run(&["config", "--show-origin", "-c", &main]);
    let names = shown
        .lines()
        .filter_map(|line| line.strip_prefix("name = "));
    let names: Vec<_> = names.filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(
        names,
        ["one", "two", "three", "four"],
        "in the order of the files"
    );
}

#[tokio::test]
async fn file_is_found_where_none_is_named_and_a_named_one_goes_first() {
    let camera = Camera::start(live()).await;
    let folder = Folder::new();
    folder.write("mjpeg.toml", stream("one", &camera.url()));
    let other = folder.write("other.toml", "worker_threads = 0");

    let mut found = command(&["run"]);
    found.current_dir(folder.path());
    let mut server = Server::of(found, 1);
    shows_pictures(&server, 0).await;
    server.end_by("TERM");
    let log = server.stderr();
    assert!(
        log.contains("the configuration is in a file file=./mjpeg.toml"),
        "{log}"
    );

    for (args, variable) in [(&["run", "-c", &other][..], ""), (&["run"], &other)] {
        let mut named = command(args);
        named
            .current_dir(folder.path())
            .env("MJPEG_CONFIG", variable);
        let output = named.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("other.toml:1:18"), "{err}");
    }
    // Streams of the command line need no file, and then none is looked for.
    let flag = format!("two={}@127.0.0.1:0", camera.url());
    let mut flagged = command(&["run", "--stream", &flag]);
    flagged.current_dir(folder.path());
    let mut server = Server::of(flagged, 1);
    server.end_by("TERM");
    let log = server.stderr();
    assert!(!log.contains("the configuration is"), "{log}");
}

#[test]
fn nothing_to_relay_is_told() {
    let folder = Folder::new();
    let output = command(&["run"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    if output.status.code() == Some(2) {
        assert!(
            err.contains("--stream NAME=URL") && err.contains("./mjpeg.toml"),
            "{err}"
        );
    }
}

#[tokio::test]
async fn stream_of_the_command_line_is_added_and_its_name_must_be_free() {
    let camera = Camera::start(live()).await;
    let folder = Folder::new();
    let file = folder.write("mjpeg.toml", stream("one", &camera.url()));
    let flag = |name: &str| format!("{name}={}@127.0.0.1:0", camera.url());
    let server = Server::start(&["run", "-c", &file, "--stream", &flag("two")], 2);
    shows_pictures(&server, 0).await;
    shows_pictures(&server, 1).await;

    let (code, _, err) = run(&["run", "-c", &file, "--stream", &flag("one")]);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("--stream: the name one is taken (already_exists)"),
        "{err}"
    );
    assert!(err.contains("mjpeg.toml:2:8"), "{err}");
}

#[tokio::test]
async fn secrets_come_from_environment_files_and_credentials() {
    let camera = Camera::start(live()).await;
    let folder = Folder::new();
    let address = camera.url().replace("tcp://", "");
    let port = address.rsplit_once(':').unwrap().1;
    folder.write("credentials/camera", address.clone() + "\n");
    let secret = folder.write("port", port);
    let file = folder.write(
        "mjpeg.toml",
        stream("one", "tcp://${credential:camera}")
            + &stream("two", &format!("tcp://127.0.0.1:${{file:{secret}}}"))
            + &stream("three", "${env:CAMERA_URL}"),
    );
    let mut started = command(&["run", "-c", &file]);
    started
        .env("CREDENTIALS_DIRECTORY", folder.path().join("credentials"))
        .env("CAMERA_URL", camera.url());
    let server = Server::of(started, 3);
    for stream in 0..3 {
        shows_pictures(&server, stream).await;
    }
    let (code, out, _) = run(&["check", &file]);
    assert_eq!(code, Some(1), "{out}");
    for (place, message) in [
        ("mjpeg.toml:3:10", "start with LoadCredential=camera:"),
        (
            "mjpeg.toml:11:10",
            "the environment variable CAMERA_URL is not set",
        ),
    ] {
        assert!(
            out.contains(place) && out.contains(message),
            "{message}: {out}"
        );
    }
}

#[tokio::test]
async fn flag_or_variable_holds_where_the_file_says_nothing() {
    let camera = Camera::start(live()).await;
    let folder = Folder::new();
    let file = folder.write("mjpeg.toml", stream("one", &camera.url()));
    let streams = format!(
        "two={url}@127.0.0.1:0\nthree={url}@127.0.0.1:0",
        url = camera.url()
    );
    let mut started = command(&["run", "-c", &file]);
    started
        .env("MJPEG_MAX_VIEWERS", "1")
        .env("MJPEG_MAX_FPS", "")
        .env("MJPEG_STREAM", streams);
    let server = Server::of(started, 3);
    for stream in 0..3 {
        let _first = Viewer::open(server.addr(stream), "/").await.unwrap();
        let second = Viewer::open(server.addr(stream), "/").await.unwrap();
        assert_eq!(second.head().status, 503, "stream {stream}");
    }
}

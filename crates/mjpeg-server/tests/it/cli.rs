//! The command line, as a user sees it.

use std::{net::TcpListener, time::Duration};

use mjpeg_testkit::{Camera, FullBacklog, Script, Viewer, jpeg, refused_addr, request};
use tokio::net::TcpStream;

use crate::process::{Server, command, run};

fn live() -> Script {
    Script::live(
        (0..20).map(jpeg::numbered).collect(),
        Duration::from_millis(20),
    )
}

#[test]
fn help_teaches() {
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for word in ["run", "demo", "--log", "MJPEG_LOG", "mjpeg-server demo"] {
        assert!(out.contains(word), "{word} is missing:\n{out}");
    }
    let (_, out, _) = run(&["run", "--help"]);
    assert!(
        out.contains("mjpeg-server run --stream garage=tcp://192.168.1.100:6001@8081"),
        "{out}"
    );
    assert!(out.contains("--require-cameras"));
    for (option, default) in [
        ("--notsent-lowat <BYTES>", "[default: 16384]"),
        ("--max-viewers <N>", "[default: 10000]"),
        ("--max-viewers-total <N>", "[default: 20000]"),
        ("--max-viewers-per-address <N>", "[default: no limit]"),
        ("--trusted-proxy <ADDR[/BITS]>", "Repeat for more"),
    ] {
        let help = out
            .split(option)
            .nth(1)
            .and_then(|text| text.split("--").next());
        // It may stand in two lines.
        let words = help.unwrap_or_default().split_whitespace();
        let help = words.collect::<Vec<_>>().join(" ");
        assert!(help.contains(default), "{option}: {out}");
    }
    let (_, out, _) = run(&["demo", "--help"]);
    assert!(out.contains("--cameras"));
    assert!(run(&["--version"]).1.starts_with("mjpeg-server "));
}

#[test]
fn command_lines_not_understood_exit_with_2_and_say_why() {
    for (args, word) in [
        (&["run"][..], "--stream"),
        (&["run", "--stream", "door"], "'='"),
        (&["run", "--stream", "door=tcp://a"], "port is missing"),
        (
            &["run", "--stream", "door=rtmp://a:1@8081"],
            "unknown kind of source",
        ),
        (
            &["run", "--stream", "a door=tcp://a:1@8081"],
            "letters, digits",
        ),
        (&["run", "--stream", "door=tcp://a:1@x"], "is not a port"),
        (
            &[
                "run",
                "--stream",
                "door=tcp://a:1@0",
                "--notsent-lowat",
                "16k",
            ],
            "--notsent-lowat <BYTES>",
        ),
        (
            &["run", "--stream", "a=tcp://a:1@0", "--fallback", "a"],
            "'='",
        ),
        (
            &["run", "--stream", "a=tcp://a:1@0", "--linger", "soon"],
            "number of seconds",
        ),
        (
            &["run", "--stream", "a=tcp://a:1@0", "--linger", "4000d"],
            "--linger: out of bounds: at most 3650d",
        ),
        (
            &["run", "--stream", "a=tcp://a:1@0", "--worker-threads=0"],
            "1 to 256",
        ),
        (
            &["run", "--stream", "a=tcp://a:1@0", "--max-fps=0"],
            "above 0",
        ),
        (
            &[
                "run",
                "--stream",
                "a=tcp://a:1@0",
                "--on-demand",
                "--require-cameras",
            ],
            "cannot be used with",
        ),
        (
            &[
                "run",
                "--stream",
                "door=tcp://a:1@0",
                "--trusted-proxy",
                "10.0.0.0/33",
            ],
            "expected an address (10.0.0.5, fd00::5) or a network (10.0.0.0/24)",
        ),
        (&["demo", "--cameras", "0"], "1..=64"),
        (&["demo", "--log", "loud"], "--log"),
        (&["demo", "--log", "info,"], "info,mjpeg_http=debug"),
        (&["demo", "--log", "="], "info,mjpeg_http=debug"),
        (&["fly"], "fly"),
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, &*out), (Some(2), ""), "{args:?}");
        assert!(err.contains(word), "{args:?}: {err}");
    }
}

#[tokio::test]
async fn port_taken_by_another_process_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let (code, out, err) = run(&["run", "--stream", &format!("door=tcp://127.0.0.1:1@{addr}")]);
    assert_eq!((code, &*out), (Some(1), ""));
    assert!(
        err.contains(&format!(
            "door: {addr} is in use by another program or stream (port_in_use)"
        )),
        "{err}"
    );
    assert!(err.contains("Choose another port"), "{err}");
}

#[tokio::test]
async fn second_copy_of_the_program_is_told_that_the_port_is_taken() {
    let camera = Camera::start(live()).await;
    // Port 0 takes a port that is free on all interfaces, which the second copy then finds in use.
    let first = Server::start(&["run", "--stream", &format!("door={}@0", camera.url())], 1);
    let port = first.addr(0).port();
    for listen in [
        format!("{port}"),
        format!("127.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
    ] {
        let (code, _, err) = run(&[
            "run",
            "--stream",
            &format!("door={}@{listen}", camera.url()),
        ]);
        assert_eq!(code, Some(1));
        assert!(err.contains("(port_in_use)"), "{listen}: {err}");
    }
    let mut viewer = Viewer::open(first.addr(0), "/").await.unwrap();
    assert!(
        viewer.next_frame().await.unwrap().is_some(),
        "the first goes on"
    );
}

#[test]
fn no_error_repeats_a_password() {
    for stream in [
        "a=http://me:hunter2@cam:x/@8081",
        "a=http://me:hunter2@cam:x/",
        "a=http://me:hunter2@8081",
        "a=http://me:hunter2/x@cam/@8081",
        "a=exec:ffmpeg -i 'http://me:hunter2@cam@8081",
        "a=ftp://me:hunter2@cam/@8081",
        "a=tcp://me:hunter2@cam:1@8081",
        "a=tcp://me:hunter2@8081",
        "a=tcp://me:x@hunter2",
        "a=http:/me:hunter2@cam/@8081",
        "a=http:me:hunter2@cam@8081",
        "a=tcp-listen://me:hunter2@0.0.0.0:1@8081",
        "a=file://me:hunter2@cam/x@8081",
        "a=http://cam/#fps=hunter2@8081",
        "a=http://cam/#hunter2@8081",
        "a=test:?size=hunter2@8081",
        "a=unix:hunter2@8081",
        "a=hunter2@8081",
        "a=hunter2",
    ] {
        let (code, out, err) = run(&["run", "--stream", stream]);
        assert_eq!((code, &*out), (Some(2), ""));
        assert!(
            err.contains("'a=…'") && !err.contains("hunter2"),
            "{stream}: {err}"
        );
    }
}

#[tokio::test]
async fn camera_that_is_off_is_retried_unless_required() {
    let addr = refused_addr().await;
    let (code, out, err) = run(&[
        "run",
        "--require-cameras",
        "--stream",
        &format!("door=tcp://{addr}@127.0.0.1:0"),
    ]);
    assert_eq!((code, &*out), (Some(1), ""));
    assert!(
        err.contains(&format!("door: cannot reach the camera at tcp://{addr}")),
        "{err}"
    );
    assert!(
        err.contains("(tcp_connection_failed)") && err.contains("Check that the camera is on"),
        "{err}"
    );

    let server = Server::start(
        &["run", "--stream", &format!("door=tcp://{addr}@127.0.0.1:0")],
        1,
    );
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let placeholder = viewer.next_frame().await.unwrap().unwrap();
    assert_eq!(jpeg::number_of(&placeholder), None, "no frame of a camera");
    let _camera = Camera::start_at(addr, live()).await.unwrap();
    loop {
        let frame = viewer.next_frame().await.unwrap();
        if jpeg::number_of(&frame.expect("found when it comes on")).is_some() {
            break;
        }
    }
}

#[test]
fn fallback_for_no_stream_is_told() {
    let (code, _, err) = run(&[
        "run",
        "--stream",
        "a=tcp://a:1@127.0.0.1:0",
        "--fallback",
        "b=tcp://b:1",
    ]);
    assert_eq!(code, Some(1));
    assert!(err.contains("add --stream b="), "{err}");
}

#[tokio::test]
async fn fallback_takes_over_and_cameras_are_connected_on_demand() {
    let (dead, camera) = (refused_addr().await, Camera::start(live()).await);
    let server = Server::start(
        &[
            "run",
            "--stream",
            &format!("door=tcp://{dead}@127.0.0.1:0"),
            "--fallback",
            &format!("door={}", camera.url()),
            "--on-demand",
            "--linger",
            "0.2",
        ],
        1,
    );
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let frame = viewer.next_frame().await.unwrap().unwrap();
    assert!(jpeg::number_of(&frame).is_some());
    drop(viewer);
    let hung_up = async {
        while camera.open() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), hung_up)
        .await
        .expect("nobody watches");
}

#[tokio::test]
async fn placeholder_may_be_a_file_or_none() {
    let dead = refused_addr().await;
    let file = std::env::temp_dir().join(format!("mjpeg-cli-{}.jpg", std::process::id()));
    let stream = format!("door=tcp://{dead}@127.0.0.1:0");
    let of_file = [
        "run",
        "--stream",
        &stream,
        "--placeholder",
        file.to_str().unwrap(),
    ];
    let (code, _, err) = run(&of_file);
    assert_eq!(code, Some(1));
    assert!(err.contains("--placeholder: cannot read"), "{err}");
    std::fs::write(&file, "no picture").unwrap();
    let (code, _, err) = run(&of_file);
    assert_eq!(code, Some(1));
    assert!(err.contains("is no JPEG picture"), "{err}");
    // A file without an end.
    let endless = ["run", "--stream", &stream, "--placeholder", "/dev/zero"];
    let (code, _, err) = run(&endless);
    assert_eq!(code, Some(1));
    assert!(err.contains("cannot read /dev/zero"), "{err}");

    std::fs::write(&file, jpeg::numbered(4711)).unwrap();
    let server = Server::start(&of_file, 1);
    std::fs::remove_file(&file).unwrap();
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let shown = viewer.next_frame().await.unwrap().unwrap();
    assert_eq!(jpeg::number_of(&shown), Some(4711));

    let server = Server::start(&["run", "--stream", &stream, "--placeholder", "none"], 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_secs(2), viewer.next_frame()).await;
    assert!(nothing.is_err());
}

#[tokio::test]
async fn camera_that_does_not_answer_times_out() {
    let silent = FullBacklog::start().await;
    let (code, _, err) = run(&[
        "run",
        "--require-cameras",
        "--stream",
        &format!("door=tcp://{}@127.0.0.1:0", silent.addr()),
    ]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("no connection within 5s (connect_timeout) (tcp_connection_timeout)"),
        "{err}"
    );
}

#[tokio::test]
async fn one_failure_fails_the_whole_start_and_each_is_told() {
    let camera = Camera::start(live()).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let url = camera.url();
    let (good, bad) = (
        format!("good={url}@127.0.0.1:0"),
        format!("bad={url}@{addr}"),
    );
    let worse = "worse=tcp://a:1@192.0.2.1:1";
    let (code, out, err) = run(&[
        "run", "--stream", &good, "--stream", &bad, "--stream", worse,
    ]);
    assert_eq!((code, &*out), (Some(1), ""));
    assert!(
        err.contains("(port_in_use)") && err.contains("worse: cannot listen on 192.0.2.1:1"),
        "{err}"
    );
}

#[tokio::test]
async fn signals_end_it_cleanly_with_viewers_watching() {
    for signal in ["INT", "TERM", "HUP"] {
        let camera = Camera::start(live()).await;
        let mut server = Server::start(
            &[
                "run",
                "--stream",
                &format!("door={}@127.0.0.1:0", camera.url()),
            ],
            1,
        );
        let addr = server.addr(0);
        let mut viewers = Vec::new();
        for _ in 0..3 {
            let mut viewer = Viewer::open(addr, "/").await.unwrap();
            viewer.next_frame().await.unwrap().unwrap();
            viewers.push(viewer);
        }
        let (status, took) = server.end_by(signal);
        assert_eq!(status.code(), Some(0), "{signal}: {}", server.stderr());
        assert!(took < Duration::from_secs(5), "{signal} took {took:?}");
        for viewer in &mut viewers {
            while viewer.next_frame().await.expect("a clean end").is_some() {}
        }
        TcpListener::bind(addr).expect("the port is free");
    }
}

/// The program with a viewer that does not read, so that a part for it stays half sent.
async fn with_stuck_viewer() -> (Server, Camera, TcpStream) {
    let large = (0..3).map(|n| jpeg::of_length(n, 1_000_000)).collect();
    let camera = Camera::start(Script::live(large, Duration::from_millis(20))).await;
    let stream = format!("door={}@127.0.0.1:0", camera.url());
    let server = Server::start(&["run", "--stream", &stream], 1);
    let stuck = Viewer::open(server.addr(0), "/")
        .await
        .unwrap()
        .into_stream();
    // Long enough for the kernel's buffers to fill, which cannot be observed from outside the
    // program. How long it takes to end shows that they were full.
    tokio::time::sleep(Duration::from_secs(2)).await;
    (server, camera, stuck)
}

#[tokio::test]
async fn viewer_that_takes_nothing_does_not_hold_up_the_end() {
    let (mut server, _camera, _stuck) = with_stuck_viewer().await;
    let (status, took) = server.end_by("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(
        took >= Duration::from_secs(4) && took < Duration::from_secs(6),
        "took {took:?}"
    );
    let err = server.stderr();
    assert!(err.contains("did not end in time and was cut"), "{err}");
}

#[tokio::test]
async fn second_signal_ends_at_once() {
    let (mut server, _camera, _stuck) = with_stuck_viewer().await;
    server.signal("INT");
    server.stderr_until("a second signal ends at once");
    let (_, took) = server.end_by("INT");
    assert!(
        took < Duration::from_secs(3),
        "took {took:?}, as if it had waited for the viewer"
    );
}

#[tokio::test]
async fn camera_that_stays_off_is_one_warning() {
    let addr = refused_addr().await;
    let stream = format!("door=tcp://{addr}@127.0.0.1:0");
    let mut server = Server::start(&["run", "--log", "debug", "--stream", &stream], 1);
    let lines = server.stderr_until("camera still offline");
    let warnings: Vec<_> = lines.iter().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("camera offline; retrying until it returns"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn log_level_comes_from_flag_or_environment() {
    let camera = Camera::start(live()).await;
    let stream = format!("door={}@127.0.0.1:0", camera.url());
    let logged = async |args: &[&str], env: Option<&str>| {
        let mut command = command(args);
        command
            .args(["run", "--stream", &stream])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        if let Some(level) = env {
            command.env("MJPEG_LOG", level);
        }
        let mut child = command.spawn().unwrap();
        camera.wait_connections(camera.connections() + 1).await;
        let pid = child.id().to_string();
        std::process::Command::new("kill")
            .args(["-s", "TERM", &pid])
            .status()
            .unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut text).unwrap();
        child.wait().unwrap();
        text
    };
    assert!(
        logged(&[], None).await.contains("stream started"),
        "info is the default"
    );
    assert!(
        !logged(&["--log", "error"], None)
            .await
            .contains("stream started")
    );
    assert!(!logged(&[], Some("error")).await.contains("stream started"));
    assert!(
        logged(&["--log", "info"], Some("error"))
            .await
            .contains("stream started"),
        "the flag wins"
    );
}

#[tokio::test]
async fn demo_shows_as_many_cameras_as_asked_on_one_port_and_each_on_its_own() {
    let mut server = Server::start(&["demo", "--cameras", "3", "--port", "0"], 4);
    for url in &server.urls {
        assert!(
            url.starts_with("http://127.0.0.1:"),
            "only this machine can reach it: {url}"
        );
    }
    let asked = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let page = request(server.addr(0), asked).await.unwrap();
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    for camera in 1..=3 {
        let link = format!("<a href=\"camera{camera}/\">");
        assert!(page.contains(&link), "{page}");
        let shared = format!("/camera{camera}/");
        for (addr, path) in [(server.addr(0), &*shared), (server.addr(camera), "/")] {
            let mut viewer = Viewer::open(addr, path).await.unwrap();
            let first = viewer.next_frame().await.unwrap().unwrap();
            // On a busy machine the first picture may be repeated before the second is drawn.
            let mut moves = false;
            for _ in 0..20 {
                moves |= viewer.next_frame().await.unwrap().unwrap() != first;
            }
            assert!(moves, "it moves");
            let frame = mjpeg_codec::Frame::parse(first).unwrap();
            assert_eq!(
                (frame.width(), frame.height(), frame.displayable()),
                (640, 480, true)
            );
        }
    }
    assert_eq!(server.end_by("INT").0.code(), Some(0));
    assert_eq!(server.rest_of_stdout(), "", "the URLs and nothing else");
}

#[tokio::test]
async fn demo_takes_the_ports_from_the_one_asked_for() {
    // Three adjacent ports that are free now.
    let first = loop {
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let is_free = |after| TcpListener::bind(("127.0.0.1", free + after)).is_ok();
        if free < u16::MAX - 2 && is_free(1) && is_free(2) {
            break free;
        }
    };
    let port = first.to_string();
    let server = Server::start(&["demo", "--cameras", "2", "--port", &port], 3);
    let ports = [0, 1, 2].map(|url| server.addr(url).port());
    assert_eq!(ports, [first, first + 1, first + 2]);
    let (code, _, err) = run(&["demo", "--cameras", "1", "--port", &port]);
    assert_eq!(code, Some(1), "a port that was asked for is not swapped");
    assert!(err.contains("(port_in_use)"), "{err}");
    let (code, _, err) = run(&["demo", "--port", "65535"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("lower --port"), "{err}");
}

/// The port of the gateway that is opened by itself. One test, because there is one such port.
#[tokio::test]
async fn streams_without_a_port_share_port_8080() {
    let camera = Camera::start(live()).await;
    let (door, yard) = (
        format!("door={}", camera.url()),
        format!("yard={}@127.0.0.1:0", camera.url()),
    );
    let args = ["run", "--stream", &door, "--stream", &yard];
    // Taken by this test or by another program.
    let taken = TcpListener::bind("[::]:8080");
    let (code, _, err) = run(&args);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("[::]:8080") && err.contains("(port_in_use)"),
        "{err}"
    );
    assert!(err.contains("Choose another port"), "{err}");
    // The demo has not been told a port, so that it takes free ones.
    let demo = Server::start(&["demo", "--cameras", "1"], 2);
    assert_ne!(demo.addr(0).port(), 8080);
    let mut viewer = Viewer::open(demo.addr(1), "/").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
    if taken.is_err() {
        return;
    }
    drop(taken);
    let server = Server::start(&args, 3);
    assert_eq!(
        server.urls[..2],
        ["http://localhost:8080/", "http://localhost:8080/door/"]
    );
    for path in ["/door/", "/yard/"] {
        let mut viewer = Viewer::open(server.addr(0), path).await.unwrap();
        assert!(viewer.next_frame().await.unwrap().is_some());
    }
    let mut viewer = Viewer::open(server.addr(2), "/").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
}

#[test]
fn stream_that_shares_a_port_needs_a_name_that_is_free_there() {
    for name in ["stream", "API"] {
        let stream = format!("{name}=test:");
        let (code, _, err) = run(&["run", "--stream", &stream, "--stream", "a=test:@0"]);
        assert_ne!(code, Some(0), "{err}");
        let reason = format!("the listeners need the name {name} themselves");
        assert!(err.contains(&reason), "{err}");
    }
    let server = Server::start(&["run", "--stream", "stream=test:@127.0.0.1:0"], 1);
    assert!(server.urls[0].starts_with("http://127.0.0.1:"));
}

/// As systemd is told with `Type=notify`.
#[cfg(unix)]
#[test]
fn service_manager_is_told_when_it_serves_and_when_it_ends() {
    let path = std::env::temp_dir().join(format!("mjpeg-notify-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let told = || {
        let mut text = [0; 100];
        let n = socket.recv(&mut text).unwrap();
        String::from_utf8(text[..n].to_vec()).unwrap()
    };
    let mut command = command(&["run", "--stream", "a=test:@127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path);
    let mut server = Server::of(command, 1);
    assert_eq!(told(), "READY=1\n");
    assert_eq!(server.end_by("TERM").0.code(), Some(0));
    assert_eq!(told(), "STOPPING=1\n");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn viewers_over_the_limits_of_the_command_line_are_refused() {
    let camera = Camera::start(live()).await;
    let streams = [1, 2].map(|n| format!("door{n}={}@127.0.0.1:0", camera.url()));
    let [first, second] = &streams;
    let args = ["run", "--stream", first, "--stream", second];
    // The limit per address does not apply on loopback.
    let limits = [
        "--max-viewers=2",
        "--max-viewers-total=3",
        "--max-viewers-per-address=1",
        "--trusted-proxy=10.0.0.1",
        "--trusted-proxy=fd00::/8",
    ];
    let server = Server::start(&[&args[..], &limits].concat(), 2);
    let mut held = Vec::new();
    for (stream, status) in [(0, 200), (0, 200), (0, 503), (1, 200), (1, 503)] {
        let viewer = Viewer::open(server.addr(stream), "/").await.unwrap();
        assert_eq!(viewer.head().status, status, "stream {stream}");
        held.push(viewer);
    }
}

#[test]
fn password_is_not_repeated_wherever_a_url_stands() {
    for args in [
        &["run", "--stream", "http://me:secret@cam/video@8082"][..],
        &["run", "--stream", "http://me:secret@cam/?a=b@8082"],
        &["run", "--stream", "a b=http://me:secret@cam/video@8082"],
        &["run", "door=http://me:secret@cam/video@8082"],
        &["run", "door=http:/me:secret@cam/video@8082"],
        &["door=http:/me:secret@cam/video@8082"],
        &["run", "--strem=door=http:/me:secret@cam/video@8082"],
        &["run", "-sdoor=http:/me:secret@cam/video@8082"],
        &["run", "--stream", "secret"],
        &[
            "run",
            "--stream",
            "a=tcp://a:1@0",
            "--fallback",
            "a=tcp://me:secret@cam",
        ],
        &["run", "--stream", "a=tcp://a:1@0", "--fallback", "a=secret"],
        &[
            "run",
            "--stream",
            "a=tcp://a:1@0",
            "--fallback",
            "http://me:secret@cam/",
        ],
        &[
            "run",
            "--stream",
            "a=tcp://a:1@0",
            "--fallback",
            "a=rtmp://me:secret@cam/",
        ],
    ] {
        let (code, out, err) = run(args);
        assert_eq!(code, Some(2), "{args:?}");
        assert!(!(out + &err).contains("secret"), "{args:?}: {err}");
    }
}

//! What does not come from the file, and what signals mean.

use std::{process::Command, time::Duration};

use mjpeg_testkit::Viewer;

use super::{GATEWAY, Reloadable, Watcher, camera, has, stream};
use crate::{folder::Folder, process::Server};

const INTERVAL: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_and_flags_of_the_command_line_are_kept() {
    let one = camera(0, INTERVAL).await;
    let flag = format!("two={}@127.0.0.1:0", one.url());
    let args = ["--stream", &flag, "--max-viewers", "1"];
    let file = |keys: &str| [GATEWAY, &stream("one", &one.url(), keys)].concat();
    let mut relay = Reloadable::start_with(&file(""), 3, &args);
    let mut watches = Watcher::open(relay.addr(2), "/").await;
    watches.follow(3).await;
    let log = relay.reload(&file("max_fps = 20"));
    assert!(has(&log, "reloaded: 1 changed"), "{log:#?}");
    watches.follow(5).await;
    let second = Viewer::open(relay.addr(2), "/").await.unwrap();
    assert_eq!(second.head().status, 503);
    let _first = Watcher::open(relay.addr(0), "/one/").await;
    let second = Viewer::open(relay.addr(0), "/one/").await.unwrap();
    assert_eq!(second.head().status, 503);
    // A name of the command line is taken.
    let log = relay.reload(&(file("") + &stream("two", &one.url(), "")));
    assert!(
        has(&log, "--stream: the name two is taken (already_exists)"),
        "{log:#?}"
    );
    watches.follow(5).await;
}

/// Whoever starts the program so wants it to outlive the terminal, not to be deaf.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hangup_reloads_although_it_was_ignored_at_the_start() {
    let one = camera(0, INTERVAL).await;
    let folder = Folder::new();
    let file = folder.write(
        "mjpeg.toml",
        [GATEWAY, &stream("one", &one.url(), "")].concat(),
    );
    let mut started = Command::new("nohup");
    started.arg(env!("CARGO_BIN_EXE_mjpeg-server"));
    started.args(["run", "-c", &file]).env_remove("MJPEG_LOG");
    let server = Server::of(started, 2);
    let mut relay = Reloadable { server, folder };
    let mut watches = Watcher::open(relay.addr(0), "/one/").await;
    let log = relay.hang_up();
    assert!(has(&log, "nothing has changed"), "{log:#?}");
    watches.follow(5).await;
}

/// Hang-ups that come during a reload make one more reload together, which reads the last state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hangups_end_with_the_last_state_of_the_file() {
    let one = camera(0, INTERVAL).await;
    let file = |keys: &str| [GATEWAY, &stream("one", &one.url(), keys)].concat();
    let mut relay = Reloadable::start(&file(""), 2);
    let mut watches = Watcher::open(relay.addr(0), "/one/").await;
    for most in 1..=20 {
        relay.replace(&file(&format!("max_viewers = {most}")));
        relay.server.signal("HUP");
    }
    let is_last = |log: &[String]| has(log, "-> 20");
    while !is_last(&relay.outcome()) {}
    watches.follow(5).await;
    let (status, _) = relay.server.end_by("TERM");
    assert!(status.success());
}

/// What the service manager is told (`Type=notify-reload`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_manager_is_told() {
    let one = camera(0, INTERVAL).await;
    let folder = Folder::new();
    let file = folder.write(
        "mjpeg.toml",
        [GATEWAY, &stream("one", &one.url(), "")].concat(),
    );
    let path = std::env::temp_dir().join(format!("mjpeg-notify-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut started = crate::process::command(&["run", "-c", &file]);
    started.env("NOTIFY_SOCKET", &path);
    let server = Server::of(started, 2);
    let mut relay = Reloadable { server, folder };
    let told = || {
        let mut text = [0; 1000];
        let count = socket.recv(&mut text).expect("told within 30 s");
        String::from_utf8(text[..count].to_vec()).unwrap()
    };
    assert_eq!(told().trim(), "READY=1");
    relay.hang_up();
    let text = told();
    assert!(text.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{text}");
    assert_eq!(told().trim(), "READY=1");
    relay.server.end_by("TERM");
    assert_eq!(told().trim(), "STOPPING=1");
    std::fs::remove_file(&path).unwrap();
}

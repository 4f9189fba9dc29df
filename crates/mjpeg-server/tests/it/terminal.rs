//! What the program writes, and whoever does not read it.

use std::{
    io::{PipeReader, Read, Write, pipe},
    net::SocketAddr,
    process::{Child, Stdio},
    time::Duration,
};

use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, refused_addr};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    process::{Server, command},
    sources::free_addr,
};

fn live() -> Script {
    let frames = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(20))
}

/// A pipe that is full, as that to a pager which was stopped.
fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, mut writer) = pipe().unwrap();
    // A pipe of Linux holds 64 KiB (pipe(7)).
    writer.write_all(&vec![b'\n'; 64 << 10]).unwrap();
    (reader, writer.into())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", signal, &id])
        .status();
    assert!(sent.unwrap().success());
}

async fn open(addr: SocketAddr) -> Viewer {
    loop {
        match Viewer::open(addr, "/").await {
            Ok(viewer) => return viewer,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

#[tokio::test]
async fn nobody_who_does_not_read_standard_output_or_error_stops_a_stream_or_the_end() {
    for (stdout_is_full, signal_name) in [(false, "TERM"), (true, "HUP")] {
        let camera = Camera::start(live()).await;
        let addr = free_addr();
        let stream = format!("door={}@{addr}", camera.url());
        let (stderr, full_stderr) = full_pipe();
        let (stdout, full_stdout) = full_pipe();
        let mut command = command(&["run", "--log", "trace", "--stream", &stream]);
        command.stderr(full_stderr);
        command.stdout(if stdout_is_full {
            full_stdout
        } else {
            Stdio::null()
        });
        let mut running = Running(command.spawn().unwrap());
        let mut viewer = timeout(Duration::from_secs(10), open(addr))
            .await
            .expect("served");
        for _ in 0..50 {
            let frame = timeout(Duration::from_secs(5), viewer.next_frame()).await;
            assert!(frame.expect("the stream goes on").unwrap().is_some());
        }
        signal(&running.0, signal_name);
        let ended = async {
            loop {
                if let Some(status) = running.0.try_wait().unwrap() {
                    return status;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let status = timeout(Duration::from_secs(5), ended)
            .await
            .expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal_name}");
        drop((stderr, stdout));
    }
}

/// What the kernel does for each frame is dearer while threads share open files.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn threads_that_write_share_no_open_files_with_the_one_that_serves_and_take_no_signals() {
    let camera = Camera::start(live()).await;
    let addr = free_addr();
    let stream = format!("door={}@{addr}", camera.url());
    let mut command = command(&["run", "--stream", &stream]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(command.spawn().unwrap());
    let mut viewer = timeout(Duration::from_secs(10), open(addr))
        .await
        .expect("served");
    viewer.next_frame().await.unwrap();

    let tasks = format!("/proc/{}/task", running.0.id());
    let mut writers = 0;
    // HUP, INT and TERM, by their numbers. One of these threads would lose them.
    let signals = 1_u64 | (1 << 1) | (1 << 14);
    for task in std::fs::read_dir(tasks).unwrap() {
        let task = task.unwrap().path();
        // Other threads may have ended meanwhile.
        let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default();
        if matches!(name.trim(), "stdout" | "stderr") {
            writers += 1;
            let status = std::fs::read_to_string(task.join("status")).unwrap();
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
            let blocked = u64::from_str_radix(blocked.unwrap().trim(), 16).unwrap();
            assert_eq!(blocked & signals, signals, "{name}: {blocked:x}");
            for file in std::fs::read_dir(task.join("fd")).unwrap() {
                let to = std::fs::read_link(file.unwrap().path()).unwrap();
                assert!(!to.to_string_lossy().contains("socket:"), "{name}: {to:?}");
            }
        }
    }
    assert_eq!(writers, 2);
}

#[tokio::test]
async fn log_goes_on_when_it_is_read_again() {
    let camera = Camera::start(live()).await;
    let addr = free_addr();
    let stream = format!("door={}@{addr}", camera.url());
    let (mut stderr, full_stderr) = full_pipe();
    let mut command = command(&["run", "--stream", &stream]);
    command.stderr(full_stderr).stdout(Stdio::null());
    let running = Running(command.spawn().unwrap());
    drop(command);
    let mut viewer = timeout(Duration::from_secs(10), open(addr))
        .await
        .expect("served");
    assert!(viewer.next_frame().await.unwrap().is_some());
    let reading = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    signal(&running.0, "TERM");
    let text = timeout(Duration::from_secs(10), reading)
        .await
        .expect("ended");
    let text = text.unwrap().unwrap();
    for word in ["stream started", "camera online", "ending; a second signal"] {
        assert!(text.contains(word), "{word}: {}", text.trim());
    }
}

/// `nohup` and service managers ignore the signal for the program.
#[tokio::test]
async fn hangup_is_ignored_where_whoever_started_it_wants_so() {
    let camera = Camera::start(live()).await;
    let stream = format!("door={}@127.0.0.1:0", camera.url());
    let program = command(&["run", "--stream", &stream]);
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(program.get_program());
    shell.args(program.get_args());
    let mut server = Server::of(shell, 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
    server.signal("HUP");
    for _ in 0..50 {
        assert!(viewer.next_frame().await.unwrap().is_some(), "it goes on");
    }
    assert_eq!(server.end_by("TERM").0.code(), Some(0));
}

/// The lines about cameras, without what starts and ends.
fn about_cameras(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("camera")).collect()
}

#[tokio::test]
async fn outage_is_one_line_whatever_the_camera_does_meanwhile() {
    // Off, then hanging up, then silent, then well.
    let camera = Camera::start_with(|nth| match nth {
        0..3 => Script::close(),
        3 => Script::new(vec![Step::Wait(Duration::from_millis(100)), Step::Reset]),
        4 => Script::new(vec![
            Step::Send("no picture".into()),
            Step::Wait(Duration::from_millis(100)),
        ]),
        _ => live(),
    })
    .await;
    let stream = format!("door={}@127.0.0.1:0", camera.url());
    let mut server = Server::start(&["run", "--stream", &stream], 1);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    while jpeg::number_of(&viewer.next_frame().await.unwrap().unwrap()).is_none() {}
    server.end_by("TERM");
    let log = server.stderr();
    let lines = about_cameras(&log);
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[0].contains("camera offline; retrying until it returns"),
        "{log}"
    );
    assert!(
        lines[1].contains("camera online") && lines[1].contains("attempts=5"),
        "{log}"
    );
}

#[tokio::test]
async fn connects_without_a_picture_fill_no_log() {
    let addr = free_addr();
    let stream = format!("door=tcp-listen://{addr}@127.0.0.1:0");
    let mut server = Server::start(&["run", "--stream", &stream], 1);
    let mut connected = 0;
    while connected < 300 {
        match TcpStream::connect(addr).await {
            Ok(_) => connected += 1,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
    server.end_by("TERM");
    let log = server.stderr();
    assert!(about_cameras(&log).len() <= 1, "{log}");
    assert!(!log.contains("camera online"), "{log}");
}

#[tokio::test]
async fn what_a_program_says_steers_no_terminal_and_tells_no_secret() {
    let script = r"printf 'pwd=hunter2 \033[2J\007\000\302\233\342\200\256x\n' >&2";
    let stream = format!("door=exec:sh -c \"{script}\" --token hunter2@127.0.0.1:0");
    let mut server = Server::start(&["run", "--log", "debug", "--stream", &stream], 1);
    let lines = server.stderr_until("camera still offline");
    server.end_by("TERM");
    let log = lines.join("\n") + &server.stderr();
    assert!(
        log.contains("pwd=***") && log.contains("\\u{1b}[2J"),
        "{log}"
    );
    assert!(log.contains("exec:sh (4 arguments)"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!log.contains(steers), "{log:?}");
}

#[tokio::test]
async fn secrets_come_from_the_environment_and_from_files() {
    let camera = Camera::start(live()).await;
    let file = std::env::temp_dir().join(format!("mjpeg-secret-{}", std::process::id()));
    std::fs::write(&file, format!("{}\n", camera.addr().port())).unwrap();
    let place = format!("tcp://${{env:CAMERA_HOST}}:${{file:{}}}", file.display());
    let dead = refused_addr().await;
    for args in [
        vec!["--stream".to_owned(), format!("door={place}@127.0.0.1:0")],
        vec![
            "--stream".to_owned(),
            format!("door=tcp://{dead}@127.0.0.1:0"),
            "--fallback".to_owned(),
            format!("door={place}"),
        ],
    ] {
        let args: Vec<&str> = std::iter::once("run")
            .chain(args.iter().map(|arg| &**arg))
            .collect();
        let mut command = crate::process::command(&args);
        command.env("CAMERA_HOST", "127.0.0.1");
        let server = Server::of(command, 1);
        let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
        while jpeg::number_of(&viewer.next_frame().await.unwrap().unwrap()).is_none() {}
    }
    std::fs::remove_file(&file).unwrap();
    for (place, told) in [
        (
            "${env:MJPEG_NOT_SET}",
            "the environment variable MJPEG_NOT_SET is not set",
        ),
        ("${file:/no/such/file}", "/no/such/file"),
    ] {
        let stream = format!("door=http://me:{place}@cam/@127.0.0.1:0");
        let (code, _, err) = crate::process::run(&["run", "--stream", &stream]);
        assert_eq!(code, Some(2));
        assert!(err.contains(told), "{err}");
    }
    // Wherever a value stands, no line shows it.
    let stream = "door=tcp://${env:CAMERA_HOST}:1@127.0.0.1:0";
    let mut command = crate::process::command(&["run", "--stream", stream]);
    command.env("CAMERA_HOST", "hunter2.invalid");
    let mut server = Server::of(command, 1);
    let log = server.stderr_until("camera offline").join("\n");
    server.end_by("TERM");
    assert!(
        log.contains("tcp://***:1") && !log.contains("hunter2"),
        "{log}"
    );
    // What is wrong with the value is said without it.
    let stream = "door=http://cam:${env:PORT_OF}/@127.0.0.1:0";
    let mut command = crate::process::command(&["run", "--stream", stream]);
    let output = command.env("PORT_OF", "hunter2").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("port") && !err.contains("hunter2"), "{err}");
}

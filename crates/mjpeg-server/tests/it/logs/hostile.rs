//! What cameras, programs, viewers and secrets put into the log.

use mjpeg_testkit::{Camera, Script, Step};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::events;
use crate::{
    folder::Folder,
    process::{Server, command, run},
};

/// Whether a character steers a terminal, or hides there.
fn steers(c: char) -> bool {
    c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)
}

/// Checks that each line is one, and only text.
fn check(format: &str, log: &str) {
    for line in log.lines() {
        assert!(!line.contains(steers), "{line:?}");
        let is_one = match format {
            "json" => line.starts_with('{'),
            // The time.
            _ => line.starts_with("20"),
        };
        assert!(is_one, "{line}");
    }
    if format == "json" {
        events(log);
    }
}

/// The program with this stream, which logs all there is.
fn start(format: &str, stream: &str) -> Server {
    let args = ["run", "--log", "trace", "--log-format", format, "--stream"];
    Server::start(&[&args[..], &[stream]].concat(), 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_camera_says_is_one_line_of_text() {
    let answers: [&[u8]; 3] = [
        b"HTTP/1.1 500 \x1b[2J\"\\\xc2\x9b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: http://\x1b[2J\"\xe2\x80\xae/\r\n\r\n",
        b"HTTP/1.1 200 x\r\nContent-Type: \x1b[2J\"\xc2\x9bx\r\n\r\n\x1b[2J",
    ];
    for format in ["text", "json"] {
        for answer in answers {
            let script = Script::new(vec![Step::Send(answer.into()), Step::Stall]);
            let camera = Camera::start(script).await;
            let stream = format!("door=http://{}/@127.0.0.1:0", camera.addr());
            let mut server = start(format, &stream);
            let log = server.stderr_until("camera offline").join("\n");
            check(format, &log);
        }
    }
}

#[tokio::test]
async fn what_a_program_says_is_one_line_of_text() {
    let script = r#"printf 'a \033[2J\007 \"q\" \\\\ \302\233\342\200\256x\nsecond\n' >&2"#;
    for format in ["text", "json"] {
        let script = script.replace('"', "\\\"");
        let stream = format!("door=exec:sh -c \"{script}\"@127.0.0.1:0");
        let mut server = start(format, &stream);
        let log = server.stderr_until("camera offline").join("\n");
        check(format, &log);
        assert!(log.contains("second") && log.contains("u{1b}[2J"), "{log}");
    }
}

/// Nothing escapes what a viewer says before it is logged.
#[tokio::test]
async fn what_a_viewer_says_is_one_line_of_text() {
    for format in ["text", "json"] {
        let mut server = start(format, "door=test:@127.0.0.1:0");
        let mut viewer = TcpStream::connect(server.addr(0)).await.unwrap();
        let mut asked = b"GET /stream?key=%1b%5b2J%0a%22%5c%c2%9b%e2%80%aex HTTP/1.1\r\n".to_vec();
        asked.extend(b"Host: x\r\nUser-Agent: a\xc2\x9b2J\xe2\x80\xae\"\\\tb\r\n\r\n");
        viewer.write_all(&asked).await.unwrap();
        assert!(viewer.read(&mut [0; 100]).await.unwrap() > 0);
        let mut log = server.stderr_until("viewer admitted");
        // Not understood as it is.
        let mut other = TcpStream::connect(server.addr(0)).await.unwrap();
        other
            .write_all(b"GET /\x1b[2J\xc2\x9b\" HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = other.read_to_end(&mut answer).await;
        drop(viewer);
        log.extend(server.stderr_until("viewer gone"));
        let log = log.join("\n");
        check(format, &log);
        if format == "json" {
            let events = events(&log);
            let admitted = super::only(&events, "viewer admitted");
            assert_eq!(admitted["key"], "\u{1b}[2J\n\"\\\u{9b}\u{202e}x");
            assert_eq!(admitted["agent"], "a\u{9b}2J\u{202e}\"\\\tb");
        } else {
            let shown = r#"key=\u{1b}[2J\n"\\u{9b}\u{202e}x agent=a\u{9b}2J\u{202e}"\\tb"#;
            assert!(log.contains(shown), "{log}");
        }
    }
}

/// The last line is no event.
#[test]
fn what_a_failed_start_says_steers_no_terminal() {
    let folder = Folder::new();
    let tls = r#"{ certificate = "/no/\u001b[2J\u009b\u202ex", key = "/no/key" }"#;
    let stream = "[[streams]]\nname = \"a\"\nsource = \"test:\"";
    let text = format!("[[listen]]\naddress = \"127.0.0.1:0\"\ntls = {tls}\n{stream}");
    let file = folder.write("mjpeg.toml", text);
    for (format, shown) in [
        ("text", "cannot read /no/\\u{1b}[2J\\u{9b}\\u{202e}x"),
        ("json", "cannot read /no/\\u001b[2J\\u009b\\u202ex"),
    ] {
        let args = ["run", "--log=off", "-c", &file, "--log-format", format];
        let (code, _, err) = run(&args);
        assert_eq!(code, Some(1));
        let steers = |c: char| steers(c) && c != '\n';
        assert!(err.contains(shown) && !err.contains(steers), "{err:?}");
    }
}

/// Quoting must not hide a secret from the one who looks for it.
#[tokio::test]
async fn secrets_that_are_quoted_are_masked_all_the_same() {
    let script = r#"printf "%s" "$1" >&2; sleep 0.1"#.replace('"', "\\\"");
    let secret = "hun\"ter\\2\nsecond\tthird";
    for format in ["text", "json"] {
        let stream = format!("door=exec:sh -c \"{script}\" sh ${{env:SECRET}}@127.0.0.1:0");
        let args = ["run", "--log=trace", "--log-format", format, "--stream"];
        let mut started = command(&[&args[..], &[&stream]].concat());
        started.env("SECRET", secret);
        let mut server = Server::of(started, 1);
        let log = server.stderr_until("camera offline").join("\n");
        check(format, &log);
        assert!(log.contains("***"), "{log}");
        for part in ["hun", "ter\\", "second", "third"] {
            assert!(!log.contains(part), "{log}");
        }
        // And what a viewer says of it.
        let mut viewer = TcpStream::connect(server.addr(0)).await.unwrap();
        viewer
            .write_all(
                b"GET /stream?key=hun%22ter%5c2%0asecond%09third HTTP/1.1\r\nHost: x\r\n\r\n",
            )
            .await
            .unwrap();
        let log = server.stderr_until("viewer admitted").join("\n");
        check(format, &log);
        assert!(
            log.contains("***") && !log.contains("hun") && !log.contains("second"),
            "{log}"
        );
    }
}

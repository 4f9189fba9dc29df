//! The programs of the load benchmark together over real sockets, and the viewers' report on
//! servers that damage or lose frames.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};

use kit::{child::Child, relay};
use serde_json::Value;

#[test]
fn viewers_of_the_reference_get_every_frame() {
    let ceiling = Ceiling::start();
    let report = load(&ceiling, ceiling.at);
    assert_eq!(report["bad"], 0);
    assert_eq!(report["lost"], 0);
    assert_eq!(report["out_of_order"], 0);
    let counted = |name: &str| report[name].as_u64().unwrap();
    assert!(counted("offered") > 10, "{report}");
    assert_eq!(counted("expected"), counted("offered") * VIEWERS);
    assert!(counted("checked") > 0);
    assert!(report["server"]["cpu"]["run_ns"].as_u64().unwrap() > 0);
}

#[test]
fn damage_is_reported() {
    let ceiling = Ceiling::start();
    let report = load(
        &ceiling,
        proxy(ceiling.at, |_, part| {
            let middle = part.len() / 2;
            part[middle] ^= 1;
            true
        }),
    );
    let counted = |name: &str| report[name].as_u64().unwrap();
    // In the others, nobody looks at the damaged byte.
    assert_eq!(counted("bad"), counted("checked"));
    assert!(counted("bad") > 0, "{report}");
    assert_eq!(counted("lost"), 0);
}

#[test]
fn skipped_frames_are_missed() {
    let ceiling = Ceiling::start();
    let report = load(&ceiling, proxy(ceiling.at, |number, _| number % 4 != 0));
    let counted = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(counted("bad"), 0);
    // Each viewer lacks about a quarter. They need not lack the same frames, because the proxy
    // counts for each viewer separately.
    let (missed, expected) = (counted("missed"), counted("expected"));
    assert!(missed * 6 > expected, "{report}");
    assert!(counted("gaps") > 0);
}

/// A camera and the reference. Dropping the value ends both.
struct Ceiling {
    _camera: Child,
    server: Child,
    at: SocketAddr,
}

impl Ceiling {
    fn start() -> Self {
        let mut camera = start(env!("CARGO_BIN_EXE_fanout_camera"), &["--fps", "30"]);
        let camera_at = camera.line_blocking().unwrap();
        let arguments = ["--camera", &camera_at];
        let mut server = start(env!("CARGO_BIN_EXE_fanout_ceiling"), &arguments);
        let at = relay::address(&server.line_blocking().unwrap()).unwrap();
        Self {
            _camera: camera,
            server,
            at,
        }
    }
}

fn start(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(["--bytes", BYTES]).args(arguments);
    Child::start(command.stdout(Stdio::piped()), program).unwrap()
}

/// Runs viewers of this address for a second, and returns their report.
fn load(ceiling: &Ceiling, at: SocketAddr) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_fanout_load"))
        .args(["--to", &at.to_string()])
        .args(["--viewers", &VIEWERS.to_string()])
        .args(["--bytes", BYTES, "--seconds", "1"])
        .args(["--watch", &ceiling.server.id().to_string()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A proxy for a server. `keep` gets each part with its number, counted from 0 for each viewer. It
/// may change the bytes, and decides whether the part is sent.
fn proxy(
    server: SocketAddr,
    keep: impl Fn(u64, &mut Vec<u8>) -> bool + Copy + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        for viewer in listener.incoming() {
            let mut viewer = viewer.unwrap();
            // Ends when the viewer or the server disconnects.
            thread::spawn(move || pass_on(&mut viewer, server, keep));
        }
    });
    at
}

fn pass_on(
    viewer: &mut TcpStream,
    server: SocketAddr,
    keep: impl Fn(u64, &mut Vec<u8>) -> bool,
) -> std::io::Result<()> {
    let mut request = BufReader::new(viewer.try_clone()?);
    let mut source = TcpStream::connect(server)?;
    source.write_all(&header(&mut request)?)?;
    let mut source = BufReader::new(source);
    viewer.write_all(&header(&mut source)?)?;
    let mut opening = Vec::new();
    source.read_until(b'\n', &mut opening)?;
    viewer.write_all(&opening)?;
    for number in 0.. {
        let mut part = header(&mut source)?;
        let begun = part.len();
        part.resize(begun + BYTES.parse::<usize>().unwrap() + DELIMITER_BYTES, 0);
        source.read_exact(&mut part[begun..])?;
        if keep(number, &mut part) {
            viewer.write_all(&part)?;
        }
    }
    Ok(())
}

/// Lines up to a blank line, inclusive.
fn header(from: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    while !lines.ends_with(b"\r\n\r\n") {
        if from.read_until(b'\n', &mut lines)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(lines)
}

const BYTES: &str = "2000";
const VIEWERS: u64 = 5;
const DELIMITER_BYTES: usize = "\r\n--boundarydonotcross\r\n".len();

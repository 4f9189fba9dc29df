//! Viewers that run in a browser or inside a large program. The kit records what they would read,
//! and feeds it read by read to scripts that reimplement their parsers. `pipe.mjs` next to those
//! scripts documents the protocol.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::{Buf as _, Bytes};

use crate::viewers::saw::{self, Saw};

/// The body of a response, divided as the socket returned it.
pub(crate) struct Body {
    content_type: String,
    pub(crate) reads: Vec<Bytes>,
}

/// Reads a stream in the background.
pub(crate) struct Recorder {
    stream: TcpStream,
    reading: JoinHandle<io::Result<Vec<Bytes>>>,
}

impl Recorder {
    pub(crate) fn start(addr: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(QUIET_LIMIT))?;
        // The parts of `fetch`'s request that servers look at.
        let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nAccept: */*\r\n\r\n");
        (&stream).write_all(request.as_bytes())?;
        let mut reader = stream.try_clone()?;
        let reading = thread::spawn(move || {
            let mut reads = Vec::new();
            let mut buffer = vec![0; READ_BYTES];
            loop {
                match reader.read(&mut buffer)? {
                    0 => return Ok(reads),
                    n => reads.push(Bytes::copy_from_slice(&buffer[..n])),
                }
            }
        });
        Ok(Self { stream, reading })
    }

    /// Reads to the end of the response.
    pub(crate) fn finish(self) -> Result<Body> {
        let reads = self
            .reading
            .join()
            .map_err(|_| anyhow!("the reader panicked"))?;
        body(reads.context("reading the stream")?)
    }

    /// Disconnects, and returns what has arrived.
    pub(crate) fn leave(self) -> Result<Body> {
        self.stream.shutdown(Shutdown::Both)?;
        self.finish()
    }
}

/// Removes the response's head.
fn body(reads: Vec<Bytes>) -> Result<Body> {
    let mut seen = Vec::new();
    let mut reads = reads.into_iter();
    let end = loop {
        seen.extend(reads.next().context("the response ended inside its head")?);
        if let Some(at) = seen.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8_lossy(&seen[..end]).into_owned();
    let status = head.split(' ').nth(1);
    let line = head.lines().next();
    ensure!(status == Some("200"), "the relay answers {line:?}");
    ensure!(
        !head.to_ascii_lowercase().contains("transfer-encoding"),
        "the response has a Transfer-Encoding, which this reader does not support"
    );
    let content_type = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type")
            .then(|| value.trim().to_owned())
    });
    let rest = Bytes::copy_from_slice(&seen[end + 4..]);
    let first = (!rest.is_empty()).then_some(rest);
    Ok(Body {
        content_type: content_type.context("the response has no Content-Type")?,
        reads: first.into_iter().chain(reads).collect(),
    })
}

/// Feeds bodies to a script, and returns the frames that it finds in all of them.
pub(crate) fn run(command: &str, script: &Path, bodies: &[Body]) -> Result<Saw> {
    let mut child = Command::new(command)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command}"))?;
    let mut stdin = child.stdin.take().context("piped, taken once")?;
    let output = thread::scope(|scope| {
        // If this fails, the script has ended, which its status shows.
        scope.spawn(move || stdin.write_all(&input(bodies)));
        child.wait_with_output()
    })?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} ended with {}: {stderr}",
        script.display(),
        output.status
    );
    let mut complaints = saw::complaints(&stderr);
    let mut answers = Bytes::from(output.stdout);
    let mut jpegs = Vec::new();
    let mut empty = 0;
    for _ in bodies {
        let frames = frames(&mut answers)?;
        empty += usize::from(frames.is_empty());
        jpegs.extend(frames);
    }
    if empty > 0 {
        let all = bodies.len();
        complaints.push(format!("{empty} of {all} responses gave no picture"));
    }
    Ok(Saw { jpegs, complaints })
}

fn input(bodies: &[Body]) -> Vec<u8> {
    let mut input = Vec::new();
    for body in bodies {
        let reads = body.reads.iter().map(|read| &read[..]);
        for piece in [body.content_type.as_bytes()].into_iter().chain(reads) {
            let length = u32::try_from(piece.len()).expect("a read is short");
            input.extend(length.to_be_bytes());
            input.extend(piece);
        }
        input.extend([0; 4]);
    }
    input
}

fn frames(output: &mut Bytes) -> Result<Vec<Bytes>> {
    let frames = output.try_get_u32().context("no answer for a body")?;
    let frame = |_| {
        let (_read, length) = (output.try_get_u32()?, output.try_get_u32()? as usize);
        ensure!(length <= output.len(), "an answer ends inside a frame");
        Ok(output.split_to(length))
    };
    (0..frames).map(frame).collect()
}

/// The size of the chunks that browsers pass to scripts.
const READ_BYTES: usize = 64 << 10;
const QUIET_LIMIT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_removed_wherever_the_reads_end() {
        let head = "HTTP/1.0 200 OK\r\ncontent-type: a;b=c\r\n\r\n";
        for (reads, rest) in [
            (vec![head.to_owned() + "x", "y".into()], vec!["x", "y"]),
            (
                vec![head[..9].into(), head[9..].into(), "z".into()],
                vec!["z"],
            ),
        ] {
            let body = body(reads.into_iter().map(Bytes::from).collect()).unwrap();
            assert_eq!(body.content_type, "a;b=c");
            assert_eq!(body.reads, rest);
        }
        assert!(body(vec![Bytes::from("HTTP/1.1 404 No\r\n\r\n")]).is_err());
    }
}

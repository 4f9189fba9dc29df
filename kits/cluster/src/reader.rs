//! A process that reads a stream and throws it away, as cheaply as it can.

use std::{
    env,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::child::Child;
use tokio::time::Instant;

/// Starts one.
pub(crate) fn start(addr: SocketAddr, path: &str) -> Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.args([WORD, &addr.to_string(), path]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    Child::start(&mut command, "a reader")
}

/// Is one: it reads until the response ends, which is an error. It prints how many bytes it has
/// read, about once a second.
pub(crate) fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(2).collect();
    let [addr, path] = &arguments[..] else {
        bail!("a reader takes an address and a path");
    };
    let mut stream = TcpStream::connect(addr.parse::<SocketAddr>()?)?;
    let id = fastrand::u64(..);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nX-Mjpeg-Via: {id:016x}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut room = vec![0; 1 << 20];
    let read = stream.read(&mut room)?;
    let head = String::from_utf8_lossy(&room[..read.min(12)]).into_owned();
    ensure!(head.ends_with(" 200"), "{addr}{path} answers {head:?}");
    let (begin, mut bytes, mut told) = (Instant::now(), 0, 0);
    loop {
        let read = stream.read(&mut room).context("reading")?;
        ensure!(read > 0, "{addr}{path} has ended");
        bytes += read as u64;
        let seconds = begin.elapsed().as_secs();
        if seconds > told {
            told = seconds;
            println!("{bytes}");
        }
    }
}

/// The argument by which the kit knows that it is one.
pub(crate) const WORD: &str = "read";

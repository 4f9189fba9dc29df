//! The viewers: many connections in one thread. The kernel discards the bytes that need no check.

mod tally;
mod viewer;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::{
    load_report::{Cpu, Report, Server},
    program,
};
use rustix::{
    event::epoll::EventFlags,
    io::Errno,
    net::{RecvFlags, recv},
};

use crate::fanout::{
    clock::{SECOND_NS, now_ns},
    load::{
        tally::Tally,
        viewer::{Viewer, Want},
    },
    picture::Pictures,
    proc::Process,
    system::{Epoll, connect, raise_descriptor_limit},
};

xflags::xflags! {
    /// Opens viewers, checks what they receive, and prints a report (JSON) of a measured window.
    ///
    /// The window begins a second after all viewers have received a frame.
    cmd load {
        /// The address of the stream.
        required --to to: SocketAddr
        /// The number of viewers.
        required --viewers viewers: usize
        /// The length of each of the camera's pictures.
        required --bytes bytes: usize
        /// The length of the window.
        required --seconds seconds: u64
        /// The path of the stream; `{n}` in it is the number of the viewer, from 1 on.
        optional --path path: String
        /// Each viewer has a port of its own: the first that of `--to`, the next the one after it.
        optional --each-port
        /// A path that each viewer requests first on its connection. The response must have a
        /// length.
        optional --first path: String
        /// The server's process, whose CPU time and memory are read at both ends of the window.
        required --watch pid: u32
    }
}

/// Runs the viewers to the end of the window.
pub fn main() -> ExitCode {
    program::exit(run(&Load::from_env_or_exit()).map(|()| true))
}

fn run(flags: &Load) -> Result<()> {
    ensure!(flags.viewers > 0, "--viewers must be at least 1");
    raise_descriptor_limit(flags.viewers)?;
    let server = Process(flags.watch);
    let rss_before_kib = server.rss_kib()?;
    let mut load = Viewers::new(flags)?;
    load.open_all(flags)?;
    load.settle()?;

    let before = Reading::take(server)?;
    load.tally.open();
    load.pump_until(now_ns() + flags.seconds * SECOND_NS, |_| false)?;
    let after = Reading::take(server)?;
    load.tally.close();
    let rss_kib = server.rss_kib()?;
    load.pump_until(now_ns() + GRACE_NS, Tally::complete)?;

    let window_ns = after.at_ns - before.at_ns;
    let own = after.own.since(before.own);
    let report = Report {
        viewers: flags.viewers as u64,
        lost: load.lost,
        first_fault: load.first_fault,
        window_ns,
        load_cpu: own.run_ns as f64 / window_ns as f64,
        load_waited: own.wait_ns as f64 / window_ns as f64,
        counts: load.tally.counts(),
        server: Server {
            cpu: after.server.since(before.server),
            rss_before_kib,
            rss_kib,
        },
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// The clocks at one moment.
struct Reading {
    at_ns: u64,
    own: Cpu,
    server: Cpu,
}

impl Reading {
    fn take(server: Process) -> Result<Self> {
        Ok(Self {
            at_ns: now_ns(),
            own: Process::this().cpu()?,
            server: server.cpu()?,
        })
    }
}

/// Requests a path, and reads the response, which must have a length.
fn request(stream: &mut TcpStream, to: SocketAddr, path: &str) -> Result<()> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {to}\r\n\r\n")?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < MAX_HEAD_BYTES, "{path}: the head is too long");
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let Some(length) = length.filter(|_| head.starts_with("http/1.1 200 ")) else {
        bail!("{path}: the response is not a 200 with a length: {head}");
    };
    let read = std::io::copy(&mut stream.take(length.parse()?), &mut std::io::sink())?;
    ensure!(
        read.to_string() == length,
        "{path}: the response was cut off"
    );
    Ok(())
}

struct Viewers {
    pictures: Pictures,
    epoll: Epoll,
    open: Vec<Option<(TcpStream, Viewer)>>,
    tally: Tally,
    lost: u64,
    first_fault: Option<String>,
    scratch: Vec<u8>,
    ready: Vec<(u64, EventFlags)>,
}

impl Viewers {
    fn new(flags: &Load) -> Result<Self> {
        Ok(Self {
            pictures: Pictures::new(flags.bytes)?,
            epoll: Epoll::new()?,
            open: Vec::with_capacity(flags.viewers),
            tally: Tally::new(flags.viewers),
            lost: 0,
            first_fault: None,
            scratch: vec![0; SCRATCH_BYTES],
            ready: Vec::new(),
        })
    }

    /// Opens the viewers one after another, while those already open read.
    fn open_all(&mut self, flags: &Load) -> Result<()> {
        let path = flags.path.as_deref().unwrap_or("/");
        let mut to = flags.to;
        for index in 0..flags.viewers {
            let path = path.replace("{n}", &(index + 1).to_string());
            let head = format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nAccept: */*\r\n\r\n");
            let mut stream = connect(to)?;
            if let Some(path) = &flags.first {
                request(&mut stream, to, path)?;
            }
            stream.write_all(head.as_bytes())?;
            stream.set_nonblocking(true)?;
            self.epoll.add(&stream, index as u64, EventFlags::IN)?;
            self.open.push(Some((stream, Viewer::new(index as u64))));
            if index % OPENED_BETWEEN_READS == 0 {
                self.pump(0)?;
            }
            if flags.each_port {
                to.set_port(to.port().checked_add(1).context("no port is left")?);
            }
        }
        Ok(())
    }

    /// Waits until all viewers have received a frame, and then a second.
    fn settle(&mut self) -> Result<()> {
        self.pump_until(now_ns() + START_LIMIT_NS, Tally::all_started)?;
        if !self.tally.all_started() {
            let fault = self.first_fault.as_ref();
            let fault = fault.map_or(String::new(), |why| format!(", the first because {why}"));
            bail!(
                "only {} of {} viewers have received a frame after {} s; {} were lost{fault}",
                self.tally.started(),
                self.open.len(),
                START_LIMIT_NS / SECOND_NS,
                self.lost,
            );
        }
        self.pump_until(now_ns() + SECOND_NS, |_| false)
    }

    fn pump_until(&mut self, end_ns: u64, done: impl Fn(&Tally) -> bool) -> Result<()> {
        loop {
            let now = now_ns();
            if now >= end_ns || done(&self.tally) {
                return Ok(());
            }
            self.pump(end_ns - now)?;
        }
    }

    /// Waits for bytes, at most `limit_ns`, and reads them.
    fn pump(&mut self, limit_ns: u64) -> Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.epoll.wait(Some(limit_ns), &mut ready)?;
        for (index, _) in ready.drain(..) {
            let index = index as usize;
            if let Err(fault) = self.read(index) {
                self.first_fault.get_or_insert_with(|| fault.to_string());
                self.lost += 1;
                if let Some((stream, _)) = self.open[index].take() {
                    self.epoll.remove(&stream)?;
                }
            }
        }
        self.ready = ready;
        Ok(())
    }

    /// Reads one viewer's bytes, up to the end of a frame.
    fn read(&mut self, index: usize) -> Result<()> {
        let Some((stream, viewer)) = &mut self.open[index] else {
            return Ok(());
        };
        loop {
            let want = viewer.want(&self.pictures);
            let (most, flags) = match want {
                Want::Bytes(most) => (most, RecvFlags::empty()),
                Want::Discard(most) => (most, RecvFlags::TRUNC),
            };
            let most = most.min(self.scratch.len());
            let read = match recv(&*stream, &mut self.scratch[..most], flags) {
                Ok((_, 0)) => bail!("the server closed the connection"),
                Ok((_, read)) => read,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let arrival = match want {
                Want::Bytes(_) => viewer.take(&self.scratch[..read], &self.pictures)?,
                Want::Discard(_) => viewer.discarded(read, &self.pictures),
            };
            if let Some(arrival) = &arrival {
                self.tally.arrived(index, arrival, now_ns());
            }
            // Leave the next frame for the next turn, even if it has arrived, so that no viewer
            // waits for another.
            if arrival.is_some() || read < most {
                return Ok(());
            }
        }
    }
}

/// Longer pictures take several reads.
const SCRATCH_BYTES: usize = 256 << 10;
const OPENED_BETWEEN_READS: usize = 16;
/// The head of the response to `--first`.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How long the viewers may take to receive their first frames.
const START_LIMIT_NS: u64 = 60 * SECOND_NS;
/// How long after the window a frame that was sent within it may arrive.
const GRACE_NS: u64 = 2 * SECOND_NS;

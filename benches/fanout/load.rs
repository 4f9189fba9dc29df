//! The viewers: many connections, one thread. What need not be looked at is discarded in the
//! kernel.

mod tally;
mod viewer;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
};

use anyhow::{Result, bail, ensure};
use rustix::{
    event::epoll::EventFlags,
    io::Errno,
    net::{RecvFlags, recv},
};
use serde::Serialize;

use crate::fanout::{
    clock::{SECOND_NS, now_ns},
    exit,
    load::{
        tally::{Counts, Tally},
        viewer::{Viewer, Want},
    },
    picture::Pictures,
    proc::{Cpu, Process},
    system::{Epoll, connect, raise_descriptor_limit},
};

xflags::xflags! {
    /// Opens viewers, checks what they get, and prints a report (JSON) of a measured window.
    ///
    /// The window begins a second after all viewers have had a frame.
    cmd load {
        /// Where the stream is.
        required --to to: SocketAddr
        /// How many viewers.
        required --viewers viewers: usize
        /// The length of each picture of the camera.
        required --bytes bytes: usize
        /// How long the window is.
        required --seconds seconds: u64
        /// What each viewer asks for first on the same connection; the answer must tell its length.
        optional --first path: String
        /// The server's process, whose CPU time and memory are read at the window's ends.
        optional --watch pid: u32
    }
}

/// Runs the viewers to the end of the window.
pub fn main() -> ExitCode {
    exit(run(&Load::from_env_or_exit()))
}

fn run(flags: &Load) -> Result<()> {
    ensure!(flags.viewers > 0, "--viewers must be 1 at least");
    raise_descriptor_limit(flags.viewers)?;
    let watched = flags.watch.map(Process);
    let rss_before_kib = watched.map(Process::rss_kib).transpose()?;
    let mut load = Viewers::new(flags)?;
    load.open_all(flags)?;
    load.settle()?;

    let before = Reading::take(watched)?;
    load.tally.open();
    load.pump_until(now_ns() + flags.seconds * SECOND_NS, |_| false)?;
    let after = Reading::take(watched)?;
    load.tally.close();
    let rss_kib = watched.map(Process::rss_kib).transpose()?;
    load.pump_until(now_ns() + GRACE_NS, Tally::complete)?;

    let wall_ns = after.at_ns - before.at_ns;
    let own = after.own.since(before.own);
    let server = match (before.server, after.server, rss_before_kib, rss_kib) {
        (Some(before), Some(after), Some(rss_before_kib), Some(rss_kib)) => Some(Server {
            cpu: after.since(before),
            rss_before_kib,
            rss_kib,
        }),
        _ => None,
    };
    let report = Report {
        viewers: flags.viewers,
        lost: load.lost,
        first_fault: load.first_fault,
        window_ns: wall_ns,
        load_cpu: own.run_ns as f64 / wall_ns as f64,
        load_waited: own.wait_ns as f64 / wall_ns as f64,
        counts: load.tally.counts(),
        server,
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

#[derive(Serialize)]
struct Report {
    viewers: usize,
    /// Viewers whose connection ended, or whose bytes were no stream any more.
    lost: usize,
    first_fault: Option<String>,
    window_ns: u64,
    /// The share of a core that these viewers took.
    load_cpu: f64,
    /// The share of the window in which they were ready to run while others had the core.
    load_waited: f64,
    #[serde(flatten)]
    counts: Counts,
    server: Option<Server>,
}

#[derive(Serialize)]
struct Server {
    cpu: Cpu,
    /// Before the first viewer.
    rss_before_kib: u64,
    /// At the end of the window.
    rss_kib: u64,
}

/// What the clocks show at one moment.
struct Reading {
    at_ns: u64,
    own: Cpu,
    server: Option<Cpu>,
}

impl Reading {
    fn take(watched: Option<Process>) -> Result<Self> {
        Ok(Self {
            at_ns: now_ns(),
            own: Process::this().cpu()?,
            server: watched.map(Process::cpu).transpose()?,
        })
    }
}

/// Asks for something of known length, and reads the answer.
fn ask(stream: &mut TcpStream, to: SocketAddr, path: &str) -> Result<()> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {to}\r\n\r\n")?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(
            head.len() < LONGEST_HEAD,
            "{path}: the answer's head has no end"
        );
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let Some(length) = length.filter(|_| head.starts_with("http/1.1 200 ")) else {
        bail!("{path}: the answer is no 200 of known length: {head}");
    };
    let read = std::io::copy(&mut stream.take(length.parse()?), &mut std::io::sink())?;
    ensure!(read.to_string() == length, "{path}: the answer was cut off");
    Ok(())
}

struct Viewers {
    pictures: Pictures,
    epoll: Epoll,
    open: Vec<Option<(TcpStream, Viewer)>>,
    tally: Tally,
    lost: usize,
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

    /// Opens them one after another, while those that are open already read.
    fn open_all(&mut self, flags: &Load) -> Result<()> {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\r\n",
            flags.to
        );
        for index in 0..flags.viewers {
            let mut stream = connect(flags.to)?;
            if let Some(path) = &flags.first {
                ask(&mut stream, flags.to, path)?;
            }
            stream.write_all(request.as_bytes())?;
            stream.set_nonblocking(true)?;
            self.epoll.add(&stream, index as u64, EventFlags::IN)?;
            self.open.push(Some((stream, Viewer::new(index as u64))));
            if index % OPENED_BETWEEN_READS == 0 {
                self.pump(0)?;
            }
        }
        Ok(())
    }

    /// Waits until all have had a frame, and then a second.
    fn settle(&mut self) -> Result<()> {
        self.pump_until(now_ns() + START_LIMIT_NS, Tally::all_started)?;
        if !self.tally.all_started() {
            bail!(
                "only {} of {} viewers have had a frame after {} s; {} were lost{}",
                self.tally.started(),
                self.open.len(),
                START_LIMIT_NS / SECOND_NS,
                self.lost,
                self.first_fault
                    .as_ref()
                    .map_or(String::new(), |fault| format!(
                        ", the first because {fault}"
                    )),
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

    /// Reads what has come, after a wait of at most `limit_ns`.
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

    /// Reads one viewer up to the end of a frame or of what has come.
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
            let came = match recv(&*stream, &mut self.scratch[..most], flags) {
                Ok((_, 0)) => bail!("the server closed the connection"),
                Ok((_, came)) => came,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let arrival = match want {
                Want::Bytes(_) => viewer
                    .take(&self.scratch[..came], &self.pictures)
                    .map_err(|fault| anyhow::anyhow!("{fault}"))?,
                Want::Discard(_) => viewer.discarded(came, &self.pictures),
            };
            if let Some(arrival) = &arrival {
                self.tally.arrived(index, arrival, now_ns());
            }
            // The next frame, if it is there already, waits for the next turn, so that no viewer
            // waits for another's.
            if arrival.is_some() || came < most {
                return Ok(());
            }
        }
    }
}

/// As long as a picture, mostly; longer ones take several reads.
const SCRATCH_BYTES: usize = 256 << 10;
const OPENED_BETWEEN_READS: usize = 16;
/// Of an answer before the stream.
const LONGEST_HEAD: usize = 16 << 10;
/// For all viewers to have a frame.
const START_LIMIT_NS: u64 = 60 * SECOND_NS;
/// For what was sent within the window to come after it.
const GRACE_NS: u64 = 2 * SECOND_NS;

//! Clips that are downloaded over and over.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Threads that download a clip each, over and over, until this is stopped.
pub(crate) struct Clips {
    ends: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Result<u64>>>,
}

/// What was downloaded.
#[derive(Default)]
pub(crate) struct Downloaded {
    /// Whole clips.
    pub(crate) clips: u64,
    pub(crate) bytes: u64,
}

impl Clips {
    /// Starts this many downloads on core 1. Each takes no more than `rate` bytes per second.
    pub(crate) fn start(count: usize, from: SocketAddr, path: &'static str, rate: f64) -> Self {
        let (ends, bytes) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let threads = (0..count).map(|_| {
            let (ends, bytes) = (Arc::clone(&ends), Arc::clone(&bytes));
            thread::spawn(move || {
                let mut core = CpuSet::new();
                core.set(1);
                sched_setaffinity(None, &core)?;
                let mut clips = 0;
                while !ends.load(Ordering::Relaxed) {
                    clips += u64::from(download(from, path, rate, &ends, &bytes)?);
                }
                Ok(clips)
            })
        });
        let threads = threads.collect();
        Self {
            ends,
            bytes,
            threads,
        }
    }

    /// Ends the downloads.
    pub(crate) fn stop(self) -> Result<Downloaded> {
        self.ends.store(true, Ordering::Relaxed);
        let mut sum = Downloaded::default();
        for thread in self.threads {
            sum.clips += thread
                .join()
                .map_err(|_| anyhow!("a download panicked"))??;
        }
        sum.bytes = self.bytes.load(Ordering::Relaxed);
        Ok(sum)
    }
}

/// Downloads a clip. Returns whether it was not stopped before its end.
fn download(
    from: SocketAddr,
    path: &str,
    rate: f64,
    ends: &AtomicBool,
    bytes: &AtomicU64,
) -> Result<bool> {
    let mut stream = TcpStream::connect(from)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut piece = vec![0; 64 << 10];
    let (since, mut total, mut length) = (Instant::now(), 0, None);
    while !ends.load(Ordering::Relaxed) {
        let read = stream.read(&mut piece)?;
        if length.is_none() {
            length = Some(answer_bytes(&piece[..read])?);
        }
        if read == 0 {
            ensure!(
                Some(total) == length,
                "a clip of {total} bytes, not {length:?}"
            );
            return Ok(true);
        }
        total += read as u64;
        bytes.fetch_add(read as u64, Ordering::Relaxed);
        let due = since + Duration::from_secs_f64(total as f64 / rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(false)
}

/// The length of an answer with its head, from its first bytes.
fn answer_bytes(first: &[u8]) -> Result<u64> {
    let end = first.windows(4).position(|at| at == b"\r\n\r\n");
    let end = end.context("the first read has no whole head")?;
    let head = String::from_utf8_lossy(&first[..end]).to_ascii_lowercase();
    ensure!(head.contains(" 200 "), "no clip: {head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: u64 = length.context("a clip of no length")?.parse()?;
    Ok(length + end as u64 + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_of_an_answer_includes_its_head() {
        let head = b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n";
        assert_eq!(answer_bytes(head).unwrap(), head.len() as u64 + 7);
        assert!(answer_bytes(b"HTTP/1.0 404 Not Found\r\ncontent-length: 7\r\n\r\n").is_err());
        assert!(answer_bytes(b"HTTP/1.0 200 OK\r\n").is_err());
    }
}

//! A kind of source of its own: a screen that is captured.
//!
//! ```text
//! cargo run -p mjpeg-ingest --example connect
//! ```
//!
//! It has whole images with the times of their capture, so its connection carries frames, not
//! bytes. A source of bytes, such as a serial port, returns `Connection::bytes` instead. Everything
//! else is the same for both: reconnecting with backoff, stalls, failover.
//!
//! The program ends after twelve frames. The screen fails once in between.

use std::{
    error::Error,
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::stream;
use mjpeg_ingest::{
    Connect, ConnectError, Connection, Event, Ingest, IngestConfig, Source,
    mjpeg_codec::{Frame, Stamp},
};
use tokio::time::{Instant, sleep};

/// Stands for the interface of an operating system that captures a screen.
#[derive(Default)]
struct Screen {
    connections: AtomicUsize,
}

#[async_trait]
impl Connect for Screen {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        // Polled for the next frame only when the owner of the ingest wants one.
        let frames = stream::unfold(0, move |number| async move {
            let frame = match capture(connection, number).await {
                Ok((jpeg, captured_at)) => stamped(jpeg, captured_at),
                Err(error) => Err(error),
            };
            Some((frame, number + 1))
        });
        let every = Duration::from_millis(50);
        Ok(Connection::frames(frames, "screen 1").with_interval(every))
    }
}

/// Captures an image, and tells when it was taken.
async fn capture(connection: usize, number: usize) -> io::Result<(&'static [u8], SystemTime)> {
    sleep(Duration::from_millis(50)).await;
    if (connection, number) == (0, 5) {
        return Err(io::Error::other("the screen was locked"));
    }
    Ok((PICTURE, SystemTime::now() - Duration::from_millis(20)))
}

fn stamped(jpeg: &'static [u8], captured_at: SystemTime) -> io::Result<(Frame, Stamp)> {
    let frame = Frame::parse(jpeg).map_err(io::Error::other)?;
    let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
    Ok((frame, stamp.with_camera(captured_at)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = Source::custom("screen:1", Screen::default());
    println!("reading {source}");
    let mut ingest = Ingest::new(source, IngestConfig::default());
    let mut frames = 0;
    while frames < 12 {
        match ingest.next().await.ok_or("a screen never ends")? {
            Event::Online { peer } => println!("connected to {peer}"),
            Event::Frame(captured) => {
                frames += 1;
                let (frame, stamp) = (captured.frame, captured.stamp);
                let captured_at = stamp.camera().ok_or("the screen tells its time")?;
                let late = stamp.received().duration_since(captured_at)?;
                println!("{}x{}, {late:.0?} old", frame.width(), frame.height());
            }
            Event::Offline { error, retry_in } => {
                println!("offline: {}; next attempt in {retry_in:.1?}", error.chain());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A grey picture of 8x8.
const PICTURE: &[u8] = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x08\x00\x08\x01\x01\x11\x00\
                         \xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x2A\xFF\xD9";

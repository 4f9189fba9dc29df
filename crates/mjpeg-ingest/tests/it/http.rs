//! Cameras that speak HTTP, played byte for byte over real sockets.

mod answers;
mod dial;
mod fixtures;
mod heads;
mod limits;
mod login;
mod polled;
mod redirects;
mod relays;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod urls;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_ingest::{Backoff, Event, Ingest, IngestConfig, Source};
use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};
use tokio::time::timeout;

fn ingest(source: Source) -> Ingest {
    let quick = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(50)).unwrap();
    Ingest::new(source, IngestConfig::default().with_backoff(quick))
}

fn open(url: &str) -> Ingest {
    ingest(url.parse().unwrap())
}

async fn event(ingest: &mut Ingest) -> Event {
    let event = timeout(Duration::from_secs(20), ingest.next()).await;
    event.expect("in time").expect("a camera never ends")
}

/// Pulls until the camera is offline; returns the numbers of its frames, and why it is offline.
async fn until_offline(ingest: &mut Ingest) -> (Vec<u32>, String) {
    let mut numbers = Vec::new();
    loop {
        match event(ingest).await {
            Event::Frame(captured) => {
                numbers.push(jpeg::number_of(captured.frame.bytes()).expect("a numbered frame"));
            }
            Event::Discarded { reason, .. } => assert!(!reason.is_frame(), "{reason}"),
            Event::Offline { error, .. } => return (numbers, error.chain().to_string()),
            _ => {}
        }
    }
}

async fn next_number(ingest: &mut Ingest) -> u32 {
    loop {
        match event(ingest).await {
            Event::Frame(captured) => {
                return jpeg::number_of(captured.frame.bytes()).expect("a numbered frame");
            }
            Event::Offline { error, .. } => panic!("offline: {error}"),
            _ => {}
        }
    }
}

/// A camera that responds by the number of the request, from 1.
fn counted(answers: impl Fn(u32) -> Vec<Step> + Send + Sync + 'static) -> FakeHttpCamera {
    let count = AtomicU32::new(0);
    FakeHttpCamera::start(move |_| answers(count.fetch_add(1, Ordering::SeqCst) + 1))
}

/// A camera that sends this response to the first request, closes the connection, and then wants a
/// login that nobody has.
fn once(answer: impl Into<Bytes>) -> FakeHttpCamera {
    let answer = answer.into();
    counted(move |n| match n {
        1 => vec![send(answer.clone()), Step::Close],
        _ => vec![login_wanted()],
    })
}

fn login_wanted() -> Step {
    answer(
        "401 Unauthorized",
        "WWW-Authenticate: Basic realm=\"x\"\r\n",
        b"",
    )
}

fn send(bytes: impl Into<Bytes>) -> Step {
    Step::Send(bytes.into())
}

/// A whole response, with its length.
fn answer(status: &str, headers: &str, body: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    send([head.as_bytes(), body].concat())
}

fn picture(number: u32) -> Step {
    answer(
        "200 OK",
        "Content-Type: image/jpeg\r\n",
        &jpeg::numbered(number),
    )
}

/// The head of a stream that ends with its connection.
fn stream_head() -> Step {
    send("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n--b\r\n")
}

/// One part of that stream, with its length.
fn part(number: u32) -> Vec<u8> {
    let image = jpeg::numbered(number);
    let head = format!(
        "Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        image.len()
    );
    [head.as_bytes(), &image, b"\r\n--b\r\n"].concat()
}

//! A process that stood still, as under SIGSTOP or on a laptop whose lid was closed.
#![allow(
    clippy::disallowed_methods,
    reason = "a thread that sleeps is what is played here"
)]

use std::{io::Write, net::TcpListener, thread, time::Duration};

use futures_util::FutureExt;
use mjpeg_ingest::{Event, Ingest, IngestConfig, Source};
use mjpeg_testkit::jpeg;
use tokio::time::timeout;

/// A camera in a thread of its own, which goes on while this process' runtime stands still.
fn camera() -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Ends when the ingest is dropped.
        while stream.write_all(&jpeg::numbered(1)).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    Source::tcp("127.0.0.1", addr.port())
}

#[tokio::test]
async fn camera_whose_bytes_are_waiting_is_read_before_it_is_given_up() {
    let limit = Duration::from_millis(300);
    let config = IngestConfig::default().with_stall_limit(limit);
    let mut ingest = Ingest::new(camera(), config);
    let mut frames = 0;
    while frames < 3 {
        let event = timeout(Duration::from_secs(20), ingest.next()).await;
        frames += u32::from(matches!(event, Ok(Some(Event::Frame(_)))));
    }
    // Until nothing is known to be readable.
    while ingest.next().now_or_never().is_some() {}
    // The runtime has this one thread.
    thread::sleep(limit * 5);
    while frames < 10 {
        match timeout(Duration::from_secs(20), ingest.next()).await {
            Ok(Some(Event::Frame(_))) => frames += 1,
            Ok(Some(Event::Offline { error, .. })) => panic!("given up: {error}"),
            _ => {}
        }
    }
}

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

/// A camera that answers each request with a picture after this time.
#[cfg(feature = "http")]
fn polled(after: Duration) -> Source {
    use std::io::Read;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut space = [0; 4096];
        while let Ok((mut stream, _)) = listener.accept() {
            while stream.read(&mut space).is_ok_and(|n| n > 0) {
                thread::sleep(after);
                let image = jpeg::numbered(1);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", image.len());
                // In two steps, of which the second finds all time gone.
                let sent = stream.write_all(head.as_bytes()).and_then(|()| {
                    thread::sleep(after);
                    stream.write_all(&image)
                });
                if sent.is_err() {
                    break;
                }
            }
        }
    });
    let url = format!("http://{addr}/#poll_interval=20ms&answer_timeout=1s&stall_limit=1s");
    url.parse().unwrap()
}

#[cfg(feature = "http")]
#[tokio::test]
async fn camera_that_is_polled_is_not_blamed_for_the_time_either() {
    let mut ingest = Ingest::new(polled(Duration::from_millis(20)), IngestConfig::default());
    let mut frames = 0;
    while frames < 12 {
        match timeout(Duration::from_secs(20), ingest.next()).await {
            Ok(Some(Event::Frame(_))) => frames += 1,
            Ok(Some(Event::Offline { error, .. })) => panic!("given up: {error}"),
            _ => {}
        }
        if frames % 3 == 2 {
            while ingest.next().now_or_never().is_some() {}
            thread::sleep(Duration::from_millis(2500));
            frames += 1;
        }
    }
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

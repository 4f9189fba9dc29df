//! Uses only mjpeg-ingest: reads a frame from a local camera.

use mjpeg_ingest::{Event, Ingest, IngestConfig, Source};
use tokio::{io::AsyncWriteExt, net::TcpListener};

/// A grey picture of 8x8.
const JPEG: &[u8] = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x08\x00\x08\x01\x01\x11\x00\
                      \xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x2A\xFF\xD9";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let camera = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = camera.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (mut connection, _) = camera.accept().await.expect("a connection");
        connection.write_all(JPEG).await.expect("sent");
        std::future::pending::<()>().await;
    });
    let mut ingest = Ingest::new(Source::tcp("127.0.0.1", port), IngestConfig::default());
    let captured = loop {
        if let Some(Event::Frame(captured)) = ingest.next().await {
            break captured;
        }
    };
    assert_eq!(captured.frame.bytes(), JPEG);
}

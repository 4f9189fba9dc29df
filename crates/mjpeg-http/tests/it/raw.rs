//! A client that speaks over anything that carries bytes, one request after another.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

pub(crate) struct RawClient<S> {
    stream: S,
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n"
        ))
        .await;
    }

    /// Reads up to and including these bytes, and returns everything up to there.
    pub(crate) async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let reading = async {
            loop {
                let found = self.received.windows(end.len()).position(|w| w == end);
                if let Some(at) = found {
                    return self.received.drain(..at + end.len()).collect();
                }
                let n = self.stream.read_buf(&mut self.received).await.unwrap();
                assert!(n > 0, "ended: {}", self.received.escape_ascii());
            }
        };
        timeout(Duration::from_secs(10), reading)
            .await
            .expect("it comes in time")
    }

    /// Reads a head.
    pub(crate) async fn head(&mut self) -> String {
        String::from_utf8(self.until(b"\r\n\r\n").await).unwrap()
    }

    /// Reads an answer of known length: its head and body.
    pub(crate) async fn answer(&mut self) -> (String, Vec<u8>) {
        let head = self.head().await;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.trim().parse().unwrap());
        while self.received.len() < length {
            assert!(self.stream.read_buf(&mut self.received).await.unwrap() > 0);
        }
        (head, self.received.drain(..length).collect())
    }

    /// Reads until the other side ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let reading = self.stream.read_to_end(&mut self.received);
        // A reset ends it as well.
        let _ = timeout(Duration::from_secs(10), reading)
            .await
            .expect("it ends in time");
        std::mem::take(&mut self.received)
    }
}

//! Senders of pictures: an honest one, and others.

pub(super) mod hostile;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{interval, timeout},
};

use super::super::steps::secs;
use crate::{sequence::Sequence, wait};

/// What honest senders know.
pub(super) const TOKEN: &str = "s3cret";

/// A camera that sends its pictures.
pub(super) struct Sender {
    addr: SocketAddr,
    path: String,
    from: [u8; 4],
    pub(super) sequence: Arc<Sequence>,
}

impl Sender {
    pub(super) fn new(addr: SocketAddr, sequence: Sequence) -> Self {
        Self {
            addr,
            path: "/cam".into(),
            from: [127, 0, 0, 1],
            sequence: Arc::new(sequence),
        }
    }

    /// Sends to another path.
    pub(super) fn to(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    /// Sends from another address of this machine.
    pub(super) fn from(mut self, from: [u8; 4]) -> Self {
        self.from = from;
        self
    }

    /// Waits until the stream takes pictures.
    pub(super) async fn listens(&self) -> Result<()> {
        let listens = async || {
            let Ok(mut stream) = TcpStream::connect(self.addr).await else {
                return Ok(None);
            };
            // Empty, so that it changes nothing.
            stream.write_all(self.head(0, "close").as_bytes()).await?;
            Ok((status(&mut stream).await? == 415).then_some(()))
        };
        wait::until("the relay takes pictures", secs(10), listens).await
    }

    fn head(&self, length: usize, connection: &str) -> String {
        format!(
            "POST {} HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: image/jpeg\r\nContent-Length: {length}\r\nConnection: {connection}\r\n\r\n",
            self.path
        )
    }

    async fn connect(&self) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        let connected = timeout(secs(5), socket.connect(self.addr)).await;
        Ok(connected.context("the relay accepts no connection")??)
    }

    /// Sends the next picture on a connection of its own.
    pub(super) async fn one(&self) -> Result<()> {
        let mut stream = self.connect().await?;
        self.send(&mut stream, "close").await
    }

    /// Sends half of a picture that counts for nothing, and hangs up.
    pub(super) async fn half(&self) -> Result<()> {
        let mut stream = self.connect().await?;
        let picture = jpeg::of_length(0, 4 << 10);
        stream
            .write_all(self.head(picture.len(), "close").as_bytes())
            .await?;
        stream.write_all(&picture[..picture.len() / 2]).await?;
        Ok(())
    }

    async fn send(&self, stream: &mut TcpStream, connection: &str) -> Result<()> {
        let (number, picture) = self.sequence.next();
        let request = [self.head(picture.len(), connection).as_bytes(), &picture].concat();
        stream.write_all(&request).await?;
        let status = timeout(secs(10), status(stream)).await;
        let status = status.with_context(|| format!("picture {number} is not answered"))??;
        ensure!(status == 200, "picture {number} is answered {status}");
        Ok(())
    }

    /// Sends so many pictures over one connection.
    pub(super) async fn times(&self, pictures: u64, every: Duration) -> Result<()> {
        let mut stream = self.connect().await?;
        let mut tick = interval(every);
        for _ in 0..pictures {
            tick.tick().await;
            self.send(&mut stream, "keep-alive").await?;
        }
        Ok(())
    }

    /// Sends pictures for some time, each over a connection of its own; returns how many.
    pub(super) async fn for_a_while(&self, time: Duration, every: Duration) -> Result<u32> {
        let pictures = (time.as_millis() / every.as_millis()) as u32;
        let mut tick = interval(every);
        for _ in 0..pictures {
            tick.tick().await;
            self.one().await?;
        }
        Ok(pictures)
    }
}

/// Sends a request without a body; fails unless it is answered.
pub(super) async fn post(addr: SocketAddr, path: &str, token: &str) -> Result<u16> {
    let mut stream = TcpStream::connect(addr).await?;
    let head = format!("POST {path}?token={token} HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    status(&mut stream).await
}

/// Reads an answer; returns its status.
async fn status(stream: &mut TcpStream) -> Result<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < 4096, "a head without end");
        head.push(stream.read_u8().await.context("no answer")?);
    }
    let head = String::from_utf8(head)?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length.unwrap_or("0").parse()?;
    ensure!(length < 4096, "a body of {length} bytes");
    stream.read_exact(&mut vec![0; length]).await?;
    match head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
    {
        Some(status) => Ok(status),
        None => bail!("no status in {head}"),
    }
}

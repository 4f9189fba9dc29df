//! A client of the wall socket, which reads it as `docs/wall.md` says.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_websockets::{ClientBuilder, Error, Limits, Message, WebSocketStream};

/// A client of the wall socket. It acknowledges nothing by itself.
pub struct WallClient<T = TcpStream> {
    socket: WebSocketStream<T>,
}

/// What a client was sent.
#[derive(Debug)]
pub enum WallMessage {
    /// A message of text: JSON.
    Text(String),
    /// A message of bytes.
    Picture(WallPicture),
    /// The socket was closed, with this code; `None` if it was cut.
    Closed(Option<u16>),
}

/// A frame of a tile.
#[derive(Clone, Debug)]
pub struct WallPicture {
    /// 1 for the whole picture, 2 for a small one.
    pub kind: u8,
    /// Bit 0 for a repetition, bit 1 for the placeholder.
    pub flags: u8,
    /// The number of the tile.
    pub tile: u16,
    /// When it was written.
    pub age: Duration,
    /// The number of the frame in its stream.
    pub seq: u64,
    /// In microseconds since 1970.
    pub captured_us: u64,
    /// The JPEG.
    pub bytes: Bytes,
}

impl WallClient {
    /// Opens the wall of the relay at this address, with these headers besides.
    ///
    /// # Errors
    ///
    /// If it cannot be connected, or does not open a socket.
    pub async fn open(addr: SocketAddr, headers: &[(&str, &str)]) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Self::over(stream, &format!("ws://{addr}/api/v1/wall"), headers).await
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> WallClient<T> {
    /// Opens the wall at this URL over a connection that is there.
    ///
    /// # Errors
    ///
    /// If the other side does not open a socket.
    ///
    /// # Panics
    ///
    /// If the URL or a header is not valid.
    pub async fn over(stream: T, url: &str, headers: &[(&str, &str)]) -> io::Result<Self> {
        let limits = Limits::default().max_payload_len(Some(64 << 20));
        let builder = ClientBuilder::new().limits(limits);
        let mut builder = builder.uri(url).expect("a URL");
        let protocol = [("sec-websocket-protocol", "mjpeg-wall.1")];
        for (name, value) in protocol.iter().chain(headers) {
            let name: HeaderName = name.parse().expect("a name of a header");
            let value = HeaderValue::from_str(value).expect("a value of a header");
            builder = builder.add_header(name, value).expect("a header to add");
        }
        let (socket, _) = builder.connect_on(stream).await.map_err(failed)?;
        Ok(Self { socket })
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// If nothing comes for ten seconds, or what comes is no message of a wall.
    pub async fn next(&mut self) -> io::Result<WallMessage> {
        loop {
            let read = timeout(PATIENCE, self.socket.next()).await;
            let message = match read {
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(None | Some(Err(Error::Io(_)))) => return Ok(WallMessage::Closed(None)),
                Ok(Some(message)) => message.map_err(failed)?,
            };
            if let Some((code, _)) = message.as_close() {
                return Ok(WallMessage::Closed(Some(code.into())));
            }
            if let Some(text) = message.as_text() {
                return Ok(WallMessage::Text(text.to_owned()));
            }
            if message.is_binary() {
                let picture = WallPicture::read(message.into_payload().into());
                return picture.map(WallMessage::Picture);
            }
            // A ping, which was answered.
        }
    }

    /// Waits for the next picture, and drops the texts before it.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), and if the socket is closed.
    pub async fn picture(&mut self) -> io::Result<WallPicture> {
        loop {
            match self.next().await? {
                WallMessage::Text(_) => {}
                WallMessage::Picture(picture) => return Ok(picture),
                WallMessage::Closed(code) => {
                    return Err(io::Error::other(format!("closed with {code:?}")));
                }
            }
        }
    }

    /// Waits for the next picture, and acknowledges it.
    ///
    /// # Errors
    ///
    /// As [`picture`](Self::picture).
    pub async fn painted(&mut self) -> io::Result<WallPicture> {
        let picture = self.picture().await?;
        self.ack(&picture).await?;
        Ok(picture)
    }

    /// Sets the tiles, from 0 on, to these streams.
    ///
    /// # Errors
    ///
    /// If it cannot be sent.
    pub async fn show(&mut self, streams: &[&str]) -> io::Result<()> {
        let tiles = (0..).zip(streams);
        let tiles =
            tiles.map(|(tile, name): (u16, _)| format!(r#"{{"tile":{tile},"stream":"{name}"}}"#));
        let tiles = tiles.collect::<Vec<_>>().join(",");
        self.say(&format!(r#"{{"type":"tiles","tiles":[{tiles}]}}"#))
            .await
    }

    /// Sends a message of text.
    ///
    /// # Errors
    ///
    /// If it cannot be sent.
    pub async fn say(&mut self, text: &str) -> io::Result<()> {
        self.send(Message::text(text.to_owned())).await
    }

    /// Sends a message of bytes.
    ///
    /// # Errors
    ///
    /// If it cannot be sent.
    pub async fn say_bytes(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.send(Message::binary(bytes)).await
    }

    /// Acknowledges a picture.
    ///
    /// # Errors
    ///
    /// If it cannot be sent.
    pub async fn ack(&mut self, picture: &WallPicture) -> io::Result<()> {
        let mut ack = vec![0; 12];
        ack[..2].copy_from_slice(&picture.tile.to_be_bytes());
        ack[4..].copy_from_slice(&picture.seq.to_be_bytes());
        self.say_bytes(ack).await
    }

    async fn send(&mut self, message: Message) -> io::Result<()> {
        self.socket.send(message).await.map_err(failed)
    }

    /// The connection.
    pub fn get_ref(&self) -> &T {
        self.socket.get_ref()
    }
}

impl WallPicture {
    fn read(message: Bytes) -> io::Result<Self> {
        let Some((header, _)) = message.split_first_chunk::<24>() else {
            return Err(io::Error::other("a message shorter than its header"));
        };
        let u64_at = |at: usize| u64::from_be_bytes(header[at..at + 8].try_into().expect("8"));
        let age = u32::from_be_bytes(header[4..8].try_into().expect("4"));
        Ok(Self {
            kind: header[0],
            flags: header[1],
            tile: u16::from_be_bytes([header[2], header[3]]),
            age: Duration::from_micros(age.into()),
            seq: u64_at(8),
            captured_us: u64_at(16),
            bytes: message.slice(24..),
        })
    }
}

fn failed(error: Error) -> io::Error {
    io::Error::other(error)
}

/// As long as the kit waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);

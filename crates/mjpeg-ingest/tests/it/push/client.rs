//! A sender that says byte for byte what a test wants.

use std::net::{IpAddr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// A connection to the port of a source.
pub(crate) struct Client(TcpStream);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    /// Connects from this address of this machine.
    pub(crate) async fn connect_from(from: IpAddr, addr: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        Self(socket.connect(addr).await.unwrap())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Sends a request with the length of its body, and returns the answer.
    pub(crate) async fn send(&mut self, head: &str, body: &[u8]) -> Answer {
        let head = format!("{head}\r\nContent-Length: {}", body.len());
        self.send_as_it_is(&head, body).await
    }

    /// The same without a length.
    pub(crate) async fn send_as_it_is(&mut self, head: &str, body: &[u8]) -> Answer {
        self.write(format!("{head}\r\n\r\n").as_bytes()).await;
        // Whoever refuses a body may have stopped reading.
        let _ = self.0.write_all(body).await;
        self.answer().await.expect("an answer")
    }

    /// The same, and says that nothing follows.
    pub(crate) async fn send_to_end(&mut self, head: &str, body: &[u8]) -> Answer {
        self.write(format!("{head}\r\n\r\n").as_bytes()).await;
        self.write(body).await;
        self.0.shutdown().await.unwrap();
        self.answer().await.expect("an answer")
    }

    /// Reads an answer; `None` if the connection is closed instead.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.0.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) if head.is_empty() => return None,
                Err(error) => panic!("{error}: {}", head.escape_ascii()),
            }
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).await.unwrap();
        let text = String::from_utf8(text).unwrap();
        Some(Answer { status, head, text })
    }

    /// Whether the other side has closed the connection, which must be soon.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let reading = self.0.read_to_end(&mut rest);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(5), reading).await;
        ended.is_ok() && rest.is_empty()
    }
}

//! Whoever connects to the port and is no camera. Each goes on until it is aborted, and counts the
//! answers that it gets.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    time::sleep,
};

use super::{TOKEN, status};

/// What the senders of a case have got.
#[derive(Debug, Default)]
pub(in super::super) struct Answers {
    /// Connections that were made.
    pub(in super::super) connected: AtomicU64,
    /// Those that refuse what was sent.
    pub(in super::super) refusals: AtomicU64,
    /// All others.
    pub(in super::super) others: AtomicU64,
}

impl Answers {
    fn count(&self, is_refusal: bool) {
        let counter = match is_refusal {
            true => &self.refusals,
            false => &self.others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Connects from another address than the honest sender.
async fn connect(addr: SocketAddr, answers: &Answers) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(([127, 0, 0, 3], 0).into()).ok()?;
    let stream = socket.connect(addr).await.ok()?;
    answers.connected.fetch_add(1, Ordering::Relaxed);
    Some(stream)
}

/// Sends a head byte by byte, or nothing.
pub(in super::super) async fn slow_head(addr: SocketAddr, n: usize, answers: Arc<Answers>) {
    let head = b"POST /cam HTTP/1.1\r\nX-Padding: ";
    loop {
        let Some(mut stream) = connect(addr, &answers).await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        for byte in head.iter().cycle() {
            if n.is_multiple_of(2) && stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Announces far more than a picture, and sends it.
pub(in super::super) async fn oversize(addr: SocketAddr, n: usize, answers: Arc<Answers>) {
    let framing = match n % 2 {
        0 => "Content-Length: 1000000000000\r\n\r\n",
        _ => "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    };
    // A token for half of them: the others are refused for that.
    let token = if n % 4 < 2 { TOKEN } else { "x" };
    let request = format!("POST /cam?token={token} HTTP/1.1\r\n{framing}");
    let zeros = vec![0; 64 << 10];
    loop {
        let Some(mut stream) = connect(addr, &answers).await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        if stream.write_all(request.as_bytes()).await.is_err() {
            continue;
        }
        while stream.write_all(&zeros).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
        // A relay that is too busy to wait for more closes the connection without an answer.
        if let Ok(status) = status(&mut stream).await {
            // Without a length, it waits for its turn, which the honest sender does not leave.
            answers.count(matches!(status, 401 | 409 | 413 | 415));
        }
    }
}

/// Tries one token after another.
pub(in super::super) async fn wrong_token(addr: SocketAddr, n: usize, answers: Arc<Answers>) {
    loop {
        let Some(mut stream) = connect(addr, &answers).await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        for guess in 0.. {
            let request = format!(
                "POST /cam?token={n}-{guess} HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789"
            );
            if stream.write_all(request.as_bytes()).await.is_err() {
                break;
            }
            let Ok(status) = status(&mut stream).await else {
                break;
            };
            answers.count(status == 401);
        }
    }
}

/// Sends a body without end, in which there is no picture.
pub(in super::super) async fn endless(addr: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    let head = format!(
        "POST /cam?token={TOKEN} HTTP/1.1\r\nContent-Type: multipart/x-mixed-replace\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let chunk = [&b"10000\r\n"[..], &[0xFF; 0x10000], b"\r\n"].concat();
    while stream.write_all(&chunk).await.is_ok() {}
    Ok(())
}

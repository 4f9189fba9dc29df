//! The oracle shared by the fuzz target and its replay. It panics when a promise does not hold.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_codec::{Found, SplitterConfig, multipart::Parser};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Builder,
};

use super::{
    address::Origin,
    feed,
    line::Duplex,
    session::{Dial, Session},
    url,
};
use crate::{
    config::IngestConfig,
    connect::Connection,
    error::{ConnectError, ErrorChain},
    framed::Incoming,
    parsed::Parsed,
};

/// Reads a camera with arbitrary responses: it ends without a panic, and of a correct stream the
/// frames are those that the codec finds in its body.
///
/// The first byte of the input is the chunk size. The second byte decides whether the rest is a
/// whole response or only its body, and how that is framed.
///
/// # Panics
///
/// When that does not hold.
pub fn ingest_response(data: &[u8]) {
    let [pieces, kind, bytes @ ..] = data else {
        return;
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n";
    let answer = match kind % 4 {
        0 => [head.as_bytes(), b"\r\n", bytes].concat(),
        1 => {
            let length = format!("Content-Length: {}\r\n\r\n", bytes.len());
            [head.as_bytes(), length.as_bytes(), bytes].concat()
        }
        2 => {
            let mut answer = [head.as_bytes(), b"Transfer-Encoding: chunked\r\n\r\n"].concat();
            for chunk in bytes.chunks(usize::from(kind / 4) + 1) {
                answer.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                answer.extend_from_slice(chunk);
                answer.extend_from_slice(b"\r\n");
            }
            [&answer[..], b"0\r\n\r\n"].concat()
        }
        _ => {
            frames_of(bytes, *pieces, CONNECTIONS);
            return;
        }
    };
    let mut parser = Parser::default();
    parser.push(bytes.to_vec());
    parser.finish();
    let expected: Vec<Bytes> = std::iter::from_fn(|| parser.poll())
        .filter_map(|event| match event {
            Found::Frame(frame) => Some(frame.into_bytes()),
            _ => None,
        })
        .collect();
    // A snapshot would be asked for again.
    assert_eq!(frames_of(&answer, *pieces, 1), expected);
}

/// Returns the next finding, whatever work that is.
fn found(incoming: &mut Incoming) -> Option<Parsed> {
    loop {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(found) = incoming.poll_found(&mut cx) {
            return found;
        }
    }
}

fn frame(found: Parsed) -> Option<Bytes> {
    match found {
        Parsed::Frame { captured, .. } => Some(captured.frame.into_bytes()),
        Parsed::Discarded { .. } | Parsed::State { .. } => None,
    }
}

/// Reads the frames of a camera that sends this response on each of so many connections and closes
/// it.
fn frames_of(answer: &[u8], pieces: u8, connections: usize) -> Vec<Bytes> {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without IO needs nothing of the system");
    runtime.block_on(async {
        let camera = url::parse("http://user:password@camera/path");
        let (settings, _) = camera.expect("a valid URL");
        let dial = Canned {
            answer: answer.to_vec().into(),
            piece: usize::from(pieces) + 1,
            left: AtomicUsize::new(connections),
        };
        // So short that a camera is lost after few polls without a picture.
        let millis = Duration::from_millis;
        let config = IngestConfig::default().with_stall_limit(millis(1));
        let session = Session::new(Arc::new(settings), Arc::default(), Box::new(dial), &config);
        // Each poll reads a piece of a response, or wakes itself.
        let mut polls = (answer.len() + 100) * 4 * CONNECTIONS;
        let opened = feed::open(Box::new(session), &config, millis(1));
        let connection = match bounded(&mut polls, opened).await {
            Ok(connection) => connection,
            Err(error) => {
                let shown = ErrorChain::new(&error).to_string();
                assert!(!shown.contains("password@"), "{shown}");
                return Vec::new();
            }
        };
        let Connection { input, framing, .. } = connection;
        let mut incoming = Incoming::new(input, framing, SplitterConfig::default());
        let mut frames = Vec::new();
        loop {
            frames.extend(std::iter::from_fn(|| found(&mut incoming)).filter_map(frame));
            match bounded(&mut polls, poll_fn(|cx| incoming.poll_read(cx))).await {
                Ok(false) | Err(_) => break,
                Ok(true) => {}
            }
        }
        incoming.finish();
        frames.extend(std::iter::from_fn(|| found(&mut incoming)).filter_map(frame));
        frames
    })
}

/// Waits for work, which must end before the polls are used up.
async fn bounded<T>(polls: &mut usize, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        *polls = polls.checked_sub(1).expect("it comes to an end");
        work.as_mut().poll(cx)
    })
    .await
}

/// How many connections the camera accepts: enough for all redirects and logins, and some images.
const CONNECTIONS: usize = 20;

/// Sends the same response on each connection.
struct Canned {
    answer: Bytes,
    piece: usize,
    /// How many more connections it accepts.
    left: AtomicUsize,
}

#[async_trait]
impl Dial for Canned {
    async fn dial(&self, _origin: &Origin) -> Result<(Box<dyn Duplex>, String), ConnectError> {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        if left == 0 {
            return Err(ConnectError::Finished);
        }
        let line = CannedLine {
            rest: self.answer.clone(),
            piece: self.piece,
            asked: false,
            waits: false,
        };
        Ok((Box::new(line), "nowhere".into()))
    }
}

struct CannedLine {
    rest: Bytes,
    piece: usize,
    /// The response follows the first request.
    asked: bool,
    /// Every second poll is pending.
    waits: bool,
}

impl AsyncRead for CannedLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.waits = !self.waits;
        if self.waits || !self.asked {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let n = self.piece.min(buf.remaining()).min(self.rest.len());
        buf.put_slice(&self.rest.split_to(n));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for CannedLine {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.asked = true;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

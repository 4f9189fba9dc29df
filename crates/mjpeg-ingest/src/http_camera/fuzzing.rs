//! The oracle that the fuzz target and its replay share. It panics when a promise does not hold.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_codec::{Event, SplitterConfig, multipart::Parser};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Builder,
};

use super::{
    HttpCamera,
    address::Origin,
    link::Io,
    pictures,
    session::{Dial, Session},
};
use crate::{ConnectError, reading::Reading};

/// Whatever a camera answers, reading it ends without a panic; and of a stream as it should be, the frames are those that the codec finds in its body. The
/// input's first byte says in what pieces the bytes come, the second whether they are a whole answer or the body of one, and how that is framed.
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
            frames_of(bytes, *pieces);
            return;
        }
    };
    let mut parser = Parser::default();
    parser.push(bytes.to_vec());
    parser.finish();
    let expected: Vec<Bytes> = std::iter::from_fn(|| parser.poll())
        .filter_map(frame)
        .collect();
    assert_eq!(frames_of(&answer, *pieces), expected);
}

fn frame(event: Event) -> Option<Bytes> {
    match event {
        Event::Frame(frame) => Some(frame.into_bytes()),
        _ => None,
    }
}

/// The frames of a camera that gives this answer on each connection and closes it.
fn frames_of(answer: &[u8], pieces: u8) -> Vec<Bytes> {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without IO needs nothing of the system");
    runtime.block_on(async {
        let camera = HttpCamera::new("http://user:password@camera/path").expect("a sound URL");
        let dial = Canned {
            answer: answer.to_vec().into(),
            piece: usize::from(pieces) + 1,
            left: AtomicUsize::new(CONNECTIONS),
        };
        let session = Session::new(Arc::new(camera.settings), Box::new(dial));
        // Each poll brings a piece of an answer or is told to come again.
        let mut polls = (answer.len() + 100) * 3 * CONNECTIONS;
        let connection = match bounded(&mut polls, pictures::open(session, 1000.0)).await {
            Ok(connection) => connection,
            Err(error) => {
                assert!(!error.to_string().contains("password@"), "{error}");
                return Vec::new();
            }
        };
        let mut reading =
            Reading::new(connection.io, connection.framing, SplitterConfig::default());
        let mut frames = Vec::new();
        loop {
            frames.extend(std::iter::from_fn(|| reading.found()).filter_map(frame));
            match bounded(&mut polls, poll_fn(|cx| reading.poll_read(cx))).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        reading.finish();
        frames.extend(std::iter::from_fn(|| reading.found()).filter_map(frame));
        frames
    })
}

/// Waits for what must not take more polls than are left.
async fn bounded<T>(polls: &mut usize, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        *polls = polls.checked_sub(1).expect("it comes to an end");
        work.as_mut().poll(cx)
    })
    .await
}

/// How many connections the camera takes: more than redirects and logins can ask for, and some pictures.
const CONNECTIONS: usize = 20;

/// Answers each connection alike.
struct Canned {
    answer: Bytes,
    piece: usize,
    /// How many more connections it takes.
    left: AtomicUsize,
}

#[async_trait]
impl Dial for Canned {
    async fn dial(&self, _origin: &Origin) -> Result<(Box<dyn Io>, String), ConnectError> {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        if left == 0 {
            return Err(ConnectError::Finished);
        }
        let line = Line {
            rest: self.answer.clone(),
            piece: self.piece,
            asked: false,
            waits: false,
        };
        Ok((Box::new(line), "nowhere".into()))
    }
}

struct Line {
    rest: Bytes,
    piece: usize,
    /// Before a request there is no answer.
    asked: bool,
    /// Every other time, nothing has come yet.
    waits: bool,
}

impl AsyncRead for Line {
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

impl AsyncWrite for Line {
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

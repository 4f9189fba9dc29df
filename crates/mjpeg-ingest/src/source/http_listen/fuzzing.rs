//! The oracle shared by the fuzz target and its replay. It panics when a promise does not hold.

use std::{
    future::poll_fn,
    io,
    net::Ipv4Addr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use mjpeg_codec::SplitterConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Builder,
};

use super::{
    connection::PushConnection,
    paths::{PathEntry, PushPaths},
    token::PushToken,
};
use crate::{
    config::IngestConfig,
    connect::Connection,
    framed::Incoming,
    parsed::Parsed,
    source::push::{self, intake::Intake},
};

/// Serves a connection with arbitrary requests: it ends without a panic, answers are whole and
/// repeat no token, no picture comes without one, and all that does not depend on the pieces in
/// which the bytes come.
///
/// The first byte of the input is the size of the pieces. The path `/cam` needs the token `s3cret`,
/// `/open` none.
///
/// # Panics
///
/// When that does not hold.
pub fn ingest_push(data: &[u8]) {
    let [pieces, bytes @ ..] = data else {
        return;
    };
    let in_pieces = served(bytes, usize::from(*pieces) + 1, "s3cret");
    let at_once = served(bytes, usize::MAX, "s3cret");
    assert_eq!(in_pieces, at_once, "it depends on the pieces");
    let (answers, _) = &at_once;
    let text = String::from_utf8(answers.clone()).expect("answers are text");
    assert!(!text.contains("s3cret"), "an answer repeats the token");
    check(&text);
    let (_, pictures) = served(bytes, usize::MAX, "that nobody knows");
    let of_cam = pictures.iter().filter(|(path, _)| *path == "/cam");
    assert_eq!(of_cam.count(), 0, "a picture came without the token");
}

/// Whether these are whole answers, one after another.
fn check(mut answers: &str) {
    while !answers.is_empty() {
        let (head, rest) = answers.split_once("\r\n\r\n").expect("a whole head");
        let status = head.strip_prefix("HTTP/1.1 ").expect("a status line");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(0, |length| length.parse().expect("a number"));
        assert!(
            length > 0 || status.starts_with("100 "),
            "an answer says nothing: {head}"
        );
        answers = &rest[length..];
    }
}

type Taken = Vec<(&'static str, Bytes)>;

/// Serves a connection that sends these bytes and ends; returns what it was answered, and the
/// pictures of each path.
fn served(bytes: &[u8], piece: usize, token: &str) -> (Vec<u8>, Taken) {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without IO needs nothing of the system");
    runtime.block_on(async {
        let splitter = SplitterConfig::default().with_max_frame_bytes(MAX_FRAME_BYTES);
        let config = IngestConfig::default().with_splitter(splitter);
        let (cam, open) = (Arc::<Intake>::default(), Arc::<Intake>::default());
        let paths = Arc::new(PushPaths::default());
        for (path, token, intake) in [
            ("/cam", Some(PushToken::new(token)), &cam),
            ("/open", None, &open),
        ] {
            let intake = Arc::clone(intake);
            paths.add(path, PathEntry { token, intake });
        }
        let _opened = [&cam, &open].map(|intake| intake.open(config.splitter()));
        let answers = Arc::<Mutex<Vec<u8>>>::default();
        let line = CannedSender {
            rest: bytes.to_vec().into(),
            piece,
            waits: false,
            answers: Arc::clone(&answers),
        };
        let peer = Ipv4Addr::LOCALHOST.into();
        let connection = PushConnection::new(Box::new(line), peer, paths, None);
        let taken = Mutex::new(Vec::new());
        let serving = connection.without_delays().serve();
        let reading = async {
            tokio::join!(
                read(&cam, &config, "/cam", &taken),
                read(&open, &config, "/open", &taken)
            )
        };
        let both = async {
            tokio::select! {
                biased;
                _ = reading => unreachable!("it has no end"),
                () = serving => {}
            }
        };
        bounded((bytes.len() + 100) * 64, both).await;
        let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        (
            answers.clone(),
            taken.into_inner().unwrap_or_else(PoisonError::into_inner),
        )
    })
}

/// Reads the pictures of a path, one sender after another.
async fn read(
    intake: &Arc<Intake>,
    config: &IngestConfig,
    path: &'static str,
    taken: &Mutex<Taken>,
) {
    loop {
        let connection = push::open(Arc::clone(intake), config).await;
        let Connection { input, framing, .. } = connection;
        let mut incoming = Incoming::new(input, framing, config.splitter().clone());
        loop {
            while let Some(found) = poll_fn(|cx| incoming.poll_found(cx)).await {
                if let Parsed::Frame { captured, .. } = found {
                    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
                    taken.push((path, captured.frame.into_bytes()));
                }
            }
            if !matches!(poll_fn(|cx| incoming.poll_read(cx)).await, Ok(true)) {
                break;
            }
        }
    }
}

/// Waits for work, which must end before the polls are used up.
async fn bounded(mut polls: usize, work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    poll_fn(|cx| {
        polls = polls.checked_sub(1).expect("it comes to an end");
        work.as_mut().poll(cx)
    })
    .await;
}

/// The largest picture that is taken.
const MAX_FRAME_BYTES: usize = 16 << 10;

/// Sends bytes in pieces and ends; keeps what it is answered.
struct CannedSender {
    rest: Bytes,
    piece: usize,
    /// Every second poll is pending.
    waits: bool,
    answers: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for CannedSender {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.waits = !self.waits;
        if self.waits {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let n = self.piece.min(buf.remaining()).min(self.rest.len());
        buf.put_slice(&self.rest.split_to(n));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for CannedSender {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

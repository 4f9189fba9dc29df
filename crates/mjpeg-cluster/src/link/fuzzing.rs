//! The oracle shared by the fuzz target and its replay. It panics when a promise does not hold.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use mjpeg_ingest::RelayedPart;
use tokio::{
    io::{AsyncRead, ReadBuf},
    runtime::Builder,
};

use super::{
    head::LinkHead,
    parts::{LinkPart, PartReader},
};

/// Reads an answer of arbitrary bytes: it ends without a panic, all texts are one line, no frame is
/// longer than allowed, and nothing depends on the pieces in which the bytes come.
///
/// The first byte of the input is the size of the pieces.
///
/// # Panics
///
/// When that does not hold.
pub fn cluster_link(data: &[u8]) {
    let [piece, bytes @ ..] = data else {
        return;
    };
    let in_pieces = read(bytes, usize::from(*piece) + 1);
    let at_once = read(bytes, usize::MAX);
    assert_eq!(in_pieces, at_once, "it depends on the pieces");
}

/// What an answer holds, as text.
fn read(bytes: &[u8], piece: usize) -> Vec<String> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let (mut io, mut buf) = (Pieces { bytes, piece }, BytesMut::new());
        let mut found = Vec::new();
        match LinkHead::read(&mut io, &mut buf).await {
            Ok(head) => found.push(head.status.to_string()),
            Err(error) => return vec![error.to_string()],
        }
        let mut parts = PartReader::new(io, buf, MAX_FRAME_BYTES);
        loop {
            match parts.next().await {
                Ok(Some(LinkPart::Frame(RelayedPart::Frame { frame, said, .. }))) => {
                    assert!(frame.bytes().len() <= MAX_FRAME_BYTES, "it is too large");
                    found.push(format!("{} bytes, {said:?}", frame.bytes().len()));
                }
                Ok(Some(LinkPart::State(state))) => {
                    let why = state.why.as_deref().unwrap_or_default();
                    assert!(!why.chars().any(char::is_control), "{why:?}");
                    found.push(format!("{state:?}"));
                }
                Ok(Some(other)) => panic!("{other:?}"),
                Ok(None) => return found,
                Err(error) => {
                    found.push(error.to_string());
                    return found;
                }
            }
        }
    })
}

/// Bytes that come in pieces.
struct Pieces<'a> {
    bytes: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let n = self.piece.min(buf.remaining()).min(self.bytes.len());
        buf.put_slice(&self.bytes[..n]);
        self.bytes.advance(n);
        Poll::Ready(Ok(()))
    }
}

const MAX_FRAME_BYTES: usize = 64 << 10;

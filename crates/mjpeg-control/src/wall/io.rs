//! What the task of a socket does with its connection: opens, writes and closes it.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Sink, SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};
use tokio_websockets::{Limits, Message, ServerBuilder, WebSocketStream};

use super::{
    end::WallEnd,
    message::{MAX_MESSAGE_BYTES, ServerMessage},
    outgoing::OutgoingMessage,
};

/// Opens the server's side of a socket on a connection that has been upgraded.
pub(crate) fn opened<T: AsyncRead + AsyncWrite + Unpin>(io: T) -> WebSocketStream<T> {
    let limits = Limits::default().max_payload_len(Some(MAX_MESSAGE_BYTES));
    ServerBuilder::new().limits(limits).serve(io)
}

/// Writes a message, behind what the socket itself has to send, such as a pong: neither goes into
/// the middle of the other.
pub(super) fn poll_outgoing<T: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<T>,
    outgoing: &mut OutgoingMessage,
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<()>> {
    if !outgoing.has_begun() {
        let flushed = ready!(Pin::new(&mut *socket).poll_flush(cx));
        flushed.map_err(std::io::Error::other)?;
    }
    outgoing.poll_write(socket.get_mut(), cx)
}

/// Closes a socket: what is being written is finished, the client is told why, and has a moment to
/// answer.
pub(super) async fn close<T: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<T>,
    outgoing: Option<OutgoingMessage>,
    texts: impl Iterator<Item = ServerMessage>,
    end: WallEnd,
) {
    let Some((code, reason)) = end.told() else {
        return;
    };
    let closing = async {
        let texts = texts
            .take(LAST_TEXTS)
            .map(|text| OutgoingMessage::text(&text, Instant::now() + CLOSE_TIME));
        for mut outgoing in outgoing.into_iter().chain(texts) {
            poll_fn(|cx| poll_outgoing(&mut socket, &mut outgoing, cx))
                .await
                .ok()?;
        }
        // An error means that the client has closed it.
        let _ = socket.send(Message::close(Some(code), reason)).await;
        while let Some(Ok(_)) = socket.next().await {}
        Some(())
    };
    let _ = timeout(CLOSE_TIME, closing).await;
}

/// Tells a client why its socket is closed at once.
pub(crate) async fn refuse<T: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<T>,
    end: WallEnd,
) {
    close(socket, None, std::iter::empty(), end).await;
}

/// How long closing a socket may take.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// How many texts are said before a socket is closed: the last says why.
const LAST_TEXTS: usize = 300;

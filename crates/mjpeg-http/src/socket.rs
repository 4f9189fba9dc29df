//! What a viewer's socket is told.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::HttpConfig;

/// What HTTP is spoken over: a socket, or a pipe in memory where there is nothing else to be tested.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Has it ended by a reset, so that nothing is left of it.
    fn reset_on_drop(&self);
}

impl Transport for TcpStream {
    fn reset_on_drop(&self) {
        // A plain close would leave the kernel offering the unread bytes to a peer that does not take them. Failure to set
        // this costs no more than that.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

/// Sets the options of a viewer's socket. None is needed for it to work: where one fails, it costs what the option is for.
pub(crate) fn tune(stream: &TcpStream, config: &HttpConfig) {
    // A part goes out in one write; waiting to fill a segment would only delay its end.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // A viewer that vanished while there is nothing to send it is found by nothing else.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_IDLE));
    if let Some(bytes) = config.send_buffer_bytes {
        let _ = socket.set_send_buffer_size(bytes);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // Keeps the kernel from taking megabytes that the viewer is not ready for. Without it, a slow viewer's pictures are as old as that
        // queue is long; and since the socket counts as writable again only when a third of the queue has drained, a
        // viewer that does take bytes, but few, would look like one that takes none.
        if let Some(bytes) = config.notsent_lowat_bytes {
            let _ = socket.set_tcp_notsent_lowat(bytes);
        }
        // One that vanished while bytes are under way to it: the kernel's own limit is a quarter of an hour.
        let _ = socket.set_tcp_user_timeout(Some(config.write_stall));
    }
}

/// How long a viewer's connection may be silent before the first TCP keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

//! Connections to clients: TCP and Unix sockets, or anything else that carries bytes both ways.

use std::{
    fmt,
    io::{self, ErrorKind},
    net::Shutdown,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::config::listener::ListenerConfig;

/// A connection to a client, from [`Accept`](crate::Accept) or wrapped by [`Wrap`](crate::Wrap).
///
/// Streams over plain TCP and Unix sockets are written with a system call per part. Others are
/// written through their own `poll_write`.
pub struct Transport {
    pub(crate) io: Io,
    /// Boxed, because most connections have none and each viewer has a transport.
    tls: Option<Box<TlsInfo>>,
}

pub(crate) enum Io {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
    Other(Box<dyn ByteStream>),
}

/// Anything that carries bytes both ways.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// TLS details of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The client's certificate (DER), if it presented one that was verified.
    pub client_certificate: Option<Bytes>,
    /// The client has agreed to speak HTTP/2 (ALPN `h2`). Without the feature `http2`, the listener
    /// speaks HTTP/1 all the same, so do not offer it.
    pub is_http2: bool,
}

impl Transport {
    /// Makes a transport of a stream of another kind, such as TLS or an in-memory pipe.
    ///
    /// The stream must not panic: a panic costs all viewers that the same task serves.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Io::Other(Box::new(stream)).into()
    }

    /// Adds TLS details, for a [`Gate`](crate::Gate) to see.
    pub fn with_tls(mut self, tls: TlsInfo) -> Self {
        self.tls = Some(Box::new(tls));
        self
    }

    /// The TLS details; `None` for a plain connection.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// Makes the connection end with a reset when it is dropped.
    ///
    /// After a plain close, the kernel would keep offering unread bytes to a peer that takes none.
    pub(crate) fn reset_on_drop(&self) {
        if let Io::Tcp(stream) = &self.io {
            // If this fails, the close is a plain one.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Sets the socket's options. None is essential: if one fails, only its benefit is lost.
    pub(crate) fn tune(&self, config: &ListenerConfig) {
        match &self.io {
            Io::Tcp(stream) => tune_tcp(stream, config),
            #[cfg(unix)]
            Io::Unix(stream) => {
                if let Some(bytes) = config.send_buffer_bytes() {
                    let _ = SockRef::from(stream).set_send_buffer_size(bytes);
                }
            }
            Io::Other(_) => {}
        }
    }

    /// Writes as much as the transport takes at once; `WouldBlock` if it takes nothing.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.io {
            Io::Tcp(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Io::Unix(stream) => stream.try_write(bytes),
            Io::Other(stream) => at_once(|cx| Pin::new(stream).poll_write(cx, bytes)),
        }
    }

    /// Flushes the transport's own buffer; `WouldBlock` if some of it is left.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        match &mut self.io {
            Io::Other(stream) => at_once(|cx| Pin::new(stream).poll_flush(cx)),
            // The kernel holds nothing back.
            _ => Ok(()),
        }
    }

    /// Reads what has arrived; `WouldBlock`, without a system call, if nothing has.
    pub(crate) fn try_read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.io {
            Io::Tcp(stream) => stream.try_read(buf),
            #[cfg(unix)]
            Io::Unix(stream) => stream.try_read(buf),
            Io::Other(stream) => {
                let mut buf = ReadBuf::new(buf);
                at_once(|cx| Pin::new(stream).poll_read(cx, &mut buf))?;
                Ok(buf.filled().len())
            }
        }
    }

    /// Whether the peer has broken the connection off, as far as the kernel knows. A read does not
    /// tell once the peer has closed its side.
    pub(crate) fn has_failed(&self) -> bool {
        let error = match &self.io {
            Io::Tcp(stream) => SockRef::from(stream).take_error(),
            #[cfg(unix)]
            Io::Unix(stream) => SockRef::from(stream).take_error(),
            // The next write will tell.
            Io::Other(_) => return false,
        };
        !matches!(error, Ok(None))
    }

    /// Ends the outgoing side, without waiting.
    pub(crate) fn end(mut self) {
        // The peer may be gone already; then there is nothing left to end.
        let _ = match &mut self.io {
            Io::Tcp(stream) => SockRef::from(&*stream).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Io::Unix(stream) => SockRef::from(&*stream).shutdown(Shutdown::Write),
            Io::Other(stream) => at_once(|cx| Pin::new(stream).poll_shutdown(cx)),
        };
    }
}

/// Polls once, without waiting. A caller that waits afterwards polls again with its own waker.
fn at_once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
    match poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

fn tune_tcp(stream: &TcpStream, config: &ListenerConfig) {
    // A part goes out in one write; waiting to fill a segment would only delay its end.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // Nothing else detects a viewer that vanished while there was nothing to send.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_IDLE));
    if let Some(bytes) = config.send_buffer_bytes() {
        let _ = socket.set_send_buffer_size(bytes);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // Keeps the kernel from queueing megabytes that the viewer is not ready for. Without it, a
        // slow viewer's pictures are as old as that queue is long. A socket also counts as writable
        // again only when a third of the queue has drained, so that a viewer on a very slow link
        // would look like one that takes nothing.
        if let Some(bytes) = config.notsent_lowat_bytes() {
            let _ = socket.set_tcp_notsent_lowat(bytes);
        }
        // Detects a peer that vanished while bytes are on their way to it: the kernel's own limit
        // is a quarter of an hour.
        let _ = socket.set_tcp_user_timeout(Some(config.write_stall()));
    }
}

impl From<Io> for Transport {
    fn from(io: Io) -> Self {
        Self { io, tls: None }
    }
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        Io::Tcp(stream).into()
    }
}

#[cfg(unix)]
impl From<tokio::net::UnixStream> for Transport {
    fn from(stream: tokio::net::UnixStream) -> Self {
        Io::Unix(stream).into()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.io {
            Io::Tcp(_) => "Tcp",
            #[cfg(unix)]
            Io::Unix(_) => "Unix",
            Io::Other(_) => "Other",
        };
        f.debug_struct("Transport")
            .field("kind", &kind)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Passes a call on to the stream inside.
macro_rules! each {
    ($transport:expr, $stream:ident => $call:expr) => {
        match &mut $transport.get_mut().io {
            Io::Tcp($stream) => $call,
            #[cfg(unix)]
            Io::Unix($stream) => $call,
            Io::Other($stream) => $call,
        }
    };
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Io::Unix(stream) => stream.is_write_vectored(),
            Io::Other(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// How long a viewer's connection may be silent before the first TCP keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

//! Where connections come from.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::net::TcpListener;

use crate::{address::ListenAddress, error::BindError, peer::Peer, transport::Transport};

/// Where a [`Listener`](crate::Listener) gets its connections from.
///
/// TCP and Unix sockets are built in ([`Listener::bind`](crate::Listener::bind),
/// [`bind_unix`](crate::Listener::bind_unix), [`from_fd`](crate::Listener::from_fd)); implement
/// this for anything else.
#[async_trait]
pub trait Accept: Send + 'static {
    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// If no connection can be accepted now. The listener counts the error, and retries after 100
    /// ms, later 1 s at most. It logs the first error of an outage.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: a dropped call has taken no connection.
    async fn accept(&mut self) -> io::Result<(Transport, Peer)>;

    /// Where it listens.
    fn address(&self) -> ListenAddress;
}

/// Wraps a fresh connection before HTTP is spoken over it, such as in TLS.
#[async_trait]
pub trait Wrap: Send + Sync + 'static {
    /// Wraps a connection, within the [header timeout](crate::ListenerConfig::with_header_timeout).
    ///
    /// # Errors
    ///
    /// If the connection cannot be used. It is closed and counted in
    /// [`ListenerStats::handshake_errors`](crate::ListenerStats::handshake_errors).
    ///
    /// # Cancel safety
    ///
    /// The call, and the connection with it, is dropped when it takes too long, when [too
    /// many](crate::ListenerConfig::with_max_handshakes) came after it, or when the listener ends.
    async fn wrap(&self, transport: Transport) -> io::Result<Transport>;
}

/// A TCP port.
#[derive(Debug)]
pub(crate) struct TcpAccept {
    listener: Arc<TcpListener>,
    addr: SocketAddr,
}

/// A TCP port that a listener has, until that ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldPort(Weak<TcpListener>);

impl HeldPort {
    /// Makes another socket of the same port, whose connections wait in the same queue. `None` if
    /// the port is closed or none was held.
    pub(crate) fn second(&self) -> Option<io::Result<TcpAccept>> {
        let listener = self.0.upgrade()?;
        let socket = SockRef::from(&*listener).try_clone();
        Some(socket.and_then(|socket| TcpAccept::from_std(socket.into())))
    }
}

impl TcpAccept {
    pub(crate) fn bind(addr: SocketAddr) -> Result<Self, BindError> {
        let bound = match listen(addr) {
            Err(error) if is_any_v6(addr) && error.kind() != ErrorKind::AddrInUse => {
                // Most likely this machine has no IPv6. If the reason is another one, this fails as
                // well and reports it.
                listen((Ipv4Addr::UNSPECIFIED, addr.port()).into())
            }
            bound => bound,
        };
        bound
            .and_then(Self::from_std)
            .map_err(|source| match source.kind() {
                ErrorKind::AddrInUse => BindError::InUse {
                    address: ListenAddress::Tcp(addr),
                },
                _ => BindError::Failed {
                    address: ListenAddress::Tcp(addr),
                    source,
                },
            })
    }

    pub(crate) fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = Arc::new(TcpListener::from_std(listener)?);
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr })
    }

    pub(crate) fn held(&self) -> HeldPort {
        HeldPort(Arc::downgrade(&self.listener))
    }
}

#[async_trait]
impl Accept for TcpAccept {
    async fn accept(&mut self) -> io::Result<(Transport, Peer)> {
        let (stream, peer) = self.listener.accept().await?;
        Ok((stream.into(), peer.into()))
    }

    fn address(&self) -> ListenAddress {
        ListenAddress::Tcp(self.addr)
    }
}

fn listen(addr: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if is_any_v6(addr) {
        socket.set_only_v6(false)?;
    }
    // Connections of an earlier run linger in TIME_WAIT and must not keep the port from us. On Unix
    // this still refuses a port that another socket listens on. On Windows it would not, and it is
    // not needed there.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn is_any_v6(addr: SocketAddr) -> bool {
    addr.is_ipv6() && addr.ip().is_unspecified()
}

/// A Unix socket. Dropping it removes the socket file that it created.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct UnixAccept {
    listener: tokio::net::UnixListener,
    path: PathBuf,
    /// The file that it created; `None` if another process created it.
    made: Option<FileId>,
}

/// The device and inode of a file.
#[cfg(unix)]
type FileId = (u64, u64);

#[cfg(unix)]
impl UnixAccept {
    /// Binds the path. Without a mode, the file has what the process's umask leaves.
    pub(crate) fn bind(path: &Path, mode: Option<u32>) -> Result<Self, BindError> {
        let address = || ListenAddress::Unix(path.into());
        let bound = match listen_unix(path, mode) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_stale(path) => {
                remove_stale(path).and_then(|()| listen_unix(path, mode))
            }
            bound => bound,
        };
        let listener = bound.and_then(|listener| Self::from_std(listener, path.into()));
        let mut listener = listener.map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => BindError::InUse { address: address() },
            _ => BindError::Failed {
                address: address(),
                source,
            },
        })?;
        listener.made = file_id(path);
        Ok(listener)
    }

    pub(crate) fn from_std(
        listener: std::os::unix::net::UnixListener,
        path: PathBuf,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: tokio::net::UnixListener::from_std(listener)?,
            path,
            made: None,
        })
    }
}

#[cfg(unix)]
#[async_trait]
impl Accept for UnixAccept {
    async fn accept(&mut self) -> io::Result<(Transport, Peer)> {
        let (stream, _) = self.listener.accept().await?;
        Ok((stream.into(), Peer::LOCAL))
    }

    fn address(&self) -> ListenAddress {
        ListenAddress::Unix(self.path.clone())
    }
}

#[cfg(unix)]
impl Drop for UnixAccept {
    fn drop(&mut self) {
        // Another process may have put its own socket there meanwhile.
        if self.made.is_some() && file_id(&self.path) == self.made {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn listen_unix(path: &Path, mode: Option<u32>) -> io::Result<std::os::unix::net::UnixListener> {
    use std::{fs, os::unix::fs::PermissionsExt};

    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let set_mode = |mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    // Before it listens: until then, nobody whom the mode keeps out can connect.
    let listening = mode
        .map_or(Ok(()), set_mode)
        .and_then(|()| socket.listen(BACKLOG));
    if let Err(error) = listening {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(socket.into())
}

/// Removes the socket file of a process that was killed.
#[cfg(unix)]
fn remove_stale(path: &Path) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".stale-{}", std::process::id()));
    let aside = PathBuf::from(aside);
    // Set aside before it is removed: another process may have replaced it in the meantime.
    std::fs::rename(path, &aside)?;
    let is_live = !is_stale(&aside);
    if is_live {
        // Fails if a third process has taken the path; then that one serves.
        let _ = std::fs::hard_link(&aside, path);
    }
    std::fs::remove_file(&aside)?;
    if is_live {
        return Err(ErrorKind::AddrInUse.into());
    }
    Ok(())
}

/// Whether the file is a socket that no process listens on any more.
#[cfg(unix)]
fn is_stale(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket());
    let connect = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // A process that is stuck, and whose backlog is full, must not block this one.
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    let refuses = |error: io::Error| error.kind() == ErrorKind::ConnectionRefused;
    is_socket && connect().is_err_and(refuses)
}

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;

    let file = std::fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Takes over a listening socket that another process opened, such as systemd.
#[cfg(unix)]
pub(crate) fn from_fd(fd: std::os::fd::OwnedFd) -> io::Result<Box<dyn Accept>> {
    let socket = Socket::from(fd);
    let address = socket.local_addr()?;
    if !is_listening(&socket) {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the descriptor is not a listening stream socket",
        ));
    }
    if let Some(path) = address.as_pathname() {
        let path = path.to_owned();
        return Ok(Box::new(UnixAccept::from_std(socket.into(), path)?));
    }
    if address.is_unix() {
        return Ok(Box::new(UnixAccept::from_std(
            socket.into(),
            PathBuf::new(),
        )?));
    }
    Ok(Box::new(TcpAccept::from_std(socket.into())?))
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn is_listening(socket: &Socket) -> bool {
    socket.is_listener().unwrap_or(false) && socket.r#type().is_ok_and(|kind| kind == Type::STREAM)
}

#[cfg(all(
    unix,
    not(any(target_os = "linux", target_os = "android", target_os = "freebsd"))
))]
fn is_listening(socket: &Socket) -> bool {
    // Whether it listens is not known here; accepting fails if it does not.
    socket.r#type().is_ok_and(|kind| kind == Type::STREAM)
}

/// How many connections may wait to be accepted. The system caps it (Linux: `net.core.somaxconn`,
/// 4096 by default).
const BACKLOG: i32 = 1024;

//! Connections, plain and encrypted.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    sync::Semaphore,
};

use super::tls::{self, Fingerprint};

/// A connection of any kind.
pub(crate) trait AnyWire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AnyWire for T {}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Plain,
    /// With TLS. The other end has this certificate, or else one that this machine trusts.
    Tls(Option<Fingerprint>),
}

/// Connects to a host, by its name or its address without brackets.
///
/// # Errors
///
/// When no address of the host takes the connection, or the other end is not trusted.
///
/// # Cancel safety
///
/// Cancel safe: nothing is left but a look-up of the name, of which there are few.
pub(crate) async fn dial(
    host: &str,
    port: u16,
    protection: Protection,
) -> io::Result<Box<dyn AnyWire>> {
    let addresses = addresses(host, port).await?;
    let stream = TcpStream::connect(&*addresses).await?;
    match protection {
        Protection::Plain => Ok(Box::new(stream)),
        Protection::Tls(trusted) => Ok(Box::new(tls::encrypt(stream, host, trusted).await?)),
    }
}

async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    static LOOK_UPS: Semaphore = Semaphore::const_new(MOST_LOOK_UPS);
    let place = LOOK_UPS.acquire().await.map_err(io::Error::other)?;
    let host = host.to_owned();
    // A look-up takes a thread until the system's resolver gives up, also if nobody waits for it
    // any more. So it keeps its place until then.
    let looking_up = tokio::spawn(async move {
        let found = lookup_host((&*host, port)).await.map(Vec::from_iter);
        drop(place);
        found
    });
    looking_up.await.map_err(io::Error::other)?
}

/// How many names are looked up at once.
const MOST_LOOK_UPS: usize = 8;

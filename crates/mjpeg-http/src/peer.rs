//! Where a request comes from.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// The client that sent a request: a request extension.
///
/// A [`Listener`](crate::Listener) adds it to every request that it passes on. A server of your own
/// adds it to requests for a mounted [`StreamService`](crate::StreamService); without it, limits
/// per address do not apply.
///
/// ```
/// use mjpeg_http::Peer;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Peer::from(([192, 0, 2, 1], 40_000)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    addr: Option<SocketAddr>,
    is_proxy: bool,
    is_via_trusted: bool,
}

impl Peer {
    /// A client without a network address, such as a program on a Unix socket.
    pub const LOCAL: Self = Self {
        addr: None,
        is_proxy: false,
        is_via_trusted: false,
    };

    /// Sets whether many people may share this address, as with a reverse proxy.
    ///
    /// The limit per address then does not apply.
    pub fn with_proxy(mut self, is_proxy: bool) -> Self {
        self.is_proxy = is_proxy;
        self
    }

    /// Sets whether a [trusted proxy](crate::ListenerConfig::with_trusted_proxies) has passed the
    /// request on. What proxies say in headers counts only then.
    pub fn with_trusted_proxy(mut self, is_via_trusted: bool) -> Self {
        self.is_via_trusted = is_via_trusted;
        self
    }

    /// The address, if there is one. Behind a trusted proxy, it is that of the proxy's client, with
    /// port 0 unless the proxy has named the port.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Whether many people may share this address: a proxy, or loopback, where a program may serve
    /// others.
    pub fn is_shared(&self) -> bool {
        self.is_proxy || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Whether a trusted proxy has passed the request on.
    pub fn is_via_trusted_proxy(&self) -> bool {
        self.is_via_trusted
    }

    /// The IP address. A socket for both families reports IPv4 addresses in IPv6 form; this returns
    /// them as IPv4.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        Some(self.addr?.ip().to_canonical())
    }
}

impl<A: Into<SocketAddr>> From<A> for Peer {
    fn from(addr: A) -> Self {
        Self {
            addr: Some(addr.into()),
            is_proxy: false,
            is_via_trusted: false,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            Some(addr) => addr.fmt(f),
            None => f.write_str("local"),
        }
    }
}

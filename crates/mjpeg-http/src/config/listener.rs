//! Limits and times of one listener.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::HeaderMap;
use ipnet::IpNet;

use crate::{
    config::{InvalidConfig, LONGEST},
    peer::Peer,
    request::forwarded,
};

/// Limits and times of a [`Listener`](crate::Listener), whatever streams it serves. Durations above
/// 100 years count as 100 years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    name: Arc<str>,
    header_timeout: Duration,
    max_header_bytes: usize,
    max_handshakes: usize,
    max_http2_streams: u32,
    write_stall: Duration,
    grace: Duration,
    notsent_lowat_bytes: Option<u32>,
    send_buffer_bytes: Option<usize>,
    trusted_proxies: Arc<[IpNet]>,
    base_path: Arc<str>,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            name: "".into(),
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 2 * SMALLEST_HEADER_LIMIT_BYTES,
            max_handshakes: 256,
            max_http2_streams: 128,
            write_stall: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            notsent_lowat_bytes: Some(16 << 10),
            send_buffer_bytes: None,
            trusted_proxies: Arc::default(),
            base_path: "".into(),
        }
    }
}

impl ListenerConfig {
    /// Sets the name by which a [`Gate`](crate::Gate) and the log know the listener. Default:
    /// empty.
    pub fn with_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets how long a connection may take to send a whole request head, idle time before it
    /// included. Default 10 s. [Wrapping](crate::Wrap) a connection may take as long, and an HTTP/2
    /// connection may be without a request as long.
    ///
    /// Counted in [`ListenerStats::header_timeouts`](crate::ListenerStats::header_timeouts).
    pub fn with_header_timeout(mut self, limit: Duration) -> Self {
        self.header_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how many bytes a request head may have; a larger one is answered `431`. Default
    /// 16 KiB.
    ///
    /// Counted in [`ListenerStats::bad_requests`](crate::ListenerStats::bad_requests).
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::MaxHeaderBytes`] below 8 KiB, hyper's own minimum for a connection's
    /// buffer.
    pub fn with_max_header_bytes(mut self, limit: usize) -> Result<Self, InvalidConfig> {
        if limit < SMALLEST_HEADER_LIMIT_BYTES {
            return Err(InvalidConfig::MaxHeaderBytes {
                least: SMALLEST_HEADER_LIMIT_BYTES,
            });
        }
        self.max_header_bytes = limit;
        Ok(self)
    }

    /// Sets how many connections may be [wrapped](crate::Wrap) at the same time, such as by a TLS
    /// handshake. Default 256. One more makes the oldest give way: a handshake takes a few round
    /// trips, so the oldest is most likely one that will never end.
    ///
    /// Counted in
    /// [`ListenerStats::handshakes_displaced`](crate::ListenerStats::handshakes_displaced).
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::MaxHandshakes`] for 0.
    pub fn with_max_handshakes(mut self, most: usize) -> Result<Self, InvalidConfig> {
        if most == 0 {
            return Err(InvalidConfig::MaxHandshakes);
        }
        self.max_handshakes = most;
        Ok(self)
    }

    /// Sets how many requests a client may have in progress on one HTTP/2 connection, streams
    /// included. Default 128. The client is told, and what it asks for beyond that is refused by
    /// the protocol (`REFUSED_STREAM`), which clients try again; that is not counted.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::MaxHttp2Streams`] for 0.
    pub fn with_max_http2_streams(mut self, most: u32) -> Result<Self, InvalidConfig> {
        if most == 0 {
            return Err(InvalidConfig::MaxHttp2Streams);
        }
        self.max_http2_streams = most;
        Ok(self)
    }

    /// Sets how long a client may take no byte of an answer before its connection is closed.
    /// Default 30 s. Streams have [a limit of their own](crate::StreamConfig::with_write_stall).
    ///
    /// Counted in [`ListenerStats::write_stalls`](crate::ListenerStats::write_stalls).
    pub fn with_write_stall(mut self, limit: Duration) -> Self {
        self.write_stall = limit.min(LONGEST);
        self
    }

    /// Sets how long [`Listener::serve`](crate::Listener::serve) waits for answers to end before it
    /// cuts them. Default 5 s.
    pub fn with_grace(mut self, limit: Duration) -> Self {
        self.grace = limit.min(LONGEST);
        self
    }

    /// Sets how many bytes may wait unsent in the kernel before a viewer's socket takes no more
    /// (`TCP_NOTSENT_LOWAT`), or leaves it to the kernel. Default 16 KiB. Linux only; elsewhere it
    /// does nothing.
    ///
    /// If left to the kernel, a viewer on a slow link sees pictures that are seconds old: as old as
    /// its send buffer is long.
    pub fn with_notsent_lowat_bytes(mut self, bytes: impl Into<Option<u32>>) -> Self {
        self.notsent_lowat_bytes = bytes.into();
        self
    }

    /// Sets the size of the kernel's send buffer for each connection (`SO_SNDBUF`), or leaves it to
    /// the kernel, which adapts it to the link. Default: left to the kernel.
    ///
    /// On systems without `TCP_NOTSENT_LOWAT`, 128 KiB bound the lag as well, but reduce throughput
    /// on fast links with a long round trip.
    pub fn with_send_buffer_bytes(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.send_buffer_bytes = bytes.into();
        self
    }

    /// Sets the addresses of reverse proxies that are trusted. Default: none. Neither loopback nor
    /// Unix sockets are implied.
    ///
    /// Of a request from there, `X-Forwarded-For` is read from the right, over all its lines: the
    /// first address that is not a trusted proxy is the client, whose address is then listed,
    /// limited and shown to a [`Gate`](crate::Gate). If there is none among the last 32, or
    /// something there is no address, the proxy itself is the client. Many people may share its
    /// address: the limit per address does not apply, and a new viewer from there replaces only a
    /// dead one. So it is with loopback.
    ///
    /// From all others, `X-Forwarded-For` is ignored, and `Remote-User` is removed.
    pub fn with_trusted_proxies(
        mut self,
        proxies: impl IntoIterator<Item = impl Into<IpNet>>,
    ) -> Self {
        self.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the path below which a reverse proxy offers this listener, such as `/webcam`, if the
    /// proxy leaves it in the requests. Default: none.
    ///
    /// It is removed from the path of each request that begins with it; requests without it work as
    /// well. The [fallback](crate::Listener::with_fallback) gets the whole path; there,
    /// [`below_base`](Self::below_base) removes it.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::BasePath`] unless it is empty or begins with `/`, and if it has a `?`, `#`,
    /// blank or control character.
    pub fn with_base_path(mut self, path: &str) -> Result<Self, InvalidConfig> {
        let is_bad = |b: u8| !b.is_ascii_graphic() || b == b'?' || b == b'#';
        let path = path.trim_end_matches('/');
        if !(path.is_empty() || path.starts_with('/')) || path.bytes().any(is_bad) {
            return Err(InvalidConfig::BasePath);
        }
        self.base_path = path.into();
        Ok(self)
    }

    /// How long a connection may take to send a whole request head.
    pub fn header_timeout(&self) -> Duration {
        self.header_timeout
    }

    /// How large a request head may be, in bytes.
    pub fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }

    /// How many connections may be wrapped at the same time.
    pub fn max_handshakes(&self) -> usize {
        self.max_handshakes
    }

    /// How many requests a client may have in progress on one HTTP/2 connection.
    pub fn max_http2_streams(&self) -> u32 {
        self.max_http2_streams
    }

    /// How long a client may take no byte of an answer.
    pub fn write_stall(&self) -> Duration {
        self.write_stall
    }

    /// How long answers may take to end when the listener stops.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// How many bytes may wait unsent in the kernel; `None` for the kernel's own choice.
    pub fn notsent_lowat_bytes(&self) -> Option<u32> {
        self.notsent_lowat_bytes
    }

    /// The size of the kernel's send buffer; `None` for the kernel's own choice.
    pub fn send_buffer_bytes(&self) -> Option<usize> {
        self.send_buffer_bytes
    }

    /// Which addresses are reverse proxies.
    pub fn trusted_proxies(&self) -> &[IpNet] {
        &self.trusted_proxies
    }

    /// The path below which a reverse proxy offers this listener; empty for none.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Removes the base path from a request's path that begins with it; returns others as they are.
    /// Doubled slashes in front do not count.
    ///
    /// ```
    /// use mjpeg_http::ListenerConfig;
    ///
    /// let config = ListenerConfig::default().with_base_path("/webcam")?;
    /// assert_eq!(config.below_base("/webcam/door/"), "/door/");
    /// assert_eq!(config.below_base("/webcam"), "/");
    /// assert_eq!(config.below_base("/door/"), "/door/");
    /// # Ok::<(), mjpeg_http::InvalidConfig>(())
    /// ```
    pub fn below_base<'a>(&self, path: &'a str) -> &'a str {
        if self.base_path.is_empty() {
            return path;
        }
        let extra = path.bytes().take_while(|&b| b == b'/').count();
        match path[extra.saturating_sub(1)..].strip_prefix(&*self.base_path) {
            Some("") => "/",
            Some(below) if below.starts_with('/') => below,
            _ => path,
        }
    }

    /// The name by which a gate and the log know the listener.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for the log, if it has one.
    pub(crate) fn log_name(&self) -> Option<&str> {
        Some(self.name()).filter(|name| !name.is_empty())
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The client behind a connection: the one that a trusted proxy names in these headers, else
    /// the peer.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> Peer {
        if !peer.ip().is_some_and(|ip| self.is_trusted(ip)) {
            return peer;
        }
        let client = forwarded::client(headers, |ip| self.is_trusted(ip));
        let client = client.map_or(peer.with_proxy(true), Peer::from);
        client.with_trusted_proxy(true)
    }

    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|net| net.contains(&ip))
    }
}

const SMALLEST_HEADER_LIMIT_BYTES: usize = 8 << 10;

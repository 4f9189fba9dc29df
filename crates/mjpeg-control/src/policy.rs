//! What holds for one gateway.

use std::{fmt, net::SocketAddr, sync::Arc};

use http::{HeaderMap, Uri, header};
use mjpeg_manager::mjpeg_http::{Gate, ListenerConfig, Peer};

use crate::{
    code::ErrorCode,
    error::Error,
    host::{Hosts, RequestedHost},
};

/// Who may reach the part of the API that controls, besides what the [`Gate`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlAccess {
    /// It is not there: 404.
    #[default]
    Closed,
    /// There are no users: only programs and people on this machine, by a loopback address or a
    /// Unix socket. Requests that a proxy has passed on are refused, and those for a host other
    /// than a loopback address or `localhost`. The gate must let them do what they may.
    LocalOnly,
    /// There are users: the gate alone decides.
    Users,
}

/// What holds for one gateway: who decides about its requests, by which names it is reached, and
/// which parts of the API it serves.
#[derive(Clone)]
pub struct GatewayPolicy {
    gate: Arc<dyn Gate>,
    hosts: Hosts,
    access: ControlAccess,
    has_page: bool,
    has_streams: bool,
    listener: ListenerConfig,
}

impl GatewayPolicy {
    /// Makes the policy of a gateway whose requests this gate decides about. It serves what the
    /// page reads, by IP addresses and as `localhost`.
    ///
    /// The gate is asked about every request, before its body is read:
    ///
    /// * [`Page`], for no stream: the list of streams, the events and the wall socket, before
    ///   anything else. Whether a tile of the wall may show a stream is for the gate of that stream
    ///   to say, as for any viewer.
    /// * [`State`], for a stream: whether its name, state and rates may be read.
    /// * [`Control`], for a stream: its details, viewers and past events; pause, resume, retry;
    ///   disconnecting a viewer.
    /// * `Control`, for no stream: everything else.
    ///
    /// What it answers to those whom it refuses becomes a problem, with the status and headers that
    /// it gave, but for redirects: `401`. Whoever may not see a stream is told that there is none.
    ///
    /// [`Page`]: mjpeg_manager::mjpeg_http::Action::Page
    /// [`State`]: mjpeg_manager::mjpeg_http::Action::State
    /// [`Control`]: mjpeg_manager::mjpeg_http::Action::Control
    pub fn new(gate: Arc<dyn Gate>) -> Self {
        Self {
            gate,
            hosts: Hosts::default(),
            access: ControlAccess::default(),
            has_page: true,
            has_streams: true,
            listener: ListenerConfig::default(),
        }
    }

    /// Sets by which further names the gateway is reached. Default: none.
    pub fn with_hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Sets who may reach the part that controls. Default: [`ControlAccess::Closed`].
    pub fn with_access(mut self, access: ControlAccess) -> Self {
        self.access = access;
        self
    }

    /// Sets whether those who may see a stream can read its state here, as the page does. Default:
    /// true. If not, that needs the right to control it.
    pub fn with_page(mut self, has_page: bool) -> Self {
        self.has_page = has_page;
        self
    }

    /// Sets whether the wall socket shows streams here. Default: true. If not, it is not there:
    /// 404.
    pub fn with_streams(mut self, has_streams: bool) -> Self {
        self.has_streams = has_streams;
        self
    }

    /// Sets the configuration of the gateway's listener: its name, and the base path that a proxy
    /// may leave in the requests. Default: that of [`ListenerConfig::default`].
    pub fn with_listener(mut self, listener: ListenerConfig) -> Self {
        self.listener = listener;
        self
    }

    /// Returns by which further names the gateway is reached.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Returns who may reach the part that controls.
    pub fn access(&self) -> ControlAccess {
        self.access
    }

    /// Returns whether the state of streams can be read here, as the page does.
    pub fn has_page(&self) -> bool {
        self.has_page
    }

    /// Returns whether the wall socket shows streams here.
    pub fn has_streams(&self) -> bool {
        self.has_streams
    }

    /// Returns the configuration of the gateway's listener.
    pub fn listener(&self) -> &ListenerConfig {
        &self.listener
    }

    pub(crate) fn gate(&self) -> &dyn Gate {
        &*self.gate
    }

    /// Whether a request may reach the part that controls, if the gate agrees.
    pub(crate) fn admits(
        &self,
        peer: Option<Peer>,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Error> {
        match self.access {
            ControlAccess::Users => Ok(()),
            ControlAccess::Closed => Err(Error::not_found()),
            ControlAccess::LocalOnly => is_local(peer, uri, headers),
        }
    }
}

impl fmt::Debug for GatewayPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayPolicy")
            .field("hosts", &self.hosts)
            .field("access", &self.access)
            .field("has_page", &self.has_page)
            .field("has_streams", &self.has_streams)
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

/// Whether a request was sent on this machine, and passed on by nobody. A proxy on this machine
/// would make all its clients local.
fn is_local(peer: Option<Peer>, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
    let forbidden = |detail| Err(Error::new(ErrorCode::Forbidden, detail).with_hint(NEEDS_USERS));
    let is_here = |addr: SocketAddr| addr.ip().to_canonical().is_loopback();
    // Whose address is unknown may be anybody.
    let is_here = peer.is_some_and(|peer| peer.addr().is_none_or(is_here));
    if !is_here {
        return forbidden("control without users is only for clients on this machine");
    }
    let is_trace = |name: &header::HeaderName| {
        let name = name.as_str();
        matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-")
    };
    if headers.keys().any(is_trace) {
        return forbidden("control without users is not for requests that a proxy has passed on");
    }
    if !RequestedHost::of(uri, headers).is_loopback() {
        return forbidden("control without users is only for a loopback address or localhost");
    }
    Ok(())
}

const NEEDS_USERS: &str = "add users to the configuration, or use the control socket";

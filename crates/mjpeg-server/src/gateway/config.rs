//! What a gateway is started with.

use std::{error::Error as _, iter, net::SocketAddr, path::PathBuf};

use mjpeg_control::{ControlConfig, PageConfig};
use mjpeg_manager::{
    StreamName,
    mjpeg_http::{BindError, ListenerConfig},
};

use crate::tls::{error::TlsError, files::TlsFiles};

/// A port or socket that serves all streams below `/NAME/`, and pages beside them.
///
/// ```
/// use mjpeg_server::{GatewayAddress, GatewayConfig};
///
/// let address = GatewayAddress::Tcp("[::]:8080".parse()?);
/// let config = GatewayConfig::new("main", address).with_hosts(["cameras.example.org"]);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    name: String,
    address: GatewayAddress,
    listener: ListenerConfig,
    serve: ServeSet,
    /// Whoever can connect may control.
    is_without_users: bool,
    default: Option<StreamName>,
    hosts: Vec<String>,
    tls: Option<TlsFiles>,
    page: PageConfig,
}

/// Where a gateway listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatewayAddress {
    /// A TCP port. Port 0 takes a free one.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix {
        /// Its path. A socket file that a killed process left is replaced.
        path: PathBuf,
        /// The mode of the file, such as `0o660`; `None` for what the umask leaves.
        mode: Option<u32>,
    },
    /// A listening socket that the process inherited by this name (systemd socket activation). Only
    /// [`main`](crate::main) takes these over.
    Inherited(String),
}

impl GatewayAddress {
    /// Whether both are one address. A socket file is its path, whatever its mode.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix { path: a, .. }, Self::Unix { path: b, .. }) => a == b,
            _ => self == other,
        }
    }
}

/// What a gateway serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeSet {
    /// The streams. Default: yes.
    pub streams: bool,
    /// The page, and the part of the API that it reads. Default: yes.
    pub page: bool,
    /// The API that adds, changes and removes streams. Default: no.
    pub control: bool,
    /// The metrics. Default: no.
    pub metrics: bool,
}

impl Default for ServeSet {
    fn default() -> Self {
        Self {
            streams: true,
            page: true,
            control: false,
            metrics: false,
        }
    }
}

impl GatewayConfig {
    /// Makes a gateway of this name that listens there and serves streams and page. The name is a
    /// label in logs, and a [`Gate`](mjpeg_manager::mjpeg_http::Gate) sees it.
    pub fn new(name: impl Into<String>, address: GatewayAddress) -> Self {
        Self {
            name: name.into(),
            address,
            listener: ListenerConfig::default(),
            serve: ServeSet::default(),
            is_without_users: false,
            default: None,
            hosts: Vec::new(),
            tls: None,
            page: PageConfig::default(),
        }
    }

    /// Sets the limits and times. Default: those of [`ListenerConfig::default`].
    pub fn with_listener(mut self, config: ListenerConfig) -> Self {
        self.listener = config;
        self
    }

    /// Sets what is served. Default: streams and page.
    pub fn with_serve(mut self, serve: ServeSet) -> Self {
        self.serve = serve;
        self
    }

    /// Sets the stream for URLs without a name, such as `/stream`. Default: the only stream, if
    /// there is but one.
    pub fn with_default(mut self, stream: impl Into<Option<StreamName>>) -> Self {
        self.default = stream.into();
        self
    }

    /// Sets further names by which browsers may open the page and the API. Default: none, beside IP
    /// addresses, `localhost` and the machine's own name.
    ///
    /// A request with any other `Host` is answered `421`, so that a page of a stranger cannot read
    /// them by a name that points here (DNS rebinding). Streams are not affected.
    pub fn with_hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Serves HTTPS with this certificate, which is read again when its files change. Default:
    /// plain HTTP.
    pub fn with_tls(mut self, files: impl Into<Option<TlsFiles>>) -> Self {
        self.tls = files.into();
        self
    }

    /// Sets where the page's files come from, and which pages may embed a stream's view. Default:
    /// that of [`PageConfig::default`].
    pub fn with_page(mut self, page: PageConfig) -> Self {
        self.page = page;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets whoever can connect control. Only for sockets whose file's mode says who can.
    pub(crate) fn without_users(mut self) -> Self {
        self.is_without_users = true;
        self
    }

    /// Whether whoever can connect may control.
    pub(crate) fn is_without_users(&self) -> bool {
        self.is_without_users
    }

    /// Where it listens.
    pub fn address(&self) -> &GatewayAddress {
        &self.address
    }

    /// The limits and times, with its name.
    pub fn listener(&self) -> ListenerConfig {
        self.listener.clone().with_name(&*self.name)
    }

    /// What it serves.
    pub fn serve(&self) -> ServeSet {
        self.serve
    }

    /// The stream for URLs without a name.
    pub fn default(&self) -> Option<&StreamName> {
        self.default.as_ref()
    }

    /// Further names by which browsers may open the page and the API.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The certificate for HTTPS; `None` for plain HTTP.
    pub fn tls(&self) -> Option<&TlsFiles> {
        self.tls.as_ref()
    }

    /// Where the page's files come from, and which pages may embed a stream's view.
    pub fn page(&self) -> &PageConfig {
        &self.page
    }

    /// A request's path without the base path.
    pub(crate) fn below_base<'a>(&self, path: &'a str) -> &'a str {
        self.listener.below_base(path)
    }
}

/// A gateway could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the gateway {name:?} could not be opened")]
#[non_exhaustive]
pub struct GatewayError {
    /// Its name.
    pub name: String,
    /// Why.
    pub source: GatewayFailure,
}

/// Why a gateway could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayFailure {
    /// Its address could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl GatewayError {
    /// Whether another program has the address.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(self.source, GatewayFailure::Bind(BindError::InUse { .. }))
    }

    /// Returns a stable word for machines: `port_in_use`, `listen_failed`, or `invalid_spec` for a
    /// certificate that cannot be used.
    pub fn code(&self) -> &'static str {
        match self.source {
            GatewayFailure::Bind(BindError::InUse { .. }) => "port_in_use",
            GatewayFailure::Bind(_) => "listen_failed",
            GatewayFailure::Tls(_) => "invalid_spec",
        }
    }

    /// The error with its causes and its code.
    pub(crate) fn chain(&self) -> String {
        let causes = iter::successors(self.source(), |&error| error.source());
        let text = causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"));
        format!("{text} ({})", self.code())
    }
}

/// How many wall sockets there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WallLimits {
    pub(crate) most: usize,
    pub(crate) most_per_address: usize,
}

impl Default for WallLimits {
    fn default() -> Self {
        let config = ControlConfig::default();
        Self {
            most: config.max_walls(),
            most_per_address: config.max_walls_per_address(),
        }
    }
}

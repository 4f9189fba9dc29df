//! Keys of a listener.

use std::path::PathBuf;

use mjpeg_manager::StreamName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KEEP, NEW};
use crate::config::value::{
    choice::Serve, listen_addr::ListenAddr, network::NetworkValue, text::TextValue,
};

/// A port that serves every stream below its name. Exactly one of `address`, `unix` and `fd` says
/// where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ListenKeys {
    /// What the listener is called in logs and metrics: 1 to 64 letters, digits, `_` or `-`.
    #[schemars(extend(
        "x-default" = "`listen1`, `listen2`, … in the order of the file",
        "x-example" = "main",
        "x-reload" = KEEP
    ))]
    pub(crate) name: Option<TextValue<StreamName>>,

    /// The address and port. `[::]` is all interfaces, IPv6 and IPv4; so is a port alone.
    #[schemars(extend("x-example" = "[::]:8080", "x-reload" = KEEP))]
    pub(crate) address: Option<ListenAddr>,

    /// The path of a Unix socket.
    #[schemars(extend("x-example" = "/run/mjpeg-server/http.sock", "x-reload" = KEEP))]
    pub(crate) unix: Option<PathBuf>,

    /// Who may connect to the Unix socket, as an octal number.
    #[schemars(extend("x-default" = "as the umask says", "x-example" = "0660", "x-reload" = KEEP))]
    pub(crate) mode: Option<TextValue<Mode>>,

    /// The name of a socket that systemd passes (`FileDescriptorName=`).
    #[schemars(extend("x-example" = "http", "x-reload" = KEEP))]
    pub(crate) fd: Option<String>,

    /// What is served: `"streams"`, `"page"`, `"control"` (the API that adds and removes streams),
    /// `"metrics"`.
    #[schemars(length(min = 1, max = 4), extend("x-reload" = NEW))]
    pub(crate) serve: Vec<Serve>,

    /// The stream that `/`, `/stream` and `/snapshot` give.
    #[schemars(extend("x-default" = "the only stream", "x-example" = "garage", "x-reload" = NEW))]
    pub(crate) default: Option<TextValue<StreamName>>,

    /// The path below which a reverse proxy offers the listener, such as `/webcam`, if the proxy
    /// leaves the path in the requests. Requests without it work too.
    #[schemars(extend("x-reload" = NEW))]
    pub(crate) base_path: String,

    /// Further names of this machine that browsers may use for the page and metrics.
    #[schemars(length(max = 64), extend("x-reload" = NEW))]
    pub(crate) hosts: Vec<String>,

    /// Encrypts the listener with this certificate.
    #[schemars(extend("x-reload" = NEW))]
    pub(crate) tls: Option<TlsKeys>,

    /// Addresses or networks of reverse proxies. Their `X-Forwarded-For` tells who a client is, for
    /// limits per address, logins and the log; their `Remote-User` counts if `remote_user = true`.
    #[schemars(length(max = 256), extend("x-reload" = NEW))]
    pub(crate) trusted_proxies: Vec<TextValue<NetworkValue>>,

    /// The other origins whose pages may read streams with scripts: `"*"` alone, or
    /// `scheme://host:port`. An `<img>` can show streams on any page.
    #[schemars(length(max = 64), extend("x-reload" = NEW))]
    pub(crate) origins: Vec<String>,

    /// A folder whose files replace those of the built-in page: `index.html`, `login.html`,
    /// `view.html`, and those that the page loads as `assets/FILE`, which stand in the folder
    /// itself, as `FILE`.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/page", "x-reload" = NEW))]
    pub(crate) page_dir: Option<PathBuf>,

    /// Which pages may embed `/NAME/view`: `"*"` for all, `"'self'"`, `scheme://host:port`. An
    /// empty list lets no page do so.
    #[schemars(length(max = 64), extend("x-reload" = NEW))]
    pub(crate) frame_ancestors: Vec<String>,
}

impl Default for ListenKeys {
    fn default() -> Self {
        Self {
            name: None,
            address: None,
            unix: None,
            mode: None,
            fd: None,
            serve: vec![Serve::Streams, Serve::Page],
            default: None,
            base_path: String::new(),
            hosts: Vec::new(),
            tls: None,
            trusted_proxies: Vec::new(),
            origins: vec!["*".into()],
            page_dir: None,
            frame_ancestors: vec!["*".into()],
        }
    }
}

/// A certificate and its key. Both files are PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct TlsKeys {
    /// The file of the certificate and of those between it and an authority, as PEM.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/cert.pem", "x-reload" = NEW))]
    pub(crate) certificate: PathBuf,

    /// The file of the private key, as PEM.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/key.pem", "x-reload" = NEW))]
    pub(crate) key: PathBuf,

    /// Ask clients for a certificate: users who have a `certificate` log in with theirs. A browser
    /// that has one asks its user which to send.
    #[serde(default)]
    #[schemars(extend("x-reload" = NEW))]
    pub(crate) client_certificates: bool,
}

/// Permissions of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

impl std::str::FromStr for Mode {
    type Err = NotAMode;

    fn from_str(text: &str) -> Result<Self, NotAMode> {
        let is_octal = !text.is_empty() && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        let mode = u32::from_str_radix(text, 8).ok();
        let mode = mode.filter(|mode| is_octal && *mode <= 0o777);
        mode.map(Self).ok_or(NotAMode)
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("expected an octal number such as \"0660\"")]
pub(crate) struct NotAMode;

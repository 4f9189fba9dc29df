//! The effective configuration, as plain data.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use mjpeg_auth::JwtConfig;
use mjpeg_manager::{StreamName, mjpeg_ingest::Source};
use serde::{Serialize, Serializer};

use super::keys::{
    auth::{AuthKeys, UserKeys},
    cluster::ClusterKeys,
    control::ControlKeys,
    listen::ListenKeys,
    process::ProcessKeys,
    stream::StreamKeys,
    webhook::WebhookKeys,
};
use super::value::secret_text::SecretText;
use crate::jwks::place::KeySource;
use crate::outbound::url::OutboundUrl;

/// Everything that a relay is started with, after all layers are merged. Equal settings mean the
/// same relay. Serialisation and `Debug` show no secrets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Settings {
    pub(crate) process: ProcessKeys,
    pub(crate) listens: Vec<ListenSettings>,
    /// What the streams' own ports have of a listener: `trusted_proxies` and `base_path`.
    pub(crate) ports: ListenKeys,
    /// What a stream has that says nothing itself.
    pub(crate) defaults: StreamKeys,
    pub(crate) streams: Vec<StreamSettings>,
    pub(crate) auth: AuthKeys,
    pub(crate) users: Vec<UserKeys>,
    pub(crate) control: ControlKeys,
    /// What decides about rights that nobody has by `auth` and `users`.
    #[serde(skip)]
    pub(crate) hook: Option<HookSettings>,
    pub(crate) webhooks: Vec<WebhookSettings>,
    /// What `jwt` of `auth` means.
    #[serde(skip)]
    pub(crate) tokens: Option<TokenSettings>,
    pub(crate) cluster: Option<ClusterSettings>,
}

/// How this relay is a node of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ClusterSettings {
    pub(crate) keys: ClusterKeys,
    /// The secret, with what it takes from elsewhere.
    pub(crate) secret: Option<SecretText>,
    /// The password for etcd, with what it takes from elsewhere.
    pub(crate) engine_password: Option<SecretText>,
}

/// Where and for how long somebody is asked about rights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HookSettings {
    pub(crate) ask: OutboundUrl,
    pub(crate) limit: Duration,
}

/// A URL that events are sent to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct WebhookSettings {
    #[serde(serialize_with = "shown")]
    pub(crate) name: StreamName,
    /// The URL, with what it takes from elsewhere.
    pub(crate) to: OutboundUrl,
    /// The secret, with what it takes from elsewhere.
    pub(crate) secret: SecretText,
    pub(crate) keys: WebhookKeys,
}

/// Which JSON Web Tokens are accepted, and where their keys are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TokenSettings {
    pub(crate) config: JwtConfig,
    pub(crate) keys: KeySource,
}

/// A listener that serves every stream below its name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ListenSettings {
    #[serde(serialize_with = "shown")]
    pub(crate) name: StreamName,
    pub(crate) at: ListenAt,
    pub(crate) keys: ListenKeys,
}

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum ListenAt {
    Address(SocketAddr),
    Unix {
        path: PathBuf,
        /// Permissions; `None` leaves them to the umask.
        mode: Option<u32>,
    },
    /// A socket that systemd passes, by its name.
    Fd(String),
}

/// One stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct StreamSettings {
    #[serde(serialize_with = "shown")]
    pub(crate) name: StreamName,
    /// The preferred one first, each with its limits.
    #[serde(serialize_with = "all_shown")]
    pub(crate) sources: Vec<Source>,
    pub(crate) listen: Option<SocketAddr>,
    #[serde(serialize_with = "all_shown")]
    pub(crate) aliases: Vec<StreamName>,
    pub(crate) keys: StreamKeys,
}

fn shown<S: Serializer>(name: &StreamName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}

fn all_shown<S: Serializer>(all: &[impl ToString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(ToString::to_string))
}

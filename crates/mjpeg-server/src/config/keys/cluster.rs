//! Keys of a cluster.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RESTART;
use crate::config::value::{
    choice::EngineLossChoice, listen_addr::ListenAddr, secret_text::SecretText, time::Time,
};

/// How this relay is a node of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ClusterKeys {
    /// The name of the cluster, the same on all nodes: 1 to 64 letters, digits, `.`, `_` or `-`.
    #[schemars(extend("x-required" = true, "x-example" = "plant", "x-reload" = RESTART))]
    pub(crate) name: Option<String>,

    /// The name of this node. No other node may have it, and it must be the same after a restart.
    /// The node also has it as the label `node`.
    #[schemars(extend("x-required" = true, "x-example" = "relay-1", "x-reload" = RESTART))]
    pub(crate) node: Option<String>,

    /// The URLs of the members of etcd: `http://…` or `https://…`. In this etcd, the nodes agree
    /// which of them reads which camera.
    #[schemars(length(max = 16), extend(
        "x-required" = true,
        "x-example" = ["https://etcd-1:2379", "https://etcd-2:2379", "https://etcd-3:2379"],
        "x-reload" = RESTART
    ))]
    pub(crate) engine: Vec<String>,

    /// The user to log in to etcd as, if etcd has users. Needs `engine_password`.
    #[schemars(extend("x-example" = "mjpeg", "x-reload" = RESTART))]
    pub(crate) engine_user: Option<String>,

    /// The password of that user. It may come from `${env:…}`, `${file:…}` or `${credential:…}`.
    #[schemars(extend(
        "x-example" = "${file:/etc/mjpeg-server/etcd.password}",
        "x-reload" = RESTART
    ))]
    pub(crate) engine_password: Option<SecretText>,

    /// The certificates for an etcd at `https://…`.
    #[schemars(extend("x-reload" = RESTART))]
    pub(crate) engine_tls: Option<EngineTlsKeys>,

    /// The address at which other nodes read streams from this one. Viewers do not use it.
    #[schemars(extend(
        "x-required" = true,
        "x-example" = "0.0.0.0:7443",
        "x-reload" = RESTART
    ))]
    pub(crate) listen: Option<ListenAddr>,

    /// The address under which other nodes reach this one, `HOST:PORT`. With `tls`, the certificate
    /// must be for that host.
    #[schemars(extend(
        "x-default" = "`listen`, if that is one address",
        "x-example" = "relay-1.lan:7443",
        "x-reload" = RESTART
    ))]
    pub(crate) advertise: Option<String>,

    /// How long a node may be silent before it counts as dead. When a node dies, its cameras are
    /// dark for about this long. The same on all nodes.
    #[schemars(extend("x-least" = "1s", "x-most" = "60s", "x-reload" = RESTART))]
    pub(crate) lease: Time,

    /// What this node does with its cameras when it cannot reach etcd: `"hold"` keeps them while
    /// every other node says that it cannot reach etcd either, `"drop"` closes them.
    #[schemars(extend("x-reload" = RESTART))]
    pub(crate) engine_loss: EngineLossChoice,

    /// Properties of this node, such as `{ site = "a" }`. A stream can require them by `requires`.
    /// The label `site` has a meaning of its own: a stream is sent to each other site once, and the
    /// nodes there read it from one another.
    #[schemars(extend("x-type" = "table of texts", "x-reload" = RESTART))]
    pub(crate) labels: BTreeMap<String, String>,

    /// The most cameras that this node reads itself. With `0`, it only reads streams from other
    /// nodes.
    #[schemars(extend("x-least" = 0, "x-reload" = RESTART))]
    pub(crate) capacity: u32,

    /// The most nodes that read one stream from this node. Further nodes read it from one of those.
    #[schemars(extend("x-least" = 1, "x-most" = 10_000, "x-reload" = RESTART))]
    pub(crate) max_edges: u32,

    /// The references that streams defined for all nodes (`mjpeg-server ctl add --cluster`) may
    /// hold, written exactly as in the stream, such as `${env:CAMERA_PASSWORD}`. Each node looks
    /// them up for itself.
    #[schemars(length(max = 256), extend(
        "x-example" = ["${env:CAMERA_PASSWORD}"],
        "x-reload" = RESTART
    ))]
    pub(crate) references: Vec<String>,

    /// A secret that is the same on all nodes: best 32 random bytes as text (`openssl rand -hex
    /// 32`). With it, nodes find out whether a stream has the same keys on both, and no password
    /// leaves a node. It must be set unless all addresses are loopback.
    #[schemars(extend(
        "x-example" = "${file:/etc/mjpeg-server/cluster.key}",
        "x-reload" = RESTART
    ))]
    pub(crate) secret: Option<SecretText>,

    /// The certificates with which nodes prove to one another that they belong together. It must
    /// be set unless `listen` and `advertise` are loopback addresses.
    #[schemars(extend("x-reload" = RESTART))]
    pub(crate) tls: Option<LinkTlsKeys>,
}

impl Default for ClusterKeys {
    fn default() -> Self {
        Self {
            name: None,
            node: None,
            engine: Vec::new(),
            engine_user: None,
            engine_password: None,
            engine_tls: None,
            listen: None,
            advertise: None,
            lease: Time::from_secs(3),
            engine_loss: EngineLossChoice::default(),
            labels: BTreeMap::new(),
            capacity: 10_000,
            max_edges: 64,
            references: Vec::new(),
            secret: None,
            tls: None,
        }
    }
}

/// The files of this node's certificate, all PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct LinkTlsKeys {
    /// The file of the certificate of this node, as PEM. The node shows it to every other node,
    /// whichever of them connects.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/node.pem", "x-reload" = RESTART))]
    pub(crate) certificate: PathBuf,

    /// The file of its private key, as PEM.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/node.key", "x-reload" = RESTART))]
    pub(crate) key: PathBuf,

    /// The file of the authority that signs the certificates of the nodes, as PEM. It must sign no
    /// others: whoever has one is taken for a node.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/cluster-ca.pem", "x-reload" = RESTART))]
    pub(crate) ca: PathBuf,
}

/// The files of certificates for etcd, all PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct EngineTlsKeys {
    /// The file of the authority that has signed etcd's certificate, as PEM.
    #[schemars(extend("x-example" = "/etc/mjpeg-server/etcd-ca.pem", "x-reload" = RESTART))]
    pub(crate) ca: PathBuf,

    /// The file of the certificate that this node shows to etcd, if etcd asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-reload" = RESTART))]
    pub(crate) certificate: Option<PathBuf>,

    /// The file of its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-reload" = RESTART))]
    pub(crate) key: Option<PathBuf>,
}

//! Settings of a node as the library takes them.

use std::{
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use mjpeg_cluster::{
    ClusterConfig, EngineLoss, EtcdConfig, EtcdTls, LinkConfig, LinkNodeId, NodeName, PeerAddress,
    SpecDigest, SpecKey,
};

use crate::{
    background::in_background,
    config::{
        files::shown,
        keys::cluster::{EngineTlsKeys, LinkTlsKeys},
        plan::{
            Failed,
            sharing::{NODE_LABEL, Sharing},
        },
        settings::ClusterSettings,
        value::choice::EngineLossChoice,
    },
};

/// What a node is started with. No `Debug` of its secrets.
pub(crate) struct ClusterPlan {
    pub(crate) config: ClusterConfig,
    etcd: EtcdConfig,
    etcd_tls: Option<EngineTlsKeys>,
    pub(crate) link: LinkConfig,
    pub(crate) listen: SocketAddr,
    pub(crate) id: LinkNodeId,
    pub(crate) tls: Option<LinkTlsFiles>,
    pub(crate) key: SpecKey,
}

/// Where the certificates for other nodes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkTlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) ca: PathBuf,
}

impl ClusterPlan {
    /// Makes the settings of the library.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used.
    pub(crate) fn new(settings: &ClusterSettings) -> Result<Self, Failed> {
        let keys = &settings.keys;
        let name = |key, text: &Option<String>| {
            let name = NodeName::new(text.as_deref().unwrap_or_default());
            name.map_err(|_| (key, NOT_A_NAME.to_owned()))
        };
        let (cluster, node) = (name("name", &keys.name)?, name("node", &keys.node)?);
        let advertise = keys.advertise.as_deref().unwrap_or_default();
        let is_an_address = "write HOST:PORT, such as \"relay-1.lan:7443\"";
        let address = PeerAddress::new(advertise);
        let address = address.map_err(|_| ("advertise", is_an_address.to_owned()))?;
        let id = LinkNodeId::new(node.as_str(), address.as_str());
        let id = id.map_err(|error| ("advertise", error.to_string()))?;
        let listen = keys.listen.map(|listen| listen.0);
        let listen = listen.ok_or(("listen", "where do other nodes reach this one?".to_owned()))?;
        let mut labels = keys.labels.clone();
        labels.insert(NODE_LABEL.into(), node.to_string());
        let loss = match keys.engine_loss {
            EngineLossChoice::Hold => EngineLoss::Hold,
            EngineLossChoice::Drop => EngineLoss::Drop,
        };
        let config = ClusterConfig::new(node, address)
            .with_engine_loss(loss)
            .with_labels(labels)
            .with_capacity(keys.capacity)
            .with_lease(keys.lease.0)
            .map_err(|error| ("lease", error.to_string()))?;
        for url in &keys.engine {
            if !(url.starts_with("http://") || url.starts_with("https://")) {
                let message = "the URL of an etcd begins with http:// or https://";
                return Err(("engine", message.into()));
            }
        }
        let etcd = EtcdConfig::new(cluster, keys.engine.iter().cloned())
            .with_call_timeout(keys.lease.0 / 2);
        let password = settings
            .engine_password
            .as_ref()
            .map(|password| password.0.clone());
        let etcd = match keys.engine_user.clone().zip(password) {
            Some((user, password)) => etcd.with_login(user, password),
            None => etcd,
        };
        let secret = settings.secret.as_ref().map(|secret| secret.0.as_bytes());
        Ok(Self {
            config,
            etcd,
            etcd_tls: keys.engine_tls.clone(),
            link: LinkConfig::default().with_max_edges(keys.max_edges as usize),
            listen,
            id,
            tls: keys.tls.as_ref().map(LinkTlsFiles::of),
            // Without a secret, all addresses are loopback, and nobody else reads the engine.
            key: SpecKey::new(secret.unwrap_or(b"loopback")),
        })
    }
}

impl ClusterPlan {
    /// How etcd is reached. Reads the certificates for it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub(crate) async fn etcd(&self) -> Result<EtcdConfig> {
        let Some(files) = self.etcd_tls.clone() else {
            return Ok(self.etcd.clone());
        };
        let tls = in_background(move || {
            let read = |path: &Path| {
                let text = fs::read_to_string(path);
                text.with_context(|| format!("cannot read {}", shown(path)))
            };
            let identity = files.certificate.as_deref().zip(files.key.as_deref());
            let identity =
                identity.map(|(certificate, key)| anyhow::Ok((read(certificate)?, read(key)?)));
            anyhow::Ok(EtcdTls {
                ca: read(&files.ca)?,
                identity: identity.transpose()?,
            })
        });
        let tls = tls.await.context("`engine_tls` of `[cluster]`")?;
        Ok(self.etcd.clone().with_tls(tls))
    }

    /// What a stream means on this node, for comparison.
    pub(crate) fn digest(&self, sharing: &Sharing) -> SpecDigest {
        digest(&self.key, sharing)
    }
}

/// What a stream means, for comparison with other nodes.
pub(super) fn digest(key: &SpecKey, sharing: &Sharing) -> SpecDigest {
    let keys = sharing.meaning.iter();
    key.digest(keys.map(|(key, value)| (key.as_str(), value.as_str())))
}

impl LinkTlsFiles {
    fn of(keys: &LinkTlsKeys) -> Self {
        Self {
            certificate: keys.certificate.clone(),
            key: keys.key.clone(),
            ca: keys.ca.clone(),
        }
    }
}

impl fmt::Debug for ClusterPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterPlan")
            .field("config", &self.config)
            .field("etcd", &self.etcd)
            .field("etcd_tls", &self.etcd_tls)
            .field("link", &self.link)
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

const NOT_A_NAME: &str = "expected 1 to 64 letters, digits, `.`, `_` or `-`";

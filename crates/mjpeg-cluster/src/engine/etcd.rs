//! The engine etcd, version 3.4 or later.

mod failure;
mod login;
mod pair;
mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use etcd_client::{
    Client, Compare, CompareOp, ConnectOptions, GetOptions, PutOptions, Txn, TxnOp, WatchOptions,
};
use tokio::time::timeout;

use self::{
    failure::{failed, too_late},
    login::{Complaint, EtcdLogin},
    pair::stored,
    watch::EtcdWatch,
};
use crate::{
    engine::{
        Engine, EngineImage, KeyWatch,
        error::EngineError,
        lease::LeaseId,
        record::EngineKey,
        transaction::{CommitVerdict, KeyCondition, KeyEdit, Transaction},
    },
    name::NodeName,
};

/// The engine etcd.
///
/// All keys of a cluster begin with `/mjpeg/CLUSTER/`. Values are JSON. Who can write there decides
/// who owns the cameras; passwords of cameras are not there.
pub struct Etcd {
    client: Client,
    prefix: Arc<str>,
    call_timeout: Duration,
    login: Option<EtcdLogin>,
    complaint: Complaint,
    skipped: Arc<AtomicU64>,
}

/// Where an etcd is, and how to reach it.
#[derive(Clone)]
pub struct EtcdConfig {
    cluster: NodeName,
    endpoints: Vec<String>,
    tls: Option<EtcdTls>,
    login: Option<(String, String)>,
    call_timeout: Duration,
}

/// Certificates for the connections to etcd, as PEM texts.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "a list of what TLS needs")]
pub struct EtcdTls {
    /// The authorities that may have signed etcd's certificate.
    pub ca: String,
    /// The certificate that this node shows to etcd, and its private key.
    pub identity: Option<(String, String)>,
}

impl EtcdConfig {
    /// Makes the settings for a cluster of this name, in the etcd of these addresses:
    /// `http://HOST:PORT`, or `https://HOST:PORT` with [TLS](Self::with_tls).
    pub fn new(cluster: NodeName, endpoints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            cluster,
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            tls: None,
            login: None,
            call_timeout: Duration::from_millis(1500),
        }
    }

    /// Sets the certificates. Default: none, and only `http://` is possible.
    #[must_use]
    pub fn with_tls(mut self, tls: EtcdTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets the user and the password with which to log in at etcd. Default: none, for an etcd
    /// without authentication.
    ///
    /// The user needs to read and write all keys that begin with `/mjpeg/CLUSTER/`. A login that is
    /// refused is [`EngineError::Login`], and logged once until etcd works again.
    #[must_use]
    pub fn with_login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    /// Sets how long a call may take. Default 1.5 s; it should be half of a lease. A connection on
    /// which etcd is silent for twice this long is closed.
    #[must_use]
    pub fn with_call_timeout(mut self, call_timeout: Duration) -> Self {
        self.call_timeout = call_timeout;
        self
    }
}

impl std::fmt::Debug for EtcdConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EtcdConfig")
            .field("cluster", &self.cluster)
            .field("endpoints", &self.endpoints)
            .field("tls", &self.tls)
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for EtcdTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EtcdTls").finish_non_exhaustive()
    }
}

impl Etcd {
    /// The size of the largest answer that is taken, in bytes: all keys of a cluster.
    pub const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

    /// Makes an engine of an etcd, which need not be there yet.
    ///
    /// # Errors
    ///
    /// If an address or a certificate is not one. The caller is at fault.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn connect(config: EtcdConfig) -> Result<Self, EngineError> {
        let patience = config.call_timeout;
        let mut options = ConnectOptions::new()
            .with_connect_timeout(patience)
            .with_keep_alive(patience, patience)
            .with_keep_alive_while_idle(true)
            // A server without a leader answers with an error, rather than not at all.
            .with_require_leader(true)
            // Tokens end after a while, and with the server that gave them.
            .with_auto_token_refresh(true);
        if let Some(tls) = config.tls {
            options = options.with_tls(tls.options());
        }
        let client = Client::connect(&config.endpoints, Some(options)).await;
        Ok(Self {
            client: client.map_err(failed)?,
            prefix: format!("/mjpeg/{}/", config.cluster).into(),
            call_timeout: patience,
            login: config.login.map(EtcdLogin::new),
            complaint: Complaint::default(),
            skipped: Arc::new(AtomicU64::new(0)),
        })
    }

    /// How many keys and values were left out because they were none of ours.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<T, EngineError> {
        let called = async {
            let Some(login) = &self.login else {
                return call.await.map_err(failed);
            };
            login.log_in(&self.client).await?;
            let called = call.await;
            if let Err(error) = &called {
                login.note(error).await;
            }
            called.map_err(failed)
        };
        let called = timeout(self.call_timeout, called).await;
        let called = called.unwrap_or_else(|_| Err(too_late()));
        self.complaint.note(&called);
        called
    }

    fn key(&self, key: &EngineKey) -> String {
        format!("{}{}", self.prefix, key.text())
    }

    fn compare(&self, condition: &KeyCondition) -> Compare {
        let (key, revision) = match condition {
            KeyCondition::Absent(key) => (key, 0),
            KeyCondition::Created(key, revision) => {
                (key, i64::try_from(*revision).unwrap_or(i64::MAX))
            }
        };
        Compare::create_revision(self.key(key), CompareOp::Equal, revision)
    }

    fn operation(&self, edit: &KeyEdit) -> TxnOp {
        match edit {
            KeyEdit::Put(value, lease) => {
                let lease = lease.map_or(0, LeaseId::get);
                let options = PutOptions::new().with_lease(lease);
                TxnOp::put(self.key(&value.key()), value.to_json(), Some(options))
            }
            KeyEdit::Delete(key) => TxnOp::delete(self.key(key), None),
        }
    }
}

#[async_trait]
impl Engine for Etcd {
    async fn grant(&self, ttl: Duration) -> Result<LeaseId, EngineError> {
        // Whole seconds; longer is safe.
        let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
        let mut leases = self.client.lease_client();
        let granted = self.within(leases.grant(seconds as i64, None)).await?;
        Ok(LeaseId::new(granted.id()))
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<bool, EngineError> {
        let mut leases = self.client.lease_client();
        let kept = async {
            match leases.keep_alive(lease.get()).await {
                Ok(_) => Ok(true),
                Err(error) if failure::is_lease_gone(&error) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.within(kept).await
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), EngineError> {
        let mut leases = self.client.lease_client();
        self.within(leases.revoke(lease.get())).await.map(drop)
    }

    async fn commit(&self, transaction: &Transaction) -> Result<CommitVerdict, EngineError> {
        let conditions = transaction.conditions.iter();
        let conditions: Vec<_> = conditions
            .map(|condition| self.compare(condition))
            .collect();
        let edits = transaction.edits.iter();
        let edits: Vec<_> = edits.map(|edit| self.operation(edit)).collect();
        let txn = Txn::new().when(conditions).and_then(edits);
        let mut keys = self.client.kv_client();
        let response = self.within(keys.txn(txn)).await?;
        let revision = response.header().map_or(0, |header| header.revision());
        if response.succeeded() {
            Ok(CommitVerdict::Done(revision.unsigned_abs()))
        } else {
            Ok(CommitVerdict::Not)
        }
    }

    async fn read(&self) -> Result<EngineImage, EngineError> {
        let keys = self.client.kv_client();
        let mut keys = keys.max_decoding_message_size(Self::MAX_ANSWER_BYTES);
        let options = GetOptions::new().with_prefix();
        let response = self.within(keys.get(&*self.prefix, Some(options))).await?;
        let revision = response.header().map_or(0, |header| header.revision());
        let known = response.kvs().iter().filter_map(|pair| {
            let stored = stored(&self.prefix, pair);
            self.skipped
                .fetch_add(u64::from(stored.is_none()), Ordering::Relaxed);
            stored
        });
        Ok(EngineImage {
            revision: revision.unsigned_abs(),
            stored: known.collect(),
        })
    }

    async fn watch(&self, revision: u64) -> Result<Box<dyn KeyWatch>, EngineError> {
        let watches = self.client.watch_client();
        let mut watches = watches.max_decoding_message_size(Self::MAX_ANSWER_BYTES);
        let from = i64::try_from(revision)
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        let options = WatchOptions::new().with_prefix().with_start_revision(from);
        let stream = self
            .within(watches.watch(&*self.prefix, Some(options)))
            .await?;
        let (prefix, skipped) = (Arc::clone(&self.prefix), Arc::clone(&self.skipped));
        Ok(Box::new(EtcdWatch::new(stream, prefix, skipped)))
    }
}

impl EtcdTls {
    fn options(self) -> etcd_client::TlsOptions {
        let ca = etcd_client::Certificate::from_pem(self.ca);
        let options = etcd_client::TlsOptions::new().ca_certificate(ca);
        match self.identity {
            Some((certificate, key)) => {
                options.identity(etcd_client::Identity::from_pem(certificate, key))
            }
            None => options,
        }
    }
}

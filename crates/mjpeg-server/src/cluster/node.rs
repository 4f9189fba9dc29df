//! A running node.

use std::{
    fmt, io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context, Result};
use mjpeg_cluster::{
    Cluster, ClusterConfig, ClusterSource, Etcd, LinkClient, LinkServer, LinkTls, PeerEngine,
    PeerPull, SharedName, SharedStream, SpecKey, mjpeg_ingest::FrameOrder,
};
use mjpeg_manager::{HttpOutlet, Manager, StreamName, StreamSpec};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    link::{LinkPort, certificates, replace},
    places::{LinkPlaces, LinkedNode, SharedEntry},
    plan::{ClusterPlan, LinkTlsFiles, digest},
    registry::{self, EngineRegistry},
};
use crate::{
    background::OwnedTask,
    config::{edits::RegistryStreams, plan::sharing::Sharing},
};

/// A node of a cluster. Clones are the same one.
#[derive(Clone)]
pub(crate) struct RelayNode(Arc<NodeParts>);

struct NodeParts {
    cluster: Cluster,
    client: LinkClient,
    places: Arc<LinkPlaces>,
    key: SpecKey,
    port: LinkPort,
    config: ClusterConfig,
    registry: EngineRegistry,
    tls: Option<(LinkTls, LinkTlsFiles)>,
}

impl RelayNode {
    /// Binds the port for other nodes and joins the cluster. The engine need not be there yet.
    ///
    /// # Errors
    ///
    /// If the port cannot be had, or certificates cannot be used.
    pub(crate) async fn start(plan: &ClusterPlan) -> Result<Self> {
        let tls = match &plan.tls {
            Some(files) => Some(certificates(files.clone()).await?),
            None => None,
        };
        let known: Arc<OnceLock<Cluster>> = Arc::default();
        let is_up = Arc::clone(&known);
        let mut client = LinkClient::new(plan.link.clone())
            .with_node(plan.id.clone())
            .with_known(move |address| is_up.get().is_some_and(|cluster| cluster.is_up(address)));
        if let Some(tls) = &tls {
            client = client.with_connector(Arc::new(tls.clone()));
        }
        let places = Arc::new(LinkPlaces::default());
        let linked = Arc::new(LinkedNode {
            id: plan.id.clone(),
            places: Arc::clone(&places),
            client: client.clone(),
            cluster: Arc::clone(&known),
        });
        let server = LinkServer::new(Arc::clone(&linked) as _, plan.link.clone());
        let port = LinkPort::open(plan.listen, server, tls.clone())?;
        let etcd = Etcd::connect(plan.etcd().await?)
            .await
            .context("etcd cannot be asked")?;
        let peers: Arc<dyn PeerEngine> = Arc::new(client.clone());
        let cluster = Cluster::start(plan.config.clone(), Arc::new(etcd), peers);
        // Nobody else sets it.
        let _ = known.set(cluster.clone());
        let registry = EngineRegistry::follow(&cluster);
        let (node, address) = (plan.config.node(), port.address());
        info!(%node, %address, "node of a cluster");
        Ok(Self(Arc::new(NodeParts {
            cluster,
            client,
            places,
            key: plan.key.clone(),
            port,
            config: plan.config.clone(),
            registry,
            tls: tls.zip(plan.tls.clone()),
        })))
    }

    /// Answers other nodes by these streams from now on.
    pub(crate) fn serve(&self, manager: Manager, http: HttpOutlet) {
        self.0.places.serve(manager, http);
    }

    /// Shares these streams, or changes how they are shared.
    pub(crate) fn share<'s>(
        &self,
        streams: impl IntoIterator<Item = (&'s StreamName, &'s Sharing)>,
    ) {
        for (name, sharing) in streams {
            let Ok(shared) = SharedName::new(name.as_str()) else {
                continue;
            };
            if self.is_shared(name, sharing) {
                continue;
            }
            let spec = SharedStream::new(digest(&self.0.key, sharing))
                .with_requires(sharing.requires.clone())
                .with_on_demand(sharing.on_demand);
            self.0.cluster.define(&shared, spec);
            let mut streams = self.0.places.streams();
            match streams.get_mut(name.as_str()) {
                Some(known) => known.sharing = sharing.clone(),
                None => drop(streams.insert(name.to_string(), self.entry(&shared, sharing))),
            }
        }
    }

    fn is_shared(&self, name: &StreamName, sharing: &Sharing) -> bool {
        let streams = self.0.places.streams();
        streams
            .get(name.as_str())
            .is_some_and(|known| known.sharing == *sharing)
    }

    fn entry(&self, name: &SharedName, sharing: &Sharing) -> SharedEntry {
        let ownership = self.0.cluster.ownership(name);
        let (places, mut changes) = (Arc::downgrade(&self.0.places), ownership.clone());
        let stream = name.to_string();
        let following = OwnedTask::start(async move {
            while changes.changed().await.is_ok() {
                let Some(places) = places.upgrade() else {
                    return;
                };
                places.retry(&stream);
            }
        });
        SharedEntry {
            sharing: sharing.clone(),
            order: FrameOrder::new(),
            ownership,
            _following: following,
        }
    }

    /// Shares a stream no more.
    pub(crate) fn forget(&self, name: &StreamName) {
        if let Ok(shared) = SharedName::new(name.as_str()) {
            self.0.cluster.remove(&shared);
        }
        self.0.places.streams().remove(name.as_str());
    }

    /// Reads the sources of a stream only while this node owns it, else from the owner.
    pub(crate) fn through(&self, spec: StreamSpec) -> StreamSpec {
        let order = {
            let streams = self.0.places.streams();
            let shared = streams.get(spec.name().as_str());
            shared.map(|shared| shared.order.clone())
        };
        let name = SharedName::new(spec.name().as_str());
        let (Some(order), Ok(name)) = (order, name) else {
            return spec;
        };
        let peers: Arc<dyn PeerPull> = Arc::new(self.0.client.clone());
        let sources: Vec<_> = spec.sources().to_vec();
        let sources = sources.into_iter().map(|source| {
            let (cluster, name) = (self.0.cluster.clone(), name.clone());
            let (peers, order) = (Arc::clone(&peers), order.clone());
            source.through(|camera| ClusterSource::new(cluster, name, camera, peers, order))
        });
        spec.with_sources(sources)
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    pub(super) fn client(&self) -> &LinkClient {
        &self.0.client
    }

    pub(super) fn port(&self) -> &LinkPort {
        &self.0.port
    }

    pub(super) fn places(&self) -> &LinkPlaces {
        &self.0.places
    }

    pub(super) fn config(&self) -> &ClusterConfig {
        &self.0.config
    }

    /// The streams that the engine has for all nodes.
    pub(crate) fn registry(&self) -> watch::Receiver<RegistryStreams> {
        self.0.registry.streams()
    }

    /// Stores a stream for all nodes, or removes it: `None`.
    ///
    /// # Errors
    ///
    /// If the engine has not taken it in time.
    pub(crate) async fn store(&self, name: &StreamName, json: Option<String>) -> io::Result<()> {
        registry::store(&self.0.cluster, name, json).await
    }

    /// Reads the certificates for other nodes again.
    pub(crate) async fn reload(&self) {
        let Some((tls, files)) = self.0.tls.clone() else {
            return;
        };
        if let Err(error) = replace(tls, files).await {
            warn!(
                error = format!("{error:#}"),
                "the certificates for other nodes are not replaced"
            );
        }
    }

    /// Hands all cameras over to other nodes, as far as that takes no longer than a moment.
    pub(crate) async fn shutdown(&self) {
        self.0.cluster.drain(HAND_OVER).await;
        self.0.port.close();
    }
}

impl fmt::Debug for RelayNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayNode")
            .field("stats", &self.0.cluster.stats())
            .finish_non_exhaustive()
    }
}

/// How long handing over may take. After it, other nodes take over when the lease ends.
const HAND_OVER: Duration = Duration::from_secs(3);

//! A node of a cluster that says who owns the stream `door`, for two seconds or as long as it is
//! told:
//!
//! ```sh
//! etcd &
//! cargo run --features etcd --example node -- relay-1 60 &
//! cargo run --features etcd --example node -- relay-2 60
//! ```

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_cluster::{
    Cluster, ClusterConfig, Etcd, EtcdConfig, NodeName, Ownership, PeerAddress, PeerEngine,
    SharedName, SharedStream, SpecKey,
};

/// Nobody can be asked, so an owner that loses the engine lets go.
struct Silence;

#[async_trait]
impl PeerEngine for Silence {
    async fn reaches_engine(&self, _: &PeerAddress) -> Option<bool> {
        None
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let node = NodeName::new(&args.next().unwrap_or_else(|| "relay-1".into()))?;
    let seconds = args.next().map_or(Ok(2), |seconds| seconds.parse())?;
    let etcd = EtcdConfig::new(NodeName::new("example")?, ["http://127.0.0.1:2379"]);
    let etcd = Etcd::connect(etcd).await?;
    let address = PeerAddress::new("127.0.0.1:7443")?;
    let config = ClusterConfig::new(node, address);
    let cluster = Cluster::start(config, Arc::new(etcd), Arc::new(Silence));
    let door = SharedName::new("door")?;
    let digest = SpecKey::new(b"an example").digest([("source", "tcp://camera:6001")]);
    cluster.define(&door, SharedStream::new(digest));
    let mut ownership = cluster.ownership(&door);
    let watching = async {
        loop {
            match &*ownership.borrow_and_update() {
                Ownership::Mine(tenure) => println!("mine, in epoch {}", tenure.epoch()),
                Ownership::Theirs { node, epoch, .. } => println!("{node}'s, in epoch {epoch}"),
                _ => println!("nobody's"),
            }
            if ownership.changed().await.is_err() {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(seconds), watching).await;
    cluster.drain(Duration::from_secs(3)).await;
    Ok(())
}

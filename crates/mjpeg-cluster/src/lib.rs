//! Several relays that share their cameras: one of them is connected to a camera, the others read
//! it from that one, and take over when it fails.
//!
//! Who is connected to a camera is decided by leases and transactions of an [`Engine`] that the
//! nodes share, such as etcd. No frame goes through it: nodes read streams from one another.
//!
//! ```no_run
//! # #[cfg(feature = "etcd")]
//! # async fn run(
//! #     peers: std::sync::Arc<dyn mjpeg_cluster::PeerEngine>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use mjpeg_cluster::{
//!     Cluster, ClusterConfig, Etcd, EtcdConfig, NodeName, Ownership, PeerAddress, SharedStream,
//!     SpecKey, SharedName,
//! };
//!
//! let etcd = EtcdConfig::new(NodeName::new("plant")?, ["http://127.0.0.1:2379"]);
//! let etcd = Etcd::connect(etcd).await?;
//! let address = PeerAddress::new("relay-1.lan:7443")?;
//! let config = ClusterConfig::new(NodeName::new("relay-1")?, address);
//! let cluster = Cluster::start(config, Arc::new(etcd), peers);
//!
//! let door = SharedName::new("door")?;
//! let digest = SpecKey::new(b"the cluster's secret").digest([("source", "tcp://camera:6001")]);
//! cluster.define(&door, SharedStream::new(digest));
//! let mut ownership = cluster.ownership(&door);
//! loop {
//!     match &*ownership.borrow_and_update() {
//!         Ownership::Mine(tenure) => println!("the camera is ours, in epoch {}", tenure.epoch()),
//!         Ownership::Theirs { node, .. } => println!("the camera is {node}'s"),
//!         _ => println!("nobody has the camera"),
//!     }
//!     ownership.changed().await?;
//! }
//! # }
//! ```
//!
//! # Who may be connected to a camera
//!
//! * A claim is a transaction: "nobody owns it, so I do, with my lease". Its revision is the
//!   *epoch* of the owner's frames; each later owner has a greater one.
//! * The right to the connection ends four fifths of a lease after the last keepalive that was
//!   answered had been *sent*; the rest is for closing the connection. A timer that waits for no
//!   call of the engine sees to it. After that only a new claim counts.
//! * If the engine is gone ([`EngineLoss::Hold`]), an owner goes on as long as every other member
//!   says directly that it does not reach the engine either. Who says so claims nothing for a
//!   lease. A member that does not answer, or does reach it, ends that.
//! * A process that stands still may have a connection beside a new owner's until it runs again.
//!   Its frames are older, and a [`FrameOrder`](mjpeg_ingest::FrameOrder) leaves them out.
//!
//! # Who claims a stream
//!
//! The first in an order that follows from the names of the node and the stream, among the nodes
//! that are up, define the stream by the same [digest](SpecKey::digest), have the labels that it
//! requires and own fewer than they may. Those behind wait half a lease each. An owner keeps a
//! stream until it leaves, gives it up, or cannot dial its camera for 30 s.
//!
//! A node that was never in the cluster owns nothing until all members know it. A
//! member that is gone for good must be [forgotten](Cluster::forget) first.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `etcd` | the engine [`Etcd`]; building it needs `protoc` |
//! | `tls` | `LinkTls`: TLS between nodes, with certificates on both sides |

mod cluster;
mod config;
mod engine;
mod link;
mod name;
mod node;
mod peers;
mod placement;
mod spec;

pub use cluster::{
    Cluster,
    core::ClusterStats,
    listing::{ClusterNode, StreamOwner},
    moves::ClusterMoves,
    ownership::Ownership,
    source::ClusterSource,
};
pub use config::{ClusterConfig, EngineLoss, InvalidCluster};
#[cfg(feature = "etcd")]
pub use engine::etcd::{Etcd, EtcdConfig, EtcdTls};
pub use engine::{
    Engine, EngineChange, EngineChanges, EngineImage, KeyWatch,
    error::EngineError,
    lease::LeaseId,
    record::{
        DrainRecord, EngineKey, EngineValue, MemberRecord, MoveRecord, NodeRecord, OwnerRecord,
        Stored,
    },
    transaction::{CommitVerdict, KeyCondition, KeyEdit, Transaction},
};
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub use link::fuzzing;
#[cfg(feature = "tls")]
pub use link::tls::{LinkTls, LinkTlsError};
pub use link::{
    address::{InvalidNode, LinkNodeId},
    client::LinkClient,
    config::LinkConfig,
    connector::{LinkConnector, LinkIo},
    error::LinkFailure,
    node::{LinkNode, LinkOutage, LinkPlace, LinkStream},
    pulls::LinkPull,
    server::LinkServer,
    state::LinkReport,
    stats::{LinkClientStats, LinkServerStats},
};
pub use name::{InvalidNodeName, InvalidSharedName, NodeName, PeerAddress, SharedName};
pub use node::moves::InvalidMove;
pub use peers::{PeerEngine, PeerPull};
pub use spec::{
    SharedStream, SpecDigest, SpecKey,
    document::{InvalidDocument, StreamDocument},
};
/// The crates whose types appear in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use {mjpeg_codec, mjpeg_fanout, mjpeg_http, mjpeg_ingest};

//! Tests through the public API.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[cfg(all(feature = "etcd", unix))]
mod etcd;
mod link;
mod recorded;
mod records;

#[test]
fn public_types_cross_threads() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<mjpeg_cluster::Cluster>();
    all::<mjpeg_cluster::ClusterSource>();
    all::<mjpeg_cluster::Ownership>();
    all::<mjpeg_cluster::EngineError>();
    all::<mjpeg_cluster::SpecKey>();
    #[cfg(feature = "etcd")]
    all::<mjpeg_cluster::Etcd>();
}

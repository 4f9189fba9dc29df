//! Helpers for these tests.

use std::{future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use mjpeg_ingest::{Backoff, IngestConfig};
use mjpeg_manager::{HttpOutlet, Manager, ManagerConfig, StreamSpec};
use mjpeg_testkit::{Script, jpeg};
use tokio::time::{sleep, timeout};

pub(crate) const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// A manager that reconnects quickly.
pub(crate) fn manager() -> Manager {
    serving(config())
}

/// A manager that serves streams over HTTP.
pub(crate) fn serving(config: ManagerConfig) -> Manager {
    serving_by(config, &HttpOutlet::default())
}

/// A manager that serves streams by this outlet.
pub(crate) fn serving_by(config: ManagerConfig, http: &HttpOutlet) -> Manager {
    Manager::with_outlets(config, [http.factory()])
}

pub(crate) fn config() -> ManagerConfig {
    let quick = Backoff::try_new(Duration::from_millis(20), Duration::from_millis(100)).unwrap();
    ManagerConfig::default().with_ingest(IngestConfig::default().with_backoff(quick))
}

pub(crate) fn spec(name: &str, camera: SocketAddr) -> StreamSpec {
    StreamSpec::parse(name, &format!("tcp://{camera}"))
        .unwrap()
        .with_listen(LOOPBACK.into())
}

pub(crate) fn live() -> Script {
    let frames: Vec<Bytes> = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(10))
}

/// Waits until the condition holds; fails after ten seconds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"));
}

/// Waits for the future; fails after ten seconds.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("done within 10 s")
}

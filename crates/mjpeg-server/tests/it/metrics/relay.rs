//! A relay with a viewer, and a port that answers `/metrics`.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use mjpeg_manager::{
    HttpOutlet, ManagerConfig, StartMode, StreamSpec, mjpeg_fanout::RingConfig,
    mjpeg_http::ListenAddress,
};
use mjpeg_server::{GatewayAddress, GatewayConfig, Gateways, Metrics, Relay, Routes, ServeSet};
use mjpeg_testkit::{Camera, Script, Viewer, jpeg, refused_addr};
use tokio::time::{sleep, timeout};

use crate::metrics::exposition::Exposition;

/// A relay of three streams: `door` has a camera and a viewer, `yard` has no camera, and `attic` is
/// on demand.
pub(crate) struct TestRelay {
    pub(crate) relay: Relay,
    pub(crate) viewer: Viewer,
    /// Where `/metrics` is.
    pub(crate) metrics: SocketAddr,
    source: Metrics,
    _camera: Camera,
}

/// A camera of 25 frames per second.
pub(crate) fn live() -> Script {
    let frames: Vec<Bytes> = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(40))
}

impl TestRelay {
    pub(crate) async fn start(script: Script) -> Self {
        let camera = Camera::start(script).await;
        let spec = |name: &str, url: &str| {
            let spec = StreamSpec::parse(name, url).unwrap();
            spec.with_mode(StartMode::Retry)
                .with_listen(([127, 0, 0, 1], 0).into())
        };
        let nobody = format!("tcp://{}", refused_addr().await);
        let specs = [
            spec("door", &camera.url()).with_replay(RingConfig::default()),
            spec("yard", &nobody),
            spec("attic", &nobody).with_on_demand(Duration::ZERO),
        ];
        let http = HttpOutlet::default();
        let mut serve = ServeSet::default();
        serve.metrics = true;
        let address = GatewayAddress::Tcp(([127, 0, 0, 1], 0).into());
        let main = GatewayConfig::new("main", address).with_serve(serve);
        let gateways = Gateways::new([main], Routes::default());
        let relay = Relay::with_gateways(specs, ManagerConfig::default(), http, gateways)
            .await
            .unwrap();
        let door = relay.manager().get("door").unwrap().listen.unwrap();
        let viewer = Viewer::open(door, "/stream").await.unwrap();
        let source = relay.metrics().clone();
        let (_, address) = relay.gateway_addresses().next().unwrap();
        let ListenAddress::Tcp(metrics) = address else {
            panic!("not TCP: {address}")
        };
        Self {
            relay,
            viewer,
            metrics,
            source,
            _camera: camera,
        }
    }

    /// Reads all figures, not over HTTP.
    pub(crate) fn scrape(&self) -> Exposition {
        let main = ("main".to_owned(), Default::default());
        let answer = self.source.respond(None, [main]);
        Exposition::parse(std::str::from_utf8(answer.body()).unwrap())
    }

    pub(crate) async fn shutdown(self) {
        drop(self.viewer);
        self.relay.shutdown().await;
    }
}

/// Waits until the condition holds; fails after twenty seconds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"));
}

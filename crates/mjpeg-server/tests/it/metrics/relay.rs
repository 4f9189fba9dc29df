//! A relay with a viewer, and a port that answers `/metrics`.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http::{HeaderMap, Response};
use mjpeg_manager::{
    HttpOutlet, ManagerConfig, StartMode, StreamSpec,
    mjpeg_http::{Listener, ListenerConfig, StreamService, Streams},
};
use mjpeg_server::{Metrics, Relay};
use mjpeg_testkit::{Camera, Script, Viewer, jpeg, refused_addr};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::metrics::exposition::Exposition;

/// A relay of three streams: `door` has a camera and a viewer, `yard` has no camera, and `attic` is
/// on demand.
pub(crate) struct TestRelay {
    pub(crate) relay: Relay,
    pub(crate) viewer: Viewer,
    /// Where `/metrics` is.
    pub(crate) metrics: SocketAddr,
    source: Metrics,
    gateway: JoinHandle<()>,
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
            spec("door", &camera.url()),
            spec("yard", &nobody),
            spec("attic", &nobody).with_on_demand(Duration::ZERO),
        ];
        let http = HttpOutlet::default();
        let relay = Relay::with_http(specs, ManagerConfig::default(), http)
            .await
            .unwrap();
        let door = relay.manager().get("door").unwrap().listen.unwrap();
        let viewer = Viewer::open(door, "/stream").await.unwrap();
        let source = Metrics::new(relay.manager().clone(), relay.http().clone());
        let (metrics, gateway) = serve(source.clone());
        Self {
            relay,
            viewer,
            metrics,
            source,
            gateway,
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
        self.gateway.abort();
        drop(self.viewer);
        self.relay.shutdown().await;
    }
}

/// Serves the figures on a port of our own listener.
fn serve(metrics: Metrics) -> (SocketAddr, JoinHandle<()>) {
    let listener = Listener::bind(
        ([127, 0, 0, 1], 0).into(),
        ListenerConfig::default().with_name("main"),
    )
    .unwrap();
    let (addr, monitor) = (listener.local_addr().unwrap(), listener.monitor());
    let answer = move |headers: HeaderMap| async move {
        let accept = headers.get("accept").and_then(|value| value.to_str().ok());
        let response = metrics.respond(accept, [("main".to_owned(), monitor.stats())]);
        response.map(Body::from) as Response<Body>
    };
    let pages = Router::new().route("/metrics", get(answer));
    let listener = listener.with_fallback(pages);
    let task = tokio::spawn(async move {
        listener.serve(NoStreams, std::future::pending()).await;
    });
    (addr, task)
}

struct NoStreams;

impl Streams for NoStreams {
    fn find(&self, _: &str) -> Option<StreamService> {
        None
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

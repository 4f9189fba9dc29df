//! Where a stream is read.

use std::sync::Mutex;

use mjpeg_ingest::{Connect, ConnectError, Connection, FrameOrder};

use super::*;
use crate::{cluster::source::ClusterSource, peers::PeerPull};

/// A camera and other nodes, which note who has connected to them.
#[derive(Clone, Default)]
struct Places {
    log: Arc<Mutex<Vec<String>>>,
    refuses: bool,
}

impl Places {
    fn connect(&self, name: &str) -> Result<Connection, ConnectError> {
        self.log.lock().unwrap().push(name.to_owned());
        Ok(Connection::bytes(tokio::io::empty(), name))
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

#[async_trait]
impl Connect for Places {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        if self.refuses {
            return Err(std::io::Error::other("no camera").into());
        }
        Places::connect(self, "camera")
    }
}

#[async_trait]
impl PeerPull for Places {
    async fn pull(
        &self,
        peer: &PeerAddress,
        stream: &str,
        _: &FrameOrder,
    ) -> Result<Connection, ConnectError> {
        self.connect(&format!("{stream} of {peer}"))
    }
}

fn source(node: &Up, places: &Places) -> ClusterSource {
    let camera = Arc::new(places.clone());
    let peers = Arc::new(places.clone());
    ClusterSource::new(
        node.cluster.clone(),
        door(),
        camera,
        peers,
        FrameOrder::default(),
    )
}

#[tokio::test(start_paused = true)]
async fn owner_dials_the_camera_and_the_others_read_from_the_owner() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let places = Places::default();
    drop(source(&b, &places).connect().await.unwrap());
    assert_eq!(places.log(), ["door of a.lan:7443"]);
    drop(source(&a, &places).connect().await.unwrap());
    assert_eq!(places.log()[1], "camera");
    a.cluster.drain(LEASE).await;
    mine(&b).await;
    drop(source(&b, &places).connect().await.unwrap());
    assert_eq!(places.log()[2], "camera");
}

#[tokio::test(start_paused = true)]
async fn camera_that_a_node_cannot_dial_for_long_is_left_to_another() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let before = mine(&a).await;
    let refuses = true;
    let dark = Places {
        refuses,
        ..Places::default()
    };
    let blind = source(&a, &dark);
    let started = Instant::now();
    while blind.connect().await.is_err() {
        sleep(Duration::from_secs(1)).await;
    }
    // It reads from the other one now.
    assert_eq!(dark.log(), ["door of b.lan:7443"]);
    let took = started.elapsed().as_secs();
    assert!((30..45).contains(&took), "{took} s");
    assert!(mine(&b).await.epoch() > before.epoch());
}

#[tokio::test(start_paused = true)]
async fn stream_on_demand_has_an_owner_only_while_somebody_wants_it() {
    let plant = Plant::new();
    let a = plant.start("a");
    a.cluster
        .define(&door(), spec("tcp://camera:1").with_on_demand(true));
    sleep(3 * LEASE).await;
    // It was claimed, if at all, before it became one on demand.
    sleep(Duration::from_secs(60)).await;
    assert_eq!(a.cluster.stats().owned, 0);
    let places = Places::default();
    let connection = source(&a, &places).connect().await.unwrap();
    assert_eq!(places.log(), ["camera"]);
    drop(connection);
    sleep(Duration::from_secs(40)).await;
    assert_eq!(a.cluster.stats().owned, 0);
}

//! Where a stream is read.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use mjpeg_ingest::{Connect, ConnectError, Connection, FrameOrder, RelayError};
use tokio::sync::Notify;

use super::*;
use crate::{
    cluster::source::{ClusterSource, SourcePlace},
    link::error::LinkFailure,
    peers::PeerPull,
};

/// A camera and other nodes, which note who has connected to them.
#[derive(Clone, Default)]
pub(super) struct Places {
    log: Arc<Mutex<Vec<String>>>,
    refuses: bool,
    /// How often other nodes refuse, as their views are old.
    pub(super) refusals: Arc<AtomicU32>,
    /// How long other nodes take to answer.
    pub(super) answers_after: Duration,
    /// Told when a connection to another node is closed.
    pub(super) closed: Arc<Notify>,
}

/// A connection that is silent and tells when it is closed.
struct SilentPeer(Arc<Notify>);

impl Drop for SilentPeer {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl tokio::io::AsyncRead for SilentPeer {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Pending
    }
}

impl Places {
    fn connect(&self, name: &str) -> Result<Connection, ConnectError> {
        self.log.lock().unwrap().push(name.to_owned());
        Ok(Connection::bytes(tokio::io::empty(), name))
    }

    pub(super) fn log(&self) -> Vec<String> {
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
        sleep(self.answers_after).await;
        let left = |left: u32| left.checked_sub(1);
        let before = self
            .refusals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        if let Ok(before) = before {
            self.log.lock().unwrap().push("refused".into());
            return Err(match before % 2 {
                0 => LinkFailure::Relay(RelayError::Loop),
                _ => LinkFailure::Refused {
                    peer: peer.to_string(),
                    status: 508,
                    meaning: "the frames would come back",
                },
            }
            .into());
        }
        let name = format!("{stream} of {peer}");
        self.log.lock().unwrap().push(name.clone());
        Ok(Connection::bytes(
            SilentPeer(Arc::clone(&self.closed)),
            name,
        ))
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

#[tokio::test(start_paused = true)]
async fn refusal_of_a_hand_over_is_retried_before_it_is_an_outage() {
    let plant = Plant::new();
    let (_a, b) = plant.two().await;
    let places = Places::default();
    places.refusals.store(7, Ordering::Relaxed);
    let started = Instant::now();
    drop(
        source(&b, &places)
            .connect()
            .await
            .expect("it is there in the end"),
    );
    assert_eq!(places.log().len(), 8);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    // It is bounded.
    places.refusals.store(100, Ordering::Relaxed);
    let refused = source(&b, &places).connect().await.unwrap_err();
    assert!(matches!(refused, ConnectError::Other(_)), "{refused}");
    assert_eq!(places.log().len(), 8 + 8);
}

#[tokio::test(start_paused = true)]
async fn connection_to_an_owner_ends_when_the_engine_names_another_one() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let places = Places::default();
    let connection = source(&b, &places).connect().await.unwrap();
    let closed = timeout(10 * LEASE, places.closed.notified()).await;
    closed.expect_err("it is kept as long as the owner is the same");
    a.cluster.drain(LEASE).await;
    mine(&b).await;
    let closed = timeout(LEASE / 10, places.closed.notified()).await;
    closed.expect("it is closed, though nobody reads it");
    drop(connection);
}

#[tokio::test(start_paused = true)]
async fn node_that_becomes_the_owner_leaves_an_attempt_at_another_one() {
    /// A node that accepts and says nothing.
    struct Hangs;

    #[async_trait]
    impl PeerPull for Hangs {
        async fn pull(
            &self,
            _: &PeerAddress,
            _: &str,
            _: &FrameOrder,
        ) -> Result<Connection, ConnectError> {
            std::future::pending().await
        }
    }

    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let places = Places::default();
    let (camera, order) = (Arc::new(places.clone()), FrameOrder::default());
    let source = ClusterSource::new(b.cluster.clone(), door(), camera, Arc::new(Hangs), order);
    let connecting = tokio::spawn(async move { source.connect().await.map(drop) });
    sleep(Duration::from_secs(1)).await;
    a.cluster.drain(LEASE).await;
    let began = Instant::now();
    connecting.await.unwrap().unwrap();
    assert!(began.elapsed() < LEASE / 6, "{:?}", began.elapsed());
    assert_eq!(places.log(), ["camera"]);
}

#[tokio::test(start_paused = true)]
async fn refusal_of_a_node_that_has_claimed_the_stream_meanwhile_costs_no_wait() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let places = Places {
        refusals: Arc::new(AtomicU32::new(1)),
        answers_after: LEASE / 30,
        ..Places::default()
    };
    let source = source(&a, &places);
    let next = Some(b.address.clone());
    let (owner, mut ownership) = watch::channel(Ownership::Nobody { next });
    let since = Instant::now();
    let finding = source.find(&mut ownership);
    let claiming = async {
        // It is asked already, and refuses.
        sleep(LEASE / 60).await;
        owner.send_replace(Ownership::Theirs {
            node: NodeName::new("b").unwrap(),
            address: b.address.clone(),
            epoch: 99,
        });
    };
    let (found, ()) = tokio::join!(finding, claiming);
    assert!(matches!(found, Ok(SourcePlace::There(_))));
    assert_eq!(places.log(), ["refused", "door of b.lan:7443"]);
    assert_eq!(
        since.elapsed(),
        2 * LEASE / 30,
        "it was asked again at once"
    );
}

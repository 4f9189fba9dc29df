//! What a source of the cluster reads, and for how long, while the ownership changes.

use futures_util::StreamExt as _;
use mjpeg_codec::{
    Frame, FrameId,
    multipart::{RelayHeaders, RelayId, Via},
};
use mjpeg_ingest::{
    Connect, ConnectError, Connection, FrameOrder, Ingest, IngestConfig, RelayedPart, Source,
};
use mjpeg_testkit::jpeg;
use tokio::{io::AsyncWriteExt as _, sync::Notify};

use super::{source::Places, *};
use crate::{cluster::source::ClusterSource, peers::PeerPull};

/// A camera in one of several ways.
#[derive(Clone)]
enum ScriptedCamera {
    /// It never answers.
    Hangs,
    /// It tells when its connection is closed.
    Tells(Arc<Notify>),
    /// It sends one picture.
    Sends,
    /// It connects to us.
    Passive,
}

/// Tells when it is dropped.
struct TellsItsEnd(Arc<Notify>);

impl Drop for TellsItsEnd {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl Connect for ScriptedCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        match self {
            Self::Hangs | Self::Passive => std::future::pending().await,
            Self::Tells(closed) => {
                let told = TellsItsEnd(Arc::clone(closed));
                let frames = futures_util::stream::pending().map(move |never| {
                    let _kept = &told;
                    never
                });
                Ok(Connection::frames(frames, "camera"))
            }
            Self::Sends => {
                let (ours, mut theirs) = tokio::io::duplex(1 << 16);
                theirs.write_all(&jpeg::numbered(1)).await?;
                tokio::spawn(async move {
                    let _kept = theirs;
                    std::future::pending::<()>().await;
                });
                Ok(Connection::bytes(ours, "camera"))
            }
        }
    }

    fn is_passive(&self) -> bool {
        matches!(self, Self::Passive)
    }
}

/// Another node, which sends one picture of this epoch.
struct SendingPeer(u64);

#[async_trait]
impl PeerPull for SendingPeer {
    async fn pull(
        &self,
        peer: &PeerAddress,
        _: &str,
        _: &FrameOrder,
    ) -> Result<Connection, ConnectError> {
        let said = RelayHeaders {
            id: FrameId {
                epoch: self.0,
                seq: 1,
            },
            age: Duration::ZERO,
            is_online: true,
            is_repeat: false,
            via: Via::through(RelayId::new(1), &Via::default()),
        };
        let frame = RelayedPart::Frame {
            frame: Frame::parse(jpeg::numbered(1)).unwrap(),
            timestamp: None,
            said,
        };
        let parts = futures_util::stream::iter([Ok(frame)]);
        let parts = parts.chain(futures_util::stream::pending());
        Ok(Connection::relayed(parts, peer.as_str()))
    }
}

fn source_of(node: &Up, camera: ScriptedCamera, peers: impl PeerPull) -> ClusterSource {
    let (camera, peers) = (Arc::new(camera), Arc::new(peers));
    let order = FrameOrder::default();
    ClusterSource::new(node.cluster.clone(), door(), camera, peers, order)
}

#[tokio::test(start_paused = true)]
async fn connection_to_an_owner_is_kept_while_the_engine_has_forgotten_that() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    let before = tenure.epoch();
    let places = Places::default();
    let source = source_of(&b, ScriptedCamera::Hangs, places.clone());
    let connection = source.connect().await.unwrap();
    a.link.cut(true);
    b.link.cut(true);
    sleep(Duration::from_secs(60)).await;
    a.link.cut(false);
    b.link.cut(false);
    let closed = timeout(2 * LEASE, places.closed.notified()).await;
    closed.expect_err("the owner is the same");
    assert!(tenure.is_open(Instant::now()) && tenure.epoch() > before);
    // It ends as soon as this node has the stream.
    a.cluster.drain(LEASE).await;
    mine(&b).await;
    let closed = timeout(LEASE / 10, places.closed.notified()).await;
    closed.expect("it is closed");
    drop(connection);
}

#[tokio::test(start_paused = true)]
async fn camera_that_moves_away_while_it_is_dialled_is_read_where_it_has_moved() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let places = Places::default();
    let source = source_of(&a, ScriptedCamera::Hangs, places.clone());
    let connecting = tokio::spawn(async move { source.connect().await.map(drop) });
    sleep(Duration::from_secs(1)).await;
    a.cluster.drain(LEASE).await;
    mine(&b).await;
    let connected = timeout(LEASE, connecting).await.expect("at once").unwrap();
    connected.expect("it is no outage");
    assert_eq!(places.log(), ["door of b.lan:7443"]);
}

#[tokio::test(start_paused = true)]
async fn stream_that_nobody_owns_is_waited_for_no_longer_than_a_connection() {
    let plant = Plant::new();
    let a = plant.start_with("a", |config| config.with_capacity(0));
    sleep(LEASE).await;
    let limit = Duration::from_secs(2);
    let config = IngestConfig::default().with_connect_timeout(limit);
    let source = source_of(&a, ScriptedCamera::Hangs, Places::default());
    let began = Instant::now();
    let waited = source.connect_within(&config).await.unwrap_err();
    assert!(
        matches!(waited, ConnectError::TimedOut { after } if after == limit),
        "{waited}"
    );
    assert_eq!(began.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn connection_to_the_camera_is_closed_when_the_tenure_ends_though_nobody_reads_it() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let closed = Arc::new(Notify::new());
    let camera = ScriptedCamera::Tells(Arc::clone(&closed));
    let connection = source_of(&a, camera, Places::default()).connect().await;
    let kept = timeout(2 * LEASE, closed.notified()).await;
    kept.expect_err("it is kept as long as the tenure");
    assert!(a.cluster.drain(LEASE).await);
    let closing = timeout(LEASE / 10, closed.notified()).await;
    closing.expect("it is closed");
    drop(connection);
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_older_than_those_before_are_left_out_whoever_sends_them() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    for (node, camera) in [(&a, ScriptedCamera::Sends), (&b, ScriptedCamera::Hangs)] {
        let order = FrameOrder::new();
        let later = FrameId {
            epoch: 1 << 40,
            seq: 1,
        };
        assert!(order.accept(later));
        let (camera, peers) = (Arc::new(camera), Arc::new(SendingPeer(7)));
        let (cluster, counted) = (node.cluster.clone(), order.clone());
        let source = ClusterSource::new(cluster, door(), camera, peers, counted);
        let mut ingest = Ingest::new(Source::custom("cluster:", source), IngestConfig::default());
        let frames = async {
            while let Some(event) = ingest.next().await {
                let is_frame = matches!(event, mjpeg_ingest::Event::Frame(_));
                assert!(!is_frame, "it is older");
            }
        };
        let _ = timeout(Duration::from_secs(1), frames).await;
        assert_eq!(order.refused(), 1);
        assert_eq!(node.cluster.stats().stale_frames, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn camera_that_connects_to_the_relay_is_awaited_where_the_stream_is_owned() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let is_passive = |node: &Up, camera| {
        let source = source_of(node, camera, Places::default());
        source.is_passive()
    };
    assert!(is_passive(&a, ScriptedCamera::Passive));
    assert!(!is_passive(&b, ScriptedCamera::Passive));
    assert!(!is_passive(&a, ScriptedCamera::Hangs));
}

#[tokio::test(start_paused = true)]
async fn node_that_is_about_to_claim_the_stream_is_asked_and_given_time() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let places = Places::default();
    // It is up, and does not claim yet.
    b.link.cut(true);
    assert!(a.cluster.drain(LEASE).await);
    let source = source_of(&a, ScriptedCamera::Hangs, places.clone());
    let asked = timeout(LEASE / 10, source.connect()).await;
    drop(asked.expect("it is asked at once").unwrap());
    assert_eq!(places.log(), ["door of b.lan:7443"]);
    places.refusals.store(1, Ordering::Relaxed);
    let connecting = tokio::spawn(async move { source.connect().await.map(drop) });
    sleep(LEASE / 6).await;
    b.link.cut(false);
    let connected = connecting.await.unwrap();
    connected.expect("it has claimed it in time");
    assert_eq!(places.log()[1..], ["refused", "door of b.lan:7443"]);
}

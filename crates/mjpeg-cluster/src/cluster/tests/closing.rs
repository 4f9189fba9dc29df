//! A claim ends after the connections to its camera, not before.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    pin::Pin,
    task::{Context, Poll},
};

use mjpeg_ingest::Connection;
use tokio::io::{AsyncRead, ReadBuf};

use super::*;
use crate::engine::{record::EngineKey, transaction::KeyEdit};

/// A connection that takes its time to close, as one does whose thread is busy.
struct SlowToClose {
    _stream: TcpStream,
    takes: Duration,
}

impl AsyncRead for SlowToClose {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

impl Drop for SlowToClose {
    #[expect(clippy::disallowed_methods, reason = "a thread that is busy")]
    fn drop(&mut self) {
        std::thread::sleep(self.takes);
    }
}

/// A connection in a tenure, and the camera's end of it.
fn connected(tenure: Tenure, takes: Duration) -> (Connection, TcpStream) {
    let camera = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(camera.local_addr().unwrap()).unwrap();
    let (theirs, _) = camera.accept().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let slow = SlowToClose {
        _stream: ours,
        takes,
    };
    let connection = Connection::bytes(slow, "camera").with_tenure(tenure);
    (connection, theirs)
}

fn is_open(camera: &mut TcpStream) -> bool {
    let read = camera.read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Waits until the engine has no claim. Looks at the camera's end just before each look.
async fn closed_before_the_claim_went(plant: &Plant, camera: &mut TcpStream) -> bool {
    let gone = async {
        loop {
            let was_open = is_open(camera);
            if !plant.engine.has(&EngineKey::Owner(door())) {
                return !was_open;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(10 * LEASE, gone).await.expect("the claim goes")
}

#[tokio::test(flavor = "multi_thread")]
async fn camera_sees_the_connection_close_before_the_claim_is_given_back() {
    let plant = Plant::new();
    let a = plant.start("a");
    let (_connection, mut camera) = connected(mine(&a).await, LEASE / 6);
    assert!(is_open(&mut camera));
    let cluster = a.cluster.clone();
    let draining = tokio::spawn(async move { cluster.drain(10 * LEASE).await });
    assert!(closed_before_the_claim_went(&plant, &mut camera).await);
    assert!(draining.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn camera_sees_the_connection_close_before_the_lease_is_given_back() {
    let plant = Plant::new();
    let strict = |config: ClusterConfig| config.with_engine_loss(EngineLoss::Drop);
    let a = plant.start_with("a", strict);
    let tenure = mine(&a).await;
    let (_connection, mut camera) = connected(tenure.clone(), LEASE / 6);
    // The engine keeps the lease, and takes again what is sent.
    plant.engine.stop();
    a.link.cut(true);
    tokio::spawn({
        let link = a.link.clone();
        async move {
            tenure.ended().await;
            link.cut(false);
        }
    });
    assert!(closed_before_the_claim_went(&plant, &mut camera).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claim_of_a_connection_that_does_not_close_ends_as_it_would_without_the_engine() {
    let plant = Plant::new();
    let a = plant.start("a");
    let (_connection, mut camera) = connected(mine(&a).await, LEASE * 2);
    let begun = Instant::now();
    let cluster = a.cluster.clone();
    tokio::spawn(async move { cluster.drain(10 * LEASE).await });
    assert!(!closed_before_the_claim_went(&plant, &mut camera).await);
    let took = begun.elapsed();
    assert!(took >= LEASE / 5 && took < LEASE * 2, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_that_is_being_closed_is_not_claimed_anew() {
    let plant = Plant::new();
    let a = plant.start("a");
    let (_connection, _camera) = connected(mine(&a).await, LEASE / 3);
    a.cluster.remove(&door());
    // The engine forgets the node, which keeps what it has otherwise: it is alone.
    let forgotten = KeyEdit::Delete(EngineKey::Node(named("a")));
    plant.engine.edit([forgotten]);
    let mut epochs = Vec::new();
    let until = Instant::now() + LEASE;
    while Instant::now() < until {
        let stored = plant.engine.image().stored.into_iter();
        let claims = stored.filter(|stored| stored.value.key() == EngineKey::Owner(door()));
        epochs.extend(claims.map(|claim| claim.created));
        sleep(Duration::from_millis(1)).await;
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1, "{epochs:?}");
    assert!(!plant.engine.has(&EngineKey::Owner(door())));
}

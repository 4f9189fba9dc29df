use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use mjpeg_testkit::{Camera, Script, Step, jpeg, refused_addr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

async fn client(camera: &Camera) -> TcpStream {
    TcpStream::connect(camera.addr())
        .await
        .expect("a camera accepts")
}

async fn all_of(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    timeout(LONG, stream.read_to_end(&mut all))
        .await
        .expect("the camera closes in time")?;
    Ok(all)
}

async fn exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(LONG, stream.read_exact(&mut bytes))
        .await
        .expect("the camera sends in time")
        .expect("the camera does not close");
    bytes
}

async fn says_nothing(stream: &mut TcpStream) -> bool {
    timeout(SHORT, stream.read(&mut [0])).await.is_err()
}

fn text(text: &'static str) -> Step {
    Step::Send(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn plays_its_script_in_order_and_in_time() {
    let script = Script::new(vec![text("one"), Step::Wait(SHORT), text("two")]);
    let camera = Camera::start(script).await;
    let mut stream = client(&camera).await;
    assert_eq!(exactly(&mut stream, 3).await, b"one");
    let before = Instant::now();
    assert_eq!(all_of(stream).await.expect("it ends with FIN"), b"two");
    assert!(before.elapsed() >= SHORT / 2);
    assert_eq!(camera.bytes_sent(), 6);
}

#[tokio::test]
async fn close_is_a_clean_end_behind_all_bytes() {
    let frame = jpeg::of_length(1, 300_000);
    let script = Script::new(vec![Step::Send(frame.clone()), Step::Close, text("never")]);
    let camera = Camera::start(script).await;
    let mut stream = client(&camera).await;
    // Bytes that the client has sent must not turn the close into a reset.
    stream
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("the camera reads");
    assert_eq!(all_of(stream).await.expect("it ends with FIN"), frame);
}

#[tokio::test]
async fn reset_is_an_error() {
    let script = Script::new(vec![text("one"), Step::Wait(SHORT), Step::Reset]);
    let camera = Camera::start(script).await;
    let mut stream = client(&camera).await;
    assert_eq!(exactly(&mut stream, 3).await, b"one");
    let error = all_of(stream).await.expect_err("a reset is no clean end");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn goto_repeats_for_ever() {
    let script = Script::new(vec![text("intro,"), text("a"), text("b"), Step::Goto(1)]);
    let camera = Camera::start(script).await;
    let mut stream = client(&camera).await;
    assert_eq!(exactly(&mut stream, 6).await, b"intro,");
    assert_eq!(exactly(&mut stream, 40_000).await, b"ab".repeat(20_000));
}

#[test]
#[should_panic(expected = "Goto(2) leads nowhere")]
fn goto_past_the_script_panics() {
    let _ = Script::new(vec![text("a"), Step::Goto(2)]);
}

#[tokio::test]
async fn an_endless_loop_leaves_others_their_turn() {
    let camera = Camera::start(Script::new(vec![Step::Goto(0)])).await;
    let _one = client(&camera).await;
    camera.wait_connections(1).await;
    let _two = client(&camera).await;
    camera.wait_connections(2).await;
    camera.shutdown().await;
}

#[tokio::test]
async fn frames_come_at_once_and_then_nothing() {
    let frames = [jpeg::numbered(0), jpeg::numbered(1)];
    let camera = Camera::start(Script::frames(frames.clone())).await;
    let mut stream = client(&camera).await;
    assert_eq!(
        exactly(&mut stream, frames.concat().len()).await,
        frames.concat()
    );
    assert!(says_nothing(&mut stream).await);
    assert_eq!(camera.open(), 1);
}

#[tokio::test]
async fn live_starts_over_after_the_last_frame() {
    let frames = vec![jpeg::numbered(0), jpeg::numbered(1)];
    let interval = Duration::from_millis(20);
    let camera = Camera::start(Script::live(frames.clone(), interval)).await;
    let mut stream = client(&camera).await;
    let before = Instant::now();
    let rounds = frames.concat().repeat(3);
    assert_eq!(exactly(&mut stream, rounds.len()).await, rounds);
    assert!(before.elapsed() >= interval * 4);
}

#[tokio::test]
async fn close_and_stall_send_nothing() {
    let camera = Camera::start(Script::close()).await;
    assert_eq!(all_of(client(&camera).await).await.expect("a FIN"), b"");
    let camera = Camera::start(Script::stall()).await;
    assert!(says_nothing(&mut client(&camera).await).await);
    assert_eq!(camera.bytes_sent(), 0);
}

#[tokio::test]
async fn garbage_depends_on_its_seed() {
    let mut heard = Vec::new();
    for seed in [1, 1, 2] {
        let camera = Camera::start(Script::garbage(seed)).await;
        heard.push(exactly(&mut client(&camera).await, 10_000).await);
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0], heard[2]);
}

#[tokio::test]
async fn scripts_go_by_the_index_of_the_connection() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let camera = Camera::start_with(move |index| {
        log.lock().expect("nobody panics with it").push(index);
        Script::new(vec![Step::Send(Bytes::from(index.to_string()))])
    })
    .await;
    for expected in ["0", "1", "2"] {
        let heard = all_of(client(&camera).await).await.expect("a FIN");
        assert_eq!(heard, expected.as_bytes());
    }
    assert_eq!(*asked.lock().expect("nobody panics with it"), [0, 1, 2]);
}

#[tokio::test]
async fn connections_are_counted_and_waited_for() {
    let camera = Camera::start(Script::stall()).await;
    assert_eq!(
        (camera.connections(), camera.open(), camera.most_open()),
        (0, 0, 0)
    );
    camera.wait_connections(0).await;
    let waiting = timeout(SHORT, camera.wait_connections(1)).await;
    assert!(waiting.is_err());
    let one = client(&camera).await;
    let two = client(&camera).await;
    camera.wait_connections(2).await;
    assert_eq!(
        (camera.connections(), camera.open(), camera.most_open()),
        (2, 2, 2)
    );
    drop(one);
    assert_eq!(camera.open(), 1);
    drop(two);
    let _three = client(&camera).await;
    camera.wait_connections(3).await;
    assert_eq!(
        (camera.connections(), camera.open(), camera.most_open()),
        (3, 1, 2)
    );
}

/// A relay that reconnects at once must not look as if it had two connections.
#[tokio::test(flavor = "multi_thread")]
async fn one_after_the_other_is_never_two_at_once() {
    let frames = vec![jpeg::of_length(1, 50_000)];
    let camera = Camera::start(Script::live(frames, Duration::ZERO)).await;
    for count in 1..200 {
        let mut stream = client(&camera).await;
        stream.write_all(b"hello").await.expect("the camera reads");
        if count % 2 == 0 {
            exactly(&mut stream, 10).await;
        }
        drop(stream);
    }
    camera.wait_connections(199).await;
    assert_eq!(camera.most_open(), 1);
}

#[tokio::test]
async fn hang_up_ends_those_present_only() {
    // Far more than the sockets hold, so that the camera blocks in a write.
    let big = Bytes::from(vec![0; 50_000_000]);
    let camera = Camera::start_with(move |index| match index {
        0 => Script::frames([big.clone()]),
        _ => Script::stall(),
    })
    .await;
    let stuck = client(&camera).await;
    let idle = client(&camera).await;
    camera.wait_connections(2).await;
    camera.hang_up();
    assert_eq!(camera.open(), 0);
    assert_eq!(all_of(idle).await.expect("a FIN"), b"");
    assert!(all_of(stuck).await.expect("a FIN").len() < 50_000_000);
    let mut later = client(&camera).await;
    camera.wait_connections(3).await;
    assert!(says_nothing(&mut later).await);
    assert_eq!(camera.open(), 1);
}

#[tokio::test]
async fn after_shutdown_the_port_is_free() {
    let camera = Camera::start(Script::stall()).await;
    let stream = client(&camera).await;
    camera.wait_connections(1).await;
    camera.shutdown().await;
    let error = TcpStream::connect(camera.addr()).await.expect_err("closed");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(all_of(stream).await.expect("a FIN"), b"");
    assert_eq!(camera.open(), 0);
    TcpListener::bind(camera.addr()).expect("the port is free");
    camera.shutdown().await;
}

#[tokio::test]
async fn a_camera_comes_back_on_the_same_port() {
    let addr = refused_addr().await;
    for round in 0..3 {
        let script = Script::frames([jpeg::numbered(round)]);
        let camera = Camera::start_at(addr, script)
            .await
            .expect("the port is free");
        assert_eq!(camera.addr(), addr);
        assert_eq!(camera.url(), format!("tcp://{addr}"));
        let mut stream = client(&camera).await;
        let frame = jpeg::numbered(round);
        assert_eq!(exactly(&mut stream, frame.len()).await, frame);
        camera.shutdown().await;
    }
}

#[tokio::test]
async fn two_cameras_cannot_share_a_port() {
    let camera = Camera::start(Script::stall()).await;
    let error = Camera::start_at(camera.addr(), Script::stall())
        .await
        .expect_err("the port is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_dropped_camera_ends() {
    let camera = Camera::start(Script::stall()).await;
    let stream = client(&camera).await;
    camera.wait_connections(1).await;
    drop(camera);
    assert_eq!(all_of(stream).await.expect("a FIN"), b"");
}

#[tokio::test]
#[should_panic(expected = "no script for this one")]
async fn a_panic_in_the_scripts_shows_at_shutdown() {
    let camera = Camera::start_with(|_| panic!("no script for this one")).await;
    assert_eq!(all_of(client(&camera).await).await.unwrap_or_default(), b"");
    camera.shutdown().await;
}

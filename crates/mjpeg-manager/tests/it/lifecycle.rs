//! Starting, stopping, and many calls at once.

use std::{
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_ingest::{Backoff, Connect, ConnectError, Connection, IngestConfig, Source};
use mjpeg_manager::{HttpOutlet, Manager, ManagerConfig, StartMode, StreamSpec, StreamState};
use mjpeg_testkit::{Camera, FullBacklog, Script, Viewer, jpeg};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::support::{LOOPBACK, config, live, manager, serving, serving_by, soon, spec, until};

fn is_free(addr: SocketAddr) -> bool {
    TcpListener::bind(addr).is_ok()
}

#[tokio::test]
async fn stream_is_served_from_start_to_stop() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let addr = manager
        .start(spec("door", camera.addr()))
        .await
        .unwrap()
        .listen
        .unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    for _ in 0..10 {
        let frame = viewer.next_frame().await.unwrap().unwrap();
        assert_eq!(frame, jpeg::numbered(jpeg::number_of(&frame).unwrap()));
    }
    soon(manager.stop("door")).await.unwrap();
    assert!(is_free(addr), "the port is free when stop returns");
    while viewer.next_frame().await.expect("a clean end").is_some() {}
    assert_eq!(manager.get("door").unwrap_err().code(), "not_found");
    until("the camera sees the close", async || camera.open() == 0).await;
    manager
        .start(spec("door", camera.addr()).with_listen(addr))
        .await
        .expect("the name is free again");
}

#[tokio::test]
async fn viewers_keep_their_response_while_the_camera_is_away() {
    let camera = Camera::start(live()).await;
    let addr = camera.addr();
    let manager = manager();
    let listen = manager
        .start(spec("door", addr))
        .await
        .unwrap()
        .listen
        .unwrap();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        let mut viewer = Viewer::open(listen, "/").await.unwrap();
        viewer.next_frame().await.unwrap().unwrap();
        viewers.push(viewer);
    }
    camera.shutdown().await;
    until("offline", async || {
        matches!(
            manager.get("door").unwrap().state,
            StreamState::Offline { .. }
        )
    })
    .await;
    assert_eq!(manager.get("door").unwrap().viewers, 3);

    // Different pictures, to tell new ones from old ones.
    let frames = (100..120).map(jpeg::numbered).collect();
    let _back = Camera::start_at(addr, Script::live(frames, Duration::from_millis(10)))
        .await
        .unwrap();
    for viewer in &mut viewers {
        let new = async {
            while jpeg::number_of(&viewer.next_frame().await.unwrap().expect("not ended")).unwrap()
                < 100
            {}
        };
        soon(new).await;
    }
    let info = manager.get("door").unwrap();
    assert_eq!((info.state, info.reconnects), (StreamState::Online, 1));
    assert!(info.last_error.is_some(), "kept after recovery");
}

#[tokio::test]
async fn calls_on_other_names_do_not_wait_for_a_slow_start() {
    let (silent, camera) = (FullBacklog::start().await, Camera::start(live()).await);
    let manager = manager();
    let slow = tokio::spawn({
        let (manager, spec) = (manager.clone(), spec("slow", silent.addr()));
        async move { manager.start(spec).await }
    });
    sleep(Duration::from_millis(50)).await;
    let since = Instant::now();
    for n in 0..10 {
        let name = format!("quick{n}");
        manager.start(spec(&name, camera.addr())).await.unwrap();
        manager.get(&name).unwrap();
        assert_eq!(
            manager.list().len(),
            1,
            "a stream that is being started is not listed"
        );
        manager.stop(&name).await.unwrap();
    }
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "the slow start takes five seconds"
    );
    assert!(!slow.is_finished());
    let same = manager
        .start(spec("slow", camera.addr()))
        .await
        .unwrap_err();
    assert_eq!(same.code(), "already_exists");
    slow.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_starts_of_one_name_one_wins() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    for _ in 0..20 {
        let starts = (0..4).map(|_| {
            let (manager, spec) = (manager.clone(), spec("door", camera.addr()));
            tokio::spawn(async move { manager.start(spec).await })
        });
        let mut codes = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            codes.push(
                start
                    .await
                    .unwrap()
                    .map_or_else(|error| error.code(), |_| "won"),
            );
        }
        codes.sort_unstable();
        assert_eq!(
            codes,
            ["already_exists", "already_exists", "already_exists", "won"]
        );
        manager.stop("door").await.unwrap();
    }
}

#[tokio::test]
async fn dropped_start_leaves_nothing() {
    let (silent, camera) = (FullBacklog::start().await, Camera::start(live()).await);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let manager = manager();
    let start = manager.start(spec("door", silent.addr()).with_listen(port));
    assert!(timeout(Duration::from_millis(100), start).await.is_err());
    assert!(is_free(port));
    manager
        .start(spec("door", camera.addr()).with_listen(port))
        .await
        .expect("the name is free");
}

#[tokio::test]
async fn viewers_are_not_let_in_before_the_start_succeeds() {
    let silent = FullBacklog::start().await;
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let manager = manager();
    let start = manager.start(spec("door", silent.addr()).with_listen(port));
    let early = async {
        sleep(Duration::from_millis(50)).await;
        let mut stream = TcpStream::connect(port).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        let outcome = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        assert!(answer.is_empty(), "answered before there was a stream");
        outcome
    };
    let (started, early) = tokio::join!(start, early);
    assert_eq!(started.unwrap_err().code(), "tcp_connection_timeout");
    assert!(matches!(early, Err(e) if e.kind() == ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn dropping_the_last_manager_ends_everything() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let mut addrs = Vec::new();
    for n in 0..3 {
        addrs.push(
            manager
                .start(spec(&format!("s{n}"), camera.addr()))
                .await
                .unwrap()
                .listen
                .unwrap(),
        );
    }
    let clone = manager.clone();
    drop(manager);
    assert_eq!(clone.list().len(), 3, "a clone keeps it alive");
    assert!(!is_free(addrs[0]));
    drop(clone);
    until("the ports are free", async || {
        addrs.iter().all(|&addr| is_free(addr))
    })
    .await;
    until("the camera is left", async || camera.open() == 0).await;
}

#[tokio::test]
async fn shutdown_ends_all_streams_at_once_and_reports() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let mut viewers = Vec::new();
    for n in 0..5 {
        let addr = manager
            .start(spec(&format!("s{n}"), camera.addr()))
            .await
            .unwrap()
            .listen
            .unwrap();
        viewers.push(Viewer::open(addr, "/").await.unwrap());
    }
    let report = timeout(Duration::from_secs(2), manager.shutdown())
        .await
        .expect("nothing to wait for");
    assert_eq!((report.stopped, report.cut.len()), (5, 0));
    assert!(manager.list().is_empty());
    for viewer in &mut viewers {
        while viewer.next_frame().await.expect("a clean end").is_some() {}
    }
}

/// A camera whose frames are large enough to fill the kernel's buffers for a viewer that reads
/// nothing.
async fn large_camera() -> Camera {
    let large = (0..3).map(|n| jpeg::of_length(n, 1_000_000)).collect();
    Camera::start(Script::live(large, Duration::from_millis(20))).await
}

/// Opens a stream and reads nothing, until a part hangs half-sent.
async fn stuck_viewer(manager: &Manager, http: &HttpOutlet, name: &str) -> TcpStream {
    let addr = manager.get(name).unwrap().listen.unwrap();
    let stuck = Viewer::open(addr, "/").await.unwrap().into_stream();
    let parts = || http.stats(name).unwrap().parts;
    let mut before = 0;
    while before == 0 || before != parts() {
        before = parts();
        sleep(Duration::from_millis(300)).await;
    }
    stuck
}

#[tokio::test]
async fn shutdown_cuts_at_its_deadline_and_says_what() {
    let camera = large_camera().await;
    let http = HttpOutlet::default();
    let quick = config().with_shutdown_grace(Duration::from_millis(800));
    let manager = serving_by(quick, &http);
    let mut stuck = Vec::new();
    for name in ["a", "b"] {
        manager.start(spec(name, camera.addr())).await.unwrap();
        stuck.push(stuck_viewer(&manager, &http, name).await);
    }
    let quiet = manager.start(spec("quiet", camera.addr())).await.unwrap();
    let since = Instant::now();
    let report = manager.shutdown().await;
    let took = since.elapsed();
    assert!(
        took >= Duration::from_millis(800),
        "{took:?}: they were given their time"
    );
    assert!(
        took < Duration::from_millis(1500),
        "{took:?}: and all at once"
    );
    assert_eq!(report.stopped, 3);
    let cut: Vec<_> = report
        .cut
        .iter()
        .map(|cut| (cut.name.as_str(), cut.connections, cut.task))
        .collect();
    assert_eq!(cut, [("a", 1, false), ("b", 1, false)]);
    assert!(is_free(quiet.listen.unwrap()));
}

#[tokio::test]
async fn name_is_taken_until_the_stop_is_over() {
    let camera = large_camera().await;
    let http = HttpOutlet::default();
    let quick = config().with_shutdown_grace(Duration::from_millis(500));
    let manager = serving_by(quick, &http);
    manager.start(spec("door", camera.addr())).await.unwrap();
    let _stuck = stuck_viewer(&manager, &http, "door").await;
    let stop = manager.stop("door");
    let meanwhile = async {
        sleep(Duration::from_millis(100)).await;
        assert_eq!(manager.get("door").unwrap_err().code(), "not_found");
        manager
            .start(spec("door", camera.addr()))
            .await
            .unwrap_err()
            .code()
    };
    let (stopped, code) = tokio::join!(stop, meanwhile);
    stopped.unwrap();
    assert_eq!(code, "already_exists");
    manager
        .start(spec("door", camera.addr()))
        .await
        .expect("now it is free");
}

/// A source whose reads block their thread, so that the task that reads it cannot be aborted.
struct Blocks;

#[async_trait]
impl Connect for Blocks {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        Ok(Connection::bytes(Blocks, "blocks"))
    }
}

impl AsyncRead for Blocks {
    #[allow(
        clippy::disallowed_methods,
        reason = "blocking is the fault that is injected"
    )]
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::thread::sleep(Duration::from_secs(4));
        Poll::Pending
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_does_not_wait_for_a_task_that_blocks() {
    let manager = serving(config().with_shutdown_grace(Duration::from_millis(200)));
    let spec = StreamSpec::new("door".parse().unwrap(), Source::custom("test:", Blocks));
    manager.start(spec).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let since = Instant::now();
    let report = manager.shutdown().await;
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    assert_eq!((report.cut.len(), report.cut[0].task), (1, true));
}

#[tokio::test]
async fn shutdown_ends_starts_in_progress() {
    let silent = FullBacklog::start().await;
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let manager = manager();
    let starting = tokio::spawn({
        let (manager, spec) = (
            manager.clone(),
            spec("door", silent.addr()).with_listen(port),
        );
        async move { manager.start(spec).await }
    });
    until("the port is taken", async || !is_free(port)).await;
    timeout(Duration::from_secs(2), manager.shutdown())
        .await
        .expect("does not wait for the camera");
    assert!(is_free(port), "nothing is left when shutdown returns");
    assert_eq!(starting.await.unwrap().unwrap_err().code(), "shut_down");
}

#[tokio::test]
async fn paused_stream_leaves_its_camera_and_keeps_its_viewers() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let started = manager.start(spec("door", camera.addr())).await.unwrap();
    let mut viewer = Viewer::open(started.listen.unwrap(), "/").await.unwrap();
    soon(viewer.next_frame()).await.unwrap().unwrap();
    manager.pause("door").unwrap();
    until("the pause", async || {
        manager.get("door").unwrap().state == StreamState::Paused
    })
    .await;
    until("the camera is left", async || camera.open() == 0).await;
    // Only offline cameras are retried.
    manager.retry_now("door").unwrap();
    let before = manager.get("door").unwrap().frames;
    manager.resume("door").unwrap();
    until("frames again", async || {
        manager.get("door").unwrap().frames > before + 5
    })
    .await;
    let info = manager.get("door").unwrap();
    assert_eq!((info.state, info.reconnects), (StreamState::Online, 1));
    assert!(info.last_error.is_none(), "to pause is no error");
    for _ in 0..3 {
        soon(viewer.next_frame()).await.unwrap().expect("not ended");
    }
    assert_eq!(manager.pause("none").unwrap_err().code(), "not_found");
}

#[tokio::test]
async fn offline_camera_is_tried_at_once_when_asked_for() {
    let unused = TcpListener::bind(SocketAddr::from(LOOPBACK)).unwrap();
    let addr = unused.local_addr().unwrap();
    drop(unused);
    let hour = Duration::from_secs(3600);
    let slow = Backoff::try_new(hour, hour).unwrap();
    let config = IngestConfig::default().with_backoff(slow);
    let manager = serving(ManagerConfig::default().with_ingest(config));
    let retrying = spec("door", addr).with_mode(StartMode::Retry);
    manager.start(retrying).await.unwrap();
    until("offline", async || {
        matches!(
            manager.get("door").unwrap().state,
            StreamState::Offline { .. }
        )
    })
    .await;
    let listener = tokio::net::TcpListener::bind(addr).await.unwrap();
    manager.retry_now("door").unwrap();
    soon(listener.accept()).await.unwrap();
}

/// A source whose first connection panics while it is read. `panicking` is false when that
/// connection was dropped.
struct PanicsOnce {
    camera: SocketAddr,
    connects: AtomicUsize,
    panicking: Arc<AtomicBool>,
    since: Instant,
}

struct Panics(Arc<AtomicBool>);

impl AsyncRead for Panics {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        panic!("injected")
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl Connect for PanicsOnce {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        if self.connects.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(Connection::bytes(
                Panics(Arc::clone(&self.panicking)),
                "panics",
            ));
        }
        assert!(
            self.since.elapsed() >= Duration::from_millis(250),
            "started again without a pause"
        );
        let stream = TcpStream::connect(self.camera)
            .await
            .map_err(|e| ConnectError::Other(Box::new(e)))?;
        Ok(Connection::bytes(stream, "camera"))
    }
}

#[tokio::test]
async fn panic_costs_that_stream_a_restart_and_the_others_nothing() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    manager.start(spec("good", camera.addr())).await.unwrap();
    let panicking = Arc::new(AtomicBool::new(true));
    let source = PanicsOnce {
        camera: camera.addr(),
        connects: AtomicUsize::new(0),
        panicking: Arc::clone(&panicking),
        since: Instant::now(),
    };
    let source = Source::custom("test:", source);
    let hurt = StreamSpec::new("hurt".parse().unwrap(), source)
        .with_listen(LOOPBACK.into())
        .with_mode(StartMode::Retry);
    let addr = manager.start(hurt).await.unwrap().listen.unwrap();
    until("the panic", async || {
        manager.get("hurt").unwrap().panics == 1
    })
    .await;
    assert!(
        !panicking.load(Ordering::SeqCst),
        "the old connection is closed before the pause, not after it"
    );
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert!(
        soon(viewer.next_frame()).await.unwrap().is_some(),
        "frames come after the restart, on the same response"
    );
    let (hurt, good) = (manager.get("hurt").unwrap(), manager.get("good").unwrap());
    assert_eq!((hurt.panics, good.panics), (1, 0));
    assert_eq!(
        hurt.last_error.unwrap().message,
        "internal error: the stream's task panicked"
    );
    assert_eq!((good.state, good.reconnects), (StreamState::Online, 0));
}

#[tokio::test]
async fn stream_without_a_port_can_be_subscribed_to() {
    let camera = Camera::start(live()).await;
    let http = HttpOutlet::default();
    let manager = serving_by(config(), &http);
    let spec = StreamSpec::parse("door", &camera.url()).unwrap();
    assert_eq!(manager.start(spec).await.unwrap().listen, None);
    let mut consumer = manager.subscribe("door").unwrap();
    let first = consumer.next().await.unwrap().seq;
    assert!(consumer.next().await.unwrap().seq > first);
    assert_eq!(http.listener_stats("door"), None);
    assert!(http.viewers("door").is_empty());
    manager.stop("door").await.unwrap();
    while soon(consumer.next()).await.is_some() {}
}

/// A source that ends after two frames.
struct Recording(AtomicUsize);

#[async_trait]
impl Connect for Recording {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
            return Err(ConnectError::Finished);
        }
        let frames = [&jpeg::numbered(1)[..], &jpeg::numbered(2)].concat();
        Ok(Connection::bytes(io::Cursor::new(frames), "recording"))
    }
}

#[tokio::test]
async fn viewers_stay_when_the_source_has_ended() {
    let manager = manager();
    let source = Source::custom("test:", Recording(AtomicUsize::new(0)));
    let spec = StreamSpec::new("film".parse().unwrap(), source).with_listen(LOOPBACK.into());
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    until("the end", async || {
        manager.get("film").unwrap().state == StreamState::Ended
    })
    .await;
    assert_eq!(manager.get("film").unwrap().frames, 2);
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(
        viewer.next_frame().await.unwrap().unwrap(),
        jpeg::numbered(2)
    );
    // The last frame is repeated once, and the response stays open.
    let again = viewer.next_frame().await.unwrap();
    assert_eq!(again.unwrap(), jpeg::numbered(2));
    let more = timeout(Duration::from_millis(300), viewer.next_frame()).await;
    assert!(more.is_err(), "the response stays open");
}

/// A source that shows whether its connection is open.
struct Watched(Arc<AtomicBool>);

struct Open(Arc<AtomicBool>);

#[async_trait]
impl Connect for Watched {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.0.store(true, Ordering::SeqCst);
        Ok(Connection::bytes(Open(Arc::clone(&self.0)), "watched"))
    }
}

impl AsyncRead for Open {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn camera_is_hung_up_on_when_stop_returns() {
    let manager = manager();
    for _ in 0..50 {
        let open = Arc::new(AtomicBool::new(false));
        let source = Source::custom("test:", Watched(Arc::clone(&open)));
        manager
            .start(StreamSpec::new("door".parse().unwrap(), source))
            .await
            .unwrap();
        assert!(open.load(Ordering::SeqCst));
        manager.stop("door").await.unwrap();
        assert!(!open.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn subscriber_wakes_an_on_demand_camera_and_an_observer_does_not() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let spec = StreamSpec::parse("door", &camera.url())
        .unwrap()
        .with_mode(StartMode::Retry)
        .with_on_demand(Duration::from_millis(100));
    manager.start(spec).await.unwrap();
    let mut observer = manager.observe("door").unwrap();
    let nothing = timeout(Duration::from_millis(200), observer.next()).await;
    assert!(nothing.is_err() && camera.connections() == 0);

    let mut subscription = manager.subscribe("door").unwrap();
    assert!(soon(subscription.next()).await.is_some());
    assert!(soon(observer.next()).await.is_some());
    let other = subscription.clone();
    drop(subscription);
    assert_eq!(
        manager.get("door").unwrap().viewers,
        1,
        "a clone counts too"
    );
    drop(other);
    soon(manager.wait_for("door", |state| *state == StreamState::Idle))
        .await
        .unwrap();
    until("hung up", async || camera.open() == 0).await;
}

#[tokio::test]
async fn state_can_be_waited_for_until_the_stream_is_stopped() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let online = |state: &StreamState| *state == StreamState::Online;
    let error = manager.wait_for("door", online).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    manager.start(spec("door", camera.addr())).await.unwrap();
    let info = soon(manager.wait_for("door", online)).await.unwrap();
    assert_eq!(info.state, StreamState::Online);
    let ended = manager.wait_for("door", |state| *state == StreamState::Ended);
    let (ended, stopped) = tokio::join!(soon(ended), manager.stop("door"));
    stopped.unwrap();
    assert_eq!(ended.unwrap_err().code(), "not_found");
}

/// A reader that panics when it is read, and again when it is dropped.
struct Bomb;

impl AsyncRead for Bomb {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        panic!("read")
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped")
    }
}

/// Gives bombs first, then what a camera sends.
struct Bombs {
    camera: SocketAddr,
    left: AtomicUsize,
}

#[async_trait]
impl Connect for Bombs {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let take = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.left.fetch_update(order, order, take).is_ok() {
            return Ok(Connection::bytes(Bomb, "a bomb").keeping(Bomb));
        }
        let stream = TcpStream::connect(self.camera).await?;
        Ok(Connection::bytes(stream, "camera"))
    }
}

#[tokio::test]
async fn panic_in_drop_costs_no_more_than_one_while_reading() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let bombs = |left| {
        let left = AtomicUsize::new(left);
        let addr = camera.addr();
        Source::custom("bombs:", Bombs { camera: addr, left })
    };
    let spec = StreamSpec::new("hurt".parse().unwrap(), bombs(2))
        .with_listen(LOOPBACK.into())
        .with_mode(StartMode::Retry);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert!(soon(viewer.next_frame()).await.unwrap().is_some());
    let info = manager.get("hurt").unwrap();
    assert_eq!((info.state, info.panics), (StreamState::Online, 2));
}

/// Several connections that panic when they are dropped must not abort the process.
#[tokio::test]
async fn stop_survives_connections_that_panic_when_dropped() {
    let camera = Camera::start(Script::stall()).await;
    struct Silent(TcpStream);
    impl AsyncRead for Silent {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }
    impl Drop for Silent {
        fn drop(&mut self) {
            panic!("dropped")
        }
    }
    struct Connects(SocketAddr);
    #[async_trait]
    impl Connect for Connects {
        async fn connect(&self) -> Result<Connection, ConnectError> {
            let silent = Silent(TcpStream::connect(self.0).await?);
            Ok(Connection::bytes(silent, "silent").keeping(Bomb))
        }
    }
    let ingest = IngestConfig::default().with_failover_after(Duration::from_millis(50));
    let manager = serving(ManagerConfig::default().with_ingest(ingest));
    let source = || Source::custom("silent:", Connects(camera.addr()));
    let spec = StreamSpec::new("hurt".parse().unwrap(), source())
        .with_fallback(source())
        .with_mode(StartMode::Retry);
    manager.start(spec).await.unwrap();
    until("both", async || camera.open() == 2).await;
    manager.stop("hurt").await.unwrap();
    until("closed", async || camera.open() == 0).await;
}

/// As above, with attempts that are under way.
#[tokio::test]
async fn stop_survives_attempts_that_panic_when_dropped() {
    struct Tries(Arc<AtomicUsize>);
    #[async_trait]
    impl Connect for Tries {
        async fn connect(&self) -> Result<Connection, ConnectError> {
            let _bomb = Bomb;
            self.0.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        }
    }
    let tries = Arc::new(AtomicUsize::new(0));
    let ingest = IngestConfig::default().with_failover_after(Duration::from_millis(50));
    let manager = serving(ManagerConfig::default().with_ingest(ingest));
    let source = || Source::custom("tries:", Tries(Arc::clone(&tries)));
    let spec = StreamSpec::new("hurt".parse().unwrap(), source())
        .with_fallback(source())
        .with_mode(StartMode::Retry);
    manager.start(spec).await.unwrap();
    until("both", async || tries.load(Ordering::SeqCst) == 2).await;
    manager.stop("hurt").await.unwrap();
}

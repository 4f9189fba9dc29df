//! Custom outlets, custom sources, and streams that the program feeds.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use mjpeg_fanout::{Consumer, Status};
use mjpeg_ingest::{Connect, ConnectError, Connection, Source};
use mjpeg_manager::{
    Change, Error, HttpOutlet, InvalidSpec, Manager, Outlet, OutletFactory, Placeholder,
    StreamName, StreamSpec, StreamState, StreamStopped,
    mjpeg_codec::{Frame, Stamp},
};
use mjpeg_testkit::{Camera, Viewer, jpeg};
use tokio::{net::TcpStream, task::JoinHandle, time::Instant};

use crate::support::{LOOPBACK, config, live, manager, soon, spec, until};

/// An outlet that counts frames and records the calls on it.
#[derive(Clone, Debug, Default)]
struct Counting {
    calls: Arc<Mutex<Vec<String>>>,
    frames: Arc<AtomicUsize>,
    fails: bool,
}

#[derive(Debug)]
struct CountingStream {
    shared: Counting,
    name: StreamName,
    task: Option<JoinHandle<()>>,
}

impl Counting {
    fn call(&self, what: impl Into<String>) {
        self.calls.lock().unwrap().push(what.into());
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl OutletFactory for Counting {
    fn outlet(&self, stream: &StreamName) -> Box<dyn Outlet> {
        Box::new(CountingStream {
            shared: self.clone(),
            name: stream.clone(),
            task: None,
        })
    }
}

#[async_trait]
impl Outlet for CountingStream {
    fn bind(&mut self, spec: &StreamSpec) -> Result<Option<SocketAddr>, Error> {
        self.shared.call(format!("bind {}", spec.name()));
        if self.shared.fails {
            let source = "no disk".into();
            return Err(Error::OutletFailed { source });
        }
        Ok(None)
    }

    fn unbind(&mut self) {
        self.shared.call(format!("unbind {}", self.name));
    }

    fn serve(&mut self, consumer: &Consumer) {
        self.shared.call(format!("serve {}", self.name));
        let (mut consumer, frames) = (consumer.clone(), Arc::clone(&self.shared.frames));
        if self.task.is_none() {
            self.task = Some(tokio::spawn(async move {
                let _viewing = consumer.viewing();
                while consumer.next().await.is_some() {
                    frames.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
    }

    async fn stop(&mut self, grace: Duration) -> usize {
        self.shared.call(format!("stop {} {grace:?}", self.name));
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
        0
    }
}

impl Drop for CountingStream {
    fn drop(&mut self) {
        self.shared.call(format!("drop {}", self.name));
    }
}

fn with_both(counting: &Counting) -> Manager {
    let (http, own) = (HttpOutlet::default(), counting.clone());
    Manager::with_outlets(config(), [http.factory(), Arc::new(own) as _])
}

#[tokio::test]
async fn stream_is_served_by_several_outlets() {
    let camera = Camera::start(live()).await;
    let counting = Counting::default();
    let manager = with_both(&counting);
    let addr = manager.start(spec("door", camera.addr())).await.unwrap();
    let mut viewer = Viewer::open(addr.listen.unwrap(), "/").await.unwrap();
    for _ in 0..10 {
        soon(viewer.next_frame()).await.unwrap().unwrap();
    }
    until("frames", async || {
        counting.frames.load(Ordering::SeqCst) > 5
    })
    .await;
    assert_eq!(manager.get("door").unwrap().viewers, 2);
    manager.stop("door").await.unwrap();
    let calls = counting.calls();
    let expected = ["bind door", "serve door", "stop door 5s", "drop door"];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn outlet_that_fails_undoes_what_the_others_have_bound() {
    let camera = Camera::start(live()).await;
    let (good, bad) = (
        Counting::default(),
        Counting {
            fails: true,
            ..Counting::default()
        },
    );
    let outlets: [Arc<dyn OutletFactory>; 2] = [Arc::new(good.clone()), Arc::new(bad)];
    let manager = Manager::with_outlets(config(), outlets);
    let spec = StreamSpec::parse("door", &camera.url()).unwrap();
    let error = manager.start(spec).await.unwrap_err();
    assert_eq!(error.code(), "outlet_failed");
    let text = error.chain().to_string();
    assert_eq!(text, "an outlet of the stream failed: no disk");
    assert_eq!(good.calls(), ["bind door", "unbind door", "drop door"]);
    assert!(manager.list().is_empty());
}

#[tokio::test]
async fn change_is_bound_by_all_outlets_or_by_none() {
    let camera = Camera::start(live()).await;
    let counting = Counting::default();
    let outlets: [Arc<dyn OutletFactory>; 2] =
        [Arc::new(counting.clone()), HttpOutlet::default().factory()];
    let manager = Manager::with_outlets(config(), outlets);
    let spec = spec("door", camera.addr());
    let listen = manager.start(spec.clone()).await.unwrap().listen;
    counting.calls();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let changed = spec.clone().with_listen(taken.local_addr().unwrap());
    let error = manager.apply(changed).await.unwrap_err();
    assert_eq!(error.code(), "port_in_use");
    assert_eq!(counting.calls(), ["bind door", "unbind door"]);
    assert_eq!(manager.get("door").unwrap().listen, listen);
    manager.apply(spec.with_check(true)).await.unwrap();
    assert_eq!(counting.calls(), ["bind door", "serve door"]);
}

#[tokio::test]
async fn port_needs_an_outlet_that_listens() {
    let camera = Camera::start(live()).await;
    let counting = Counting::default();
    let outlet: Arc<dyn OutletFactory> = Arc::new(counting.clone());
    for manager in [
        Manager::new(config()),
        Manager::with_outlets(config(), [outlet]),
    ] {
        let error = manager
            .start(spec("door", camera.addr()))
            .await
            .unwrap_err();
        let Error::InvalidSpec(InvalidSpec::NoListener { addr }) = error else {
            panic!("{error}");
        };
        assert_eq!(addr, LOOPBACK.into());
        assert!(manager.list().is_empty());
    }
    assert_eq!(counting.calls(), ["bind door", "unbind door", "drop door"]);
    assert_eq!(camera.connections(), 0);
}

/// A source of the program's own.
struct Own(SocketAddr);

#[async_trait]
impl Connect for Own {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let stream = TcpStream::connect(self.0).await;
        let stream = stream.map_err(|error| ConnectError::Other(Box::new(error)))?;
        Ok(Connection::bytes(stream, "own"))
    }
}

#[tokio::test]
async fn source_of_the_programs_own_can_be_started_and_exchanged() {
    let (first, second) = (Camera::start(live()).await, Camera::start(live()).await);
    let manager = manager();
    let source = |camera: &Camera| Source::custom("own:", Own(camera.addr()));
    let own = source(&first);
    let spec = StreamSpec::new("door".parse().unwrap(), own.clone()).with_listen(LOOPBACK.into());
    let info = manager.start(spec.clone()).await.unwrap();
    assert_eq!((&*info.source, info.peer.as_deref()), ("own:", Some("own")));
    let mut viewer = Viewer::open(info.listen.unwrap(), "/").await.unwrap();
    soon(viewer.next_frame()).await.unwrap().unwrap();

    // The same source, which is compared by identity.
    let same = spec.clone().with_sources([own]).with_check(true);
    manager.apply(same).await.unwrap();
    soon(viewer.next_frame()).await.unwrap().unwrap();
    assert_eq!((first.connections(), first.open()), (1, 1));

    // Another source, though it has the same label.
    let other = spec.with_sources([source(&second)]);
    manager.apply(other).await.unwrap();
    until("the second camera", async || second.open() == 1).await;
    until("hung up", async || first.open() == 0).await;
    soon(viewer.next_frame()).await.unwrap().unwrap();
}

fn fed() -> StreamSpec {
    StreamSpec::fed("door".parse().unwrap()).with_listen(LOOPBACK.into())
}

fn stamp() -> Stamp {
    Stamp::new(SystemTime::now(), Instant::now().into_std())
}

fn frame(number: u32) -> Frame {
    Frame::parse(jpeg::numbered(number)).unwrap()
}

#[tokio::test]
async fn program_feeds_a_stream() {
    let manager = manager();
    let mut events = manager.events();
    let spec = fed()
        .with_placeholder(Placeholder::Picture(frame(4711)))
        .with_placeholder_after(Duration::from_millis(300));
    let publisher = manager.start_fed(spec.clone()).await.unwrap();
    let info = manager.get("door").unwrap();
    assert_eq!(
        (info.state, info.sources.len()),
        (StreamState::Connecting, 0)
    );
    let mut viewer = Viewer::open(info.listen.unwrap(), "/").await.unwrap();
    publisher.publish(frame(1), stamp()).unwrap();
    let number = |jpeg: Option<bytes::Bytes>| jpeg::number_of(&jpeg.unwrap()).unwrap();
    assert_eq!(number(soon(viewer.next_frame()).await.unwrap()), 1);
    let info = manager.get("door").unwrap();
    assert_eq!((info.state, info.frames), (StreamState::Online, 1));
    let consumer = manager.observe("door").unwrap();
    assert_eq!(consumer.status(), Status::Online);

    // Frames pass through the pipeline, with the settings of the current spec.
    let mut lossless = jpeg::numbered(2).to_vec();
    let sof = lossless.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    lossless[sof + 1] = 0xC3;
    let lossless = Frame::parse(lossless).unwrap();
    publisher.publish(lossless.clone(), stamp()).unwrap();
    assert_eq!(
        manager.get("door").unwrap().discarded["unsupported"].count,
        1
    );
    manager
        .apply(spec.clone().with_pass_unsupported(true))
        .await
        .unwrap();
    publisher.publish(lossless, stamp()).unwrap();
    assert_eq!(manager.get("door").unwrap().frames, 2);

    // A publisher that is dropped is a source that has ended.
    drop(publisher);
    soon(async { while number(viewer.next_frame().await.unwrap()) != 4711 {} }).await;
    assert_eq!(manager.get("door").unwrap().state, StreamState::Ended);
    assert_eq!(consumer.status(), Status::Offline);
    manager.stop("door").await.unwrap();
    let mut changes = Vec::new();
    while changes.last() != Some(&Change::Stopped) {
        changes.push(soon(events.next()).await.unwrap().change);
    }
    let expected = [
        Change::Started,
        Change::State(StreamState::Online),
        Change::Reconfigured,
        Change::State(StreamState::Ended),
        Change::Stopped,
    ];
    assert_eq!(changes, expected);
}

#[tokio::test]
async fn fed_stream_ends_when_it_is_stopped() {
    let manager = manager();
    let publisher = manager.start_fed(fed()).await.unwrap();
    publisher.publish(frame(1), stamp()).unwrap();
    let mut frames = manager.subscribe("door").unwrap();
    assert!(soon(frames.next()).await.is_some());
    manager.stop("door").await.unwrap();
    assert!(soon(frames.next()).await.is_none());
    let stopped: StreamStopped = publisher.publish(frame(2), stamp()).unwrap_err();
    assert_eq!(stopped.to_string(), "the stream was stopped");
}

#[tokio::test]
async fn fed_stream_has_no_source_and_others_have_one() {
    let manager = manager();
    let source: Source = "tcp://127.0.0.1:9".parse().unwrap();
    let with_source = fed().with_sources([source.clone()]);
    let error = manager.start_fed(with_source.clone()).await.unwrap_err();
    assert!(
        matches!(error, Error::InvalidSpec(InvalidSpec::FedWithSource)),
        "{error}"
    );
    let error = manager.start(fed()).await.unwrap_err();
    assert!(
        matches!(error, Error::InvalidSpec(InvalidSpec::NoSource)),
        "{error}"
    );
    let _publisher = manager.start_fed(fed()).await.unwrap();
    let error = manager.apply(with_source).await.unwrap_err();
    assert!(
        matches!(error, Error::InvalidSpec(InvalidSpec::FedWithSource)),
        "{error}"
    );
    let error = manager.set_sources("door", [source]).await.unwrap_err();
    assert_eq!(error.code(), "invalid_spec");
}

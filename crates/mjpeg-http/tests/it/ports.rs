//! Many streams on one port, one stream on many ports, and a fallback beside them.

use std::{convert::Infallible, future::ready, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Full, StreamBody};
use mjpeg_fanout::Producer;
use mjpeg_http::{
    InvalidConfig, Listener, ListenerConfig, Peer, StreamConfig, StreamService, Streams,
};
use mjpeg_testkit::{Viewer, jpeg, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use crate::{Served, assert_next, publish_number, raw::RawClient};

/// Two streams, of which the first is the default.
#[derive(Clone)]
struct Two {
    door: StreamService,
    yard: StreamService,
}

impl Streams for Two {
    fn find(&self, name: &str) -> Option<StreamService> {
        match name {
            "door" => Some(self.door.clone()),
            "yard" => Some(self.yard.clone()),
            _ => None,
        }
    }

    fn default_stream(&self) -> Option<StreamService> {
        Some(self.door.clone())
    }
}

fn two() -> (Two, [Producer; 2]) {
    let (door_in, door) = mjpeg_fanout::channel();
    let (yard_in, yard) = mjpeg_fanout::channel();
    let streams = Two {
        door: StreamService::new(door, StreamConfig::default()),
        yard: StreamService::new(yard, StreamConfig::default()),
    };
    (streams, [door_in, yard_in])
}

fn bind(config: ListenerConfig) -> Listener {
    Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap()
}

/// Answers with the peer and path of the request.
fn echo() -> impl tower_service::Service<
    Request<hyper::body::Incoming>,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send,
> + Clone
+ Send
+ Sync {
    Service(|request: Request<hyper::body::Incoming>| {
        let peer = request.extensions().get::<Peer>().copied();
        let text = format!(
            "{} for {}",
            request.uri(),
            peer.unwrap().addr().unwrap().ip()
        );
        ready(Ok(Response::new(Full::new(text.into()))))
    })
}

/// A function as a tower service.
#[derive(Clone)]
struct Service<F>(F);

impl<F, Fut, R> tower_service::Service<Request<hyper::body::Incoming>> for Service<F>
where
    F: Fn(Request<hyper::body::Incoming>) -> Fut,
    Fut: Future<Output = Result<R, Infallible>>,
{
    type Response = R;
    type Error = Infallible;
    type Future = Fut;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<hyper::body::Incoming>) -> Fut {
        (self.0)(request)
    }
}

#[tokio::test]
async fn two_streams_and_a_fallback_share_a_port() {
    let (streams, [door, yard]) = two();
    let listener = bind(ListenerConfig::default()).with_fallback(echo());
    let (addr, monitor) = (listener.local_addr().unwrap(), listener.handle());
    let serving = tokio::spawn(listener.serve(streams.clone(), std::future::pending()));
    publish_number(&door, 1);
    publish_number(&yard, 101);
    let mut at_door = Viewer::open(addr, "/door/?action=stream").await.unwrap();
    let mut at_yard = Viewer::open(addr, "/yard/").await.unwrap();
    let mut default = Viewer::open(addr, "/stream").await.unwrap();
    assert_next(&mut at_door, 1).await;
    assert_next(&mut at_yard, 101).await;
    assert_next(&mut default, 1).await;
    let mut client = RawClient::new(TcpStream::connect(addr).await.unwrap());
    for (path, status, body) in [
        ("/", "200 OK", &b"/ for 127.0.0.1"[..]),
        (
            "/attic/stream?x=1",
            "200 OK",
            b"/attic/stream?x=1 for 127.0.0.1",
        ),
        ("/yard/snapshot", "200 OK", &jpeg::numbered(101)),
        ("/yard/nothing", "404 Not Found", b"Nothing here."),
        ("/snapshot", "200 OK", &jpeg::numbered(1)),
    ] {
        client.get(path, "").await;
        let (head, got) = client.answer().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {head}"
        );
        assert!(got.starts_with(body), "{path}: {}", got.escape_ascii());
    }
    client.get("/yard?a=b", "").await;
    let (head, _) = client.answer().await;
    assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
    assert!(head.contains("location: ./yard/?a=b\r\n"), "{head}");

    // Ending one stream ends its viewers, and nobody else's.
    assert_eq!(streams.yard.drain(Duration::from_secs(5)).await.cut, 0);
    while at_yard.next_frame().await.unwrap().is_some() {}
    publish_number(&door, 2);
    assert_next(&mut at_door, 2).await;
    assert_next(&mut default, 2).await;
    assert_eq!(monitor.stats().connections, 3);
    client.get("/door/snapshot", "").await;
    assert_eq!(client.answer().await.1, jpeg::numbered(2));
    serving.abort();
}

#[tokio::test]
async fn one_stream_is_served_by_two_ports_and_outlives_each() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let tasks = || {
        let metrics = tokio::runtime::Handle::current().metrics();
        metrics.num_alive_tasks()
    };
    let mut ports = Vec::new();
    for _ in 0..2 {
        let listener = bind(ListenerConfig::default());
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(listener.serve(service.clone(), async {
            let _ = stopped.await;
        }));
        ports.push((addr, stop, serving));
    }
    publish_number(&producer, 1);
    let before = tasks();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        for (addr, ..) in &ports {
            let mut viewer = Viewer::open(*addr, "/").await.unwrap();
            assert_next(&mut viewer, 1).await;
            viewers.push(viewer);
        }
    }
    assert_eq!(service.viewers().len(), 6);
    // One task for all viewers of both ports: this runtime has one worker.
    assert_eq!(tasks(), before + 1);
    for (number, (addr, stop, serving)) in (2..).zip(ports) {
        stop.send(()).unwrap();
        assert_eq!(serving.await.unwrap().cut, 0);
        assert!(TcpStream::connect(addr).await.is_err());
        publish_number(&producer, number);
        for viewer in &mut viewers {
            assert_next(viewer, number).await;
        }
    }
    service.drain(Duration::from_secs(5)).await;
    for viewer in &mut viewers {
        while viewer.next_frame().await.unwrap().is_some() {}
    }
    assert_eq!(tasks(), 0);
}

/// A page, then its `<img>`; a refusal, then the retry; a proxy that keeps connections: a stream is
/// not its connection's first request.
#[tokio::test]
async fn stream_that_is_not_the_first_request_takes_the_fast_path() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let listener = bind(ListenerConfig::default());
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(service.clone(), std::future::pending()));
    publish_number(&producer, 1);
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };

    let mut viewer = RawClient::new(TcpStream::connect(addr).await.unwrap());
    viewer.get("/snapshot", "").await;
    assert_eq!(viewer.answer().await.1, jpeg::numbered(1));
    let with_connection = tasks();
    // All at once, which hyper reads ahead: the answers come in order, the stream last.
    let several = "GET /snapshot HTTP/1.1\r\nHost: t\r\n\r\nGET /nothing HTTP/1.1\r\nHost: t\r\n\r\n\
                   GET /?key=late HTTP/1.1\r\nHost: t\r\n\r\nGET /never HTTP/1.1\r\nHost: t\r\n\r\n";
    viewer.send(several).await;
    assert_eq!(viewer.answer().await.1, jpeg::numbered(1));
    assert!(viewer.answer().await.0.starts_with("HTTP/1.1 404"));
    assert!(
        viewer
            .head()
            .await
            .starts_with("HTTP/1.0 200 OK\r\nconnection: close\r\n")
    );
    for number in 1..4 {
        publish_number(&producer, number);
        let image = jpeg::numbered(number);
        let part = viewer
            .until(&[&image[..], b"\r\n--boundarydonotcross\r\n"].concat())
            .await;
        assert!(part.windows(16).any(|w| w == b"Content-Length: "));
    }
    assert_eq!(service.viewers()[0].key, "late");
    // The connection's own task has ended, and the stream's has begun.
    assert_eq!(tasks(), with_connection);
    serving.abort();
}

#[tokio::test]
async fn answer_before_a_stream_is_flushed_although_the_client_is_slow() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let config = ListenerConfig::default().with_send_buffer_bytes(8 << 10);
    let listener = bind(config);
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    let large = jpeg::of_length(7, 3_000_000);
    crate::publish(&producer, large.clone());
    let mut viewer = RawClient::new(TcpStream::connect(addr).await.unwrap());
    viewer
        .send("GET /snapshot HTTP/1.1\r\nHost: t\r\n\r\nGET /stream HTTP/1.1\r\nHost: t\r\n\r\n")
        .await;
    // The snapshot does not fit into any buffer.
    sleep(Duration::from_millis(300)).await;
    let (head, picture) = viewer.answer().await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(picture == large, "the snapshot came whole");
    assert!(viewer.head().await.starts_with("HTTP/1.0 200 OK"));
    viewer.until(&large).await;
    serving.abort();
}

/// A fallback that sends events without end, and one that upgrades.
#[tokio::test]
async fn fallback_may_stream_and_upgrade_and_is_cut_at_the_end() {
    let (streams, _producers) = two();
    let (events, _) = tokio::sync::broadcast::channel::<Bytes>(10);
    let send = events.clone();
    let fallback = Service(move |mut request: Request<hyper::body::Incoming>| {
        let events = events.clone();
        async move {
            if request.uri().path() == "/upgrade" {
                tokio::spawn(async move {
                    let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
                    let mut io = hyper_util::rt::TokioIo::new(upgraded);
                    let mut buf = [0; 4];
                    while io.read_exact(&mut buf).await.is_ok() {
                        io.write_all(&buf).await.unwrap();
                    }
                });
                let (_, body) = mpsc::unbounded_channel();
                let mut response = Response::new(body_of(body));
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                let headers = response.headers_mut();
                headers.insert("connection", "upgrade".parse().unwrap());
                headers.insert("upgrade", "echo".parse().unwrap());
                return Ok::<_, Infallible>(response);
            }
            let (sender, body) = mpsc::unbounded_channel();
            let mut events = events.subscribe();
            tokio::spawn(async move {
                while let Ok(event) = events.recv().await {
                    if sender.send(event).is_err() {
                        return;
                    }
                }
            });
            Ok(Response::new(body_of(body)))
        }
    });
    let config = ListenerConfig::default().with_grace(Duration::from_millis(300));
    let listener = bind(config).with_fallback(fallback);
    let (addr, monitor) = (listener.local_addr().unwrap(), listener.handle());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listener.serve(streams, async {
        let _ = stopped.await;
    }));
    let mut reader = RawClient::new(TcpStream::connect(addr).await.unwrap());
    reader.get("/events", "").await;
    reader.head().await;
    send.send("data: one\n\n".into()).unwrap();
    reader.until(b"data: one\n\n").await;
    let mut socket = RawClient::new(TcpStream::connect(addr).await.unwrap());
    socket
        .get("/upgrade", "Connection: upgrade\r\nUpgrade: echo\r\n")
        .await;
    assert!(socket.head().await.starts_with("HTTP/1.1 101"));
    socket.send("ping").await;
    socket.until(b"ping").await;
    assert_eq!(monitor.stats().connections, 2);

    stop.send(()).unwrap();
    let drained = timeout(Duration::from_secs(3), serving)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(drained.cut, 2);
    reader.rest().await;
    socket.rest().await;
    let all_gone = async {
        while monitor.stats().connections > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(3), all_gone).await.unwrap();
}

type Events = StreamBody<tokio_events::Receiver>;

fn body_of(events: mpsc::UnboundedReceiver<Bytes>) -> Events {
    StreamBody::new(tokio_events::Receiver(events))
}

mod tokio_events {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use bytes::Bytes;
    use http_body::Frame;
    use tokio::sync::mpsc;

    pub(super) struct Receiver(pub(super) mpsc::UnboundedReceiver<Bytes>);

    impl futures_util::Stream for Receiver {
        type Item = Result<Frame<Bytes>, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0
                .poll_recv(cx)
                .map(|event| event.map(|event| Ok(Frame::data(event))))
        }
    }
}

#[tokio::test]
async fn streams_may_change_while_a_port_is_served() {
    struct Changing(std::sync::Mutex<Option<StreamService>>);
    impl Streams for Changing {
        fn find(&self, name: &str) -> Option<StreamService> {
            self.0.lock().unwrap().clone().filter(|_| name == "late")
        }
    }
    let streams = Arc::new(Changing(None.into()));
    let listener = bind(ListenerConfig::default());
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(Arc::clone(&streams), std::future::pending()));
    let mut client = RawClient::new(TcpStream::connect(addr).await.unwrap());
    client.get("/late/snapshot", "").await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 404"));
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 3);
    *streams.0.lock().unwrap() = Some(StreamService::new(consumer, StreamConfig::default()));
    client.get("/late/snapshot", "").await;
    assert_eq!(client.answer().await.1, jpeg::numbered(3));
    serving.abort();
}

/// As WebSockets are mostly served: one task reads, another writes when there is something.
#[tokio::test]
async fn upgraded_connection_of_two_tasks_is_cut_at_the_end() {
    let (streams, _producers) = two();
    let (ended, mut has_ended) = mpsc::unbounded_channel();
    let fallback = Service(move |mut request: Request<hyper::body::Incoming>| {
        let ended = ended.clone();
        async move {
            let upgrading = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let upgraded = upgrading.await.unwrap();
                let (mut reader, mut writer) =
                    tokio::io::split(hyper_util::rt::TokioIo::new(upgraded));
                tokio::spawn(async move {
                    let _ = reader.read(&mut [0; 10]).await;
                    ended.send(()).unwrap();
                });
                sleep(Duration::from_millis(100)).await;
                writer.write_all(b"hello").await.unwrap();
                std::future::pending::<()>().await;
            });
            let mut response = Response::new(Full::new(Bytes::new()));
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert("connection", "upgrade".parse().unwrap());
            headers.insert("upgrade", "echo".parse().unwrap());
            Ok::<_, Infallible>(response)
        }
    });
    let config = ListenerConfig::default().with_grace(Duration::from_millis(200));
    let listener = bind(config).with_fallback(fallback);
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listener.serve(streams, async {
        let _ = stopped.await;
    }));
    let mut client = RawClient::new(TcpStream::connect(addr).await.unwrap());
    client
        .get("/ws", "Connection: upgrade\r\nUpgrade: echo\r\n")
        .await;
    client.until(b"hello").await;
    stop.send(()).unwrap();
    assert_eq!(serving.await.unwrap().cut, 1);
    let reader = timeout(Duration::from_secs(3), has_ended.recv()).await;
    assert!(reader.expect("the reading task is woken").is_some());
}

#[tokio::test]
async fn closed_stream_says_so_and_every_drain_waits_for_the_end() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let listener = bind(ListenerConfig::default());
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(service.clone(), std::future::pending()));
    // A viewer in the middle of a part, which it does not take.
    let stuck = Viewer::open(addr, "/").await.unwrap();
    crate::publish(&producer, jpeg::of_length(1, 9_000_000));
    while service.stats().parts == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let grace = Duration::from_millis(400);
    let (first, second) = tokio::join!(service.drain(grace), async {
        let refused = Viewer::open(addr, "/").await.unwrap();
        assert_eq!(refused.head().status, 503);
        assert_eq!(refused.head().header("Retry-After"), Some("5"));
        let second = service.drain(grace).await;
        assert_eq!(service.stats().viewers, 0);
        second
    });
    assert_eq!((first.cut, second.cut), (1, 0));
    drop(stuck);
    serving.abort();
}

/// A reverse proxy that leaves its own path in the requests.
#[tokio::test]
async fn base_path_is_removed_where_it_is() {
    let (producer, consumer) = mjpeg_fanout::channel();
    producer.set_status(mjpeg_fanout::Status::Online);
    publish_number(&producer, 1);
    for bad in ["webcam", "/web cam", "/webcam?x", "/web\r\ncam"] {
        let refused = ListenerConfig::default().with_base_path(bad);
        assert_eq!(refused, Err(InvalidConfig::BasePath), "{bad:?}");
    }
    for base in ["/printer/webcam", "/printer/webcam/"] {
        let config = ListenerConfig::default().with_base_path(base).unwrap();
        let served = Served::start_on(consumer.clone(), StreamConfig::default(), config);
        for (path, status) in [
            ("/printer/webcam/?action=snapshot", 200),
            ("/printer/webcam?action=snapshot", 200),
            ("/printer/webcam/snapshot", 200),
            ("/printer/webcam//snapshot/", 200),
            ("/?action=snapshot", 200),
            ("/snapshot", 200),
            ("/printer/webcams/snapshot", 404),
            ("/printer/snapshot", 404),
        ] {
            let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let response = request(served.addr, asked).await.unwrap();
            assert_eq!(response.head.status, status, "{path}");
        }
    }
}

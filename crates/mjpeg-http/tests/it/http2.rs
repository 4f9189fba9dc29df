//! Many streams on one connection: HTTP/2, here without the TLS around it.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use h2::{Reason, RecvStream, client::SendRequest};
use http::{Method, Request, Response};
use mjpeg_fanout::Producer;
use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService, TlsInfo, Transport, Wrap};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use crate::{Served, publish, publish_number};

/// Marks every connection as one whose client has agreed on HTTP/2.
struct Agreed;

#[async_trait]
impl Wrap for Agreed {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        let mut tls = TlsInfo::default();
        tls.is_http2 = true;
        Ok(transport.with_tls(tls))
    }
}

fn bind(config: ListenerConfig) -> Listener {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
    listener.with_wrap(Arc::new(Agreed))
}

fn served(config: StreamConfig, listener: ListenerConfig) -> (Producer, Served) {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, config);
    (producer, Served::on(bind(listener), service))
}

fn start() -> (Producer, Served) {
    served(StreamConfig::default(), ListenerConfig::default())
}

/// A connection of a client.
struct Client {
    requests: SendRequest<Bytes>,
    /// Ends with the connection.
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    async fn connect(served: &Served) -> Self {
        let stream = TcpStream::connect(served.addr).await.unwrap();
        // Like browsers: a response that is not read does not use up what all may send.
        let mut builder = h2::client::Builder::new();
        builder.initial_connection_window_size(8 << 20);
        let (requests, connection) = builder.handshake(stream).await.unwrap();
        Self {
            requests,
            connection: tokio::spawn(connection),
        }
    }

    async fn send(&mut self, request: Request<()>) -> Result<Response<RecvStream>, h2::Error> {
        let mut requests = self.requests.clone().ready().await?;
        requests.send_request(request, true)?.0.await
    }

    async fn get(&mut self, path: &str) -> Response<RecvStream> {
        self.send(get(path)).await.unwrap()
    }

    async fn watch(&mut self) -> StreamReader {
        let response = self.get("/stream").await;
        assert_eq!(response.status(), 200);
        StreamReader::new(response.into_body())
    }

    /// Waits until the server has ended the connection.
    async fn ended(self) -> Result<(), h2::Error> {
        drop(self.requests);
        let ended = timeout(Duration::from_secs(10), self.connection).await;
        ended.expect("it ends in time").unwrap()
    }
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|w| w == part)
}

fn get(path: &str) -> Request<()> {
    let uri = format!("http://test{path}");
    Request::get(uri).body(()).unwrap()
}

/// Reads a stream's body; nothing more is sent to it than what it has asked for.
struct StreamReader {
    body: RecvStream,
    received: BytesMut,
}

impl StreamReader {
    fn new(body: RecvStream) -> Self {
        Self {
            body,
            received: BytesMut::new(),
        }
    }

    /// Reads more; `None` at the end of the body.
    async fn more(&mut self) -> Option<Result<(), h2::Error>> {
        let data = timeout(Duration::from_secs(10), self.body.data()).await;
        Some(data.expect("something comes in time")?.map(|data| {
            self.received.extend_from_slice(&data);
            self.body
                .flow_control()
                .release_capacity(data.len())
                .unwrap();
        }))
    }

    /// Reads up to a frame's last byte, and returns the frame.
    async fn next_frame(&mut self) -> Bytes {
        loop {
            if let Some(frame) = self.take_frame() {
                return frame;
            }
            self.more().await.expect("the stream goes on").unwrap();
        }
    }

    async fn next_number(&mut self) -> u32 {
        let frame = self.next_frame().await;
        jpeg::number_of(&frame).expect("a numbered frame")
    }

    fn take_frame(&mut self) -> Option<Bytes> {
        let start = &self.received[..self.received.len().min(1024)];
        let length = position(start, b"Content-Length: ")?;
        let begin = length + position(&start[length..], b"\r\n\r\n")? + 4;
        let length = start[length + 16..].split(|&b| b == b'\r').next()?;
        let length: usize = str::from_utf8(length).unwrap().parse().unwrap();
        if self.received.len() < begin + length {
            return None;
        }
        let frame = self.received.split_to(begin + length).split_off(begin);
        Some(frame.freeze())
    }

    /// Expects this frame next; the one before may be repeated first.
    async fn expect(&mut self, number: u32) {
        loop {
            let got = self.next_number().await;
            if got + 1 != number {
                assert_eq!(got, number);
                return;
            }
        }
    }

    /// Reads to the end of the body.
    async fn rest(&mut self) -> Result<(), h2::Error> {
        let reading = async {
            while let Some(more) = self.more().await {
                more?;
            }
            Ok(())
        };
        let ended = timeout(Duration::from_secs(10), reading).await;
        ended.expect("it ends in time")
    }
}

/// A frame that is larger than what a client takes without asking for more.
fn large(number: u32) -> Bytes {
    jpeg::of_length(number, 200_000)
}

#[tokio::test]
async fn viewers_and_snapshots_share_a_connection() {
    let (producer, served) = start();
    publish_number(&producer, 1);
    let mut client = Client::connect(&served).await;
    let response = client.get("/stream").await;
    let headers = response.headers();
    assert_eq!(
        headers["content-type"],
        "multipart/x-mixed-replace;boundary=boundarydonotcross"
    );
    // What HTTP/2 forbids.
    assert!(!headers.contains_key("connection"), "{headers:?}");
    let mut viewers = vec![StreamReader::new(response.into_body())];
    for _ in 0..9 {
        viewers.push(client.watch().await);
    }
    assert_eq!(served.service.viewers().len(), 10);
    for number in 1..20 {
        for viewer in &mut viewers {
            viewer.expect(number).await;
        }
        let snapshot = client.get("/snapshot").await;
        assert_eq!(snapshot.status(), 200);
        let mut snapshot = StreamReader::new(snapshot.into_body());
        snapshot.rest().await.unwrap();
        assert_eq!(snapshot.received, jpeg::numbered(number));
        publish_number(&producer, number + 1);
    }
    assert_eq!(client.get("/nothing").await.status(), 404);
    let stats = served.stats();
    assert_eq!((stats.viewers, stats.listener.connections), (10, 1));
    drop(viewers);
    served.until(|stats| stats.viewers == 0).await;
    // No more requests, and the client ends the connection.
    client.ended().await.unwrap();
    assert_eq!(served.stop().await, 0);
}

#[tokio::test]
async fn slow_viewer_skips_whole_frames_and_delays_no_other_of_its_connection() {
    let (producer, served) = start();
    let mut client = Client::connect(&served).await;
    publish(&producer, large(1));
    // It takes what may be sent to it unasked, and no more for now.
    let mut slow = client.watch().await;
    let mut quick = client.watch().await;
    for number in 1..30 {
        quick.expect(number).await;
        publish(&producer, large(number + 1));
    }
    quick.expect(30).await;
    // It gets the frame that it has begun with, at most one that was on its way, and the newest.
    slow.expect(1).await;
    let next = slow.next_number().await;
    assert_eq!(
        if next == 30 {
            next
        } else {
            slow.next_number().await
        },
        30
    );
    let viewers = served.service.viewers();
    assert!(viewers[0].skipped >= 27, "{viewers:?}");
    assert_eq!(viewers[1].skipped, 0);
    drop((slow, quick, client));
    served.until(|stats| stats.viewers == 0).await;
    assert_eq!(served.stop().await, 0);
}

#[tokio::test]
async fn viewer_that_takes_nothing_is_cut_alone_and_counted() {
    let stall = Duration::from_millis(400);
    let config = StreamConfig::default().with_write_stall(stall);
    let (producer, served) = served(config, ListenerConfig::default());
    let mut client = Client::connect(&served).await;
    publish(&producer, large(1));
    let mut stuck = client.watch().await;
    let mut quick = client.watch().await;
    let mut number = 1;
    while served.stats().viewers == 2 {
        quick.expect(number).await;
        number += 1;
        publish(&producer, large(number));
    }
    assert_eq!(served.stats().write_stalls, 1);
    let error = stuck.rest().await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    quick.expect(number).await;
    drop((stuck, quick, client));
    served.until(|stats| stats.viewers == 0).await;
    assert_eq!(served.stop().await, 0);
}

#[tokio::test]
async fn frame_that_takes_too_long_ends_its_viewer() {
    let limit = Duration::from_millis(600);
    let config = StreamConfig::default().with_max_frame_send_time(limit);
    let (producer, served) = served(config, ListenerConfig::default());
    let mut client = Client::connect(&served).await;
    publish(&producer, jpeg::of_length(1, 1_000_000));
    let mut slow = client.watch().await;
    // It takes some all the time.
    let error = loop {
        match slow.more().await.expect("it is cut, not ended") {
            Ok(()) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    assert_eq!(served.stats().send_timeouts, 1);
    assert_eq!(client.get("/snapshot").await.status(), 200);
    drop(client);
    assert_eq!(served.stop().await, 0);
}

#[tokio::test]
async fn kicked_viewer_ends_even_in_the_middle_of_a_frame_and_the_other_goes_on() {
    let (producer, served) = start();
    let mut client = Client::connect(&served).await;
    publish(&producer, large(1));
    let mut stuck = client.watch().await;
    let mut idle = client.watch().await;
    idle.expect(1).await;
    let ids: Vec<u64> = served.service.viewers().iter().map(|v| v.id).collect();
    assert!(served.service.kick(ids[0]));
    let error = stuck.rest().await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    publish(&producer, large(2));
    idle.expect(2).await;
    assert!(served.service.kick(ids[1]));
    idle.rest().await.unwrap();
    assert_eq!(served.stats().kicked, 2);
    served.until(|stats| stats.viewers == 0).await;
    drop((stuck, idle, client));
    assert_eq!(served.stop().await, 0);
}

#[tokio::test]
async fn drain_ends_viewers_after_a_whole_part_and_cuts_those_who_take_none() {
    let long = Duration::from_secs(600);
    let config = StreamConfig::default().with_write_stall(long);
    let config = config.with_max_frame_send_time(long);
    let listener = ListenerConfig::default().with_write_stall(long);
    let (producer, mut served) = served(config, listener);
    served.grace = Duration::from_millis(500);
    let mut client = Client::connect(&served).await;
    publish(&producer, large(1));
    let mut stuck = client.watch().await;
    let mut quick = client.watch().await;
    quick.expect(1).await;
    assert_eq!(served.stop().await, 1);
    quick.rest().await.unwrap();
    let error = stuck.rest().await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    client.ended().await.unwrap();
}

#[tokio::test]
async fn viewers_stay_when_their_listener_ends_and_end_with_their_stream() {
    let (producer, served) = start();
    let mut client = Client::connect(&served).await;
    let mut idle = Client::connect(&served).await;
    publish_number(&producer, 1);
    assert_eq!(idle.get("/snapshot").await.status(), 200);
    let mut viewer = client.watch().await;
    viewer.expect(1).await;
    served.stop.send(()).unwrap();
    assert_eq!(served.task.await.unwrap().cut, 0);
    // Told that no more requests are taken, and without one.
    idle.ended().await.unwrap();
    assert!(client.send(get("/snapshot")).await.is_err());
    for number in 2..5 {
        publish_number(&producer, number);
        viewer.expect(number).await;
    }
    // The last clone.
    drop(served.service);
    publish_number(&producer, 9);
    let error = viewer.rest().await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    client.ended().await.unwrap();
}

#[tokio::test]
async fn viewers_stay_when_the_listener_is_dropped() {
    let (producer, served) = start();
    let mut client = Client::connect(&served).await;
    publish_number(&producer, 1);
    let mut viewer = client.watch().await;
    viewer.expect(1).await;
    served.task.abort();
    let _ = served.task.await;
    publish_number(&producer, 2);
    viewer.expect(2).await;
    served.service.drain(Duration::from_secs(5)).await;
    viewer.rest().await.unwrap();
    client.ended().await.unwrap();
}

#[tokio::test]
async fn requests_of_a_connection_are_limited() {
    let listener = ListenerConfig::default().with_max_http2_streams(3).unwrap();
    let (producer, served) = served(StreamConfig::default(), listener);
    publish_number(&producer, 1);
    let mut client = Client::connect(&served).await;
    let mut viewers = Vec::new();
    for _ in 0..3 {
        viewers.push(client.watch().await);
    }
    // A client that knows the limit waits.
    let mut requests = client.requests.clone();
    let fourth = tokio::spawn(async move {
        let (response, _) = requests.send_request(get("/snapshot"), true).unwrap();
        response.await.unwrap().status()
    });
    for number in 2..20 {
        publish_number(&producer, number);
        for viewer in &mut viewers {
            viewer.expect(number).await;
        }
    }
    assert!(!fourth.is_finished());
    viewers.pop();
    assert_eq!(fourth.await.unwrap(), 200);
    drop((viewers, client));
    served.until(|stats| stats.viewers == 0).await;
    assert_eq!(served.stop().await, 0);
}

#[tokio::test]
async fn large_heads_and_methods_of_tunnels_are_refused() {
    let (_producer, served) = start();
    let mut client = Client::connect(&served).await;
    let long = Request::get("http://test/stream").header("x", "y".repeat(20_000));
    let response = client.send(long.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 431);
    let tunnel = Request::builder().method(Method::CONNECT).uri("test:80");
    let response = client.send(tunnel.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(client.get("/stream?action=no").await.status(), 200);
    drop(client);
    served.stop().await;
}

/// The client's side of the protocol, byte by byte.
struct RawHttp2(TcpStream);

impl RawHttp2 {
    async fn connect(served: &Served) -> Self {
        let mut stream = TcpStream::connect(served.addr).await.unwrap();
        let opening = [
            &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
            &frame(4, 0, 0, b""),
        ]
        .concat();
        stream.write_all(&opening).await.unwrap();
        Self(stream)
    }

    /// Sends until the server ends the connection, and returns the reason that it gives.
    async fn flood(mut self, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
        let (mut read, mut write) = self.0.split();
        let sending = async {
            for frame in frames {
                if write.write_all(&frame).await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
            let mut received = Vec::new();
            let _ = read.read_to_end(&mut received).await;
            received
        };
        let both = async { tokio::join!(reading, sending).0 };
        let received = timeout(Duration::from_secs(10), both).await;
        goaway_reason(&received.expect("the connection is ended"))
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The error code of the last GOAWAY among these frames.
fn goaway_reason(mut frames: &[u8]) -> Option<u32> {
    let mut reason = None;
    while let Some((head, rest)) = frames.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else {
            break;
        };
        if head[3] == 7 {
            reason = payload[4..8].try_into().ok().map(u32::from_be_bytes);
        }
        frames = rest;
    }
    reason
}

/// `GET /snapshot`, in HPACK.
const SNAPSHOT: &[u8] = b"\x82\x86\x41\x04test\x04\x09/snapshot";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u32 = 11;

#[tokio::test]
async fn client_that_cancels_requests_at_once_is_cut_off() {
    let (producer, served) = start();
    publish_number(&producer, 1);
    let client = RawHttp2::connect(&served).await;
    let burst = (0..200u32).flat_map(|n| {
        let id = 2 * n + 1;
        let open = frame(HEADERS, END_STREAM | END_HEADERS, id, SNAPSHOT);
        [open, frame(RST_STREAM, 0, id, &8u32.to_be_bytes())]
    });
    let burst = std::iter::once(burst.flatten().collect());
    assert_eq!(client.flood(burst).await, Some(ENHANCE_YOUR_CALM));
    served.until(|stats| stats.listener.bad_requests == 1).await;
    served.stop().await;
}

#[tokio::test]
async fn head_without_end_is_cut_off() {
    let (_producer, served) = start();
    let client = RawHttp2::connect(&served).await;
    let open = frame(HEADERS, END_STREAM, 1, SNAPSHOT);
    // A header of its own in each, so that none is too long by itself.
    let more = (0..).map(|n: u32| {
        let header = format!("\x00\x08x{n:07}\x7f\x30{}", "y".repeat(175));
        frame(CONTINUATION, 0, 1, header.as_bytes())
    });
    let reason = client.flood(std::iter::once(open).chain(more)).await;
    assert!(reason.is_some_and(|reason| reason != 0), "{reason:?}");
    served.until(|stats| stats.listener.bad_requests == 1).await;
    served.stop().await;
}

#[tokio::test]
async fn connection_without_requests_is_closed() {
    let listener = ListenerConfig::default().with_header_timeout(Duration::from_millis(300));
    let (producer, served) = served(StreamConfig::default(), listener);
    publish_number(&producer, 1);
    // One says nothing, one nothing but hello, and one has had its answer.
    let mut silent = TcpStream::connect(served.addr).await.unwrap();
    let idle = Client::connect(&served).await;
    let mut answered = Client::connect(&served).await;
    assert_eq!(answered.get("/snapshot").await.status(), 200);
    let mut viewer = Client::connect(&served).await;
    let mut watched = viewer.watch().await;
    let mut said = Vec::new();
    let silence = silent.read_to_end(&mut said);
    let _ = timeout(Duration::from_secs(10), silence)
        .await
        .expect("in time");
    idle.ended().await.unwrap();
    answered.ended().await.unwrap();
    watched.expect(1).await;
    publish_number(&producer, 2);
    watched.expect(2).await;
    assert_eq!(served.stats().listener.header_timeouts, 2);
    drop((watched, viewer));
    served.until(|stats| stats.listener.connections == 0).await;
    served.stop().await;
}

#[tokio::test]
async fn fallback_answers_over_http2_and_its_endless_answer_is_cut_at_the_end() {
    use axum::{Router, body::Body, routing::get};
    use futures_util::stream;

    let endless = async || {
        let ticks = stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Some((io::Result::Ok("tick\n"), ()))
        });
        Body::from_stream(ticks)
    };
    let pages = Router::new()
        .route("/page", get(async || "a page"))
        .route("/ticks", get(endless));
    let grace = Duration::from_millis(300);
    let listener = bind(ListenerConfig::default().with_grace(grace)).with_fallback(pages);
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::new(consumer, StreamConfig::default());
    let served = Served::on(listener, service.clone());
    publish_number(&producer, 1);
    let mut client = Client::connect(&served).await;
    let mut viewer = client.watch().await;
    let mut page = StreamReader::new(client.get("/page").await.into_body());
    page.rest().await.unwrap();
    assert_eq!(page.received, "a page");
    let mut ticks = StreamReader::new(client.get("/ticks").await.into_body());
    ticks.more().await.unwrap().unwrap();
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
    // The viewer's connection goes on, and does not keep the rest alive.
    assert!(ticks.rest().await.is_err());
    viewer.expect(1).await;
    publish_number(&producer, 2);
    viewer.expect(2).await;
    service.drain(Duration::from_secs(5)).await;
    viewer.rest().await.unwrap();
    client.ended().await.unwrap();
}

#[cfg(feature = "replay")]
#[tokio::test]
async fn replay_and_clip_share_a_connection() {
    use mjpeg_fanout::{ReplayRing, RingConfig, RingMemory};

    let (producer, served) = start();
    let (mut writer, ring) = ReplayRing::new(RingConfig::default(), &RingMemory::new(1 << 20));
    assert!(producer.set_replay(ring));
    let mut consumer = producer.subscribe();
    for number in 1..=5 {
        publish_number(&producer, number);
        writer.push(&consumer.next().await.unwrap());
    }
    let mut client = Client::connect(&served).await;
    let replay = client.get("/stream?from=-1h").await;
    let mut replay = StreamReader::new(replay.into_body());
    // The oldest first: what is live is the last.
    assert!(replay.next_number().await < 5);
    while replay.next_number().await < 5 {}
    let clip = client.get("/clip.mjpeg?from=-1h").await;
    assert_eq!(clip.headers()["x-frames"], "5");
    let mut clip = StreamReader::new(clip.into_body());
    while let Some(more) = clip.more().await {
        more.unwrap();
    }
    let expected: Vec<u8> = (1..=5).flat_map(|n| jpeg::numbered(n).to_vec()).collect();
    assert_eq!(clip.received, expected);
    publish_number(&producer, 6);
    writer.push(&consumer.next().await.unwrap());
    replay.expect(6).await;
    assert_eq!(served.stats().viewers, 1);
    drop((replay, client));
    served.until(|stats| stats.viewers == 0).await;
}

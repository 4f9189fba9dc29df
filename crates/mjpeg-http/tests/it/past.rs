//! The past of a stream: pictures, replays and clips.

use std::{
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer, ReplayRing, RingConfig, RingMemory, RingTier, RingWriter};
use mjpeg_http::{Access, Action, Gate, Grant, Inquiry, ReplayLimit, StreamConfig, StreamService};
use mjpeg_testkit::{Response, Viewer, jpeg, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::Served;

/// A stream that keeps its frames.
struct Kept {
    producer: Producer,
    consumer: Consumer,
    writer: RingWriter,
    /// Both clocks when the stream began.
    now: (SystemTime, Instant),
}

impl Kept {
    fn new() -> Self {
        Self::with(SECOND * 3600, 64 << 20)
    }

    fn with_tier(keep: Duration) -> Self {
        Self::with(keep, 64 << 20)
    }

    fn with_memory(bytes: usize) -> Self {
        Self::with(SECOND * 3600, bytes)
    }

    fn with(keep: Duration, bytes: usize) -> Self {
        let (producer, consumer) = mjpeg_fanout::channel();
        let tier = RingTier::new(Duration::ZERO, keep);
        let config = RingConfig::default().with_tiers([tier]);
        let (writer, ring) = ReplayRing::new(config, &RingMemory::new(bytes));
        assert!(producer.set_replay(ring));
        let now = (SystemTime::now(), Instant::now());
        Self {
            producer,
            consumer,
            writer,
            now,
        }
    }

    /// Publishes a frame that was captured so long ago.
    fn publish(&mut self, frame: bytes::Bytes, ago: Duration) {
        let (wall, mono) = self.now;
        let stamp = Stamp::new(wall - ago, (mono - ago).into_std());
        self.producer.publish(Frame::parse(frame).unwrap(), stamp);
        self.writer.push(&self.consumer.latest().unwrap());
    }

    /// Publishes one frame per interval, so that the last one is of now. Their numbers begin at 1.
    fn fill(&mut self, frames: u32, interval: Duration) {
        for number in 1..=frames {
            self.publish(jpeg::numbered(number), interval * (frames - number));
        }
    }

    /// Publishes a frame that is captured now.
    fn publish_now(&mut self, number: u32) {
        self.now = (SystemTime::now(), Instant::now());
        self.publish(jpeg::numbered(number), Duration::ZERO);
    }

    fn serve(&self, config: StreamConfig) -> Served {
        Served::start(self.consumer.clone(), config)
    }
}

const SECOND: Duration = Duration::from_secs(1);

async fn get(served: &Served, path: &str) -> Response {
    // HTTP/1.0, so that what has no length is not chunked.
    let asked = format!("GET {path} HTTP/1.0\r\n\r\n");
    request(served.addr, asked).await.unwrap()
}

fn text(response: &Response) -> &str {
    str::from_utf8(&response.body).unwrap()
}

#[tokio::test]
async fn picture_of_any_time_is_the_last_one_until_then_with_its_live_tag() {
    let mut kept = Kept::new();
    let served = kept.serve(StreamConfig::default());
    let mut live = Vec::new();
    for number in 1..=10 {
        kept.publish(jpeg::numbered(number), SECOND * (10 - number));
        let picture = get(&served, "/snapshot").await;
        let tag = picture.head.header("etag").unwrap().to_owned();
        let time = picture.head.header("x-timestamp").unwrap().to_owned();
        live.push((tag, time));
    }
    for (number, (tag, time)) in (1..).zip(&live) {
        let picture = get(&served, &format!("/snapshot?at={time}")).await;
        assert_eq!(picture.body, jpeg::numbered(number), "{time}");
        assert_eq!(picture.head.header("etag"), Some(&tag[..]));
        assert_eq!(picture.head.header("x-timestamp"), Some(&time[..]));
        let asked = format!("GET /snapshot?at={time} HTTP/1.0\r\nIf-None-Match: {tag}\r\n\r\n");
        let same = request(served.addr, asked).await.unwrap();
        assert_eq!((same.head.status, same.body.len()), (304, 0));
    }
    // The test may take a while, but less than a second.
    for (at, number) in [("-3.5s", 6), ("now", 10), ("-8.9", 1), ("-500ms", 9)] {
        let picture = get(&served, &format!("/snapshot?at={at}")).await;
        assert!(
            [number, number + 1].contains(&jpeg::number_of(&picture.body).unwrap()),
            "{at}"
        );
    }
    let half_past = kept.now.0 - SECOND * 5 + SECOND / 2;
    let half_past = httpdate_with_fraction(half_past);
    let picture = get(&served, &format!("/snapshot.jpg?at={half_past}")).await;
    assert_eq!(picture.body, jpeg::numbered(5));
    let head = format!("HEAD /snapshot?at={half_past} HTTP/1.0\r\n\r\n");
    let head = request(served.addr, head).await.unwrap();
    assert_eq!(head.head.header("etag"), Some(&live[4].0[..]));
}

/// Seconds since 1970, with a fraction.
fn httpdate_with_fraction(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
}

#[tokio::test]
async fn time_that_is_not_kept_is_not_found_and_a_bad_one_is_explained() {
    let mut kept = Kept::new();
    let served = kept.serve(StreamConfig::default());
    let empty = get(&served, "/snapshot?at=now").await;
    assert_eq!(
        (empty.head.status, text(&empty)),
        (404, "No picture is kept yet.\n")
    );
    kept.fill(3, SECOND);
    let paths = [
        "/snapshot?at=-1m",
        "/clip.mov?from=-1m&to=-50s",
        "/clip.zip?from=now",
    ];
    for path in paths {
        let missing = get(&served, path).await;
        assert_eq!(missing.head.status, 404, "{path}");
        let oldest = httpdate::fmt_http_date(kept.now.0 - SECOND * 2);
        let time = &oldest[17..25];
        assert!(
            text(&missing).contains(time),
            "{oldest}: {}",
            text(&missing)
        );
    }
    for (path, reason) in [
        ("/snapshot?at=tomorrow", "parameter at is not a time"),
        ("/snapshot?at=+1m", "in at has not come yet"),
        ("/stream?from=%00", "parameter from is not a time"),
        ("/stream?from=+1m", "in from has not come yet"),
        ("/stream?from=-1m&speed=0", "from 0.1 to 100"),
        ("/stream?from=-1m&to=-2m", "before the beginning"),
        ("/clip.avi", "where the clip begins"),
        (
            "/clip.avi?from=-10s&to=+1h",
            "in to is more than 30 s ahead",
        ),
    ] {
        let refused = get(&served, path).await;
        assert_eq!(refused.head.status, 400, "{path}");
        assert!(
            text(&refused).contains(reason),
            "{path}: {}",
            text(&refused)
        );
        assert_eq!(
            refused.head.header("access-control-allow-origin"),
            Some("*")
        );
    }
    assert_eq!(get(&served, "/clip.mkv?from=-1s").await.head.status, 404);
    let posted = "POST /clip.mov?from=-1s HTTP/1.0\r\n\r\n";
    assert_eq!(request(served.addr, posted).await.unwrap().head.status, 405);
}

#[tokio::test]
async fn stream_that_keeps_nothing_says_so_and_stays_live_without_from() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    crate::publish_number(&producer, 1);
    for path in ["/snapshot?at=-1s", "/stream?from=-1s", "/clip.mov?from=-1s"] {
        let missing = get(&served, path).await;
        assert_eq!(missing.head.status, 404, "{path}");
        assert_eq!(text(&missing), "This stream keeps no past frames.\n");
    }
    let mut viewer = Viewer::open(served.addr, "/stream?speed=2").await.unwrap();
    crate::assert_next(&mut viewer, 1).await;
}

#[tokio::test]
async fn replay_shows_the_past_at_its_speed_and_goes_on_with_the_present() {
    let mut kept = Kept::new();
    kept.fill(20, SECOND / 10);
    let served = kept.serve(StreamConfig::default());
    let began = Instant::now();
    let path = "/stream?from=-1.45s&speed=2&key=past";
    let mut viewer = Viewer::open(served.addr, path).await.unwrap();
    let first = viewer.next_frame().await.unwrap().unwrap();
    let first = jpeg::number_of(&first).unwrap();
    assert!((5..=7).contains(&first), "{first}");
    for number in first + 1..=20 {
        crate::assert_next(&mut viewer, number).await;
    }
    let took = began.elapsed();
    let due = SECOND / 20 * (20 - first - 1);
    assert!((due..due + SECOND / 2).contains(&took), "{took:?}");
    kept.publish_now(21);
    crate::assert_next(&mut viewer, 21).await;
    let viewers = served.service.viewers();
    assert_eq!(
        (viewers[0].protocol, &viewers[0].key[..]),
        ("replay", "past")
    );
    // It needs no camera, and its frames are not late.
    assert_eq!(kept.producer.demand().now(), 0);
    assert_eq!(served.stats().ages.counts.iter().sum::<u64>(), 0);
    assert!(served.service.kick(viewers[0].id));
    served.until(|stats| stats.viewers == 0).await;
    let again = get(&served, path).await;
    assert_eq!(again.head.status, 410);
}

#[tokio::test]
async fn replay_ends_where_it_is_told_to_and_frames_keep_their_identity() {
    let mut kept = Kept::new();
    kept.fill(10, SECOND / 10);
    let served = kept.serve(StreamConfig::default());
    let from = httpdate_with_fraction(kept.now.0 - SECOND);
    let to = httpdate_with_fraction(kept.now.0 - SECOND / 2 + SECOND / 100);
    let path = format!("/stream?from={from}&to={to}&speed=10");
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let via = [("X-Mjpeg-Via", "0000000000000001")];
    let mut viewer = Viewer::open_with(served.addr, &path, &via).await.unwrap();
    let mut numbers = Vec::new();
    while let Some(part) = viewer.next_part().await.unwrap() {
        let number = jpeg::number_of(&part.body).unwrap();
        assert_eq!(part.header("x-seq"), Some(&number.to_string()[..]));
        let epoch = kept.producer.epoch().to_string();
        assert_eq!(part.header("x-epoch"), Some(&epoch[..]));
        numbers.push(number);
    }
    numbers.dedup();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    // The tasks that served it end, too.
    drop(viewer);
    let ended = async {
        while tasks() > before {
            sleep(SECOND / 50).await;
        }
    };
    timeout(SECOND * 5, ended).await.unwrap();
}

#[tokio::test]
async fn clip_holds_the_frames_of_its_time_as_they_were() {
    let mut kept = Kept::new();
    kept.fill(20, SECOND / 10);
    let service = StreamService::builder(kept.consumer.clone()).name("front door");
    let addr = "127.0.0.1:0".parse().unwrap();
    let listener = mjpeg_http::Listener::bind(addr, Default::default()).unwrap();
    let served = Served::on(listener, service.build());
    let at = |ago| httpdate_with_fraction(kept.now.0 - ago - SECOND / 20);
    let span = format!("from={}&to={}", at(SECOND), at(SECOND / 2));
    let expected: Vec<u8> = (10..15).flat_map(|n| jpeg::numbered(n).to_vec()).collect();
    let clip = get(&served, &format!("/clip.mjpeg?{span}")).await;
    assert_eq!((clip.head.status, &clip.body[..]), (200, &expected[..]));
    for (format, media) in [
        ("mov", "video/quicktime"),
        ("avi", "video/x-msvideo"),
        ("zip", "application/zip"),
    ] {
        let clip = get(&served, &format!("/clip.{format}?{span}")).await;
        let header = |name| clip.head.header(name).unwrap_or_default();
        assert_eq!((header("content-type"), header("x-frames")), (media, "5"));
        assert!(header("cache-control").contains("no-store"));
        let name = header("content-disposition");
        assert!(
            name.starts_with("attachment; filename=\"frontdoor_20"),
            "{name}"
        );
        assert!(name.ends_with(&format!("Z.{format}\"")), "{name}");
        for number in 10..15 {
            let frame = jpeg::numbered(number);
            assert!(contains(&clip.body, &frame), "{format} {number}");
        }
        let length = clip.head.header("content-length");
        let expected = (format == "avi").then(|| clip.body.len().to_string());
        assert_eq!(length.map(str::to_owned), expected);
    }
    let head = format!("HEAD /clip.avi?{span} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let head = request(served.addr, head).await.unwrap();
    assert!(head.head.header("content-length").is_some());
    served.until(|stats| stats.clips == 5).await;
    // Without an end, it ends now.
    let clip = get(&served, "/clip.mjpeg?from=-1h").await;
    assert!(clip.body.ends_with(&jpeg::numbered(20)));
}

#[tokio::test]
async fn clip_that_ends_ahead_waits_for_its_last_frames() {
    let mut kept = Kept::new();
    kept.fill(3, SECOND / 10);
    let served = kept.serve(StreamConfig::default());
    let began = Instant::now();
    let later = async {
        sleep(SECOND / 4).await;
        kept.publish_now(4);
        sleep(SECOND).await;
        kept.publish_now(5);
    };
    let (clip, ()) = tokio::join!(get(&served, "/clip.mjpeg?from=-1h&to=+1s"), later);
    assert!(began.elapsed() >= SECOND);
    let expected: Vec<u8> = (1..=4).flat_map(|n| jpeg::numbered(n).to_vec()).collect();
    assert_eq!(clip.body, expected);
}

#[tokio::test]
async fn replays_and_clips_over_a_limit_are_refused_until_one_ends() {
    let mut kept = Kept::new();
    kept.fill(3, SECOND / 10);
    let together = ReplayLimit::new(3);
    let config = StreamConfig::default()
        .with_max_replays(2)
        .with_replay_limit(together.clone());
    let one = kept.serve(config.clone());
    let other = kept.serve(config);
    let replay = |served: &Served| Viewer::open(served.addr, "/stream?from=-1s");
    let first = replay(&one).await.unwrap();
    let _second = replay(&one).await.unwrap();
    let refused = get(&one, "/clip.mov?from=-1h").await;
    assert_eq!(refused.head.status, 503);
    assert_eq!(refused.head.header("retry-after"), Some("5"));
    assert!(text(&refused).contains("this stream may have 2"));
    let _third = replay(&other).await.unwrap();
    let refused = get(&other, "/stream?from=-1h").await;
    assert_eq!(refused.head.status, 503);
    assert!(text(&refused).contains("all streams together may have 3"));
    assert_eq!((together.now(), together.refused()), (3, 1));
    assert_eq!(
        (one.stats().replays_refused, other.stats().replays_refused),
        (1, 1)
    );
    drop(first);
    one.until(|stats| stats.viewers == 1).await;
    assert_eq!(get(&one, "/clip.mov?from=-1h").await.head.status, 200);
    // What is live, and single pictures, have limits of their own.
    let _live = Viewer::open(one.addr, "/stream").await.unwrap();
    assert_eq!(get(&one, "/snapshot?at=now").await.head.status, 200);
}

/// A client that reads only when told to.
async fn slow_client(served: &Served, path: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut client = socket.connect(served.addr).await.unwrap();
    let asked = format!("GET {path} HTTP/1.0\r\n\r\n");
    client.write_all(asked.as_bytes()).await.unwrap();
    client
}

#[tokio::test]
async fn reader_of_a_clip_is_cut_only_when_it_takes_nothing() {
    const FRAME_BYTES: usize = 200_000;
    let mut kept = Kept::new();
    for number in 1..=30 {
        let frame = jpeg::of_length(number, FRAME_BYTES);
        kept.publish(frame, SECOND / 10 * (30 - number));
    }
    let limit = SECOND;
    let config = StreamConfig::default()
        .with_write_stall(limit)
        .with_max_frame_send_time(limit);
    let served = kept.serve(config);
    let mut slow = slow_client(&served, "/clip.avi?from=-1h").await;
    let _stalled = slow_client(&served, "/clip.avi?from=-1h").await;
    // All of it takes longer than any limit.
    let began = Instant::now();
    let mut clip = vec![0; FRAME_BYTES * 30];
    for piece in clip.chunks_mut(FRAME_BYTES) {
        slow.read_exact(piece).await.unwrap();
        sleep(limit / 10).await;
    }
    assert!(began.elapsed() > limit * 2);
    slow.read_to_end(&mut clip).await.unwrap();
    assert!(
        clip.windows(4)
            .rev()
            .take(1000)
            .any(|bytes| bytes == b"idx1")
    );
    let cut = |stats: &crate::Counted| stats.write_stalls + stats.send_timeouts;
    served.until(|stats| cut(stats) == 1).await;
}

/// Admits nobody to the past, and notes what it was asked.
#[derive(Default)]
struct NoPast(Mutex<Vec<Action>>);

#[async_trait]
impl Gate for NoPast {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        self.0.lock().unwrap().push(inquiry.action);
        if inquiry.action == Action::Replay {
            let refusal = http::Response::builder().status(403);
            return Access::deny(refusal.body("No.\n".into()).unwrap());
        }
        Access::Allow(Grant::default())
    }
}

#[tokio::test]
async fn gate_is_asked_whether_the_past_may_be_seen() {
    let mut kept = Kept::new();
    kept.fill(3, SECOND / 10);
    let gate = Arc::new(NoPast::default());
    let service = StreamService::builder(kept.consumer.clone()).gate(gate.clone());
    let addr = "127.0.0.1:0".parse().unwrap();
    let listener = mjpeg_http::Listener::bind(addr, Default::default()).unwrap();
    let served = Served::on(listener, service.build());
    let past = [
        "/snapshot?at=now",
        "/stream?from=-1s",
        "/clip.zip?from=-1s",
        "/snapshot?at=x",
    ];
    for path in past {
        assert_eq!(get(&served, path).await.head.status, 403, "{path}");
    }
    assert_eq!(*gate.0.lock().unwrap(), [Action::Replay; 4]);
    assert_eq!(get(&served, "/snapshot").await.head.status, 200);
}

#[tokio::test]
async fn slow_replay_goes_on_with_the_oldest_frame_when_its_own_is_gone() {
    let mut kept = Kept::with_tier(SECOND);
    kept.fill(10, SECOND / 10);
    let served = kept.serve(StreamConfig::default());
    let path = "/stream?from=-1d&speed=0.1";
    let mut viewer = Viewer::open(served.addr, path).await.unwrap();
    // It does not wait for a day to pass.
    crate::assert_next(&mut viewer, 1).await;
    let publishing = async {
        for number in 11.. {
            sleep(SECOND / 10).await;
            kept.publish_now(number);
        }
    };
    let watching = async {
        let mut last = 1;
        // Ten times slower, it would not come this far in less than 40 s.
        while last < 40 {
            let frame = viewer.next_frame().await.unwrap().unwrap();
            let number = jpeg::number_of(&frame).unwrap();
            assert!(number >= last);
            last = number;
        }
    };
    let watched = async {
        tokio::select! {
            () = publishing => {}
            () = watching => {}
        }
    };
    timeout(SECOND * 8, watched).await.unwrap();
}

#[tokio::test]
async fn frames_that_are_dropped_while_a_clip_is_sent_are_left_out_or_replaced() {
    for (format, size_is_known) in [("avi", true), ("mjpeg", false)] {
        // Room for some of the frames only.
        let mut kept = Kept::with_memory(8 << 20);
        for number in 1..=30 {
            let frame = jpeg::of_length(number, 200_000);
            kept.publish(frame, SECOND / 10 * (30 - number));
        }
        let served = kept.serve(StreamConfig::default());
        let mut slow = slow_client(&served, &format!("/clip.{format}?from=-1h")).await;
        let mut clip = vec![0; 250_000];
        slow.read_exact(&mut clip).await.unwrap();
        for number in 31..=60 {
            kept.publish(jpeg::of_length(number, 200_000), Duration::ZERO);
        }
        slow.read_to_end(&mut clip).await.unwrap();
        let is_there = |number| contains(&clip, &jpeg::of_length(number, 200_000));
        assert!(is_there(1), "{format}");
        assert!(!(18..=20).all(is_there) && !is_there(31), "{format}");
        if size_is_known {
            let head = clip
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
                .unwrap();
            let text = str::from_utf8(&clip[..head]).unwrap().to_ascii_lowercase();
            let length = format!("content-length: {}", clip.len() - head - 4);
            assert!(text.contains(&length), "{text}");
        }
    }
}

/// Whether a file holds a JPEG.
fn contains(bytes: &[u8], jpeg: &[u8]) -> bool {
    let starts = bytes.windows(2).enumerate();
    let mut starts = starts.filter(|(_, pair)| *pair == [0xff, 0xd8]);
    starts.any(|(at, _)| bytes[at..].starts_with(jpeg))
}

#[tokio::test]
async fn clip_that_is_taken_at_once_lets_others_have_their_turns() {
    let mut kept = Kept::new();
    for number in 1..=60 {
        let frame = jpeg::of_length(number, 100_000);
        kept.publish(frame, SECOND / 100 * (60 - number));
    }
    let service = StreamService::new(kept.consumer.clone(), StreamConfig::default());
    let asked = http::Request::get("/clip.mjpeg?from=-1h").body(()).unwrap();
    let mut clip = hyper::service::Service::call(&service, asked)
        .await
        .unwrap();
    let mut body = std::pin::pin!(clip.body_mut());
    let (mut turns, mut bytes, mut of_turn) = (0, 0, 0);
    std::future::poll_fn(|cx| {
        while let Poll::Ready(piece) = http_body::Body::poll_frame(body.as_mut(), cx) {
            let Some(Ok(piece)) = piece else {
                return Poll::Ready(());
            };
            let length = piece.into_data().unwrap().len();
            (bytes, of_turn) = (bytes + length, of_turn + length);
            assert!(of_turn < 512 << 10, "{of_turn} bytes in one turn");
        }
        (turns, of_turn) = (turns + 1, 0);
        Poll::Pending
    })
    .await;
    assert!(bytes > 60 * 100_000 && turns > 10, "{bytes} in {turns}");
}

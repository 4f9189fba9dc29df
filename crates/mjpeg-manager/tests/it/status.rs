//! What `get` and `list` report.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
#[cfg(feature = "http")]
use mjpeg_ingest::{FailureReason, Source};
#[cfg(feature = "http")]
use mjpeg_manager::StreamSpec;
use mjpeg_manager::{
    DiscardTotal, HttpOutlet, StartMode, StreamState,
    mjpeg_codec::{Frame, repair::Repairs},
};
#[cfg(feature = "http")]
use mjpeg_testkit::FakeHttpCamera;
use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, refused_addr};

use crate::support::{config, live, manager, serving_by, spec, until};

#[tokio::test]
async fn list_is_sorted_by_name() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    for name in ["b", "a", "c"] {
        manager.start(spec(name, camera.addr())).await.unwrap();
    }
    let names: Vec<_> = manager
        .list()
        .iter()
        .map(|stream| stream.name.to_string())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn running_stream_tells_all_about_itself() {
    let before = SystemTime::now();
    let frames: Vec<_> = (0..20).map(|n| jpeg::sized(n, 80, 48)).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(20))).await;
    let http = HttpOutlet::default();
    let manager = serving_by(config(), &http);
    let started = manager.start(spec("door", camera.addr())).await.unwrap();
    let addr = started.listen.unwrap();
    assert!(addr.ip().is_loopback() && addr.port() != 0);
    let _viewers = [
        Viewer::open(addr, "/?key=hall").await.unwrap(),
        Viewer::open(addr, "/").await.unwrap(),
    ];
    until("frames", async || manager.get("door").unwrap().frames >= 50).await;

    let info = manager.get("door").unwrap();
    assert_eq!(info.source, format!("tcp://{}", camera.addr()));
    assert_eq!(info.peer, Some(camera.addr().to_string()));
    assert_eq!(info.mode, StartMode::Require);
    assert_eq!(info.state, StreamState::Online);
    assert!(info.since >= before && info.since <= SystemTime::now());
    assert_eq!(info.size, Some((80, 48)));
    assert!(info.fps > 5.0 && info.fps < 60.0, "{} fps of 50", info.fps);
    assert!(info.bytes > info.frames * 400);
    assert_eq!(info.viewers, 2);
    let viewers = http.viewers("door");
    let keys: Vec<_> = viewers.iter().map(|viewer| &viewer.key[..]).collect();
    assert_eq!(keys, ["hall", ""]);
    assert!(viewers.iter().all(|viewer| viewer.sent > 0));
    assert_eq!((info.reconnects, info.panics), (0, 0));
    assert!(info.last_error.is_none());
    let reasons: Vec<_> = info.discarded.keys().copied().collect();
    assert_eq!(
        reasons,
        [
            "damaged",
            "driver_dropped",
            "extra_image",
            "flood",
            "framing",
            "garbage",
            "lost_packets",
            "malformed",
            "not_jpeg",
            "too_large",
            "truncated",
            "unsupported"
        ]
    );
    assert!(
        info.discarded
            .values()
            .all(|&tally| tally == DiscardTotal::default()),
        "{:?}",
        info.discarded
    );
}

#[tokio::test]
async fn discarded_bytes_are_told_by_reason_and_unsupported_frames_held_back() {
    let (good, last) = (jpeg::numbered(1), jpeg::numbered(2));
    let sof = good.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    let mut lossless = good.to_vec();
    lossless[sof + 1] = 0xC3;
    let cut = good.slice(..good.len() - 100);
    let stream = [b"junk", &good[..], &lossless, &cut, &last].concat();
    let sent_bytes = stream.len() as u64;
    let camera = Camera::start(Script::new(vec![Step::Send(stream.into()), Step::Stall])).await;
    let manager = manager();
    let addr = manager
        .start(spec("door", camera.addr()))
        .await
        .unwrap()
        .listen
        .unwrap();
    until("both frames", async || {
        manager.get("door").unwrap().frames == 2
    })
    .await;
    let info = manager.get("door").unwrap();
    let tally = |reason: &str| (info.discarded[reason].count, info.discarded[reason].bytes);
    assert_eq!(tally("garbage"), (1, 4));
    assert_eq!(tally("unsupported"), (1, lossless.len() as u64));
    assert_eq!(tally("truncated"), (1, cut.len() as u64));
    assert_eq!(info.bytes, (good.len() + last.len()) as u64);
    assert_eq!(info.received_bytes, sent_bytes);
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(viewer.next_frame().await.unwrap().unwrap(), last);
}

#[tokio::test]
async fn unsupported_frames_are_passed_on_if_asked() {
    let good = jpeg::numbered(1);
    let sof = good.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    let mut lossless = good.to_vec();
    lossless[sof + 1] = 0xC3;
    let camera = Camera::start(Script::frames([lossless.clone().into()])).await;
    let manager = manager();
    let spec = spec("door", camera.addr()).with_pass_unsupported(true);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(viewer.next_frame().await.unwrap().unwrap(), lossless);
}

/// A frame without Huffman tables, as some cameras send it, and one with a thumbnail, each with
/// what viewers should get.
fn frames_to_repair() -> [(Bytes, Bytes); 2] {
    let (plain, other) = (jpeg::numbered(1), jpeg::numbered(2));
    let bare = jpeg::without_dht(&plain);
    let (whole, _) = Frame::parse(bare.clone())
        .unwrap()
        .repaired(Repairs::RECOMMENDED);
    let with_thumbnail = jpeg::with_thumbnail(&other, &jpeg::sized(3, 16, 16));
    [(bare, whole.into_bytes()), (with_thumbnail, other)]
}

#[tokio::test]
async fn frames_are_repaired_and_the_repairs_counted() {
    for (sent, expected) in frames_to_repair() {
        assert_ne!(sent, expected);
        let camera = Camera::start(Script::frames([sent.clone()])).await;
        let manager = manager();
        let info = manager.start(spec("door", camera.addr())).await.unwrap();
        let mut viewer = Viewer::open(info.listen.unwrap(), "/").await.unwrap();
        assert_eq!(viewer.next_frame().await.unwrap().unwrap(), expected);
        let info = manager.get("door").unwrap();
        let tables = u64::from(!sent.windows(2).any(|w| w == [0xFF, 0xC4]));
        assert_eq!(info.repaired["huffman_tables"], tables);
        assert_eq!(info.repaired["embedded_markers"], 1 - tables);
        assert_eq!(info.repaired["eoi"], 0);
        assert_eq!(info.bytes, expected.len() as u64);
    }
}

/// A camera that omits EOI, and once breaks a picture off in its scan.
#[tokio::test]
async fn pictures_without_eoi_are_repaired_and_those_cut_off_held_back() {
    let frames: Vec<Bytes> = (0..6).map(|n| jpeg::dense(n, 4_000)).collect();
    let without_eoi = |frame: &Bytes| frame.slice(..frame.len() - 2);
    let mut sent: Vec<Bytes> = frames.iter().map(without_eoi).collect();
    let cut_off = sent[3].slice(..2_500);
    sent[3] = cut_off.clone();
    let stream = Step::Send(sent.concat().into());
    let camera = Camera::start(Script::new(vec![stream.clone(), Step::Stall])).await;
    let manager = manager();
    manager.start(spec("door", camera.addr())).await.unwrap();
    until("four pictures", async || {
        manager.get("door").unwrap().frames == 4
    })
    .await;
    let info = manager.get("door").unwrap();
    assert_eq!(info.repaired["eoi"], 4);
    assert_eq!(info.discarded["truncated"].count, 1);
    assert_eq!(info.discarded["truncated"].bytes, cut_off.len() as u64);
    let whole = |n: usize| frames[n].len() as u64;
    assert_eq!(info.bytes, whole(0) + whole(1) + whole(2) + whole(4));

    let camera = Camera::start(Script::new(vec![stream, Step::Stall])).await;
    let off = spec("gate", camera.addr()).with_repair(Repairs::NONE);
    manager.start(off).await.unwrap();
    // The latest range may still grow, so it is not yet told.
    until("discarded", async || {
        manager.get("gate").unwrap().discarded["truncated"].count == 4
    })
    .await;
    assert_eq!(manager.get("gate").unwrap().frames, 0);
}

/// A grey picture of 8192 by 8192 pixels, of two bits for each block: made to take long.
fn shortest_blocks() -> Bytes {
    let table = |selector: u8| {
        let mut table = vec![0xFF, 0xC4, 0, 20, selector, 1];
        table.resize(22, 0);
        table
    };
    let mut frame = vec![0xFF, 0xD8];
    frame.extend([0xFF, 0xC0, 0, 11, 8, 0x20, 0, 0x20, 0, 1, 1, 0x11, 0]);
    frame.extend([table(0x00), table(0x10)].concat());
    frame.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0]);
    frame.resize(frame.len() + 1024 * 1024 / 4, 0);
    frame.extend([0xFF, 0xD9]);
    frame.into()
}

#[tokio::test(flavor = "current_thread")]
async fn check_of_a_picture_made_to_take_long_leaves_others_their_turn() {
    let picture = shortest_blocks();
    let length = picture.len() as u64;
    let camera = Camera::start(Script::new(vec![Step::Send(picture), Step::Stall])).await;
    let manager = manager();
    let checked = spec("door", camera.addr()).with_check(true);
    manager.start(checked).await.unwrap();
    let mut turns = 0;
    while manager.get("door").unwrap().frames == 0 {
        // All of it is here, and only the check takes time.
        turns += u64::from(camera.bytes_sent() == length);
        tokio::task::yield_now().await;
    }
    assert!(turns > 15, "{turns} turns");
}

#[tokio::test]
async fn flood_is_told_in_the_status() {
    let flood = [0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF].repeat(1_500_000);
    let camera = Camera::start(Script::new(vec![Step::Send(flood.into()), Step::Stall])).await;
    let manager = manager();
    manager.start(spec("door", camera.addr())).await.unwrap();
    until("told", async || {
        let info = manager.get("door").unwrap();
        info.last_error
            .is_some_and(|error| error.message.contains("flood"))
            && info.discarded["flood"].bytes > 0
    })
    .await;
}

#[tokio::test]
async fn frames_stay_as_they_came_where_repair_is_off() {
    for (sent, _) in frames_to_repair() {
        let camera = Camera::start(Script::frames([sent.clone()])).await;
        let manager = manager();
        let spec = spec("door", camera.addr()).with_repair(Repairs::NONE);
        let info = manager.start(spec).await.unwrap();
        let mut viewer = Viewer::open(info.listen.unwrap(), "/").await.unwrap();
        assert_eq!(viewer.next_frame().await.unwrap().unwrap(), sent);
    }
}

#[tokio::test]
async fn offline_camera_tells_why_and_since_when() {
    let addr = refused_addr().await;
    let manager = manager();
    manager
        .start(spec("door", addr).with_mode(StartMode::Retry))
        .await
        .unwrap();
    until("offline", async || {
        manager.get("door").unwrap().last_error.is_some()
    })
    .await;
    let info = manager.get("door").unwrap();
    let error = info.last_error.unwrap();
    assert!(
        error
            .message
            .starts_with(&format!("cannot connect to {addr}: ")),
        "{}",
        error.message
    );
    assert!(error.at <= SystemTime::now());
    assert_eq!(
        (info.frames, info.fps, info.size, info.peer),
        (0, 0.0, None, None)
    );

    let _camera = Camera::start_at(addr, live()).await.unwrap();
    until("online", async || manager.get("door").unwrap().frames > 0).await;
    let info = manager.get("door").unwrap();
    assert_eq!(
        (info.state, info.reconnects),
        (StreamState::Online, 0),
        "the first connection is no reconnect"
    );
}

/// Each limit of a source has a counter of its own.
#[cfg(feature = "http")]
#[tokio::test]
async fn failures_are_counted_by_reason_and_source() {
    let says =
        |answer: String| FakeHttpCamera::start(move |_| vec![Step::Send(answer.clone().into())]);
    let stuck = || says("HTTP/1.1 200 OK\r\n".into());
    let refusing = refused_addr().await;
    let cameras = [
        ("answer_timeout", stuck(), "/#answer_timeout=50ms"),
        (
            "stall_limit",
            says("HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=b\r\n\r\n".into()),
            "/#stall_limit=50ms",
        ),
        (
            "max_head_bytes",
            says(format!(
                "HTTP/1.1 200 OK\r\nX: {}\r\n\r\n",
                "x".repeat(65 << 10)
            )),
            "/",
        ),
        (
            "max_informational_heads",
            says("HTTP/1.1 102 Processing\r\n\r\n".repeat(9)),
            "/",
        ),
        (
            "max_redirects",
            says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".into()),
            "/",
        ),
        (
            "login",
            FakeHttpCamera::saying("HTTP/1.1 401 Unauthorized\r\n\r\n"),
            "/",
        ),
        (
            "unusable",
            FakeHttpCamera::saying("HTTP/1.1 404 Not Found\r\n\r\n"),
            "/",
        ),
    ];
    let manager = manager();
    for (reason, camera, options) in &cameras {
        let name = reason.replace('_', "-");
        let off: Source = format!("tcp://{refusing}").parse().unwrap();
        let spec = StreamSpec::parse(&name, &camera.url(options)).unwrap();
        let spec = spec.with_fallback(off.clone()).with_mode(StartMode::Retry);
        manager.start(spec).await.unwrap();
        until(reason, async || {
            let info = manager.get(&name).unwrap();
            info.failures[reason] > 0
        })
        .await;
        let info = manager.get(&name).unwrap();
        let of_first = &info.sources[0].failures;
        assert_eq!(of_first.keys().collect::<Vec<_>>(), [reason], "{info:?}");
        assert_eq!(info.failures.len(), FailureReason::ALL.len());
        let others = info.failures.iter().filter(|(word, _)| *word != reason);
        let others: u64 = others
            .filter(|(word, _)| **word != "unreachable")
            .map(|(_, n)| n)
            .sum();
        assert_eq!(others, 0, "{info:?}");
        // What is kept of the sources goes with them, the total stays.
        manager.set_sources(&name, [off]).await.unwrap();
        let info = manager.get(&name).unwrap();
        assert!(info.failures[reason] > 0 && !info.sources[0].failures.contains_key(reason));
    }
}

//! Streams while their cameras and viewers come and go.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_ingest::Source;
use mjpeg_manager::{
    Change, Error, Placeholder, StartMode, StreamSpec, StreamState,
    mjpeg_codec::{
        Frame,
        repair::{Orientation, Repairs},
    },
};
use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, refused_addr, request};
use tokio::time::{Instant, sleep};

use crate::support::{LOOPBACK, live, manager, soon, spec, until};

const LINGER: Duration = Duration::from_millis(300);

fn source(camera: &Camera) -> Source {
    camera.url().parse().unwrap()
}

fn retried(name: &str, camera: std::net::SocketAddr) -> StreamSpec {
    spec(name, camera).with_mode(StartMode::Retry)
}

fn own_picture() -> Placeholder {
    Placeholder::Picture(Frame::parse(jpeg::numbered(4711)).unwrap())
}

async fn frame(viewer: &mut Viewer) -> Bytes {
    soon(viewer.next_frame()).await.unwrap().expect("a part")
}

async fn number(viewer: &mut Viewer) -> u32 {
    jpeg::number_of(&frame(viewer).await).unwrap()
}

fn size(jpeg: Bytes) -> (u16, u16) {
    let frame = Frame::parse(jpeg).unwrap();
    (frame.width(), frame.height())
}

#[tokio::test]
async fn on_demand_camera_is_connected_for_viewers_and_for_a_while_after() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let spec = retried("door", camera.addr()).with_on_demand(LINGER);
    let started = manager.start(spec).await.unwrap();
    assert_eq!(
        (started.state, started.on_demand),
        (StreamState::Idle, true)
    );
    let addr = started.listen.unwrap();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(camera.connections(), 0, "nobody has asked");

    for round in 1..=2 {
        let mut viewer = Viewer::open(addr, "/").await.unwrap();
        frame(&mut viewer).await;
        assert_eq!(manager.get("door").unwrap().state, StreamState::Online);
        let left = Instant::now();
        drop(viewer);
        until("hung up", async || camera.open() == 0).await;
        assert!(left.elapsed() >= LINGER, "it lingers: {:?}", left.elapsed());
        until("idle", async || {
            manager.get("door").unwrap().state == StreamState::Idle
        })
        .await;
        assert_eq!(camera.connections(), round);
    }
}

#[tokio::test]
async fn on_demand_camera_lingers_from_the_last_viewer_on() {
    // The camera has sent its only frame, so that no event of it wakes the stream.
    let camera = Camera::start(Script::frames([jpeg::numbered(1)])).await;
    let manager = manager();
    let linger = Duration::from_millis(1000);
    let spec = retried("door", camera.addr()).with_on_demand(linger);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    frame(&mut viewer).await;
    sleep(linger + linger / 5).await;
    let left = Instant::now();
    drop(viewer);
    until("hung up", async || camera.open() == 0).await;
    assert!(left.elapsed() >= linger, "{:?}", left.elapsed());
}

#[tokio::test]
async fn snapshot_wakes_an_on_demand_camera() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let spec = retried("door", camera.addr()).with_on_demand(LINGER);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let ask = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let response = request(addr, ask).await.unwrap();
    assert_eq!(response.head.header("x-online"), Some("true"));
    assert!(jpeg::number_of(&response.body).is_some());

    until("idle", async || {
        manager.get("door").unwrap().state == StreamState::Idle
    })
    .await;
    camera.shutdown().await;
    let response = request(addr, ask).await.unwrap();
    assert_eq!(response.head.header("x-online"), Some("false"));
    assert!(response.head.header("age").is_some(), "the last picture");
    assert!(jpeg::number_of(&response.body).is_some());
}

#[tokio::test]
async fn snapshots_again_and_again_keep_an_on_demand_camera() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let linger = Duration::from_millis(800);
    let spec = retried("door", camera.addr()).with_on_demand(linger);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let ask = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for _ in 0..8 {
        request(addr, ask).await.unwrap();
        sleep(linger / 4).await;
    }
    assert_eq!((camera.connections(), camera.open()), (1, 1));
}

#[tokio::test]
async fn old_picture_is_not_live_until_a_new_one_comes() {
    let before = Script::frames([jpeg::numbered(1)]);
    let scripts = [before, Script::stall()];
    let camera = Camera::start_with(move |nth| scripts[nth.min(1)].clone()).await;
    let manager = manager();
    let spec = retried("door", camera.addr()).with_on_demand(LINGER);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    frame(&mut viewer).await;
    drop(viewer);
    until("idle", async || {
        manager.get("door").unwrap().state == StreamState::Idle
    })
    .await;
    let _waiting = Viewer::open(addr, "/").await.unwrap();
    until("connected", async || {
        camera.connections() == 2 && manager.get("door").unwrap().reconnects == 1
    })
    .await;
    // It is connected, but online is a camera whose pictures come.
    assert_eq!(manager.get("door").unwrap().state, StreamState::Connecting);
    let ask = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let response = request(addr, ask).await.unwrap();
    assert_eq!(response.head.header("x-online"), Some("false"));
    assert_eq!(jpeg::number_of(&response.body), Some(1));
}

#[tokio::test]
async fn idle_stream_can_be_paused_and_connects_for_nobody_then() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let spec = retried("door", camera.addr()).with_on_demand(LINGER);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    manager.pause("door").unwrap();
    let state = || manager.get("door").unwrap().state;
    until("paused", async || state() == StreamState::Paused).await;
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_millis(500), viewer.next_frame()).await;
    assert!(nothing.is_err());
    assert_eq!((state(), camera.connections()), (StreamState::Paused, 0));
    manager.resume("door").unwrap();
    frame(&mut viewer).await;
}

#[tokio::test]
async fn ended_source_of_several_is_told_and_no_longer_live() {
    let file = std::env::temp_dir().join(format!("mjpeg-ended-{}.mjpeg", std::process::id()));
    std::fs::write(&file, jpeg::numbered(7)).unwrap();
    let manager = manager();
    let dead = refused_addr().await;
    let spec = StreamSpec::parse("door", &format!("file://{}?once", file.display()))
        .unwrap()
        .with_fallback(format!("tcp://{dead}").parse().unwrap())
        .with_placeholder(own_picture())
        .with_placeholder_after(Duration::from_millis(500))
        .with_listen(LOOPBACK.into());
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(number(&mut viewer).await, 7);
    std::fs::remove_file(&file).unwrap();
    soon(async { while number(&mut viewer).await != 4711 {} }).await;
    let info = manager.get("door").unwrap();
    let states: Vec<_> = info
        .sources
        .iter()
        .map(|source| source.state.as_str())
        .collect();
    assert_eq!(
        (info.state, states),
        (StreamState::Ended, vec!["ended", "offline"])
    );
}

#[tokio::test]
async fn stream_of_damaged_frames_alone_shows_the_placeholder() {
    let good = jpeg::dense(1, 4000);
    let mut bad = jpeg::dense(2, 4000).to_vec();
    let at = bad.len() / 2;
    bad.drain(at..at + 1500);
    let mut steps = Vec::new();
    for frame in [&good, &good, &good] {
        steps.push(Step::Send(frame.clone()));
        steps.push(Step::Wait(Duration::from_millis(20)));
    }
    steps.push(Step::Send(bad.into()));
    steps.push(Step::Wait(Duration::from_millis(20)));
    steps.push(Step::Goto(6));
    let camera = Camera::start(Script::new(steps)).await;
    let manager = manager();
    let spec = spec("door", camera.addr())
        .with_check(true)
        .with_placeholder(own_picture())
        .with_placeholder_after(Duration::from_millis(500));
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    soon(async { while number(&mut viewer).await != 4711 {} }).await;
    assert_eq!(manager.get("door").unwrap().state, StreamState::Online);
}

#[tokio::test]
async fn newcomer_on_demand_is_not_shown_what_was() {
    let before = Script::frames([jpeg::numbered(1)]);
    let after = Script::new(vec![
        Step::Wait(Duration::from_millis(300)),
        Step::Send(jpeg::numbered(2)),
        Step::Stall,
    ]);
    let scripts = [before, after];
    let camera = Camera::start_with(move |nth| scripts[nth.min(1)].clone()).await;
    let manager = manager();
    let spec = retried("door", camera.addr()).with_on_demand(LINGER);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(number(&mut viewer).await, 1);
    drop(viewer);
    until("idle", async || {
        manager.get("door").unwrap().state == StreamState::Idle
    })
    .await;
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(number(&mut viewer).await, 2);
}

#[tokio::test]
async fn streams_that_make_no_sense_are_refused() {
    let manager = manager();
    let camera = Camera::start(live()).await;
    let mut lossless = jpeg::numbered(1).to_vec();
    let sof = lossless.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    lossless[sof + 1] = 0xC3;
    let lossless = Placeholder::Picture(Frame::parse(lossless).unwrap());
    let awaited: Source = "tcp-listen://127.0.0.1:1".parse().unwrap();
    for refused in [
        spec("door", camera.addr()).with_on_demand(LINGER),
        spec("door", camera.addr()).with_fallback(awaited),
        spec("door", camera.addr()).with_placeholder(lossless),
    ] {
        let error = manager.start(refused).await.unwrap_err();
        assert_eq!(error.code(), "invalid_spec", "{error}");
    }
    assert_eq!((manager.list().len(), camera.connections()), (0, 0));
}

#[tokio::test]
async fn viewer_without_a_frame_is_shown_the_placeholder_after_a_second() {
    let addr = refused_addr().await;
    let manager = manager();
    let spec = retried("door", addr).with_placeholder(Placeholder::Drawn);
    let viewers = manager.start(spec).await.unwrap().listen.unwrap();
    let came = Instant::now();
    let mut viewer = Viewer::open(viewers, "/").await.unwrap();
    assert_eq!(size(frame(&mut viewer).await), (640, 480));
    assert!(came.elapsed() >= Duration::from_millis(990));
    let mut newcomer = Viewer::open(viewers, "/").await.unwrap();
    assert_eq!(size(frame(&mut newcomer).await), (640, 480));
    assert_eq!(manager.get("door").unwrap().frames, 0, "it is no frame");

    let _camera = Camera::start_at(addr, live()).await.unwrap();
    until("a frame on the same response", async || {
        manager.get("door").unwrap().frames > 0
    })
    .await;
    let until_a_frame = async { while jpeg::number_of(&frame(&mut viewer).await).is_none() {} };
    soon(until_a_frame).await;
}

#[tokio::test]
async fn snapshot_without_a_picture_is_the_placeholder() {
    let manager = manager();
    let spec = retried("door", refused_addr().await).with_placeholder(Placeholder::Drawn);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let ask = |query: &str| {
        format!("GET /snapshot{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    };
    let response = request(addr, ask("")).await.unwrap();
    assert_eq!(response.head.status, 200);
    assert_eq!(response.head.header("x-online"), Some("false"));
    assert_eq!(response.head.header("etag"), None);
    assert_eq!(size(response.body), (640, 480));
    for strict in ["?fresh=1", "?max_age=3600", "?after=x"] {
        let response = request(addr, ask(strict)).await.unwrap();
        assert_eq!(response.head.status, 503, "{strict}");
    }
}

#[tokio::test]
async fn placeholder_takes_the_place_of_a_frame_that_is_too_old() {
    let camera = Camera::start(Script::live(
        vec![jpeg::sized(1, 320, 240)],
        Duration::from_millis(50),
    ))
    .await;
    let manager = manager();
    let after = Duration::from_millis(1500);
    let spec = spec("door", camera.addr())
        .with_placeholder(Placeholder::Drawn)
        .with_placeholder_after(after);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    frame(&mut viewer).await;
    camera.shutdown().await;
    let gone = Instant::now();
    let placeholder = loop {
        let frame = frame(&mut viewer).await;
        if jpeg::number_of(&frame).is_none() {
            break frame;
        }
    };
    assert!(gone.elapsed() >= after - Duration::from_millis(500));
    assert_eq!(size(placeholder), (320, 240), "in the size of the stream");
    let StreamState::Offline { .. } = manager.get("door").unwrap().state else {
        panic!("offline")
    };
    // A snapshot still shows the last real picture.
    let ask = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let response = request(addr, ask).await.unwrap();
    assert_eq!(jpeg::number_of(&response.body), Some(1));
}

#[tokio::test]
async fn operators_own_picture_is_shown_as_it_is_and_none_where_none_is_wanted() {
    let manager = manager();
    let dead = refused_addr().await;
    let own = retried("own", dead).with_placeholder(own_picture());
    let addr = manager.start(own).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(number(&mut viewer).await, 4711);

    let addr = manager
        .start(retried("none", dead))
        .await
        .unwrap()
        .listen
        .unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_secs(2), viewer.next_frame()).await;
    assert!(nothing.is_err(), "it waits for the first frame");
}

#[tokio::test]
async fn silent_camera_is_stalled_and_then_online_again() {
    let script = Script::new(vec![
        Step::Send(jpeg::numbered(1)),
        Step::Wait(Duration::from_secs(3)),
        Step::Send(jpeg::numbered(2)),
        Step::Stall,
    ]);
    let camera = Camera::start(script).await;
    let manager = manager();
    manager.start(spec("door", camera.addr())).await.unwrap();
    let state = || manager.get("door").unwrap().state;
    until("stalled", async || {
        matches!(state(), StreamState::Stalled { .. })
    })
    .await;
    assert_eq!(state().to_string(), "stalled: no picture for 2.0s");
    until("online", async || state() == StreamState::Online).await;
    assert_eq!(manager.get("door").unwrap().frames, 2);
    assert_eq!(camera.connections(), 1);
}

#[tokio::test]
async fn outage_keeps_its_beginning_through_all_attempts() {
    let manager = manager();
    let spec = retried("door", refused_addr().await);
    manager.start(spec).await.unwrap();
    let offline = || match manager.get("door").unwrap() {
        info if matches!(info.state, StreamState::Offline { .. }) => Some(info),
        _ => None,
    };
    until("offline", async || offline().is_some()).await;
    let first = offline().unwrap();
    let error_at = || manager.get("door").unwrap().last_error.unwrap().at;
    let before = error_at();
    until("more attempts", async || {
        assert!(offline().is_some(), "an attempt is no change");
        error_at() > before + Duration::from_millis(300)
    })
    .await;
    assert_eq!(offline().unwrap().since, first.since);
    assert!(
        first
            .state
            .to_string()
            .starts_with("offline: cannot connect to ")
    );
}

#[tokio::test]
async fn damaged_frame_is_held_back_where_frames_are_checked() {
    let good = jpeg::dense(1, 4000);
    let mut bad = jpeg::dense(2, 4000).to_vec();
    // A piece of the scan is missing, as when a camera's ring buffer overruns.
    let at = bad.len() / 2;
    bad.drain(at..at + 1500);
    for check in [true, false] {
        let camera = Camera::start(Script::frames([good.clone(), bad.clone().into()])).await;
        let manager = manager();
        let spec = spec("door", camera.addr()).with_check(check);
        let addr = manager.start(spec).await.unwrap().listen.unwrap();
        until("both", async || {
            let info = manager.get("door").unwrap();
            info.frames + info.discarded["damaged"].count == 2
        })
        .await;
        let damaged = manager.get("door").unwrap().discarded["damaged"];
        assert_eq!(damaged.count, u64::from(check));
        let mut viewer = Viewer::open(addr, "/").await.unwrap();
        let expected = if check { &good[..] } else { &bad[..] };
        assert!(
            frame(&mut viewer).await == expected,
            "the last good one stays"
        );
    }
}

#[tokio::test]
async fn second_source_takes_over_and_viewers_stay() {
    let first = Camera::start(live()).await;
    let frames = (100..120).map(jpeg::numbered).collect();
    let second = Camera::start(Script::live(frames, Duration::from_millis(10))).await;
    let manager = manager();
    let spec = spec("door", first.addr()).with_fallback(source(&second));
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert!(number(&mut viewer).await < 100);
    assert_eq!(second.connections(), 0);

    first.shutdown().await;
    soon(async { while number(&mut viewer).await < 100 {} }).await;
    let info = manager.get("door").unwrap();
    assert_eq!(info.state, StreamState::Online);
    assert_eq!(info.source, second.url());
    let told: Vec<_> = info
        .sources
        .iter()
        .map(|source| {
            (
                source.source.clone(),
                source.is_active,
                source.state.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (first.url(), false, "offline"),
            (second.url(), true, "online")
        ]
    );
}

#[tokio::test]
async fn required_stream_starts_with_any_of_its_sources() {
    let dead = refused_addr().await;
    let camera = Camera::start(live()).await;
    let manager = manager();
    let with_camera = spec("door", dead).with_fallback(source(&camera));
    manager.start(with_camera).await.unwrap();
    let without = spec("gate", dead).with_fallback(format!("tcp://{dead}").parse().unwrap());
    let error = manager.start(without).await.unwrap_err();
    assert!(matches!(error, Error::ConnectFailed { .. }), "{error}");
}

#[tokio::test]
async fn source_can_be_changed_while_viewers_watch() {
    let first = Camera::start(live()).await;
    let frames = (100..120).map(jpeg::numbered).collect();
    let second = Camera::start(Script::live(frames, Duration::from_millis(10))).await;
    let manager = manager();
    let spec = spec("door", first.addr());
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert!(number(&mut viewer).await < 100);
    manager
        .set_sources("door", [source(&second)])
        .await
        .unwrap();
    soon(async { while number(&mut viewer).await < 100 {} }).await;
    until("hung up", async || first.open() == 0).await;
    assert_eq!(manager.get("door").unwrap().source, second.url());
    let none = manager.set_sources("door", []).await.unwrap_err();
    assert_eq!(none.code(), "invalid_spec");
    let nowhere = manager
        .set_sources("gate", [source(&second)])
        .await
        .unwrap_err();
    assert_eq!(nowhere.code(), "not_found");
}

#[tokio::test]
async fn ended_recording_gives_way_to_a_new_source() {
    let file = std::env::temp_dir().join(format!("mjpeg-life-{}.mjpeg", std::process::id()));
    std::fs::write(&file, jpeg::numbered(7)).unwrap();
    let manager = manager();
    let url = format!("file://{}?once", file.display());
    let spec = StreamSpec::parse("door", &url)
        .unwrap()
        .with_listen(LOOPBACK.into());
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    until("ended", async || {
        manager.get("door").unwrap().state == StreamState::Ended
    })
    .await;
    std::fs::remove_file(&file).unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(number(&mut viewer).await, 7, "the last frame stays");
    let frames = vec![jpeg::numbered(100)];
    let camera = Camera::start(Script::live(frames, Duration::from_millis(10))).await;
    manager
        .set_sources("door", [source(&camera)])
        .await
        .unwrap();
    soon(async { while number(&mut viewer).await < 100 {} }).await;
}

/// A frame whose header claims a size that its data cannot fill.
fn bogus() -> Bytes {
    let mut jpeg = jpeg::numbered(1).to_vec();
    let sof = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[sof + 5..sof + 9].fill(0xFF);
    assert_eq!(size(jpeg.clone().into()), (65535, 65535));
    jpeg.into()
}

/// Returns the size of the next placeholder.
async fn placeholder_size(viewer: &mut Viewer) -> (u16, u16) {
    let drawn = async {
        loop {
            let frame = frame(viewer).await;
            if jpeg::number_of(&frame).is_none() {
                return size(frame);
            }
        }
    };
    soon(drawn).await
}

#[tokio::test]
async fn placeholder_has_the_size_of_whole_pictures_only() {
    let whole = |number| Step::Send(jpeg::sized(number, 320, 240));
    let pause = || Step::Wait(Duration::from_millis(200));
    for (steps, expected) in [
        (vec![Step::Send(bogus())], (640, 480)),
        (
            vec![whole(1), pause(), whole(2), pause(), Step::Send(bogus())],
            (320, 240),
        ),
    ] {
        let once = Script::new(steps);
        let camera = Camera::start_with(move |nth| match nth {
            0 => once.clone(),
            _ => Script::close(),
        })
        .await;
        let manager = manager();
        let spec = retried("door", camera.addr())
            .with_placeholder(Placeholder::Drawn)
            .with_placeholder_after(Duration::from_millis(300));
        let addr = manager.start(spec).await.unwrap().listen.unwrap();
        until("the broken one came", async || {
            manager.get("door").unwrap().size == Some((65535, 65535))
        })
        .await;
        let mut viewer = Viewer::open(addr, "/").await.unwrap();
        // The broken frame, which has a number too, is shown first, as the camera sent it.
        assert_eq!(placeholder_size(&mut viewer).await, expected);
    }
}

#[tokio::test]
async fn large_camera_has_a_placeholder_of_its_shape_and_two_megapixels() {
    let once = Script::new(vec![
        Step::Send(jpeg::sized(1, 4000, 3000)),
        Step::Wait(Duration::from_millis(500)),
    ]);
    let camera = Camera::start_with(move |nth| match nth {
        0 => once.clone(),
        _ => Script::close(),
    })
    .await;
    let manager = manager();
    let spec = retried("door", camera.addr())
        .with_placeholder(Placeholder::Drawn)
        .with_placeholder_after(Duration::from_millis(100));
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    until("the picture came", async || {
        manager.get("door").unwrap().frames == 1
    })
    .await;
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(placeholder_size(&mut viewer).await, (1668, 1251));
}

#[tokio::test]
async fn placeholder_of_a_camera_on_its_side_has_the_size_that_viewers_see() {
    let once = Script::new(vec![
        Step::Send(jpeg::sized(1, 320, 240)),
        Step::Wait(Duration::from_millis(500)),
    ]);
    let camera = Camera::start_with(move |nth| match nth {
        0 => once.clone(),
        _ => Script::close(),
    })
    .await;
    let manager = manager();
    let sideways = Orientation::new(90, false).unwrap();
    let spec = retried("door", camera.addr())
        .with_placeholder(Placeholder::Drawn)
        .with_placeholder_after(Duration::from_millis(100))
        .with_repair(Repairs::RECOMMENDED.with_orientation(sideways));
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    until("the picture came", async || {
        manager.get("door").unwrap().frames == 1
    })
    .await;
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_eq!(placeholder_size(&mut viewer).await, (240, 320));
}

#[tokio::test]
async fn placeholder_is_drawn_for_those_who_want_it_only() {
    let manager = manager();
    let spec = retried("door", refused_addr().await).with_placeholder(Placeholder::Drawn);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let consumer = manager.observe("door").unwrap();
    // Much longer than a state must last, and a drawing takes.
    sleep(Duration::from_secs(2)).await;
    assert!(consumer.placeholder().is_none(), "nobody watches");
    let _viewer = Viewer::open(addr, "/").await.unwrap();
    until("drawn", async || consumer.placeholder().is_some()).await;
}

#[tokio::test]
async fn silent_camera_is_never_online() {
    let camera = Camera::start(Script::stall()).await;
    let manager = manager();
    let mut events = manager.events();
    manager.start(spec("door", camera.addr())).await.unwrap();
    until("connected", async || {
        manager.get("door").unwrap().peer.is_some()
    })
    .await;
    assert_eq!(manager.get("door").unwrap().state, StreamState::Connecting);
    until("stalled", async || {
        matches!(
            manager.get("door").unwrap().state,
            StreamState::Stalled { .. }
        )
    })
    .await;
    manager.shutdown().await;
    while let Ok(Some(event)) =
        tokio::time::timeout(Duration::from_millis(100), events.next()).await
    {
        assert_ne!(event.change, Change::State(StreamState::Online));
    }
}

/// A camera that is up, but hangs up on everybody, is one outage.
#[tokio::test]
async fn camera_that_closes_each_connection_is_one_outage() {
    let camera = Camera::start(Script::close()).await;
    let manager = manager();
    let mut events = manager.events();
    manager.start(retried("door", camera.addr())).await.unwrap();
    until("many attempts", async || camera.connections() > 10).await;
    manager.shutdown().await;
    let mut changes = Vec::new();
    while let Ok(Some(event)) =
        tokio::time::timeout(Duration::from_millis(100), events.next()).await
    {
        changes.push(match event.change {
            Change::State(state) => state.public(),
            other => format!("{other:?}"),
        });
    }
    let expected = [
        "Started",
        "offline: the camera closed the connection",
        "Stopped",
    ];
    assert_eq!(changes, expected);
}

/// It needs longer than a snapshot of another stream waits.
#[tokio::test]
async fn snapshot_waits_for_an_on_demand_camera_that_needs_a_while() {
    let late = |number: u32| {
        Script::new(vec![
            Step::Wait(Duration::from_millis(1500)),
            Step::Send(jpeg::numbered(number)),
            Step::Wait(Duration::from_secs(60)),
        ])
    };
    let camera = Camera::start_with(move |nth| late(nth as u32 + 1)).await;
    let manager = manager();
    let spec = retried("door", camera.addr())
        .with_on_demand(LINGER)
        .with_placeholder(Placeholder::Drawn);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let ask = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for visit in 1..=2 {
        let response = request(addr, ask).await.unwrap();
        assert_eq!(response.head.status, 200);
        assert_eq!(response.head.header("x-online"), Some("true"));
        assert_eq!(jpeg::number_of(&response.body), Some(visit));
        until("idle", async || {
            manager.get("door").unwrap().state == StreamState::Idle
        })
        .await;
    }
}

/// A camera that is always read gets no longer wait, whatever it does: its clients give up.
#[tokio::test]
async fn snapshot_of_a_camera_that_sends_nothing_is_answered_soon() {
    let camera = Camera::start(Script::stall()).await;
    let manager = manager();
    let addr = manager.start(retried("door", camera.addr())).await;
    let addr = addr.unwrap().listen.unwrap();
    let since = Instant::now();
    let ask = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let response = request(addr, ask).await.unwrap();
    assert_eq!(response.head.status, 503);
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "not the longer wait"
    );
}

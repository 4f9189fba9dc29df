//! Relays that read relays, each the real program.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use mjpeg_testkit::{Camera, FakeHttpCamera, Response, Script, Step, Viewer, jpeg, request};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    process::{Server, end},
    sources::free_addr,
};

/// A relay of this source on a port of its own.
fn relay(source: &str) -> Server {
    relay_at(source, ([127, 0, 0, 1], 0).into())
}

fn relay_at(source: &str, addr: SocketAddr) -> Server {
    let stream = format!("cam={source}@{addr}");
    Server::start(&["run", "--stream", &stream], 1)
}

/// A relay that reads the stream of another.
fn next_to(upstream: &Server) -> Server {
    relay(&format!("http://{}/stream", upstream.addr(0)))
}

async fn snapshot(server: &Server, headers: &str) -> Response {
    let get =
        format!("GET /snapshot HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n{headers}\r\n");
    request(server.addr(0), get).await.unwrap()
}

/// Waits until a snapshot says this about the camera, and returns when it did.
async fn online(server: &Server, online: &str) -> Instant {
    let until = async {
        while snapshot(server, "").await.head.header("x-online") != Some(online) {
            sleep(Duration::from_millis(20)).await;
        }
        Instant::now()
    };
    timeout(Duration::from_secs(20), until)
        .await
        .unwrap_or_else(|_| panic!("x-online never becomes {online}"))
}

/// Reads parts until there are times for this many different pictures, by the pictures' numbers.
async fn times(server: &Server, pictures: usize) -> HashMap<u32, String> {
    let mut viewer = Viewer::open(server.addr(0), "/stream").await.unwrap();
    let mut times = HashMap::new();
    while times.len() < pictures {
        let part = viewer.next_part().await.unwrap().expect("it goes on");
        let Some(number) = jpeg::number_of(&part.body) else {
            continue;
        };
        let time = part.header("x-timestamp").expect("a time").to_owned();
        let before = times.insert(number, time.clone());
        assert!(
            before.is_none_or(|before| before == time),
            "picture {number} has two times"
        );
    }
    times
}

/// A camera that sends this many pictures, 20 ms apart, and then nothing more.
async fn camera(pictures: u32) -> Camera {
    let send = |n| {
        [
            Step::Wait(Duration::from_millis(20)),
            Step::Send(jpeg::numbered(n)),
        ]
    };
    let steps = (0..pictures).flat_map(send).chain([Step::Stall]);
    Camera::start(Script::new(steps.collect())).await
}

#[tokio::test]
async fn capture_time_is_the_same_text_after_two_hops() {
    let camera = camera(1000).await;
    let first = relay(&camera.url());
    let second = next_to(&first);
    let third = next_to(&second);
    let (near, far) = tokio::join!(times(&first, 100), times(&third, 100));
    let both: Vec<_> = near.iter().filter(|(n, _)| far.contains_key(n)).collect();
    assert!(both.len() >= 32, "only {} pictures at both", both.len());
    for (number, time) in both {
        assert_eq!(far[number], *time, "picture {number}");
    }
}

#[tokio::test]
async fn time_that_the_camera_states_reaches_the_last_viewer() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let part = move |n: u32| {
        let image = jpeg::numbered(n);
        let head = format!(
            "--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: {}.{n:06}\r\n\r\n",
            image.len(),
            now - 3600
        );
        Bytes::from([head.as_bytes(), &image, b"\r\n"].concat())
    };
    let camera = FakeHttpCamera::start(move |_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n";
        let parts = (0..1000)
            .flat_map(move |n| [Step::Send(part(n)), Step::Wait(Duration::from_millis(20))]);
        [Step::Send(head.into())].into_iter().chain(parts).collect()
    });
    let first = relay(&format!("http://{}/", camera.addr()));
    let second = next_to(&first);
    let third = next_to(&second);
    for (number, time) in times(&third, 32).await {
        assert_eq!(time, format!("{}.{number:06}", now - 3600));
    }
}

#[tokio::test]
async fn repeats_of_a_relay_are_no_new_pictures() {
    let camera = camera(3).await;
    let first = relay(&camera.url());
    let second = next_to(&first);
    let third = next_to(&second);
    // Its time is the real one, however often it is repeated on the way.
    let times = times(&third, 1).await;
    let tag = |response: &Response| response.head.header("etag").expect("a tag").to_owned();
    let seen = async {
        while snapshot(&third, "").await.head.header("age") != Some("3") {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(10), seen)
        .await
        .expect("the picture ages");
    let (near, far) = (snapshot(&first, "").await, snapshot(&third, "").await);
    assert_eq!(
        near.head.header("x-timestamp"),
        far.head.header("x-timestamp")
    );
    assert!(times.len() == 1);
    // The same picture has the same tag, so that a poller may ask either of them.
    assert_eq!(tag(&near), tag(&far));
    let known = format!("If-None-Match: {}\r\n", tag(&near));
    assert_eq!(snapshot(&third, &known).await.head.status, 304);
}

#[tokio::test]
async fn relays_behind_one_with_a_dead_camera_say_so_within_two_seconds() {
    let live = || {
        let frames = (0..50).map(jpeg::numbered).collect();
        Script::live(frames, Duration::from_millis(20))
    };
    let camera = Camera::start(live()).await;
    let addr = camera.addr();
    let first = relay(&camera.url());
    let second = next_to(&first);
    let third = next_to(&second);
    let mut viewer = Viewer::open(third.addr(0), "/stream").await.unwrap();
    viewer.next_frame().await.unwrap().expect("a picture");
    online(&third, "true").await;
    camera.shutdown().await;
    let (near, far) = tokio::join!(online(&first, "false"), online(&third, "false"));
    assert!(far.saturating_duration_since(near) < Duration::from_secs(2));
    // And back again, on the same response.
    let _camera = Camera::start_at(addr, live()).await.unwrap();
    online(&third, "true").await;
    viewer
        .next_frame()
        .await
        .unwrap()
        .expect("the response goes on");
}

/// A relay whose placeholder takes the place of a picture that is a second old.
fn with_placeholder(source: &str, what: &str) -> Server {
    let stream = format!("cam={source}@127.0.0.1:0");
    let args = [
        "run",
        "--stream",
        &stream,
        "--placeholder",
        what,
        "--placeholder-after",
        "1",
    ];
    Server::start(&args, 1)
}

/// Watches until a picture of this number comes; that of a drawn placeholder is `None`. Returns
/// when it did, and the numbers of those before.
async fn shown(viewer: &mut Viewer, number: Option<u32>) -> (Instant, Vec<Option<u32>>) {
    let mut before = Vec::new();
    let until = async {
        loop {
            let frame = viewer.next_frame().await.unwrap().expect("it goes on");
            let shown = jpeg::number_of(&frame);
            if shown == number {
                return Instant::now();
            }
            before.push(shown);
        }
    };
    let at = timeout(Duration::from_secs(20), until).await;
    let at = at.unwrap_or_else(|_| panic!("{number:?} never comes: {before:?}"));
    (at, before)
}

/// Each relay has a placeholder of its own. What counts is how old the picture is, on whichever way
/// it came.
#[tokio::test]
async fn placeholders_of_relays_in_a_row_are_shown_at_the_same_time() {
    const FAR: Option<u32> = Some(900);
    let live = || {
        let frames = (0..50).map(jpeg::numbered).collect();
        Script::live(frames, Duration::from_millis(20))
    };
    let path = std::env::temp_dir().join(format!("mjpeg-relays-{}.jpg", std::process::id()));
    std::fs::write(&path, jpeg::numbered(900)).unwrap();
    let camera = Camera::start(live()).await;
    let addr = camera.addr();
    let first = with_placeholder(&camera.url(), "drawn");
    let behind = || {
        let source = format!("http://{}/stream", first.addr(0));
        with_placeholder(&source, path.to_str().unwrap())
    };
    let second = behind();
    let mut near = Viewer::open(first.addr(0), "/stream").await.unwrap();
    let mut far = Viewer::open(second.addr(0), "/stream").await.unwrap();
    online(&second, "true").await;
    camera.shutdown().await;
    let lost = Instant::now();
    let ((near_at, _), (far_at, _)) = tokio::join!(shown(&mut near, None), shown(&mut far, FAR));
    assert!(far_at.saturating_duration_since(near_at) < Duration::from_secs(2));
    let (near_after, far_after) = (near_at - lost, far_at - lost);
    assert!(
        far_after < Duration::from_secs(4),
        "{near_after:?} {far_after:?}"
    );
    // A relay that comes during the outage, and has never had a picture, shows its own at once.
    let third = behind();
    std::fs::remove_file(path).unwrap();
    let begun = Instant::now();
    let mut late = Viewer::open(third.addr(0), "/stream").await.unwrap();
    let (at, before) = shown(&mut late, FAR).await;
    assert!(at - begun < Duration::from_secs(4), "{:?}", at - begun);
    assert_eq!(before, [], "the notice of another relay is no picture");
    // All of them show pictures again, on the same responses.
    let _camera = Camera::start_at(addr, live()).await.unwrap();
    shown(&mut near, Some(7)).await;
    for viewer in [&mut far, &mut late] {
        let (_, before) = shown(viewer, Some(7)).await;
        assert!(!before.contains(&None), "{before:?}");
    }
}

#[tokio::test]
async fn relay_that_would_read_itself_is_refused() {
    let addr = free_addr();
    let mut alone = relay_at(&format!("http://{addr}/stream"), addr);
    let said = alone.stderr_until("loop");
    assert!(said.len() < 20, "{said:?}");
    alone.end_by("TERM");
}

#[tokio::test]
async fn relays_that_would_read_one_another_are_refused() {
    let addrs = [free_addr(), free_addr(), free_addr()];
    let camera = |i: usize| format!("http://{}/stream", addrs[(i + 1) % 3]);
    let all: Vec<_> = (0..3).map(|i| relay_at(&camera(i), addrs[i])).collect();
    let pids: Vec<_> = all.iter().map(Server::pid).collect();
    // Whichever closes the circle says so; the others wait for pictures.
    let mut readers = tokio::task::JoinSet::new();
    for mut server in all {
        readers.spawn_blocking(move || server.stderr_until("loop"));
    }
    let first = timeout(Duration::from_secs(30), readers.join_next()).await;
    for pid in pids {
        end(pid);
    }
    first.expect("one of them finds out").unwrap().unwrap();
}

#[tokio::test]
async fn viewers_that_do_not_say_that_they_are_relays_are_told_nothing() {
    let camera = camera(1000).await;
    let server = relay(&camera.url());
    let mut plain = Viewer::open(server.addr(0), "/stream").await.unwrap();
    let via = [("X-Mjpeg-Via", "0123456789abcdef")];
    let mut other = Viewer::open_with(server.addr(0), "/stream", &via)
        .await
        .unwrap();
    assert_eq!(plain.head().header("x-mjpeg-via"), None);
    assert_eq!(other.head().header("x-mjpeg-via").map(str::len), Some(16));
    let told = ["x-epoch", "x-seq", "x-age-us", "x-online"];
    for _ in 0..5 {
        let part = plain.next_part().await.unwrap().expect("a part");
        assert!(
            told.iter().all(|name| part.header(name).is_none()),
            "{part:?}"
        );
        let part = other.next_part().await.unwrap().expect("a part");
        assert!(
            told.iter().all(|name| part.header(name).is_some()),
            "{part:?}"
        );
    }
}

#[tokio::test]
async fn chain_of_relays_has_an_end() {
    let camera = camera(1000).await;
    let server = relay(&camera.url());
    let ids = |n: u64| {
        (1..=n)
            .map(|id| format!("{id:016x}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    for (hops, status) in [(4, 200), (5, 508)] {
        let value = ids(hops);
        let via = [("X-Mjpeg-Via", &*value)];
        let viewer = Viewer::open_with(server.addr(0), "/stream", &via)
            .await
            .unwrap();
        assert_eq!(viewer.head().status, status, "{hops} relays");
    }
}

/// Two sites, each with the other's relay as its fallback. Only one that is in use stands between
/// its camera and the viewers, so each may use the other in turn.
#[tokio::test]
async fn relays_may_be_fallbacks_of_one_another() {
    let live = |from: u32| {
        let frames = (from..from + 50).map(jpeg::numbered).collect();
        Script::live(frames, Duration::from_millis(20))
    };
    let cameras = [
        Camera::start(live(100)).await,
        Camera::start(live(200)).await,
    ];
    let addrs = [free_addr(), free_addr()];
    let site = |i: usize| {
        let stream = format!("cam={}@{}", cameras[i].url(), addrs[i]);
        let fallback = format!("cam=http://{}/stream", addrs[1 - i]);
        Server::start(&["run", "--stream", &stream, "--fallback", &fallback], 1)
    };
    let [one, mut other] = [site(0), site(1)];
    let mut near = Viewer::open(one.addr(0), "/stream").await.unwrap();
    let mut far = Viewer::open(other.addr(0), "/stream").await.unwrap();
    watch(&mut near, 100).await;
    watch(&mut far, 200).await;
    cameras[0].shutdown().await;
    watch(&mut near, 200).await;
    let _back = Camera::start_at(cameras[0].addr(), live(300))
        .await
        .unwrap();
    watch(&mut near, 300).await;
    // The first relay has left the second, which is no loop any more if it is read.
    cameras[1].shutdown().await;
    watch(&mut far, 300).await;
    other.end_by("TERM");
    let said = other.stderr();
    assert!(!said.contains("loop"), "{said}");
}

/// Watches until there is a picture of these hundred.
async fn watch(viewer: &mut Viewer, from: u32) {
    let until = async {
        loop {
            let frame = viewer.next_frame().await.unwrap().expect("it goes on");
            // A placeholder has no number.
            if jpeg::number_of(&frame).is_some_and(|n| (from..from + 100).contains(&n)) {
                return;
            }
        }
    };
    let in_time = timeout(Duration::from_secs(30), until).await;
    in_time.unwrap_or_else(|_| panic!("no picture from {from} on"));
}

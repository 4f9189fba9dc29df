//! What tiles show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mjpeg_manager::{StartMode, StreamSpec};
use mjpeg_testkit::{Camera, Script, jpeg, refused_addr};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::client::{opened, said, showing, state, viewers};
use crate::support::{Relay, live, until};

#[tokio::test]
async fn frames_arrive_as_the_camera_sent_them() {
    let (relay, _cameras) = showing(&["door"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door"]).await.unwrap();
    let mut seqs = Vec::new();
    for _ in 0..20 {
        let picture = client.painted().await.unwrap();
        assert_eq!((picture.kind, picture.tile), (1, 0));
        let number = jpeg::number_of(&picture.bytes).unwrap();
        assert_eq!(picture.bytes, jpeg::numbered(number));
        assert!(picture.age < Duration::from_secs(2), "{:?}", picture.age);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let since = now.as_micros() as u64 - picture.captured_us;
        assert!(since < 5_000_000, "{since}");
        seqs.push(picture.seq);
    }
    assert!(seqs.is_sorted(), "{seqs:?}");
    assert!(seqs.first() < seqs.last());
}

#[cfg(feature = "small")]
#[tokio::test]
async fn small_tile_gets_small_pictures_and_keeps_its_viewer_when_it_grows() {
    use mjpeg_manager::mjpeg_codec::Frame;
    use serde_json::json;

    let (relay, _cameras) = showing(&["door"]).await;
    let mut client = opened(&relay).await;
    let show = |scale: &str| {
        let tile = json!({ "tile": 0, "stream": "door", "scale": scale });
        json!({ "type": "tiles", "tiles": [tile] }).to_string()
    };
    client.say(&show("eighth")).await.unwrap();
    let small = client.painted().await.unwrap();
    assert_eq!((small.kind, small.tile), (2, 0));
    let frame = Frame::parse(small.bytes).unwrap();
    let whole = Frame::parse(jpeg::numbered(0)).unwrap();
    let eighth = |size: u16| size.div_ceil(8);
    assert_eq!(frame.width(), eighth(whole.width()));
    assert_eq!(frame.height(), eighth(whole.height()));
    let id = viewers(&relay, "door").await[0]["id"].clone();
    client.say(&show("full")).await.unwrap();
    while client.painted().await.unwrap().kind == 2 {}
    assert_eq!(viewers(&relay, "door").await[0]["id"], id);
}

#[tokio::test]
async fn next_frame_of_a_tile_waits_for_the_ack() {
    let (relay, _cameras) = showing(&["door", "yard"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door"]).await.unwrap();
    let first = client.picture().await.unwrap();
    // Some thirty frames come meanwhile.
    let second = timeout(Duration::from_millis(300), client.picture()).await;
    assert!(second.is_err(), "{second:?}");
    client.ack(&first).await.unwrap();
    let second = client.painted().await.unwrap();
    assert!(second.seq > first.seq + 5, "{} {}", first.seq, second.seq);
    let skipped = &viewers(&relay, "door").await[0]["skipped"];
    assert!(skipped.as_u64() > Some(5), "{skipped}");
}

#[tokio::test]
async fn tile_that_is_not_acknowledged_holds_no_other_up() {
    let (relay, _cameras) = showing(&["door", "yard"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door", "yard"]).await.unwrap();
    let mut shown = [0; 2];
    while shown[1] < 10 {
        let picture = client.picture().await.unwrap();
        shown[usize::from(picture.tile)] += 1;
        // The first tile's first frames show that more may be in flight.
        if picture.tile == 1 || shown[0] < 10 {
            client.ack(&picture).await.unwrap();
        }
    }
    assert!(shown[0] >= 5, "{shown:?}");
}

#[tokio::test]
async fn each_tile_is_one_viewer_of_its_stream() {
    let (relay, _cameras) = showing(&["door", "yard"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door", "yard", "door"]).await.unwrap();
    for _ in 0..10 {
        client.painted().await.unwrap();
    }
    let (door, yard) = (viewers(&relay, "door").await, viewers(&relay, "yard").await);
    assert_eq!((door.len(), yard.len()), (2, 1));
    let viewer = &yard[0];
    assert_eq!(viewer["protocol"], "wall");
    assert!(viewer["sent"].as_u64() > Some(0) && viewer["sent_bytes"].as_u64() > Some(0));
    assert!(viewer["age_at_send_s"].as_f64().is_some(), "{viewer}");
    let address = viewer["address"].as_str().unwrap();
    assert!(address.starts_with("127.0.0.1:"));
    assert_eq!(relay.http.stats("door").unwrap().viewers, 2);
    assert_eq!(relay.control.wall_stats().tiles, 3);
    drop(client);
    until("no viewer is left", async || {
        relay.http.total_viewers() == 0
    })
    .await;
    let stats = relay.control.wall_stats();
    assert_eq!((stats.tiles, stats.sockets, stats.opened), (0, 0, 1));
    assert!(stats.frames >= 10 && stats.sent_bytes > 0);
}

#[tokio::test]
async fn new_set_of_tiles_replaces_the_one_before() {
    let (relay, _cameras) = showing(&["door", "yard"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door", "door"]).await.unwrap();
    state(&mut client, 1, "online").await;
    until("two watch the door", async || {
        relay.http.viewers("door").len() == 2
    })
    .await;
    let kept = relay.http.viewers("door")[0].id;
    client.show(&["door", "yard"]).await.unwrap();
    until("one watches each", async || {
        let of = |name| relay.http.viewers(name).len();
        (of("door"), of("yard")) == (1, 1)
    })
    .await;
    assert_eq!(
        relay.http.viewers("door")[0].id,
        kept,
        "it keeps its viewer"
    );
    let mut shown = [0; 2];
    while shown[0] < 5 || shown[1] < 5 {
        let picture = client.painted().await.unwrap();
        shown[usize::from(picture.tile)] += 1;
    }
    client.show(&[]).await.unwrap();
    until("nobody watches", async || relay.http.total_viewers() == 0).await;
}

#[tokio::test]
async fn rate_is_what_the_client_asks_for_and_may_change() {
    let (relay, _cameras) = showing(&["door"]).await;
    let mut client = opened(&relay).await;
    let frames = async |client: &mut mjpeg_testkit::WallClient, fps: &str| {
        let tile = format!(r#"{{"tile":0,"stream":"door"{fps}}}"#);
        let tiles = format!(r#"{{"type":"tiles","tiles":[{tile}]}}"#);
        client.say(&tiles).await.unwrap();
        let (since, mut count) = (Instant::now(), 0);
        while since.elapsed() < Duration::from_secs(1) {
            client.painted().await.unwrap();
            count += 1;
        }
        count
    };
    let slow = frames(&mut client, r#","fps":5"#).await;
    let id = relay.http.viewers("door")[0].id;
    let all = frames(&mut client, "").await;
    assert!(slow <= 7, "{slow}");
    assert!(all > 20, "{all}");
    assert_eq!(relay.http.viewers("door")[0].id, id, "it keeps its viewer");
}

#[tokio::test]
async fn state_of_a_stream_is_told_when_it_changes() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    relay.run("door", &camera.url()).await;
    let lost = format!("tcp://{}", refused_addr().await);
    relay.run("lost", &lost).await;
    let mut client = opened(&relay).await;
    client.show(&["door", "lost"]).await.unwrap();
    state(&mut client, 0, "online").await;
    state(&mut client, 1, "offline").await;
    relay.manager.pause("door").unwrap();
    state(&mut client, 0, "paused").await;
    relay.manager.resume("door").unwrap();
    state(&mut client, 0, "online").await;
}

#[tokio::test]
async fn camera_is_read_only_while_a_tile_is_visible() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    let spec = StreamSpec::parse("door", &camera.url()).unwrap();
    let spec = spec.with_mode(StartMode::Retry);
    let spec = spec.with_on_demand(Duration::from_millis(50));
    relay.manager.start(spec).await.unwrap();
    let mut client = opened(&relay).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(camera.connections(), 0);
    client.show(&["door"]).await.unwrap();
    client.painted().await.unwrap();
    assert_eq!(camera.connections(), 1);
    client.show(&[]).await.unwrap();
    until("the camera is let go of", async || camera.open() == 0).await;
}

#[tokio::test]
async fn silent_camera_is_repeated_and_says_so() {
    let relay = Relay::start().await;
    let one = Script::live(vec![jpeg::numbered(1)], Duration::from_secs(3600));
    let camera = Camera::start(one).await;
    let config = mjpeg_manager::mjpeg_http::StreamConfig::default();
    let config = config.with_keepalive(Duration::from_millis(100));
    relay.run("door", &camera.url()).await;
    relay
        .http
        .configure(&"door".parse().unwrap(), config.unwrap());
    let mut client = opened(&relay).await;
    client.show(&["door"]).await.unwrap();
    let first = client.painted().await.unwrap();
    for _ in 0..3 {
        let again = client.painted().await.unwrap();
        assert_eq!((again.seq, again.flags & 1), (first.seq, 1));
        assert!(again.age > first.age);
    }
}

#[tokio::test]
async fn pings_are_answered_at_once() {
    let (relay, _cameras) = showing(&[]).await;
    let mut client = opened(&relay).await;
    client.say(r#"{"type":"ping","id":7}"#).await.unwrap();
    let pong = said(&mut client).await;
    assert_eq!(pong["type"], "pong");
    assert_eq!(pong["id"], Value::from(7));
}

#[tokio::test]
async fn slow_client_delays_no_viewer_and_no_other_wall() {
    let (relay, _cameras) = showing(&["door"]).await;
    let mut stuck = opened(&relay).await;
    stuck.show(&["door"]).await.unwrap();
    until("it has a viewer", async || relay.http.total_viewers() == 1).await;
    let mut other = opened(&relay).await;
    other.show(&["door"]).await.unwrap();
    let mut viewer = mjpeg_testkit::Viewer::open(relay.addr, "/door/")
        .await
        .unwrap();
    let (mut last, mut seq) = (None, 0);
    for _ in 0..100 {
        let frame = viewer.next_frame().await.unwrap().unwrap();
        let number = jpeg::number_of(&frame).unwrap();
        assert!(last.is_none_or(|last| number == (last + 1) % 20 || number == last));
        last = Some(number);
        let picture = other.painted().await.unwrap();
        assert!(picture.seq >= seq);
        seq = picture.seq;
    }
    drop(stuck);
}

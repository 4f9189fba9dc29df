//! The URLs of other servers, so that their clients work unchanged.

use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg, request};

use crate::{Served, publish_number};

#[tokio::test]
async fn streams_are_found_where_other_servers_have_them() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    for path in [
        "/",
        "/?action=stream",
        "/?action=stream_0",
        "/?action=stream_1&1608856928650",
        "/?action=",
        "/stream",
        "/stream?1608856928650",
        "/stream?key=x&extra_headers=1",
        "/stream.mjpg",
        "/video.mjpg",
        "/mjpg/video.mjpg",
        "/axis-cgi/mjpg/video.cgi?resolution=320x240&fps=5",
        "/cam_1.mjpg",
        "/cam1.mjpg",
        "/cam.mjpeg",
        "/?action=STREAM",
        "/?action=stream?1608856928650",
        "/?action=stream/",
        "//",
        "//stream",
        "/stream/",
        "/stream//?x",
        "/stream;t=1",
        "/Stream.MJPG",
    ] {
        let mut viewer = Viewer::open(served.addr, path).await.unwrap();
        assert_eq!(viewer.head().status, 200, "{path}");
        let frame = viewer.next_frame().await.unwrap().unwrap();
        assert_eq!(frame, jpeg::numbered(1), "{path}");
    }
}

#[tokio::test]
async fn stream_may_be_asked_for_with_post() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(
        consumer,
        StreamConfig::default().with_max_duration(std::time::Duration::from_millis(50)),
    );
    publish_number(&producer, 1);
    let asked = "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b";
    let response = request(served.addr, asked).await.unwrap();
    assert_eq!(response.head.status, 200);
    let opening = b"--boundarydonotcross\r\nContent-Type: image/jpeg\r\n";
    assert!(response.body.starts_with(opening));
}

#[tokio::test]
async fn pictures_are_found_where_other_servers_have_them() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    producer.set_status(mjpeg_fanout::Status::Online);
    publish_number(&producer, 1);
    for path in [
        "/snapshot",
        "/snapshot?cacheBust=1608856928650",
        "/snapshot.jpg",
        "/?action=snapshot",
        "/?action=snapshot_2",
        "/?action=snapshot&1608856928650",
        "/jpg/image.jpg",
        "/axis-cgi/jpg/image.cgi",
        "/cam_0.jpg",
        "/cam1.jpg",
        "/cam.jpg",
        "/cam12.jpeg",
        "//snapshot",
        "/snapshot/",
        "//snapshot.jpg//",
        "/snapshot;t=1",
        "/snapshot&t=1",
        "/SNAPSHOT",
        "/?action=SNAPSHOT",
        "/?action=Snapshot_0",
        "/?action=snapshot?123",
        "/?action=snapshot/",
        "/?action=snapshot;t=1",
        "/?action=snapshot%20",
        "/?action=snapshot0",
    ] {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let response = request(served.addr, asked).await.unwrap();
        assert_eq!(response.head.status, 200, "{path}");
        assert_eq!(response.body, jpeg::numbered(1), "{path}");
    }
}

#[tokio::test]
async fn what_a_relay_cannot_do_is_said() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    for (path, status) in [
        ("/?action=command&id=1", 501),
        ("/?action=take", 501),
        ("/?action=COMMAND;id=1", 501),
        ("/?action=snapshots", 400),
        ("/?action=snap", 400),
        ("/?action=0", 400),
        ("/?action=%00", 400),
        ("/?action=streaming", 400),
        ("/cam_1.png", 404),
        ("/camera.jpg", 404),
        ("/cam12345.jpg", 404),
        ("/cam_.jpg", 404),
        ("/cam_x.jpg", 404),
        ("/snapshot/x", 404),
        ("/../stream", 404),
    ] {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let response = request(served.addr, asked).await.unwrap();
        assert_eq!(response.head.status, status, "{path}");
        let origin = response.head.header("access-control-allow-origin");
        assert_eq!(origin, Some("*"), "{path}");
    }
}

#[cfg(feature = "compat")]
#[tokio::test]
async fn state_is_that_of_ustreamer() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let state = async || {
        let asked = "GET /state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let response = request(served.addr, asked).await.unwrap();
        assert_eq!(
            response.head.header("content-type"),
            Some("application/json")
        );
        serde_json::from_slice::<serde_json::Value>(&response.body).unwrap()
    };
    let before = state().await;
    assert_eq!(before["ok"], true);
    assert_eq!(before["result"]["source"]["online"], false);
    assert_eq!(before["result"]["source"]["resolution"]["width"], 0);

    producer.set_status(mjpeg_fanout::Status::Online);
    publish_number(&producer, 1);
    let mut viewer = Viewer::open(served.addr, "/stream?key=kvm&advance_headers=1")
        .await
        .unwrap();
    viewer.next_part().await.unwrap().unwrap();
    let now = state().await;
    let result = &now["result"];
    assert_eq!(result["source"]["online"], true);
    let frame = mjpeg_codec::Frame::parse(jpeg::numbered(1)).unwrap();
    assert_eq!(result["source"]["resolution"]["width"], frame.width());
    assert_eq!(result["source"]["resolution"]["height"], frame.height());
    assert_eq!(result["stream"]["clients"], 1);
    let clients = result["stream"]["clients_stat"].as_object().unwrap();
    let (id, client) = clients.iter().next().unwrap();
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(client["key"], "kvm");
    assert_eq!(client["advance_headers"], true);
    assert_eq!(client["dual_final_frames"], false);
    assert!(client["fps"].is_u64());
}

/// A list of thousands would hold up everybody while it is made.
#[cfg(feature = "compat")]
#[tokio::test]
async fn state_lists_only_so_many_viewers_and_counts_frames_over_time() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_listed_viewers(2);
    let served = Served::start(consumer, config);
    producer.set_status(mjpeg_fanout::Status::Online);
    let mut viewers = Vec::new();
    for key in 0..5 {
        let path = format!("/stream?key={key}");
        viewers.push(Viewer::open(served.addr, &path).await.unwrap());
    }
    // Four together, ten times a second.
    for burst in 0..10 {
        for n in 0..4 {
            publish_number(&producer, 4 * burst + n);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let asked = "GET /state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let response = request(served.addr, asked).await.unwrap();
    let state = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap();
    let stream = &state["result"]["stream"];
    assert_eq!(stream["clients"], 5);
    let listed = stream["clients_stat"].as_object().unwrap();
    let keys: Vec<_> = listed.values().map(|client| &client["key"]).collect();
    assert_eq!(keys, ["3", "4"], "the newest");
    let fps = state["result"]["source"]["captured_fps"].as_u64().unwrap();
    assert!((25..=45).contains(&fps), "{fps}");
}

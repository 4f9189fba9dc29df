//! What is answered where a camera or a port cannot be had.

use mjpeg_testkit::{FakeHttpCamera, Step, Viewer};
use serde_json::json;
use tokio::net::TcpListener;

use super::{Controlled, LOOPBACK, camera};

#[tokio::test]
async fn camera_that_is_required_and_sends_nothing_is_a_timeout() {
    let camera = FakeHttpCamera::start(|_| vec![Step::Stall]);
    let relay = Controlled::start(LOOPBACK);
    let body = json!({ "name": "yard", "source": camera.url("/") }).to_string();
    let refused = relay.ask("POST", "/streams", &body).await;
    assert_eq!((refused.status, refused.code()), (504, "start_timeout"));
    assert!(!relay.stored("yard").exists() && relay.names().await.is_empty());
}

#[tokio::test]
async fn camera_that_is_required_and_has_no_such_picture_is_a_failure_of_the_source() {
    let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let camera = FakeHttpCamera::start(|_| vec![Step::Send(gone.into()), Step::Close]);
    let relay = Controlled::start(LOOPBACK);
    let body = json!({ "name": "yard", "source": camera.url("/") }).to_string();
    let refused = relay.ask("POST", "/streams", &body).await;
    assert_eq!(
        (refused.status, refused.code()),
        (502, "source_failed"),
        "{refused:?}"
    );
    assert!(!relay.stored("yard").exists() && relay.names().await.is_empty());
}

#[tokio::test]
async fn port_of_a_stream_is_opened_where_the_api_may_and_it_is_free() {
    let camera = camera().await;
    let may = LOOPBACK.to_owned() + "listen = true\n";
    let mut relay = Controlled::start(&may);
    let stream = |listen: &str| {
        let source = camera.url();
        json!({ "name": "yard", "source": source, "listen": listen, "start": "retry" }).to_string()
    };
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = relay
        .ask(
            "POST",
            "/streams",
            &stream(&held.local_addr().unwrap().to_string()),
        )
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "port_in_use"),
        "{refused:?}"
    );
    assert!(!relay.stored("yard").exists() && relay.names().await.is_empty());
    let free = held.local_addr().unwrap();
    drop(held);
    let added = relay
        .ask("POST", "/streams", &stream(&free.to_string()))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let mut viewer = Viewer::open(free, "/").await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
    relay.restart();
    let mut viewer = Viewer::open(free, "/").await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
}

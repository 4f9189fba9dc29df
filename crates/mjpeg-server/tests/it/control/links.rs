//! Signed links.

use std::time::Duration;

use mjpeg_testkit::{Response, Viewer, request};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Controlled, camera};

/// Nobody may view without credentials.
const CLOSED: &str = "[auth]\nanonymous = []\n[[users]]\nname = \"alice\"\n";

async fn get(relay: &Controlled, path: &str) -> Response {
    let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    request(relay.addr(), asked).await.expect("an answer")
}

/// Creates a link, and returns its id and URL.
async fn create(relay: &Controlled, wanted: Value) -> (String, String) {
    let created = relay.ask("POST", "/links", &wanted.to_string()).await;
    assert_eq!(created.status, 201, "{created:?}");
    let text = |key: &str| created.json[key].as_str().expect("a text").to_owned();
    (text("id"), format!("/{}", text("url")))
}

#[tokio::test]
async fn link_shows_one_stream_until_it_is_revoked() {
    let camera = camera().await;
    let stream = |name: &str| {
        format!(
            "[[streams]]\nname = \"{name}\"\nsource = \"{}\"\n",
            camera.url()
        )
    };
    let mut relay = Controlled::start(&[CLOSED, &stream("door"), &stream("yard")].concat());
    assert_eq!(get(&relay, "/door/snapshot").await.head.status, 401);
    let (id, url) = create(&relay, json!({ "stream": "door", "valid_s": 600 })).await;
    let mut viewer = Viewer::open(relay.addr(), &url).await.unwrap();
    assert_eq!(viewer.head().status, 200, "{url}");
    viewer.next_frame().await.unwrap().expect("a frame");
    for other in [
        url.replace("/door/", "/yard/"),
        url.replace("/stream?", "/snapshot?"),
        url.replace("expires=", "expires=9"),
        format!("{}0", url.trim_end_matches('0')),
    ] {
        assert_eq!(get(&relay, &other).await.head.status, 401, "{other}");
    }
    relay.restart();
    let mut viewer = Viewer::open(relay.addr(), &url).await.unwrap();
    assert_eq!(viewer.head().status, 200, "it outlasts the relay");

    let listed = relay.ask("GET", "/links", "").await;
    assert_eq!(listed.json["links"][0]["id"], *id);
    assert!(!listed.json.to_string().contains("sig="), "{listed:?}");
    assert_eq!(
        relay
            .ask("DELETE", &format!("/links/{id}"), "")
            .await
            .status,
        204
    );
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(2), ending)
        .await
        .expect("whoever watches by it is cut");
    assert_eq!(get(&relay, &url).await.head.status, 401);
    relay.restart();
    assert_eq!(get(&relay, &url).await.head.status, 401, "it stays revoked");
}

#[tokio::test]
async fn link_expires() {
    let camera = camera().await;
    let stream = format!(
        "[[streams]]\nname = \"door\"\nsource = \"{}\"\n",
        camera.url()
    );
    let relay = Controlled::start(&[CLOSED, &stream].concat());
    let (_, url) = create(&relay, json!({ "stream": "door", "valid_s": 2 })).await;
    let mut viewer = Viewer::open(relay.addr(), &url).await.unwrap();
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(10), ending)
        .await
        .expect("the response ends with the link");
    assert_eq!(get(&relay, &url).await.head.status, 401);
}

//! A client for these tests.

use mjpeg_testkit::{WallClient, WallMessage};
use serde_json::Value;

use crate::support::{Relay, live};

/// A relay that shows a camera under these names.
pub(super) async fn showing(names: &[&str]) -> (Relay, Vec<mjpeg_testkit::Camera>) {
    let relay = Relay::start().await;
    let mut cameras = Vec::new();
    for name in names {
        let camera = mjpeg_testkit::Camera::start(live()).await;
        relay.run(name, &camera.url()).await;
        cameras.push(camera);
    }
    (relay, cameras)
}

/// Opens the wall as a stranger, and takes its welcome.
pub(super) async fn opened(relay: &Relay) -> WallClient {
    opened_by(relay, &[]).await
}

/// The same as somebody.
pub(super) async fn opened_by(relay: &Relay, headers: &[(&str, &str)]) -> WallClient {
    let mut client = WallClient::open(relay.addr, headers).await.unwrap();
    let welcome = said(&mut client).await;
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(welcome["max_tiles"], 128);
    client
}

/// The next text. Pictures before it are acknowledged and dropped.
pub(super) async fn said(client: &mut WallClient) -> Value {
    loop {
        match client.next().await.unwrap() {
            WallMessage::Text(text) => return serde_json::from_str(&text).unwrap(),
            WallMessage::Picture(picture) => client.ack(&picture).await.unwrap(),
            WallMessage::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

/// The next text about a tile with this state. What comes before it is dropped, and pictures are
/// acknowledged.
pub(super) async fn state(client: &mut WallClient, tile: u16, state: &str) -> Value {
    loop {
        let said = said(client).await;
        if said["tile"] == tile && said["state"] == state {
            return said;
        }
    }
}

/// The code with which the socket is closed, and the texts before that.
pub(super) async fn closed(client: &mut WallClient) -> (Option<u16>, Vec<Value>) {
    let mut texts = Vec::new();
    loop {
        match client.next().await.unwrap() {
            WallMessage::Text(text) => texts.push(serde_json::from_str(&text).unwrap()),
            WallMessage::Picture(_) => {}
            WallMessage::Closed(code) => return (code, texts),
        }
    }
}

/// The viewers of a stream, as the API lists them.
pub(super) async fn viewers(relay: &Relay, name: &str) -> Vec<Value> {
    let page = relay.get(&format!("/streams/{name}/viewers")).await.json();
    page["viewers"].as_array().unwrap().clone()
}

//! What the manager reports, as JSON.

use mjpeg_manager::{StartMode, StreamInfo};
use mjpeg_testkit::{Camera, refused_addr};
use serde_json::{Value, json};

use crate::support::{live, manager, soon, spec, until};

#[tokio::test]
async fn what_is_reported_can_be_serialised() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let mut events = manager.events();
    manager.start(spec("door", camera.addr())).await.unwrap();
    until("a frame", async || manager.get("door").unwrap().frames > 0).await;
    let info = json(&manager.get("door").unwrap());
    assert_eq!(info["name"], "door");
    assert_eq!(info["mode"], "require");
    assert_eq!(info["state"], json!({"kind": "online"}));
    assert_eq!(info["sources"][0]["source"], camera.url());
    assert_eq!(
        info["discarded"]["garbage"],
        json!({"count": 0, "bytes": 0})
    );
    assert!(info["since"].as_f64().unwrap() > 1.7e9, "{info}");
    assert_eq!(info["frozen_since"], Value::Null);
    let started = soon(events.next()).await.unwrap();
    let started = serde_json::to_value(&started).unwrap();
    assert_eq!(
        (&started["stream"], &started["change"]),
        (&json!("door"), &json!("started"))
    );
    let online = soon(events.next()).await.unwrap();
    let online = serde_json::to_value(&online).unwrap();
    assert_eq!(online["change"], json!({"state": {"kind": "online"}}));
    let stats = serde_json::to_value(manager.stats()).unwrap();
    assert_eq!(stats, json!({"streams": 1, "streams_refused": 0}));

    let off = spec("off", refused_addr().await).with_mode(StartMode::Retry);
    manager.start(off).await.unwrap();
    let failed = |info: &StreamInfo| info.last_error.is_some();
    until("offline", async || failed(&manager.get("off").unwrap())).await;
    let info = json(&manager.get("off").unwrap());
    let state = &info["state"];
    assert_eq!(state["kind"], "offline");
    assert!(
        state["error"]
            .as_str()
            .unwrap()
            .starts_with("cannot connect to ")
    );
    assert_eq!(state["reason"], "unreachable");
    assert!(state["retry_at"].is_f64());
    let report = serde_json::to_value(manager.shutdown().await).unwrap();
    let expected = json!({"stopped": 2, "cut": [], "unfinished": []});
    assert_eq!(report, expected);
}

fn json(info: &StreamInfo) -> Value {
    serde_json::to_value(info).unwrap()
}

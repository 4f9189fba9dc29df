//! Who is watching.

use std::time::Duration;

use mjpeg_testkit::{Camera, Viewer};
use tokio::time::timeout;

use crate::support::{GUARD, JSON, Relay, live, until};

#[tokio::test]
async fn viewers_are_listed_and_disconnected() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    relay.run("door", &camera.url()).await;
    relay.run("yard", &camera.url()).await;
    let mut viewers = Vec::new();
    for path in ["/door/?key=a", "/door/?key=b", "/door/?key=c", "/yard/"] {
        let mut viewer = Viewer::open(relay.addr, path).await.unwrap();
        viewer.next_frame().await.unwrap().unwrap();
        viewers.push(viewer);
    }
    let list = async |query: &str| {
        let path = format!("/streams/door/viewers{query}");
        let json = relay.send("GET", &path, &[GUARD], "").await.json();
        let viewers = json["viewers"].as_array().unwrap().iter();
        let keys: Vec<_> = viewers
            .map(|v| v["key"].as_str().unwrap().to_owned())
            .collect();
        (keys.concat(), json["next"].as_str().map(str::to_owned))
    };
    assert_eq!(list("").await, ("abc".into(), None));
    let (keys, next) = list("?limit=2").await;
    assert_eq!(keys, "ab");
    assert_eq!(
        list(&format!("?limit=2&cursor={}", next.unwrap())).await,
        ("c".into(), None)
    );
    let json = relay.get("/streams/door/viewers").await.json();
    let first = &json["viewers"][0];
    assert!(first["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(first["user"].is_null() && first["sent"].as_u64() > Some(0));
    let id = first["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("door:"));

    // The right to control one stream gives no power over the viewers of another.
    let kick = async |id: &str| {
        relay
            .send("DELETE", &format!("/viewers/{id}"), &[GUARD], "")
            .await
    };
    let of_yard = relay.get("/streams/yard/viewers").await.json()["viewers"][0]["id"].clone();
    kick(of_yard.as_str().unwrap())
        .await
        .is_problem(403, "forbidden");
    assert_eq!(kick(&id).await.status(), 204);
    let reading = async {
        while viewers[0]
            .next_frame()
            .await
            .is_ok_and(|frame| frame.is_some())
        {}
    };
    let ended = timeout(Duration::from_secs(5), reading);
    ended.await.expect("it is disconnected");
    until("gone", async || relay.http.viewers("door").len() == 2).await;
    assert_eq!(list("").await.0, "bc");
    kick(&id).await.is_problem(404, "not_found");
    for id in [
        "door", "door:", "door:x", "door:99", "door:1:2", ":1", "none:1",
    ] {
        let path = format!("/viewers/{id}");
        relay
            .root("DELETE", &path, "")
            .await
            .is_problem(404, "not_found");
    }
    relay
        .stranger("/streams/door/viewers")
        .await
        .is_problem(401, "unauthorized");
    relay
        .get("/streams/none/viewers")
        .await
        .is_problem(404, "not_found");
    let path = format!("/viewers/{id}");
    let answer = relay
        .send("DELETE", &path, &[GUARD, JSON], r#"{"a":1}"#)
        .await;
    answer.is_problem(422, "invalid_spec");
}

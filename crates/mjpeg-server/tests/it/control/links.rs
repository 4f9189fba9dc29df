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
async fn link_is_followed_from_every_way_its_path_is_written() {
    let camera = camera().await;
    let stream = format!(
        "[[streams]]\nname = \"door\"\naliases = [\"front\"]\nsource = \"{}\"\n",
        camera.url()
    );
    let relay = Controlled::start(&[CLOSED, &stream].concat());
    let (_, url) = create(&relay, json!({ "stream": "door", "valid_s": 600 })).await;
    let (_, query) = url.split_once('?').expect("a query");
    for path in ["/door", "//door", "/front"] {
        for action in ["", "action=stream&"] {
            let moved = get(&relay, &format!("{path}?{action}{query}")).await;
            assert_eq!(moved.head.status, 308, "{path}");
            assert_eq!(moved.head.header("referrer-policy"), Some("no-referrer"));
            let name = path.trim_start_matches('/');
            let location = moved.head.header("location").expect("a location");
            assert_eq!(location, format!("./{name}/?{action}{query}"));
            let viewer = Viewer::open(relay.addr(), &location[1..]).await.unwrap();
            assert_eq!(viewer.head().status, 200, "{location}");
        }
    }
    for path in ["/door/", "/door/stream/", "//door//stream", "/front/stream"] {
        let viewer = Viewer::open(relay.addr(), &format!("{path}?{query}")).await;
        assert_eq!(viewer.unwrap().head().status, 200, "{path}");
    }
    // The redirect tells only whoever has the link that there is the stream.
    for query in [&query.replace("sig=", "sig=A"), "link=a&sig=b", "a=b"] {
        let refused = get(&relay, &format!("/door?{query}")).await;
        assert_eq!(refused.head.status, 401, "{query}");
        let unknown = get(&relay, &format!("/attic?{query}")).await;
        assert_eq!((unknown.head.status, &unknown.body), (401, &refused.body));
    }
    let (_, picture) = {
        let wanted = json!({ "stream": "door", "action": "snapshot", "valid_s": 600 });
        create(&relay, wanted).await
    };
    let (_, query) = picture.split_once('?').expect("a query");
    let moved = get(&relay, &format!("/door?action=snapshot&{query}")).await;
    let location = moved.head.header("location").expect("a location");
    let picture = get(&relay, &location[1..]).await;
    assert_eq!(picture.head.header("content-type"), Some("image/jpeg"));
    assert_eq!(
        get(&relay, &format!("/door/?{query}")).await.head.status,
        401
    );
}

#[tokio::test]
async fn no_answer_to_a_link_lets_browsers_name_it_to_others() {
    let camera = camera().await;
    let stream = format!(
        "[[streams]]\nname = \"door\"\nsource = \"{}\"\n",
        camera.url()
    );
    let relay = Controlled::start(&[CLOSED, &stream].concat());
    let (id, url) = create(&relay, json!({ "stream": "door", "valid_s": 600 })).await;
    let wanted = json!({ "stream": "door", "action": "snapshot", "valid_s": 600 });
    let (_, picture) = create(&relay, wanted).await;
    for layout in [
        "",
        "&advance_headers=1",
        "&advance_headers=0",
        "&dual_final_frames=1",
    ] {
        let viewer = Viewer::open(relay.addr(), &[&url, layout].concat()).await;
        let viewer = viewer.unwrap();
        assert_eq!(viewer.head().status, 200, "{layout}");
        assert_eq!(
            viewer.head().header("referrer-policy"),
            Some("no-referrer"),
            "{layout}"
        );
    }
    let (_, query) = url.split_once('?').expect("a query");
    relay.ask("DELETE", &format!("/links/{id}"), "").await;
    for (url, status) in [
        (&*picture, 200),
        (&url, 401),
        (&format!("/door?{query}"), 401),
        (&format!("/attic/stream?{query}"), 401),
        (&format!("/door/state?{query}"), 401),
        (&format!("/?{query}"), 200),
        (&format!("/api/v1/streams?{query}"), 200),
        ("/door/stream?sig=x", 401),
    ] {
        let answer = get(&relay, url).await;
        assert_eq!(answer.head.status, status, "{url}");
        assert_eq!(
            answer.head.header("referrer-policy"),
            Some("no-referrer"),
            "{url}"
        );
    }
    // Others tell what they like.
    let plain = get(&relay, "/door/stream").await;
    assert_eq!(plain.head.header("referrer-policy"), None);
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

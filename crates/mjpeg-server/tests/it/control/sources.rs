//! Which sources the API may set, and where they may lead.

use std::{fs, time::Duration};

use mjpeg_testkit::{FakeHttpCamera, refused_addr};
use serde_json::json;
use tokio::net::TcpListener;

use super::{Controlled, GATEWAY, INCLUDE, LOOPBACK, camera};

#[tokio::test]
async fn what_the_api_may_not_set_is_refused_and_said() {
    let relay = Controlled::start("");
    for (key, value, why) in [
        ("source", json!("exec:touch /tmp/x"), "kind"),
        ("source", json!("file:///etc/passwd"), "kind"),
        ("source", json!("unix:///run/x"), "kind"),
        ("source", json!("tcp-listen://:6001"), "kind"),
        ("source", json!("EXEC:ls"), "kind"),
        ("source", json!(" exec:ls"), "kind"),
        ("source", json!("tcp://cam:${env:HOME}"), "${"),
        ("source", json!("https://cam/#insecure"), "insecure"),
        (
            "source",
            json!("https://cam/#stall_limit=1s&ca=/etc/x"),
            "certificates",
        ),
        ("source", json!("https://cam/#ca-pem=x"), "certificates"),
        ("source", json!("rtsps://cam/#insecure"), "certificates"),
        ("source", json!(["tcp://cam:1"]), "string"),
        ("fallback", json!(["tcp://cam:1", "exec:ls"]), "kind"),
        ("fallback", json!(["http://cam/${file:/etc/passwd}"]), "${"),
        ("aliases", json!(["webcam"]), "may not set"),
        ("placeholder", json!("/etc/passwd"), "may not set"),
        ("view", json!(["alice"]), "may not set"),
        ("listen", json!(8081), "no ports"),
        ("max_fsp", json!(5), "max_fps"),
        ("max_fps", json!("fast"), "number"),
        ("max_fps", json!(-1), "bounds"),
        ("linger", json!("7300d"), "bounds"),
        ("start", json!("perhaps"), "retry"),
    ] {
        let mut body = json!({ "name": "yard", "source": "test:" });
        body[key] = value.clone();
        let refused = relay.ask("POST", "/streams", &body.to_string()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "invalid_spec"),
            "{body}"
        );
        let errors = refused.json["errors"].as_array().expect("a list");
        let said = errors.iter().any(|error| {
            error["key"] == *key
                && error["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(why))
        });
        assert!(said, "{body}: {refused:?}");
        assert!(!refused.json.to_string().contains("passwd"), "{refused:?}");
    }
    assert!(relay.names().await.is_empty());
}

#[tokio::test]
async fn sources_do_not_lead_to_this_machine() {
    let relay = Controlled::start("");
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0",
        "localhost",
        "cam.localhost",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "224.0.0.1",
        "[fe80::1]",
    ] {
        for (source, fallback) in [
            (format!("http://{host}/"), "http://192.0.2.1/".to_owned()),
            ("http://192.0.2.1/".to_owned(), format!("tcp://{host}:6001")),
            (format!("rtsp://{host}/"), "rtsp://192.0.2.1/".to_owned()),
        ] {
            let body = json!({
                "name": "yard", "source": source, "fallback": [fallback], "start": "retry",
            });
            let refused = relay.ask("POST", "/streams", &body.to_string()).await;
            assert_eq!(
                (refused.status, refused.code()),
                (422, "invalid_spec"),
                "{body}"
            );
        }
    }
}

/// A camera that is allowed sends the relay on to one that is not.
#[tokio::test]
async fn redirects_lead_no_further() {
    let trap = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let target = format!("http://{}/", trap.local_addr().unwrap());
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let camera = FakeHttpCamera::saying(answer);
    let mut relay = Controlled::start("[control]\nallow = [\"127.0.0.1\"]\n");
    assert_eq!(relay.add("yard", &camera.url("/")).await.status, 201);
    let log = relay.server.stderr_until("127.0.0.2");
    assert!(log.last().unwrap().contains("not"), "{log:#?}");
    let nobody = tokio::time::timeout(Duration::from_millis(300), trap.accept()).await;
    assert!(nobody.is_err(), "{nobody:?}");
}

/// What is kept on the disk is no way around it.
#[tokio::test]
async fn streams_of_the_api_are_judged_again_after_a_restart() {
    let camera = camera().await;
    let mut relay = Controlled::start(LOOPBACK);
    assert_eq!(relay.add("yard", &camera.url()).await.status, 201);
    relay
        .folder
        .write("mjpeg.toml", [INCLUDE, GATEWAY].concat());
    relay.restart();
    relay.server.stderr_until("camera offline");
    let read = relay.ask("GET", "/streams/yard", "").await;
    let error = read.json["last_error"].to_string();
    assert!(error.contains("127.0.0.1"), "{read:?}");
}

#[tokio::test]
async fn masked_secret_comes_back_only_for_the_same_camera() {
    let relay = Controlled::start(LOOPBACK);
    let addr = refused_addr().await;
    let query = "u=hunter4&p=hunter5&fps=5";
    let source = format!("http://me:hunter2@{addr}/video?{query}#header=X-Key:hunter3");
    let added = relay.add("yard", &source).await;
    assert_eq!(added.status, 201, "{added:?}");
    let shown = added.json["config"]["source"].as_str().unwrap().to_owned();
    assert!(
        shown.contains("***@") && !added.json.to_string().contains("hunter"),
        "{added:?}"
    );
    let stored = || fs::read_to_string(relay.stored("yard")).unwrap();
    let body = json!({ "source": shown, "max_fps": 5 });
    let same = relay.ask("PUT", "/streams/yard", &body.to_string()).await;
    assert_eq!(same.status, 200, "{same:?}");
    assert!(stored().contains(&source), "{}", stored());
    let body = json!({ "source": format!("http://***@{addr}/other") });
    let moved = relay.ask("PATCH", "/streams/yard", &body.to_string()).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert!(stored().contains("me:hunter2@"), "{}", stored());
    let body = json!({ "source": source });
    let again = relay.ask("PATCH", "/streams/yard", &body.to_string()).await;
    assert!(!again.json.to_string().contains("hunter"), "{again:?}");
    let body = json!({ "source": shown.replace("fps=5", "fps=9") });
    let changed = relay.ask("PATCH", "/streams/yard", &body.to_string()).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert!(
        stored().contains(&source.replace("fps=5", "fps=9")),
        "{}",
        stored()
    );
    for elsewhere in [
        "http://***@192.0.2.1/",
        "http://192.0.2.1/video?p=***",
        "https://***@",
        "tcp://***",
    ] {
        let body = json!({ "source": elsewhere });
        let refused = relay.ask("PATCH", "/streams/yard", &body.to_string()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "invalid_spec"),
            "{elsewhere}"
        );
        let body = json!({ "fallback": [elsewhere] });
        let refused = relay.ask("PATCH", "/streams/yard", &body.to_string()).await;
        assert_eq!(refused.status, 422, "{elsewhere}");
    }
}

//! Reading streams.

use mjpeg_manager::StreamSpec;
use mjpeg_testkit::{Camera, refused_addr};

use crate::support::{GUARD, JSON, Relay, live, until};

#[tokio::test]
async fn strangers_read_names_states_and_rates_and_nothing_else() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    relay.run("door", &camera.url()).await;
    relay.run("hidden", "tcp://127.0.0.1:9").await;
    until("frames", async || {
        relay.manager.get("door").unwrap().frames > 3
    })
    .await;
    let answer = relay.stranger("/streams").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json = answer.json();
    assert_eq!(json.as_object().unwrap().len(), 2);
    assert_eq!(json["may_add"], false);
    assert_eq!(relay.get("/streams").await.json()["may_add"], true);
    let [door] = &json["streams"].as_array().unwrap()[..] else {
        panic!("hidden is seen: {json}");
    };
    let keys: Vec<_> = door.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "bytes", "fps", "frames", "name", "replay_s", "state", "viewers"
        ]
    );
    assert_eq!(
        (&door["name"], &door["state"]),
        (&"door".into(), &"online".into())
    );
    assert!(door["frames"].as_u64() > Some(3));
    // One stream in full is not for strangers at all.
    relay
        .stranger("/streams/door")
        .await
        .is_problem(401, "unauthorized");
}

#[tokio::test]
async fn those_who_control_a_stream_see_it_in_full_and_others_as_strangers_do() {
    let relay = Relay::start().await;
    for name in ["door", "hidden", "yard"] {
        let body = format!(
            r#"{{"name":"{name}","source":"tcp://me:secret@{}","start":"retry"}}"#,
            refused_addr().await
        );
        // This kind of source has no password, but a mask must hold for any.
        let body = body.replace("me:secret@", "");
        assert_eq!(relay.root("POST", "/streams", &body).await.status(), 201);
    }
    let json = relay.send("GET", "/streams", &[GUARD], "").await.json();
    let [door, yard] = &json["streams"].as_array().unwrap()[..] else {
        panic!("{json}");
    };
    assert!(
        door["source"]
            .as_str()
            .unwrap()
            .starts_with("tcp://127.0.0.1:")
    );
    assert_eq!(door["origin"], "api");
    assert_eq!(door["config"]["start"], "retry");
    assert!(door["since"].as_str().unwrap().ends_with('Z'));
    assert!(yard.get("source").is_none() && yard.get("config").is_none());
    assert_eq!(
        relay.get("/streams").await.json()["streams"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let answer = relay.send("GET", "/streams/door", &[GUARD], "").await;
    assert_eq!(answer.json()["version"], "v1");
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(answer.json()["sources"][0]["is_active"], true);
    let yard = relay.send("GET", "/streams/yard", &[GUARD], "").await;
    yard.is_problem(403, "forbidden");
    assert_eq!(yard.json()["detail"], "Who are you?");
    assert_eq!(yard.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn streams_come_in_order_a_page_at_a_time() {
    let relay = Relay::start().await;
    for name in ["a", "b", "c", "d", "e", "hidden"] {
        relay.run(name, "tcp://127.0.0.1:9").await;
    }
    *relay.memory.order.lock().unwrap() = ["e", "hidden", "c"].map(|n| n.parse().unwrap()).into();
    let page = async |query: &str| {
        let json = relay.stranger(&format!("/streams?{query}")).await.json();
        let names = json["streams"].as_array().unwrap().iter();
        let names: Vec<_> = names
            .map(|s| s["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(" "), json["next"].as_str().map(str::to_owned))
    };
    assert_eq!(page("").await, ("e c a b d".into(), None));
    assert_eq!(page("limit=5").await, ("e c a b d".into(), None));
    let (names, next) = page("limit=2").await;
    let next = next.unwrap();
    assert_eq!((&*names, &*next), ("e c", "2.c"));
    assert_eq!(
        page(&format!("limit=2&cursor={next}")).await,
        ("a b".into(), Some("4.b".into()))
    );
    assert_eq!(page("limit=2&cursor=4.b").await, ("d".into(), None));
    // The stream that the cursor names is gone: none is skipped or told twice.
    relay.manager.stop("c").await.unwrap();
    assert_eq!(page("limit=2&cursor=1.c").await.0, "a b");

    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "cursor=x.a",
        "cursor=",
        "limit=1&limit=2",
    ] {
        let answer = relay.stranger(&format!("/streams?{query}")).await;
        answer.is_problem(422, "invalid_spec");
    }
    for query in [
        "limit=1000",
        "_=1732870000",
        "cachebuster",
        "limit=1000&x=y",
    ] {
        let answer = relay.stranger(&format!("/streams?{query}")).await;
        assert_eq!(answer.status(), 200, "{query}");
    }
}

#[tokio::test]
async fn page_has_a_hundred_streams_unless_the_client_says_otherwise() {
    let relay = Relay::start().await;
    let mut publishers = Vec::new();
    for number in 0..101 {
        let name = format!("s{number:03}").parse().unwrap();
        let started = relay.manager.start_fed(StreamSpec::fed(name)).await;
        publishers.push(started.unwrap());
    }
    let first = relay.stranger("/streams").await.json();
    assert_eq!(first["streams"].as_array().unwrap().len(), 100);
    let next = first["next"].as_str().unwrap();
    let path = format!("/streams?cursor={next}");
    let last = relay.stranger(&path).await.json();
    assert_eq!(last["streams"][0]["name"], "s100");
    assert_eq!(last["streams"].as_array().unwrap().len(), 1);
    let all = relay.stranger("/streams?limit=101").await.json();
    assert_eq!(all["streams"].as_array().unwrap().len(), 101);
    assert!(all.get("next").is_none() && last.get("next").is_none());
}

#[tokio::test]
async fn health_is_told_by_the_status_alone() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    relay.run("door", &camera.url()).await;
    relay
        .run("yard", &format!("tcp://{}", refused_addr().await))
        .await;
    until("online", async || {
        relay.manager.get("door").unwrap().state.as_str() == "online"
    })
    .await;
    until("offline", async || {
        relay.manager.get("yard").unwrap().state.as_str() == "offline"
    })
    .await;
    for path in ["/streams/door/health", "/streams/webcam/health"] {
        let answer = relay.stranger(path).await;
        assert_eq!(
            (answer.status(), answer.text()),
            (200, r#"{"state":"online"}"#)
        );
    }
    assert_eq!(
        relay
            .send("HEAD", "/streams/door/health", &[], "")
            .await
            .status(),
        200
    );
    let answer = relay.stranger("/streams/yard/health").await;
    answer.is_problem(503, "offline");
    // The reason for everybody, without the address.
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
    relay
        .stranger("/streams/none/health")
        .await
        .is_problem(404, "not_found");
    relay
        .get("/streams/none")
        .await
        .is_problem(404, "not_found");
    assert_eq!(relay.get("/streams/webcam").await.json()["name"], "door");
    // A further name finds what is read, and changes nothing.
    let pause = relay.send(
        "POST",
        "/streams/webcam/pause",
        &[crate::support::ROOT, JSON],
        "",
    );
    pause.await.is_problem(404, "not_found");
}

#[tokio::test]
async fn info_and_configuration_are_shown_to_those_who_control() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let info = relay.get("/info").await.json();
    assert_eq!(
        (&info["program"], &info["api"]),
        (&"mjpeg-control".into(), &"v1".into())
    );
    assert_eq!(
        (&info["streams"], &info["subscribers"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        relay.get("/config").await.json()["listen"][0]["address"],
        "[::]:8080"
    );
    for path in ["/info", "/config", "/openapi.json"] {
        relay.stranger(path).await.is_problem(401, "unauthorized");
        relay
            .send("GET", path, &[GUARD], "")
            .await
            .is_problem(403, "forbidden");
    }
}

//! Time-lapses of a stream that take a picture whenever they are asked to, without their ids.

use mjpeg_testkit::request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{begin, stream, stream_called};
use crate::control::{Answer, Controlled, camera};

async fn frame(relay: &Controlled, stream: &str) -> Answer {
    relay
        .ask("POST", &format!("/streams/{stream}/frame"), "{}")
        .await
}

/// What a key holds in each time-lapse of an answer.
fn each<'a>(answer: &'a Answer, key: &str) -> Vec<&'a Value> {
    let all = answer.json["timelapses"].as_array().expect("a list").iter();
    all.map(|it| &it[key]).collect()
}

#[tokio::test]
async fn all_time_lapses_of_a_stream_take_the_picture_that_they_wait_for() {
    let camera = camera().await;
    let streams = [stream(&camera), stream_called("yard", &camera)].concat();
    let relay = Controlled::start(&streams);
    for name in ["none", "a%2fb"] {
        assert_eq!(frame(&relay, name).await.status, 404, "{name}");
    }
    let by_itself = begin(&relay, json!({ "stream": "door", "every_s": 3600 })).await;
    begin(&relay, json!({ "stream": "yard" })).await;
    let missing = frame(&relay, "door").await;
    assert_eq!(
        (missing.status, &missing.json["code"]),
        (409, &json!("not_possible"))
    );
    let hint = missing.json["hint"].as_str().expect("what to do");
    assert!(hint.contains("without every_s"), "{hint}");

    let first = begin(&relay, json!({ "stream": "door" })).await;
    let second = begin(&relay, json!({ "stream": "door", "max_frames": 2 })).await;
    let taken = frame(&relay, "door").await;
    assert_eq!(taken.status, 200, "{}", taken.json);
    assert_eq!(each(&taken, "id"), [&first, &second]);
    assert_eq!(each(&taken, "frames"), [1, 1]);
    let taken = frame(&relay, "door").await;
    assert_eq!(each(&taken, "state"), ["running", "ended"]);
    let taken = frame(&relay, "door").await;
    assert_eq!(
        (each(&taken, "id"), each(&taken, "frames")),
        (vec![&json!(first)], vec![&json!(3)])
    );

    let finish = async || {
        let path = "/streams/door/timelapses/finish";
        relay.ask("POST", path, "{}").await
    };
    let ended = finish().await;
    assert_eq!(
        (each(&ended, "id"), each(&ended, "reason")),
        (vec![&json!(first)], vec![&json!("finished")])
    );
    let again = finish().await;
    assert_eq!(
        (again.status, again.json),
        (200, json!({ "timelapses": [] }))
    );
    let shown = relay
        .ask("GET", &format!("/timelapses/{by_itself}"), "")
        .await;
    assert_eq!(
        (&shown.json["state"], &shown.json["frames"]),
        (&json!("running"), &json!(0))
    );
    assert_eq!(frame(&relay, "yard").await.status, 200);
}

/// Whoever deletes the files of one while the relay runs.
#[tokio::test]
async fn time_lapse_that_cannot_keep_a_picture_does_not_keep_others_from_it() {
    let camera = camera().await;
    let relay = Controlled::start(&stream(&camera));
    let broken = begin(&relay, json!({ "stream": "door" })).await;
    let folder = relay.folder.path().join("state/timelapses");
    std::fs::remove_dir_all(folder.join(broken.trim_start_matches("t-"))).unwrap();
    let alone = frame(&relay, "door").await;
    assert_eq!(
        (alone.status, &alone.json["code"]),
        (500, &json!("internal_error"))
    );
    let sound = begin(&relay, json!({ "stream": "door" })).await;
    let taken = frame(&relay, "door").await;
    assert_eq!(taken.status, 200, "{}", taken.json);
    assert_eq!(each(&taken, "id"), [&broken, &sound]);
    assert_eq!(each(&taken, "frames"), [0, 1]);
    let problems = each(&taken, "problem");
    assert!(
        problems[0].is_string() && problems[1].is_null(),
        "{problems:?}"
    );
}

#[tokio::test]
async fn whoever_controls_another_stream_takes_no_picture() {
    let camera = camera().await;
    let hash: String = Sha256::digest("guard")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let users = format!(
        "[[users]]\nname = \"guard\"\ntoken_hash = \"sha256:{hash}\"\n\
         may = [\"control\"]\nstreams = [\"yard\"]\n"
    );
    let streams = [stream(&camera), stream_called("yard", &camera)].concat();
    let relay = Controlled::start(&[streams, users].concat());
    let ask = async |path: &str, login: &str| {
        let asked = format!(
            "POST /api/v1/streams/{path} HTTP/1.1\r\nHost: {}\r\n{login}\
             Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}",
            relay.addr()
        );
        request(relay.addr(), asked).await.unwrap().head.status
    };
    let guard = "Authorization: Bearer guard\r\n";
    for path in ["frame", "timelapses/finish"] {
        assert_eq!(ask(&format!("door/{path}"), "").await, 401);
        let other = ask(&format!("door/{path}"), guard).await;
        assert!([403, 404].contains(&other), "{other}");
        let own = ask(&format!("yard/{path}"), guard).await;
        assert!([200, 409].contains(&own), "{own}");
    }
}

//! Clips and time-lapses that outlast the relay.

mod by_event;
mod on_request;
mod snippets;

use std::{
    process::Command,
    time::{Duration, SystemTime},
};

use mjpeg_testkit::{Camera, Response, jpeg, request};
use mjpeg_timelapse::{TimelapseFrame, TimelapseSpec, TimelapseStore};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    control::{Answer, Controlled, GATEWAY, INCLUDE, camera},
    process::end,
};

fn stream(camera: &Camera) -> String {
    stream_called("door", camera)
}

fn stream_called(name: &str, camera: &Camera) -> String {
    format!(
        "[[streams]]\nname = \"{name}\"\nsource = \"{}\"\nreplay = \"60s\"\n",
        camera.url()
    )
}

/// Waits until what a path shows satisfies the condition.
async fn until(relay: &Controlled, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..400 {
        last = relay.ask("GET", path, "").await.json;
        if condition(&last) {
            return last;
        }
        sleep(Duration::from_millis(25)).await;
    }
    panic!("never at {path}: {last}");
}

async fn begin(relay: &Controlled, body: Value) -> String {
    let begun = relay.ask("POST", "/timelapses", &body.to_string()).await;
    assert_eq!(begun.status, 201, "{}", begun.json);
    begun.json["id"].as_str().unwrap().to_owned()
}

async fn take(relay: &Controlled, id: &str) -> Answer {
    relay
        .ask("POST", &format!("/timelapses/{id}/frame"), "{}")
        .await
}

async fn download(relay: &Controlled, path: &str) -> Response {
    let asked = format!(
        "GET /api/v1{path} HTTP/1.0\r\nHost: {}\r\n\r\n",
        relay.addr()
    );
    request(relay.addr(), asked).await.unwrap()
}

/// The frames and the rate that ffprobe finds in a file.
fn probed(relay: &Controlled, name: &str, file: &[u8]) -> (u64, u32) {
    let path = relay.folder.write(name, file);
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-select_streams", "v"])
        .args(["-show_entries", "stream=r_frame_rate,nb_read_packets"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe runs (cargo xtask ci --install installs it)");
    let text = String::from_utf8(probed.stdout).unwrap();
    let (rate, frames) = text.trim().split_once(',').expect(&text);
    let (number, of) = rate.split_once('/').expect(&text);
    let rate: f64 = number.parse::<f64>().unwrap() / of.parse::<f64>().unwrap();
    (frames.parse().expect(&text), rate.round() as u32)
}

fn all(text: &str) -> Controlled {
    Controlled::of(&[INCLUDE, GATEWAY, text].concat())
}

#[tokio::test]
async fn time_lapse_takes_pictures_by_itself_until_it_has_as_many_as_wanted() {
    let camera = camera().await;
    let relay = Controlled::start(&stream(&camera));
    let wanted =
        json!({ "stream": "door", "every_s": 0.2, "max_frames": 6, "title": "Sunrise", "fps": 10 });
    let id = begin(&relay, wanted).await;
    let path = format!("/timelapses/{id}");
    let ended = until(&relay, &path, |shown| shown["state"] == "ended").await;
    assert_eq!(
        (&ended["frames"], &ended["reason"]),
        (&json!(6), &json!("max_frames"))
    );
    assert_eq!(
        (&ended["title"], &ended["problem"]),
        (&json!("Sunrise"), &Value::Null)
    );
    let movie = download(&relay, &format!("{path}/movie.mov")).await;
    assert_eq!(movie.head.header("content-type"), Some("video/quicktime"));
    let name = movie.head.header("content-disposition").unwrap();
    assert_eq!(name, format!("attachment; filename=\"door_{id}.mov\""));
    assert_eq!(probed(&relay, "movie.mov", &movie.body), (6, 10));
    let faster = download(&relay, &format!("{path}/movie.avi?fps=30")).await;
    let length = faster.body.len().to_string();
    assert_eq!(faster.head.header("content-length"), Some(&length[..]));
    assert_eq!(probed(&relay, "movie.avi", &faster.body), (6, 30));
    // Pictures are an interval apart, as the camera sends one every 20 ms.
    let paced = download(&relay, &format!("{path}/movie.mov?pace=true")).await;
    assert_eq!(probed(&relay, "paced.mov", &paced.body).0, 6);
    let first = download(&relay, &format!("{path}/picture.jpg?number=0")).await;
    let last = download(&relay, &format!("{path}/picture.jpg")).await;
    assert_ne!(first.body, last.body);
    assert!(jpeg::number_of(&first.body).is_some() && jpeg::number_of(&last.body).is_some());
    for missing in ["picture.jpg?number=6", "movie.mkv", "index"] {
        let answer = download(&relay, &format!("{path}/{missing}")).await;
        assert_eq!(answer.head.status, 404, "{missing}");
    }
    let late = take(&relay, &id).await;
    assert_eq!(
        (late.status, &late.json["code"]),
        (409, &json!("not_possible"))
    );
    assert_eq!(relay.ask("DELETE", &path, "").await.status, 204);
    assert_eq!(relay.ask("GET", &path, "").await.status, 404);
    let folder = relay.folder.path().join("state/timelapses");
    let left = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    assert!(left.into_iter().all(|path| !path.is_dir()));
}

#[tokio::test]
async fn picture_is_taken_when_asked_for_and_survives_a_killed_relay() {
    let camera = camera().await;
    let mut relay = Controlled::start(&stream(&camera));
    let id = begin(&relay, json!({ "stream": "door" })).await;
    for number in 0..3 {
        let taken = take(&relay, &id).await;
        assert_eq!((taken.status, &taken.json["number"]), (200, &json!(number)));
    }
    let second = download(&relay, &format!("/timelapses/{id}/picture.jpg?number=1")).await;
    end(relay.server.id());
    relay.restart();
    let path = format!("/timelapses/{id}");
    let shown = until(&relay, &path, |shown| shown["frames"] == 3).await;
    assert_eq!(shown["state"], "running");
    let again = download(&relay, &format!("{path}/picture.jpg?number=1")).await;
    assert_eq!(again.body, second.body);
    assert_eq!(take(&relay, &id).await.json["number"], 3);
    let finished = relay.ask("POST", &format!("{path}/finish"), "{}").await;
    assert_eq!(
        (finished.status, &finished.json["reason"]),
        (200, &json!("finished"))
    );
}

#[tokio::test]
async fn time_lapse_goes_on_after_a_restart_and_ends_at_its_time() {
    let camera = camera().await;
    let mut relay = Controlled::start(&stream(&camera));
    let until_time = SystemTime::now() + Duration::from_secs(4);
    let since = until_time.duration_since(std::time::UNIX_EPOCH).unwrap();
    let output = Command::new("date")
        .args(["-u", "-Ins", "-d", &format!("@{}", since.as_secs_f64())])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap().replace(',', ".");
    let wanted = json!({ "stream": "door", "every_s": 0.1, "until": text.trim() });
    let id = begin(&relay, wanted).await;
    let path = format!("/timelapses/{id}");
    until(&relay, &path, |shown| shown["frames"].as_u64() >= Some(3)).await;
    end(relay.server.id());
    relay.restart();
    let before = until(&relay, &path, |shown| shown["frames"].as_u64() >= Some(3)).await;
    let before = before["frames"].as_u64();
    let ended = until(&relay, &path, |shown| shown["state"] == "ended").await;
    assert_eq!(ended["reason"], "until");
    assert!(ended["frames"].as_u64() > before, "{ended}");
}

#[tokio::test]
async fn clip_is_kept_with_its_true_times_and_outlasts_the_relay() {
    let camera = camera().await;
    let mut relay = Controlled::start(&stream(&camera));
    until(&relay, "/streams/door", |shown| {
        shown["replay_s"].as_f64() >= Some(1.5)
    })
    .await;
    let wanted = json!({ "stream": "door", "from": "-1s", "to": "+300ms", "title": "At the door" });
    let kept = relay.ask("POST", "/clips", &wanted.to_string()).await;
    assert_eq!(kept.status, 201, "{}", kept.json);
    let (id, frames) = (
        kept.json["id"].as_str().unwrap().to_owned(),
        kept.json["frames"].as_u64(),
    );
    // 50 a second for 1.3 s.
    assert!((55..=68).contains(&frames.unwrap()), "{}", kept.json);
    assert_eq!(
        (&kept.json["state"], &kept.json["reason"]),
        (&json!("ended"), &json!("clip"))
    );
    relay.restart();
    let listed = relay.ask("GET", "/clips", "").await.json;
    assert_eq!(listed["clips"][0]["id"], id);
    assert_eq!(listed["clips"].as_array().unwrap().len(), 1);
    assert_eq!(listed["may_add"], true);
    let movie = download(&relay, &format!("/clips/{id}/movie.mov")).await;
    assert_eq!(Some(probed(&relay, "clip.mov", &movie.body).0), frames);
    let of_other_kind = relay.ask("GET", &format!("/timelapses/{id}"), "").await;
    assert_eq!(of_other_kind.status, 404);
    assert_eq!(
        relay
            .ask("DELETE", &format!("/clips/{id}"), "")
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let camera = camera().await;
    let limits = "max_clip_storage = \"20KiB\"\nmax_timelapse_storage = \"16KiB\"\n";
    let relay = Controlled::of(&[limits, INCLUDE, GATEWAY, &stream(&camera)].concat());
    until(&relay, "/streams/door", |shown| {
        shown["replay_s"].as_f64() >= Some(1.0)
    })
    .await;
    let wanted = json!({ "stream": "door", "from": "-1s" }).to_string();
    let refused = relay.ask("POST", "/clips", &wanted).await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (507, &json!("storage_full"))
    );
    let listed = relay.ask("GET", "/clips", "").await.json;
    assert_eq!(
        (&listed["clips"], &listed["used_bytes"]),
        (&json!([]), &json!(0))
    );
    let id = begin(&relay, json!({ "stream": "door", "every_s": 0.1 })).await;
    let path = format!("/timelapses/{id}");
    let full = until(&relay, &path, |shown| shown["problem"].is_string()).await;
    assert!(
        full["problem"].as_str().unwrap().contains("16384"),
        "{full}"
    );
    assert!(
        full["frames"].as_u64() > Some(0) && full["state"] == "running",
        "{full}"
    );
    let taken = take(&relay, &id).await;
    assert_eq!(taken.json["code"], "storage_full");
}

#[tokio::test]
async fn bad_wishes_are_explained_and_streams_that_are_gone_are_waited_for() {
    let camera = camera().await;
    let plain = format!(
        "[[streams]]\nname = \"door\"\nsource = \"{}\"\n",
        camera.url()
    );
    let relay = all(&plain);
    for (path, body, status, word) in [
        ("/timelapses", json!({}), 422, "stream"),
        ("/timelapses", json!({ "stream": "none" }), 404, ""),
        (
            "/timelapses",
            json!({ "stream": "door", "every_s": 0.01 }),
            422,
            "every",
        ),
        (
            "/timelapses",
            json!({ "stream": "door", "every_s": -1 }),
            422,
            "every_s",
        ),
        (
            "/timelapses",
            json!({ "stream": "door", "until": "2020-01-01T00:00:00Z" }),
            422,
            "until",
        ),
        (
            "/timelapses",
            json!({ "stream": "door", "fps": 1000 }),
            422,
            "fps",
        ),
        (
            "/timelapses",
            json!({ "stream": "door", "title": "a\u{1b}b" }),
            422,
            "title",
        ),
        (
            "/timelapses",
            json!({ "stream": "door", "evry_s": 1 }),
            422,
            "every_s",
        ),
        ("/clips", json!({ "stream": "door" }), 422, "from"),
        (
            "/clips",
            json!({ "stream": "door", "from": "later" }),
            422,
            "from",
        ),
        (
            "/clips",
            json!({ "stream": "door", "from": "-1s" }),
            404,
            "no past",
        ),
    ] {
        let answer = relay.ask("POST", path, &body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.json);
        assert!(
            answer.json.to_string().contains(word),
            "{body}: {}",
            answer.json
        );
    }
    assert_eq!(relay.ask("GET", "/timelapses/t-0", "").await.status, 404);
    assert_eq!(relay.ask("GET", "/timelapses/..%2fx", "").await.status, 404);
    // A relay that has kept nothing leaves no folder.
    let folder = relay.folder.path().join("state");
    let made = std::fs::read_dir(folder.join("clips")).is_ok();
    assert!(!made);
    let id = begin(&relay, json!({ "stream": "door", "every_s": 0.1 })).await;
    camera.shutdown().await;
    let path = format!("/timelapses/{id}");
    let missed = until(&relay, &path, |shown| shown["problem"].is_string()).await;
    assert!(
        missed["problem"].as_str().unwrap().contains("no picture"),
        "{missed}"
    );
}

#[tokio::test]
async fn who_may_only_view_sees_time_lapses_and_changes_nothing() {
    let camera = camera().await;
    let gateway = "[[listen]]\naddress = \"127.0.0.1:0\"\nserve = [\"streams\", \"page\"]\n";
    let text = [INCLUDE, GATEWAY, gateway, &stream(&camera)].concat();
    let relay = Controlled::of_several(&text, 2);
    let id = begin(&relay, json!({ "stream": "door", "every_s": 0.1 })).await;
    let viewer = relay.server.addr(1);
    let ask = async |method: &str, path: &str| {
        let asked = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {viewer}\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        request(viewer, asked).await.unwrap()
    };
    let listed = ask("GET", "/timelapses").await;
    let listed: Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(
        (&listed["timelapses"][0]["id"], &listed["may_add"]),
        (&json!(id), &json!(false))
    );
    assert_eq!(
        ask("GET", &format!("/timelapses/{id}")).await.head.status,
        200
    );
    for (method, path) in [
        ("POST", "/timelapses".to_owned()),
        ("POST", format!("/timelapses/{id}/frame")),
        ("DELETE", format!("/timelapses/{id}")),
        ("POST", "/clips".to_owned()),
    ] {
        let status = ask(method, &path).await.head.status;
        assert!([404, 405].contains(&status), "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn time_lapse_by_request_ends_with_its_last_picture() {
    let camera = camera().await;
    let relay = Controlled::start(&stream(&camera));
    let id = begin(&relay, json!({ "stream": "door", "max_frames": 2 })).await;
    for number in [0, 1] {
        assert_eq!(take(&relay, &id).await.json["number"], number);
    }
    let shown = relay
        .ask("GET", &format!("/timelapses/{id}"), "")
        .await
        .json;
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("ended"), &json!("max_frames"))
    );
}

#[tokio::test]
async fn clip_that_was_interrupted_has_ended_after_a_restart() {
    let camera = camera().await;
    let mut relay = Controlled::start(&stream(&camera));
    let clips = relay.folder.path().join("state/clips");
    std::fs::create_dir_all(clips.parent().unwrap()).unwrap();
    {
        let store = TimelapseStore::open(&clips, 1 << 20).unwrap();
        let spec = TimelapseSpec::new("door");
        let job = store.create(&spec, SystemTime::now()).unwrap();
        let frame = TimelapseFrame::new(jpeg::numbered(1), SystemTime::now(), 64, 64);
        store.append(&job.id, &frame).unwrap();
    }
    relay.restart();
    let listed = relay.ask("GET", "/clips", "").await.json;
    let clip = &listed["clips"][0];
    assert_eq!(
        (&clip["state"], &clip["reason"]),
        (&json!("ended"), &json!("interrupted"))
    );
    assert_eq!(clip["frames"], 1);
}

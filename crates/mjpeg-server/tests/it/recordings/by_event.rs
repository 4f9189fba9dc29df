//! Clips that streams keep by themselves.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, request};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{download, until};
use crate::{
    control::{Controlled, INCLUDE},
    process::run,
    receiver::{Reaction, Receiver},
};

const METRICS: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n\
                       serve = [\"streams\", \"page\", \"control\", \"metrics\"]\n";

fn start(top: &str, more: &str) -> Controlled {
    Controlled::of(&[top, INCLUDE, METRICS, more].concat())
}

fn stream(url: &str, keys: &str) -> String {
    format!("[[streams]]\nname = \"door\"\nsource = \"{url}\"\nreplay = \"60s\"\n{keys}\n")
}

/// A picture every so often, on the first connection; then the camera only closes connections.
async fn camera_of(frames: Vec<Bytes>, last: Step) -> Camera {
    let every = |frame| [Step::Send(frame), Step::Wait(Duration::from_millis(20))];
    let mut steps: Vec<Step> = frames.into_iter().flat_map(every).collect();
    steps.push(last);
    let first = Script::new(steps);
    Camera::start_with(move |connection| match connection {
        0 => first.clone(),
        _ => Script::close(),
    })
    .await
}

/// A camera that goes away again and again, after ten pictures each.
async fn restless() -> Camera {
    let frames = (0..10).map(jpeg::numbered);
    let every = |frame| [Step::Send(frame), Step::Wait(Duration::from_millis(10))];
    let mut steps: Vec<Step> = frames.flat_map(every).collect();
    steps.push(Step::Close);
    Camera::start(Script::new(steps)).await
}

/// The clips, when there are so many that have ended.
async fn clips(relay: &Controlled, least: usize) -> Vec<Value> {
    let ended = |list: &Value| -> Vec<Value> {
        let clips = list["clips"].as_array().cloned().unwrap_or_default();
        let ended = clips.into_iter().filter(|clip| clip["state"] == "ended");
        ended.collect()
    };
    ended(&until(relay, "/clips", |list| ended(list).len() >= least).await)
}

/// The number of a picture of a clip; of the last one without a number.
async fn picture(relay: &Controlled, clip: &Value, number: Option<u64>) -> u32 {
    let id = clip["id"].as_str().unwrap();
    let query = number.map_or(String::new(), |number| format!("?number={number}"));
    let answer = download(relay, &format!("/clips/{id}/picture.jpg{query}")).await;
    jpeg::number_of(&answer.body).expect("a picture")
}

async fn figure(relay: &Controlled, name: &str) -> u64 {
    let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = request(relay.addr(), asked).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(name))
        .expect(name);
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

async fn until_figure(relay: &Controlled, name: &str, least: u64) {
    for _ in 0..3000 {
        if figure(relay, name).await >= least {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{name} never reached {least}");
}

fn seconds(clip: &Value, field: &str) -> f64 {
    let time: jiff::Timestamp = clip[field].as_str().unwrap().parse().unwrap();
    time.as_microsecond() as f64 / 1e6
}

#[tokio::test]
async fn camera_that_goes_away_leaves_a_clip_that_ends_with_its_last_picture() {
    for (last, keys) in [(Step::Close, ""), (Step::Stall, "stall_limit = \"1s\"\n")] {
        let camera = camera_of((0..60).map(jpeg::numbered).collect(), last).await;
        let keys =
            format!("{keys}clip_on = [\"offline\"]\nclip_before = \"500ms\"\nclip_after = \"1m\"");
        let relay = start("", &stream(&camera.url(), &keys));
        let clip = &clips(&relay, 1).await[0];
        assert_eq!(
            (&clip["title"], &clip["event"], &clip["reason"]),
            (&json!("offline"), &json!("offline"), &json!("clip"))
        );
        assert_eq!(picture(&relay, clip, None).await, 59);
        let frames = clip["frames"].as_u64().unwrap();
        assert!((15..=26).contains(&frames), "{clip}");
        assert_eq!(picture(&relay, clip, Some(0)).await, 60 - frames as u32);
        // The outage that follows has no further pictures.
        camera.wait_connections(3).await;
        assert_eq!(clips(&relay, 1).await.len(), 1);
    }
}

#[tokio::test]
async fn motion_leaves_a_clip_with_pictures_from_before_and_after_it() {
    let still = |number| vec![jpeg::of_length(number, 10_000); 75];
    let moving = (100..150).map(|number| jpeg::of_length(number, 10_000));
    let frames = [still(1), moving.collect(), still(1), still(1)].concat();
    let camera = camera_of(frames, Step::Stall).await;
    let keys = "detect_motion = 2\ndetect_hold = \"200ms\"\nclip_on = [\"motion\"]\n\
                clip_before = \"600ms\"\nclip_after = \"500ms\"";
    let relay = start("", &stream(&camera.url(), keys));
    let clip = &clips(&relay, 1).await[0];
    assert_eq!(
        (&clip["title"], &clip["event"]),
        (&json!("motion"), &json!("motion"))
    );
    let mut numbers = Vec::new();
    for number in 0..clip["frames"].as_u64().unwrap() {
        numbers.push(picture(&relay, clip, Some(number)).await);
    }
    let moves = numbers.iter().filter(|number| **number >= 100).count();
    assert!(moves >= 45, "{numbers:?}");
    let before = numbers.iter().take_while(|number| **number == 1).count();
    let after = numbers
        .iter()
        .rev()
        .take_while(|number| **number == 1)
        .count();
    // A tenth of a second passes until motion counts; its end is told after the hold time.
    assert!((1..=31).contains(&before), "{before}: {numbers:?}");
    assert!((25..=60).contains(&after), "{after}: {numbers:?}");
}

#[tokio::test]
async fn motion_without_end_is_kept_in_clips_that_follow_one_another() {
    let limit = "max_clip_storage = \"300KiB\"\n";
    let keys = "detect_motion = 0.2\nclip_on = [\"motion\"]\nclip_before = \"100ms\"\n\
                clip_after = \"100ms\"\nmax_clip_duration = \"1s\"";
    let relay = start(limit, &stream("test:?size=160x120&fps=20", keys));
    until_figure(&relay, "mjpeg_event_clips_deleted_total", 2).await;
    let list = relay.ask("GET", "/clips", "").await.json;
    assert!(
        list["used_bytes"].as_u64() <= list["quota_bytes"].as_u64(),
        "{list}"
    );
    let clips = clips(&relay, 2).await;
    for clip in &clips {
        let length = seconds(clip, "last") - seconds(clip, "first");
        assert!(length <= 1.0 && length > 0.5, "{clip}");
    }
    for pair in clips.windows(2) {
        let pause = seconds(&pair[1], "first") - seconds(&pair[0], "last");
        assert!(pause > 0.0 && pause < 0.5, "{pair:?}");
    }
    assert_eq!(
        figure(&relay, "mjpeg_stream_event_clips_failed_total").await,
        0
    );
}

#[tokio::test]
async fn webhook_is_told_of_each_clip_and_where_it_can_be_downloaded() {
    let mut receiver = Receiver::always(Reaction::Status(204)).await;
    let camera = restless().await;
    let webhook = format!(
        "[[webhooks]]\nurl = \"http://{}/\"\nsecret = \"0123456789abcdef0123\"\n\
         events = [\"clip_ready\"]\n",
        receiver.addr
    );
    let text = stream(
        &camera.url(),
        "clip_on = [\"offline\"]\nclip_before = \"1s\"",
    );
    let relay = start("", &[&*text, &*webhook].concat());
    let told = receiver.next().await.json();
    assert_eq!(
        (&told["change"], &told["stream"]),
        (&json!("clip_ready"), &json!("door"))
    );
    let told = &told["clip"];
    let path = told["path"].as_str().unwrap();
    let clip = relay
        .ask(
            "GET",
            &format!("/clips/{}", told["id"].as_str().unwrap()),
            "",
        )
        .await;
    for (of_event, of_clip) in [
        ("id", "id"),
        ("title", "title"),
        ("event", "event"),
        ("from", "first"),
        ("to", "last"),
        ("frames", "frames"),
        ("bytes", "bytes"),
    ] {
        assert_eq!(told[of_event], clip.json[of_clip], "{told}");
    }
    assert!(
        told["from"].is_string() && told["from"] != told["to"],
        "{told}"
    );
    let movie = download(&relay, path.strip_prefix("/api/v1").unwrap()).await;
    assert_eq!(movie.head.header("content-type"), Some("video/quicktime"));
    assert!(movie.body.len() > 10_000);
    // One that somebody has asked for is told of, too.
    let wanted = json!({ "stream": "door", "from": "-20s", "title": "Mine" }).to_string();
    let asked = relay.ask("POST", "/clips", &wanted).await;
    loop {
        let told = receiver.next().await.json();
        if told["clip"]["title"] == "Mine" {
            assert_eq!(told["clip"]["id"], asked.json["id"]);
            assert_eq!(told["clip"]["event"], Value::Null);
            break;
        }
    }
    let listed = relay
        .ask("GET", "/streams/door/events?limit=1000", "")
        .await
        .json;
    let listed = listed["events"].as_array().unwrap().iter();
    assert!(
        listed
            .filter(|event| event["change"] == "clip_ready")
            .count()
            >= 2
    );
}

#[tokio::test]
async fn full_store_loses_the_oldest_clip_by_event_and_none_that_somebody_asked_for() {
    let camera = restless().await;
    let keys = "clip_on = [\"offline\"]\nclip_before = \"1s\"";
    let relay = start(
        "max_clip_storage = \"80KiB\"\n",
        &stream(&camera.url(), keys),
    );
    let first = clips(&relay, 1).await.remove(0);
    let keep = async || {
        let wanted = json!({ "stream": "door", "from": "-60s", "title": "motion" }).to_string();
        let kept = relay.ask("POST", "/clips", &wanted).await;
        assert_eq!(kept.status, 201, "{}", kept.json);
        kept.json["id"].clone()
    };
    let mine = keep().await;
    until_figure(&relay, "mjpeg_event_clips_deleted_total", 2).await;
    let there = clips(&relay, 2).await;
    let is_there = |id: &Value| there.iter().any(|clip| clip["id"] == *id);
    assert!(is_there(&mine) && !is_there(&first["id"]), "{there:?}");
    let ids = there.iter().filter(|clip| clip["event"] == "offline");
    let ids: Vec<&str> = ids.map(|clip| clip["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && !ids.is_empty(), "{ids:?}");
    // Two of all pictures have no room together, and the first is not given up for the second.
    let wanted = json!({ "stream": "door", "from": "-60s" }).to_string();
    let refused = relay.ask("POST", "/clips", &wanted).await;
    assert_eq!(refused.json["code"], "storage_full", "{}", refused.json);
    let there = clips(&relay, 2).await;
    assert!(there.iter().any(|clip| clip["id"] == mine));
    assert!(
        there.iter().any(|clip| clip["event"] == "offline"),
        "{there:?}"
    );
}

#[tokio::test]
async fn clip_without_room_is_counted_and_told_once_and_the_stream_goes_on() {
    let camera = restless().await;
    let keys = "clip_on = [\"offline\"]\nclip_before = \"1s\"";
    let mut relay = start(
        "max_clip_storage = \"3KiB\"\n",
        &stream(&camera.url(), keys),
    );
    let mut viewer = Viewer::open(relay.addr(), "/door/").await.unwrap();
    until_figure(&relay, "mjpeg_stream_event_clips_failed_total", 2).await;
    viewer.next_frame().await.unwrap().expect("a frame");
    assert_eq!(
        relay.ask("GET", "/clips", "").await.json["clips"],
        json!([])
    );
    relay.server.end_by("TERM");
    let log = relay.server.stderr();
    let told = log
        .lines()
        .filter(|line| line.contains("clip by event not kept"));
    assert_eq!(told.count(), 1, "{log}");
}

#[tokio::test]
async fn reload_begins_and_ends_clips_and_cuts_no_viewer() {
    let camera = restless().await;
    let [plain, clipping] = ["", "clip_on = [\"offline\"]\nclip_before = \"1s\""].map(|keys| {
        let stream = stream(&camera.url(), keys);
        [INCLUDE, METRICS, &*stream].concat()
    });
    let mut relay = Controlled::of(&plain);
    let mut viewer = Viewer::open(relay.addr(), "/door/").await.unwrap();
    camera.wait_connections(3).await;
    assert_eq!(
        relay.ask("GET", "/clips", "").await.json["clips"],
        json!([])
    );
    let log = relay.reload(&clipping);
    assert!(
        log.iter()
            .any(|line| line.contains("clip_on [] -> [\"offline\"]")),
        "{log:?}"
    );
    clips(&relay, 1).await;
    relay.reload(&plain);
    let kept = clips(&relay, 1).await.len();
    let connections = camera.connections();
    camera.wait_connections(connections + 3).await;
    assert!(clips(&relay, 1).await.len() <= kept + 1);
    viewer
        .next_frame()
        .await
        .unwrap()
        .expect("the same response");
}

#[test]
fn keys_that_do_not_fit_together_are_explained() {
    let folder = crate::folder::Folder::new();
    let check = |keys: &str| {
        let text = format!("[[streams]]\nname = \"door\"\nsource = \"test:\"\n{keys}\n");
        let (code, out, err) = run(&["check", &folder.write("mjpeg.toml", text)]);
        (code, out + &err)
    };
    for (keys, said) in [
        ("clip_on = [\"offline\"]", "set `replay`"),
        (
            "clip_on = [\"motion\"]\nreplay = \"60s\"",
            "without `detect_motion`",
        ),
        (
            "clip_on = [\"dark\"]\nreplay = \"60s\"",
            "without `detect_dark`",
        ),
        (
            "clip_on = [\"offline\"]\nreplay = \"5s\"",
            "at least \"10s\"",
        ),
        (
            "clip_on = [\"offline\"]\nreplay = \"60s\"\nmax_clip_duration = \"29s\"",
            "`clip_before` and `clip_after` together",
        ),
        ("clip_on = [\"fire\"]\nreplay = \"60s\"", "clip_on"),
    ] {
        let (code, text) = check(keys);
        assert_ne!(code, Some(0), "{keys}: {text}");
        assert!(text.contains(said), "{keys}: {text}");
    }
    for keys in [
        "clip_on = [\"offline\"]\nreplay = \"10s\"\nmax_clip_duration = \"30s\"",
        "clip_on = [\"motion\"]\nreplay = \"60s\"\ndetect_motion = 1",
        "clip_on = []",
    ] {
        assert_eq!(check(keys).0, Some(0), "{keys}: {}", check(keys).1);
    }
}

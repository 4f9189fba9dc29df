//! The past of streams: keys, URLs, clips that other programs read, and who may see it.

use std::{process::Command, time::Duration};

use mjpeg_testkit::{Response, Viewer, request};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    control::{Controlled, GATEWAY, INCLUDE},
    folder::Folder,
};

const STREAM: &str = "\
[[streams]]
name = \"door\"
source = \"test:?size=160x90&fps=10\"
";

async fn get(relay: &Controlled, path: &str) -> Response {
    let asked = format!("GET {path} HTTP/1.0\r\n\r\n");
    request(relay.addr(), asked).await.unwrap()
}

/// What the API says of the stream.
async fn door(relay: &Controlled) -> Value {
    relay.ask("GET", "/streams/door", "").await.json
}

/// Waits until the stream keeps pictures that are so old.
async fn keeps(relay: &Controlled, seconds: f64) {
    for _ in 0..200 {
        if door(relay).await["replay_s"].as_f64() >= Some(seconds) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("it never kept {seconds} s: {}", door(relay).await);
}

/// How many frames ffprobe finds in a file.
fn frames(folder: &Folder, name: &str, file: &[u8]) -> usize {
    let path = folder.write(name, file);
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-select_streams", "v"])
        .args(["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe runs (cargo xtask ci --install installs it)");
    let text = String::from_utf8(probed.stdout).unwrap();
    text.trim().trim_end_matches(',').parse().expect(&text)
}

#[tokio::test]
async fn key_keeps_pictures_that_urls_show_and_programs_read() {
    let relay = Controlled::start(&[STREAM, "replay = \"60s\"\n"].concat());
    keeps(&relay, 2.0).await;
    let now = get(&relay, "/door/snapshot?at=now").await;
    let past = get(&relay, "/door/snapshot?at=-1.5s").await;
    assert_eq!((now.head.status, past.head.status), (200, 200));
    let time = |picture: &Response| -> f64 {
        let time = picture.head.header("x-timestamp").unwrap();
        time.parse().unwrap()
    };
    let apart = time(&now) - time(&past);
    assert!((1.2..1.9).contains(&apart), "{apart}");
    for format in ["mov", "avi"] {
        let path = format!("/door/clip.{format}?from=-2s&to=-1s");
        let clip = get(&relay, &path).await;
        let told: usize = clip.head.header("x-frames").unwrap().parse().unwrap();
        assert!((8..=12).contains(&told), "{told}");
        let read = frames(&relay.folder, &format!("clip.{format}"), &clip.body);
        // An AVI may have empty places between.
        assert!(
            read == told || format == "avi" && read > told,
            "{format}: {read} of {told}"
        );
    }
    let mut viewer = Viewer::open(relay.addr(), "/door/stream?from=-1s&speed=2")
        .await
        .unwrap();
    let first = viewer.next_part().await.unwrap().unwrap();
    let shown: f64 = first.header("x-timestamp").unwrap().parse().unwrap();
    assert!(shown < time(&now) + 5.0);
    assert!(Viewer::open(relay.addr(), "/door/stream").await.is_ok());
}

#[tokio::test]
async fn reload_and_api_change_what_is_kept() {
    let mut relay = Controlled::start(STREAM);
    let missing = get(&relay, "/door/snapshot?at=now").await;
    assert_eq!(
        (missing.head.status, &missing.body[..]),
        (404, &b"This stream keeps no past frames.\n"[..])
    );
    assert_eq!(door(&relay).await["replay_s"], Value::Null);
    let tiers = "replay = [{ keep = \"10s\" }, { every = \"1s\", keep = \"10m\" }]\n";
    let lines = relay.reload(&[INCLUDE, GATEWAY, STREAM, tiers].concat());
    assert!(
        lines.iter().any(|line| line.contains("replay")),
        "{lines:?}"
    );
    keeps(&relay, 0.5).await;
    assert_eq!(get(&relay, "/door/snapshot?at=now").await.head.status, 200);
    let wrong = "replay = [{ every = \"20s\", keep = \"10s\" }]\n";
    let lines = relay.reload(&[INCLUDE, GATEWAY, STREAM, wrong].concat());
    assert!(
        lines
            .iter()
            .any(|line| line.contains("no picture would be kept")),
        "{lines:?}"
    );
    assert_eq!(get(&relay, "/door/snapshot?at=now").await.head.status, 200);
    relay.reload(&[INCLUDE, GATEWAY, STREAM].concat());
    assert_eq!(get(&relay, "/door/snapshot?at=now").await.head.status, 404);
    // A stream of the API.
    let body = json!({ "name": "yard", "source": "test:?size=160x90", "replay": "5s" });
    let added = relay.ask("POST", "/streams", &body.to_string()).await;
    assert_eq!(
        (added.status, &added.json["config"]["replay"]),
        (201, &json!("5s"))
    );
    let tiers = json!([{ "keep": "5s" }, { "every": "1s", "keep": "1m" }]);
    let body = json!({ "replay": tiers }).to_string();
    let changed = relay.ask("PATCH", "/streams/yard", &body).await;
    assert_eq!(
        (changed.status, &changed.json["config"]["replay"]),
        (200, &tiers)
    );
    let body = json!({ "replay": "soon" }).to_string();
    let refused = relay.ask("PATCH", "/streams/yard", &body).await;
    assert_eq!(refused.status, 422, "{}", refused.json);
}

#[tokio::test]
async fn past_is_for_those_who_may_replay() {
    let auth = "[auth]\nanonymous = [\"view\"]\n";
    let text = [auth, STREAM, "replay = \"60s\"\n"].concat();
    let relay = Controlled::start(&text);
    keeps(&relay, 0.3).await;
    let live = get(&relay, "/door/snapshot").await;
    assert_eq!(live.head.status, 200);
    for path in [
        "/door/snapshot?at=now",
        "/door/stream?from=-1s",
        "/door/clip.zip?from=-1s",
    ] {
        let refused = get(&relay, path).await;
        assert_eq!(refused.head.status, 401, "{path}");
    }
}

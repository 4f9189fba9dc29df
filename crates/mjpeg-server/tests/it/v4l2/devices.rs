//! The list of cameras: for people, for programs, for the API.

use std::{sync::Arc, time::Duration};

use mjpeg_testkit::{V4l2StandIn, jpeg};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::machine;
use crate::{control::Controlled, process::command};

/// Runs `mjpeg-server devices`.
fn devices(cameras: &V4l2StandIn, args: &[&str]) -> String {
    let args = [&["devices"], args].concat();
    let output = command(&args).envs(cameras.envs()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn cameras_are_listed_with_what_they_can_do() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    cameras.link("usb-Acme_1-video-index0", "video0");
    // Of metadata, as webcams have one: no camera.
    cameras.plug("video1", "card Acme HD Camera\ncaps 0x04a00000\n");
    cameras.plug("video10", "card \u{1b}[2J\nformat YUYV YUYV\n");
    let expected = "\
/dev/video0  Acme HD Camera (stand-in, usb-stand-in-1)
  source    v4l2:///dev/v4l/by-id/usb-Acme_1-video-index0
  (YUYV)    640x480 at 30 fps
  MJPG      640x480 at 30, 15 fps
            1280x720 at 30, 10 fps
  controls  brightness=128 (0 to 255, step 1, default 128)
            exposure_auto=3 (0 to 3, step 1, default 3)

/dev/video10  \\u{1b}[2J (stand-in, usb-stand-in-1)
";
    assert_eq!(devices(&cameras, &[]), expected);
    let listed: Value = serde_json::from_str(&devices(&cameras, &["--json"])).unwrap();
    let [first, other] = &listed["devices"].as_array().unwrap()[..] else {
        panic!("{listed}");
    };
    assert_eq!(
        first["source"],
        "v4l2:///dev/v4l/by-id/usb-Acme_1-video-index0"
    );
    assert_eq!(other["source"], Value::Null, "it makes no JPEG images");
    let sizes = &first["formats"][1]["sizes"];
    let expected = json!({"width": 1280, "height": 720, "up_to": null, "rates": [30.0, 10.0]});
    assert_eq!(sizes[1], expected);
    assert_eq!(first["controls"][0]["name"], "brightness");
    assert_eq!(
        cameras
            .log()
            .iter()
            .filter(|line| line.starts_with("start"))
            .count(),
        0
    );
}

#[test]
fn list_is_also_the_error_of_a_source() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    let mut server = super::relay(&cameras, "v4l2://?list");
    let said = server.stderr_until("camera offline");
    let listed = "the cameras of this machine are /dev/video0 (Acme HD Camera); \
                  YUYV 640x480 at 30 fps; MJPG 640x480 at 30, 15 fps, 1280x720 at 30, 10 fps";
    assert!(said.last().unwrap().contains(listed), "{said:?}");
}

#[tokio::test]
async fn api_lists_cameras_where_it_may_set_them() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    let may = "[control]\nsources = [\"v4l2\"]\n";
    for (text, status) in [("", 404), (may, 200)] {
        let relay = Controlled::with_envs(text, cameras.envs());
        let answer = relay.ask("GET", "/devices", "").await;
        assert_eq!(answer.status, status, "{answer:?}");
        let body = r#"{"name":"cam","source":"v4l2:///dev/video0"}"#;
        let added = relay.ask("POST", "/streams", body).await;
        match status {
            404 => assert_eq!(added.status, 422, "{added:?}"),
            _ => {
                let source = &answer.json["devices"][0]["source"];
                assert_eq!(source, "v4l2:///dev/video0");
                assert_eq!(added.status, 201, "{added:?}");
                let outside = r#"{"name":"etc","source":"v4l2:///dev/../etc/passwd"}"#;
                let refused = relay.ask("POST", "/streams", outside).await;
                assert_eq!(refused.status, 422, "{refused:?}");
            }
        }
    }
}

/// How many listings have begun: each opens the camera.
fn begun(cameras: &V4l2StandIn) -> usize {
    let log = cameras.log();
    log.iter().filter(|line| line.starts_with("open")).count()
}

async fn until_begun(cameras: &V4l2StandIn, count: usize) {
    let begins = async {
        while begun(cameras) < count {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), begins)
        .await
        .expect("it begins");
}

#[tokio::test]
async fn lists_wait_for_one_that_hangs_also_when_its_caller_has_left() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    cameras.set("video0", "hang", "");
    let may = "[control]\nsources = [\"v4l2\"]\n";
    let relay = Arc::new(Controlled::with_envs(may, cameras.envs()));
    let list = || {
        let relay = Arc::clone(&relay);
        tokio::spawn(async move { relay.ask("GET", "/devices", "").await })
    };
    let first = list();
    until_begun(&cameras, 1).await;
    // Its connection is closed. The driver still hangs.
    first.abort();
    let others = [list(), list()];
    let streams = relay.ask("GET", "/streams", "").await;
    assert_eq!(streams.status, 200, "the relay answers meanwhile");
    // Long enough for each of them to open the device, if it would.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(begun(&cameras), 1, "{:?}", cameras.log());
    assert!(others.iter().all(|other| !other.is_finished()));
    cameras.unset("video0", "hang");
    for other in others {
        let answer = timeout(Duration::from_secs(20), other).await;
        let answer = answer.expect("in time").unwrap();
        assert_eq!(answer.json["devices"][0]["card"], "Acme HD Camera");
    }
    let (mut open, mut most) = (0, 0);
    for line in cameras.log() {
        open += i32::from(line.starts_with("open")) - i32::from(line.starts_with("close"));
        most = most.max(open);
    }
    assert_eq!(most, 1, "one at a time: {:?}", cameras.log());
}

#[test]
fn source_that_lists_gives_up_a_driver_that_hangs() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    cameras.set("video0", "hang", "");
    let mut server = super::relay(&cameras, "v4l2://?list#connect_timeout=1s");
    let said = server.stderr_until("camera offline");
    let why = "no connection within 1s (connect_timeout)";
    assert!(said.last().unwrap().contains(why), "{said:?}");
    // Nor is the end of the relay held up.
    server.end_by("TERM");
}

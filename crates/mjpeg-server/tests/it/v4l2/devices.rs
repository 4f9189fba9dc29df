//! The list of cameras: for people, for programs, for the API.

use mjpeg_testkit::{V4l2StandIn, jpeg};
use serde_json::{Value, json};

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

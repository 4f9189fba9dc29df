//! What is wrong with a device, and what it costs.

use std::time::Duration;

use mjpeg_testkit::{V4l2StandIn, Viewer, jpeg};
use tokio::time::timeout;

use super::{WEBCAM, machine, next, relay};
use crate::folder::Folder;

/// What the log says of a source that cannot be read.
fn said_of(cameras: &V4l2StandIn, source: &str) -> String {
    let mut server = relay(cameras, source);
    let lines = server.stderr_until("camera offline");
    lines.last().expect("a line").clone()
}

#[test]
fn what_is_wrong_with_a_device_is_said_with_what_to_do() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    cameras.plug("video1", "card Acme HD Camera\ncaps 0x04a00000\n");
    cameras.plug(
        "video2",
        "card Old\nformat YUYV YUYV\nsize YUYV 320 240 30\n",
    );
    cameras.plug("video3", WEBCAM);
    cameras.set("video3", "busy", "");
    // As the cameras of many boards are: capture in planes, and streaming.
    cameras.plug("video4", "card Board camera\ncaps 0x04001000\n");
    for (source, why) in [
        ("/dev/video9", "cannot open /dev/video9: No such file"),
        ("/dev/null", "/dev/null is not a video device"),
        (
            "/dev/video1",
            "captures no pictures; a webcam has a second device",
        ),
        (
            "/dev/video2",
            "makes no JPEG images, only YUYV; a program can encode them: exec:ffmpeg -f v4l2",
        ),
        ("/dev/video3", "/dev/video3 is in use by another program"),
        (
            "/dev/video4",
            "has only the multi-planar interface, which v4l2:// does not read; GStreamer does: \
             exec:gst-launch-1.0 -q v4l2src device=/dev/video4 ! ",
        ),
        (
            "/dev/video0?sharpness=1",
            "has no control sharpness; it has brightness, exposure_auto",
        ),
        (
            "/dev/video0?brightness=256",
            "brightness of /dev/video0 is a number from 0 to 255",
        ),
    ] {
        let said = said_of(&cameras, &format!("v4l2://{source}"));
        assert!(said.contains(why), "{source}: {said}");
    }
}

#[test]
fn name_of_a_device_steers_no_terminal() {
    let folder = Folder::new();
    let cameras = V4l2StandIn::new(folder.path().join("cameras"));
    cameras.plug("video0", "card \u{1b}[31mred\u{7}\nformat YUYV \u{1b}[2J\n");
    let said = said_of(&cameras, "v4l2:///dev/video0");
    assert!(!said.contains('\u{1b}') && said.contains("red"), "{said}");
}

#[tokio::test]
async fn buffer_that_does_not_exist_ends_the_capture_and_nothing_else() {
    let good = jpeg::numbered(1);
    let (_folder, cameras) = machine(&[("0.index", &good)]);
    let mut server = relay(&cameras, "v4l2:///dev/video0");
    let lines = server.stderr_until("camera offline");
    let why = "/dev/video0 gave a buffer that it does not have";
    assert!(lines.last().unwrap().contains(why), "{lines:?}");
    // A length beyond the buffer is cut to it.
    cameras.frames("video0", &[("0.long", &good)]);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    assert_eq!(next(&mut viewer).await, good);
}

#[tokio::test]
async fn device_that_hangs_holds_up_nobody() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(1))]);
    cameras.set("video0", "slow", "3000");
    let mut server = relay(&cameras, "v4l2:///dev/video0#connect_timeout=1s");
    let lines = server.stderr_until("camera offline");
    let why = "no connection within 1s (connect_timeout)";
    assert!(lines.last().unwrap().contains(why), "{lines:?}");
    cameras.unset("video0", "slow");
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let frame = timeout(Duration::from_secs(20), next(&mut viewer)).await;
    assert_eq!(frame.expect("in time"), jpeg::numbered(1));
    // The attempt that was given up was over before the next one began.
    let log = cameras.log();
    let opened = log.iter().filter(|line| line.starts_with("open")).count();
    let closed = log.iter().filter(|line| line.starts_with("close")).count();
    assert_eq!(opened, closed + 1, "{log:?}");
}

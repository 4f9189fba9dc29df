//! Viewers are told how to turn pictures, from one reload to the next.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_testkit::{Camera, Script, Viewer, jpeg};

use super::{GATEWAY, Reloadable, get, soon, stream, without_repeats};

/// A picture, with an Exif segment if it says how it is to be shown.
fn picture(orientation: Option<u8>) -> Bytes {
    let plain = jpeg::numbered(1);
    let Some(value) = orientation else {
        return plain;
    };
    let tiff = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    let payload = [tiff, &[value][..], &[0; 6]].concat();
    let (jfif, rest) = plain.split_at(20);
    let length = (payload.len() as u16 + 2).to_be_bytes();
    [jfif, &[0xFF, 0xE1], &length, &payload, rest]
        .concat()
        .into()
}

#[tokio::test]
async fn viewer_is_told_how_to_turn_and_sees_each_change_on_its_response() {
    for camera_says in [None, Some(6)] {
        let script = Script::live(vec![picture(camera_says)], Duration::from_millis(20));
        let camera = Camera::start(script).await;
        let file = |keys: &str| format!("{GATEWAY}{}", stream("door", &camera.url(), keys));
        let mut relay = Reloadable::start(&file(""), 1);
        let viewer = Viewer::open(relay.addr(0), &without_repeats("/door/")).await;
        let mut viewer = viewer.unwrap();
        // The values of Exif's tag that rotate and mirror have by themselves, and after a turn by
        // 90 degrees, which is what 6 means.
        for (keys, alone, composed) in [
            ("", None, Some(6)),
            ("rotate = 90", Some(6), Some(3)),
            ("rotate = 180", Some(3), Some(8)),
            ("rotate = 270", Some(8), Some(1)),
            ("mirror = true", Some(2), Some(5)),
            ("rotate = 270\nmirror = true", Some(7), Some(2)),
            ("rotate = 90\nrepair = []", Some(6), Some(3)),
            ("rotate = 0\nmirror = false", None, Some(6)),
        ] {
            relay.reload(&file(keys));
            let expected = picture(if camera_says.is_some() {
                composed
            } else {
                alone
            });
            let frames = async {
                while viewer.next_frame().await.unwrap().expect("it goes on") != expected {}
            };
            soon(frames).await;
            let snapshot = get(relay.addr(0), "/door/snapshot").await.body;
            assert!(snapshot == expected, "{keys:?}, {camera_says:?}");
        }
    }
}

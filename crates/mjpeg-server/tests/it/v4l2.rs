//! Webcams: the real program, and a stand-in for the devices (mjpeg-testkit's `stand-in/v4l2.c`).

mod devices;
mod refused;

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use bytes::Bytes;
use mjpeg_codec::{Frame, verify::Verdict};
use mjpeg_testkit::{V4l2StandIn, Viewer, jpeg, request};
use tokio::time::{sleep, timeout};

use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A camera that is like most webcams.
const WEBCAM: &str = "\
card Acme HD Camera
format YUYV YUYV 4:2:2
format MJPG Motion-JPEG
size YUYV 640 480 30
size MJPG 640 480 30 15
size MJPG 1280 720 30 10
control 0x980900 1 0 255 1 128 Brightness
control 0x9a0901 3 0 3 1 3 Exposure, Auto
";

/// A machine with one webcam, `video0`, that repeats these frames.
fn machine<B: AsRef<[u8]>>(frames: &[(&str, B)]) -> (Folder, V4l2StandIn) {
    let folder = Folder::new();
    let cameras = V4l2StandIn::new(folder.path().join("cameras"));
    cameras.plug("video0", WEBCAM);
    cameras.frames("video0", frames);
    (folder, cameras)
}

/// Relays this source as the stream `cam`.
fn relay(cameras: &V4l2StandIn, source: &str) -> Server {
    let stream = format!("cam={source}@127.0.0.1:0");
    let mut command = command(&["run", "--placeholder", "none", "--stream", &stream]);
    command.envs(cameras.envs());
    Server::of(command, 1)
}

async fn next(viewer: &mut Viewer) -> Bytes {
    let frame = timeout(Duration::from_secs(20), viewer.next_frame());
    let frame = frame.await.expect("in time").expect("whole parts");
    frame.expect("the response goes on")
}

#[tokio::test]
async fn webcam_is_relayed_as_it_was_asked_for() {
    let frames: Vec<_> = (0..5).map(jpeg::numbered).collect();
    let named: Vec<_> = ["0", "1", "2", "3", "4"].into_iter().zip(&frames).collect();
    let (_folder, cameras) = machine(&named);
    let source = "v4l2:///dev/video0?size=1280x720&fps=10&brightness=20&exposure_auto=1";
    let mut server = relay(&cameras, source);
    let said = server.stderr_until("camera online");
    let peer = "/dev/video0 (Acme HD Camera), MJPG 1280x720 at 10 fps";
    assert!(said.last().unwrap().contains(peer), "{said:?}");
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    for _ in 0..10 {
        let seen = next(&mut viewer).await;
        assert!(frames.contains(&seen), "the driver's bytes, unchanged");
    }
    let log = cameras.log();
    let done = [
        "open video0",
        "format MJPG 1280x720",
        "rate 10",
        "control Brightness 20",
        "control Exposure, Auto 1",
        "start 10",
    ];
    assert_eq!(log, done);
}

#[tokio::test]
async fn driver_that_chooses_otherwise_is_told_and_not_an_error() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    let mut server = relay(&cameras, "v4l2:///dev/video0?size=1920x1080&fps=60");
    let said = server.stderr_until("camera online");
    let peer = "MJPG 1280x720 at 30 fps; the driver does not give 1920x1080 at 60 fps";
    assert!(said.last().unwrap().contains(peer), "{said:?}");
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    next(&mut viewer).await;
}

#[tokio::test]
async fn odd_buffers_cost_themselves_alone_and_are_counted() {
    let image = jpeg::numbered;
    let torn = image(90).slice(..image(90).len() / 2);
    let joined = |parts: &[&[u8]]| parts.concat();
    let frames: [(&str, Vec<u8>); 12] = [
        ("00", image(0).to_vec()),
        ("01.empty", Vec::new()),
        ("02.error", image(91).to_vec()),
        ("03", torn.to_vec()),
        ("04", joined(&[&image(1), &[0; 200_000]])),
        ("05", joined(&[b"AVI1junk", &image(2)])),
        ("06", joined(&[&torn, &image(3)])),
        ("07", jpeg::without_dht(&image(4)).to_vec()),
        ("08", vec![0x2A; 5000]),
        ("09", joined(&[b"junk", &image(5), &image(92)])),
        ("10", jpeg::of_length(6, 300_000).to_vec()),
        // The driver had to drop three before it.
        ("11.gap", image(0).to_vec()),
    ];
    let (_folder, cameras) = machine(&frames);
    let folder = Folder::new();
    let file = "[[streams]]\nname = \"cam\"\nsource = \"v4l2:///dev/video0\"\n\
                [[listen]]\naddress = \"127.0.0.1:0\"\nserve = [\"streams\", \"metrics\"]\n";
    let file = folder.write("mjpeg.toml", file);
    let mut command = command(&["run", "-c", &file]);
    command.envs(cameras.envs());
    let server = Server::of(command, 1);
    let url = server.urls[0].strip_prefix("http://").unwrap();
    let addr: SocketAddr = url.split('/').next().unwrap().parse().unwrap();
    let mut viewer = Viewer::open(addr, "/cam/").await.unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..28 {
        let frame = next(&mut viewer).await;
        let frame = Frame::parse(frame).expect("exactly one picture");
        assert!(matches!(frame.verify(), Verdict::Complete { .. }));
        seen.insert(jpeg::number_of(frame.bytes()).expect("a number"));
    }
    let seen: Vec<_> = seen.into_iter().collect();
    assert_eq!(
        seen,
        [0, 1, 2, 3, 4, 5, 6],
        "each whole picture, and no other"
    );
    let scraped = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let scraped = request(addr, scraped.to_owned()).await.unwrap();
    let text = String::from_utf8(scraped.body.to_vec()).unwrap();
    let discarded = |reason: &str| -> u64 {
        let name = format!("mjpeg_stream_discarded_total{{stream=\"cam\",reason=\"{reason}\"}} ");
        let count = text.lines().find_map(|line| line.strip_prefix(&*name));
        count.expect(&text).parse().unwrap()
    };
    for (reason, least) in [("truncated", 8), ("garbage", 6), ("extra_image", 2)] {
        let count = discarded(reason);
        assert!(count >= least, "{reason}: {count}");
    }
    let dropped = discarded("driver_dropped");
    assert!(dropped >= 3 && dropped % 3 == 0, "{dropped}");
}

#[tokio::test]
async fn unplugged_webcam_is_back_after_the_replug_and_its_viewers_are_kept() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    cameras.link("usb-Acme_1-video-index0", "video0");
    let source = "v4l2:///dev/v4l/by-id/usb-Acme_1-video-index0";
    let mut server = relay(&cameras, source);
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    next(&mut viewer).await;
    cameras.unplug("video0");
    let said = server.stderr_until("camera offline");
    let why = "/dev/v4l/by-id/usb-Acme_1-video-index0 was unplugged";
    assert!(said.last().unwrap().contains(why), "{said:?}");
    // Longer than the first few steps of the backoff.
    sleep(Duration::from_secs(4)).await;
    cameras.replug("video0", "video3");
    cameras.link("usb-Acme_1-video-index0", "video3");
    cameras.frames("video3", &[("0", jpeg::numbered(7))]);
    let back = async { while jpeg::number_of(&next(&mut viewer).await) != Some(7) {} };
    timeout(Duration::from_secs(20), back).await.expect("back");
    let last = server.stderr_until("camera online");
    assert!(last.last().unwrap().contains("outage_seconds"), "{last:?}");
}

#[tokio::test]
async fn device_is_held_once_however_streams_and_settings_change() {
    let (_folder, cameras) = machine(&[("0", jpeg::numbered(0))]);
    let folder = Folder::new();
    let text = |size: &str| {
        format!(
            "[[streams]]\nname = \"cam\"\nlisten = \"127.0.0.1:0\"\n\
             source = \"v4l2:///dev/video0?size={size}\"\n"
        )
    };
    let file = folder.write("mjpeg.toml", text("640x480"));
    let mut command = command(&["run", "-c", &file]);
    command.envs(cameras.envs());
    let mut server = Server::of(command, 1);
    server.stderr_until("camera online");
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    next(&mut viewer).await;
    // Meanwhile, the next capture finds the device busy.
    cameras.set("video0", "closing", "300");
    for size in ["1280x720", "640x480"] {
        folder.write("mjpeg.toml", text(size));
        server.signal("HUP");
        let online = server.stderr_until("camera online");
        assert!(online.last().unwrap().contains(size), "{online:?}");
        let is_outage = |line: &String| line.contains("camera offline");
        assert!(!online.iter().any(is_outage), "{online:?}");
        next(&mut viewer).await;
    }
    let (mut open, mut starts) = (0, 0);
    for line in cameras.log() {
        match &*line {
            "open video0" => open += 1,
            "close video0" => open -= 1,
            "start 30" => {
                assert_eq!(open, 1, "{:?}", cameras.log());
                starts += 1;
            }
            _ => {}
        }
    }
    assert_eq!((open, starts), (1, 3));
}

//! Results that run: each camera that was carried over is relayed.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, time::Duration};

use mjpeg_testkit::{
    Camera, FakeRtspCamera, ReceivedRequest, RtpSender, RtspAnswers, Script, Step, V4l2StandIn,
    Viewer,
    jpeg::{self, RtspPicture},
};
use tokio::time::{sleep, timeout};

use super::{fixture, fixtures, variables};
use crate::{
    folder::Folder,
    process::{Server, command, run},
};

/// The test picture, which has no number, and cameras at addresses that nobody has.
const WITHOUT_CAMERA: [(&str, &str); 3] = [
    ("mjpg_streamer_odd.sh", "camera-3"),
    ("frigate_restream.yml", "attic"),
    ("go2rtc_refused.yaml", "thief"),
];

const WEBCAM: &str = "\
card Acme HD Camera
format MJPG Motion-JPEG
size MJPG 640 480 30 15 10 5
size MJPG 1280 720 30 15 10 5
control 0x980900 1 0 255 1 128 Brightness
control 0x9a090c 1 0 1 1 1 Focus, Auto
";

/// What the cameras of the fixtures are here.
struct FakeWorld {
    folder: Folder,
    webcams: V4l2StandIn,
    raw: Camera,
    rtsp: FakeRtspCamera,
    http: SocketAddr,
}

impl FakeWorld {
    async fn new() -> Self {
        let folder = Folder::new();
        let webcams = V4l2StandIn::new(folder.path().join("webcams"));
        for device in ["video0", "video1", "video2", "video4"] {
            webcams.plug(device, WEBCAM);
            webcams.frames(
                device,
                &[("0", jpeg::numbered(0)), ("1", jpeg::numbered(1))],
            );
        }
        webcams.link("usb-Acme_HD_Camera_1234-video-index0", "video0");
        // Each program that a fixture names writes pictures.
        let pictures: Vec<u8> = (0..2).flat_map(|n| jpeg::numbered(n).to_vec()).collect();
        let pictures = folder.write("pictures", pictures);
        for program in ["ffmpeg", "rpicam-vid", "grab.sh"] {
            let text = format!("#!/bin/sh\nwhile :; do cat {pictures}; sleep 0.1; done\n");
            let file = folder.write(&format!("bin/{program}"), text);
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let frames = (0..50).map(jpeg::numbered).collect();
        let raw = Camera::start(Script::live(frames, Duration::from_millis(20))).await;
        Self {
            webcams,
            raw,
            rtsp: rtsp_camera(),
            http: http_cameras().await,
            folder,
        }
    }

    /// The text of a fixture in which hosts are these cameras.
    fn placed(&self, text: &str) -> String {
        let rtsp = self.rtsp.url("");
        let rtsp = rtsp.trim_start_matches("rtsp://").trim_end_matches('/');
        let mut text = text
            .replace("camera-2.example:8002", &self.raw.addr().to_string())
            .replace("camera-3.example:8003", rtsp)
            .replace(
                "-H camera-1.example -p 8001",
                &format!("-H 127.0.0.1 -p {}", self.http.port()),
            )
            .replace(
                "/opt/grab.sh",
                &self.folder.path().join("bin/grab.sh").display().to_string(),
            );
        for n in 1..6 {
            text = text.replace(&format!("camera-{n}.example:8001"), &self.http.to_string());
        }
        let file = self.folder.write("shot#1.jpg", jpeg::numbered(1));
        text.replace(
            "/run/camera -n",
            &format!("{} -n", file.trim_end_matches("/shot#1.jpg")),
        )
    }

    /// Migrates a fixture, and starts the result at free ports. Returns also the streams' names.
    fn start(&self, name: &str) -> (Server, Vec<String>) {
        let text = self.placed(&fs::read_to_string(fixture(name)).unwrap());
        let input = self.folder.write(name, text);
        let (code, out, err) = run(&["migrate", &input]);
        assert_eq!(code, Some(0), "{name}: {err}");
        let mut names = Vec::new();
        let mut result = String::new();
        for line in out.lines() {
            if let Some(stream) = line.strip_prefix("name = \"") {
                names.push(stream.trim_end_matches('"').to_owned());
            }
            // Those of viewers, who are asked for no password here, and ports that others may have.
            let is_left_out = [
                "listen = ",
                "address = ",
                "unix = ",
                "mode = ",
                "view = ",
                "[[listen]]",
                "default = ",
                "base_path = ",
            ];
            if !is_left_out.iter().any(|begin| line.starts_with(begin)) {
                result += &format!("{line}\n");
            }
        }
        let users = out.matches("[[users]]").count();
        names.truncate(names.len() - users);
        result += "[[listen]]\naddress = \"127.0.0.1:0\"\n";
        let file = self.folder.write("mjpeg.toml", result);
        let mut command = command(&["run", "-c", &file]);
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.folder.path().join("bin").display());
        command
            .envs(self.webcams.envs())
            .envs(variables(&out))
            .env("PATH", path);
        (Server::of(command, names.len()), names)
    }
}

/// Sends pictures with numbers, over and over.
fn rtsp_camera() -> FakeRtspCamera {
    let picture = RtspPicture {
        width: 320,
        height: 240,
        quality: 60,
        halves_lines: true,
        restart_interval: 0,
    };
    let play = move |_: &ReceivedRequest| {
        let mut sender = RtpSender::default();
        let template = jpeg::rtsp_picture(0, picture);
        let pictures = (0..500).map(|n| sender.picture(&jpeg::with_table_number(&template, n)));
        let mut steps =
            FakeRtspCamera::pictures(pictures.collect::<Vec<_>>(), Duration::from_millis(20));
        steps.push(Step::Stall);
        steps
    };
    FakeRtspCamera::start(RtspAnswers::mjpeg(None, play))
}

/// A server of HTTP that sends a picture, or a stream of them, whatever the path.
async fn http_cameras() -> SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if socket.read_buf(&mut head).await? == 0 {
                        return Ok(());
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let is_still = head.contains("shot");
                let begin = match is_still {
                    true => "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
                    false => {
                        "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
                    }
                };
                socket.write_all(begin.as_bytes()).await?;
                for n in 0.. {
                    let picture = jpeg::numbered(n % 50);
                    if is_still {
                        return socket.write_all(&picture).await;
                    }
                    let part = format!(
                        "--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                        picture.len()
                    );
                    socket.write_all(part.as_bytes()).await?;
                    socket.write_all(&picture).await?;
                    socket.write_all(b"\r\n").await?;
                    sleep(Duration::from_millis(20)).await;
                }
                std::io::Result::Ok(())
            });
        }
    });
    addr
}

/// Sees a picture of the camera, which is no placeholder.
async fn shows_a_picture(server: &Server, fixture: &str, stream: &str) {
    let url = server.urls[0].strip_prefix("http://").unwrap();
    let addr: SocketAddr = url.split('/').next().unwrap().parse().unwrap();
    let seen = async {
        loop {
            let mut viewer = Viewer::open(addr, &format!("/{stream}/")).await.unwrap();
            while let Ok(Some(frame)) = viewer.next_frame().await {
                if jpeg::number_of(&frame).is_some() {
                    return;
                }
            }
        }
    };
    let seen = timeout(Duration::from_secs(30), seen).await;
    assert!(
        seen.is_ok(),
        "{fixture}: {stream} shows no picture of its camera"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_camera_that_is_carried_over_delivers_pictures() {
    let world = FakeWorld::new().await;
    let mut count = 0;
    for name in fixtures() {
        let (mut server, streams) = world.start(&name);
        for stream in &streams {
            if WITHOUT_CAMERA.contains(&(&name, stream)) {
                continue;
            }
            shows_a_picture(&server, &name, stream).await;
            count += 1;
        }
        server.end_by("TERM");
    }
    assert!(count >= 30, "{count} cameras");
}

//! Cameras of all kinds, with ffmpeg and GStreamer as the cameras.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mjpeg_codec::Frame;
use mjpeg_testkit::Viewer;
use tokio::time::{sleep, timeout};

use crate::process::Server;

pub(crate) fn ffmpeg(line: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(line.split(' '))
        .stdout(Stdio::null());
    command
}

pub(crate) const MISSING: &str = "the program runs (cargo xtask ci --install installs it)";

fn made(line: &str, name: &str) -> Folder {
    let folder = Folder::new(name);
    let file = folder.file();
    let status = ffmpeg(&format!("{line} {}", file.display())).status();
    assert!(status.expect(MISSING).success());
    folder
}

/// A temporary folder with one file, removed at the end of the test.
pub(crate) struct Folder(pub(crate) PathBuf, &'static str);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let (stem, extension) = name.split_once('.').unwrap();
        let path = std::env::temp_dir().join(format!("mjpeg-server-{}-{stem}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(
            path,
            if extension == "mp4" {
                "a.mp4"
            } else {
                "a.mjpeg"
            },
        )
    }

    fn file(&self) -> PathBuf {
        self.0.join(self.1)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn relayed(source: &str) -> Server {
    // Viewers must see the bytes that the camera has sent.
    let args = ["run", "--placeholder", "none", "--stream"];
    let stream = format!("s={source}@127.0.0.1:0");
    Server::start(&[&args[..], &[&stream]].concat(), 1)
}

/// Reads frames of this width that differ from the one before.
pub(crate) async fn sees(viewer: &mut Viewer, count: usize, width: u16) {
    let mut last = bytes::Bytes::new();
    let mut seen = 0;
    while seen < count {
        let frame = timeout(Duration::from_secs(20), viewer.next_frame());
        let frame = frame.await.expect("in time").unwrap().expect("not ended");
        assert_eq!(Frame::parse(frame.clone()).unwrap().width(), width);
        if frame != last {
            seen += 1;
        }
        last = frame;
    }
}

pub(crate) fn free_addr() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap()
}

/// A live camera of 320x240 by GStreamer, which sends its JPEG images to this element.
fn gstreamer(sink: &str) -> Killed {
    let line = format!(
        "-q videotestsrc is-live=true pattern=ball ! \
         video/x-raw,width=320,height=240,framerate=25/1 ! jpegenc ! {sink}"
    );
    let mut command = Command::new("gst-launch-1.0");
    command.args(line.split(' ')).stdout(Stdio::null());
    Killed(command.spawn().expect(MISSING))
}

/// How many processes have this path in their command line.
fn running_with(path: &Path) -> usize {
    let path = path.display().to_string();
    let commands = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let command = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).into_owned())
    });
    // The relay's command line contains it too.
    commands
        .filter(|command| command.starts_with("ffmpeg") && command.contains(&path))
        .count()
}

#[tokio::test]
async fn what_ffmpeg_makes_of_a_video_is_relayed_and_ffmpeg_ends_with_the_relay() {
    let video = made(
        "-f lavfi -i testsrc2=size=320x240:rate=25 -t 20 -c:v libx264 -preset ultrafast",
        "video.mp4",
    );
    let path = video.file();
    let mut server = relayed(&format!(
        "exec:ffmpeg -loglevel error -re -stream_loop -1 -i '{}' -c:v mjpeg -q:v 5 -f mjpeg -",
        path.display()
    ));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    sees(&mut viewer, 10, 320).await;
    assert_eq!(running_with(&path), 1);
    server.end_by("TERM");
    let ended = async {
        while running_with(&path) > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), ended)
        .await
        .expect("ffmpeg has ended");
}

#[test]
fn what_ffmpeg_complains_of_is_the_error_and_no_password_is_shown() {
    let mut server =
        relayed("exec:ffmpeg -loglevel error -i http://me:secret@127.0.0.1:1/ -f mjpeg -");
    let line = server.stderr_until("offline").pop().unwrap();
    assert!(line.contains("Connection refused"), "{line}");
    server.end_by("TERM");
    let all = server.stderr();
    assert!(
        !line.contains("secret") && !all.contains("secret"),
        "{line}\n{all}"
    );
}

#[tokio::test]
async fn ffmpeg_pushes_its_pictures_and_viewers_outlast_it() {
    let addr = free_addr();
    let server = relayed(&format!("tcp-listen://{addr}"));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    for width in [320, 160] {
        let pushing = format!(
            "-re -f lavfi -i testsrc2=size={width}x120:rate=25 -c:v mjpeg -q:v 5 -f mjpeg tcp://{addr}"
        );
        let _pushing = Killed(ffmpeg(&pushing).spawn().expect(MISSING));
        // Frames of the previous sender may still arrive.
        if width == 160 {
            let other = async {
                loop {
                    let frame = viewer.next_frame().await.unwrap().expect("not ended");
                    if Frame::parse(frame).unwrap().width() == width {
                        return;
                    }
                }
            };
            timeout(Duration::from_secs(20), other)
                .await
                .expect("the next sender is heard");
        }
        sees(&mut viewer, 10, width).await;
    }
}

#[tokio::test]
async fn recording_is_played_again_and_again() {
    let recording = made(
        "-f lavfi -i testsrc2=size=160x120:rate=25 -frames:v 10 -c:v mjpeg -f mjpeg",
        "recording.mjpeg",
    );
    let server = relayed(&format!("file://{}?fps=50", recording.file().display()));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    sees(&mut viewer, 25, 160).await;
}

#[tokio::test]
async fn gstreamer_pushes_its_pictures() {
    let addr = free_addr();
    let server = relayed(&format!("tcp-listen://{addr}"));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    let _pushing = gstreamer(&format!(
        "tcpclientsink host=127.0.0.1 port={}",
        addr.port()
    ));
    sees(&mut viewer, 10, 320).await;
}

#[tokio::test]
async fn gstreamer_and_ffmpeg_are_dialled_where_they_listen() {
    let addr = free_addr();
    let listening = gstreamer(&format!(
        "tcpserversink host=127.0.0.1 port={}",
        addr.port()
    ));
    let server = relayed(&format!("tcp://{addr}"));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    sees(&mut viewer, 10, 320).await;
    drop((viewer, server, listening));

    let addr = free_addr();
    let line = format!(
        "-re -f lavfi -i testsrc2=size=160x120:rate=25 -c:v mjpeg -q:v 5 -f mjpeg tcp://{addr}?listen=1"
    );
    let _listening = Killed(ffmpeg(&line).spawn().expect(MISSING));
    let server = relayed(&format!("tcp://{addr}"));
    let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
    sees(&mut viewer, 10, 160).await;
}

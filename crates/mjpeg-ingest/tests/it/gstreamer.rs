//! The real counterpart of `rtsp://`: GStreamer's RTSP server. What comes is compared with what was
//! sent.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_ingest::{Event, FailureReason, Ingest, IngestConfig, mjpeg_codec::Frame};
use mjpeg_testkit::jpeg::{self, RtspPicture};
use tokio::time::timeout;

/// A server that ends with the test.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// Serves these pictures again and again, 25 a second.
    fn of_pictures(name: &str, pictures: &[Bytes], login: Option<[&str; 2]>) -> Self {
        let folder = std::env::temp_dir().join(format!("mjpeg-rtsp-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (nth, picture) in pictures.iter().enumerate() {
            fs::write(folder.join(format!("{nth:03}.jpg")), picture).unwrap();
        }
        let frame = Frame::parse(pictures[0].clone()).unwrap();
        let pipeline = format!(
            "( multifilesrc location={}/%03d.jpg loop=true \
             caps=image/jpeg,width=(int){},height=(int){},framerate=(fraction)25/1 ! \
             rtpjpegpay name=pay0 pt=26 )",
            folder.display(),
            frame.width(),
            frame.height()
        );
        Self::start(&pipeline, login, folder)
    }

    fn start(pipeline: &str, login: Option<[&str; 2]>, folder: PathBuf) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/gstreamer/server.py");
        let mut child = Command::new("/usr/bin/python3")
            .args([script, pipeline])
            .args(login.into_iter().flatten())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's python3");
        let mut port = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut port).unwrap();
        let port = port.trim().parse();
        let port = port.expect("GStreamer's RTSP server: python3-gi, gir1.2-gst-rtsp-server-1.0");
        Self {
            child,
            port,
            folder,
        }
    }

    fn open(&self, login: &str) -> Ingest {
        let url = format!("rtsp://{login}127.0.0.1:{}/camera", self.port);
        Ingest::new(url.parse().unwrap(), IngestConfig::default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn event(ingest: &mut Ingest) -> Event {
    let event = timeout(Duration::from_secs(30), ingest.next()).await;
    event.expect("in time").expect("a camera never ends")
}

/// The data of the scan.
fn scan(jpeg: &[u8]) -> &[u8] {
    let sos = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    let header = usize::from(u16::from_be_bytes([jpeg[sos + 2], jpeg[sos + 3]]));
    &jpeg[sos + 2 + header..]
}

/// The quantization tables, in order.
fn tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut at, mut tables) = (2, Vec::new());
    while jpeg[at + 1] != 0xDA {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] == 0xDB {
            tables.extend_from_slice(&jpeg[at + 4..end]);
        }
        at = end;
    }
    tables
}

/// Reads so many pictures, and checks that they are those that are sent, in order, without a gap.
async fn check(name: &str, pictures: &[Bytes], wanted: usize) {
    let server = Server::of_pictures(name, pictures, None);
    let mut ingest = server.open("");
    let mut before = None;
    let mut taken = 0;
    while taken < wanted {
        match event(&mut ingest).await {
            Event::Frame(captured) => {
                let frame = captured.frame;
                let is_it = |sent: &Bytes| scan(sent) == scan(frame.bytes());
                let nth = pictures.iter().position(is_it);
                let nth = nth.unwrap_or_else(|| panic!("{name}: {frame:?} was not sent"));
                assert_eq!(tables(frame.bytes()), tables(&pictures[nth]), "{name}");
                if let Some(before) = before {
                    assert_eq!(nth, (before + 1) % pictures.len(), "{name}: a gap");
                }
                before = Some(nth);
                taken += 1;
            }
            Event::Offline { error, .. } => panic!("{name}: {}", error.chain()),
            Event::Discarded { reason, bytes } => panic!("{name}: {bytes} bytes: {reason}"),
            _ => {}
        }
    }
}

fn pictures(picture: RtspPicture, count: u32) -> Vec<Bytes> {
    (0..count)
        .map(|number| jpeg::rtsp_picture(number, picture))
        .collect()
}

const PICTURE: RtspPicture = RtspPicture {
    width: 640,
    height: 480,
    quality: 60,
    halves_lines: true,
    restart_interval: 0,
};

#[tokio::test]
async fn pictures_of_gstreamers_server_come_as_they_were_sent() {
    check("plain", &pictures(PICTURE, 10), 40).await;
}

#[tokio::test]
async fn restart_markers_and_other_sampling_come_as_they_were_sent() {
    let picture = RtspPicture {
        halves_lines: false,
        restart_interval: 5,
        ..PICTURE
    };
    check("restarts", &pictures(picture, 5), 15).await;
}

#[tokio::test]
async fn pictures_above_2040_pixels_come_as_they_were_sent() {
    let picture = RtspPicture {
        width: 2560,
        height: 2048,
        quality: 20,
        ..PICTURE
    };
    let pictures = pictures(picture, 3);
    let server = Server::of_pictures("large", &pictures, None);
    let mut ingest = server.open("");
    loop {
        match event(&mut ingest).await {
            Event::Frame(captured) => {
                let frame = captured.frame;
                assert_eq!((frame.width(), frame.height()), (2560, 2048));
                assert!(
                    pictures
                        .iter()
                        .any(|sent| scan(sent) == scan(frame.bytes()))
                );
                return;
            }
            Event::Offline { error, .. } => panic!("{}", error.chain()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn digest_login_at_gstreamers_server() {
    let login = Some(["viewer", "secret"]);
    let server = Server::of_pictures("login", &pictures(PICTURE, 3), login);
    let mut ingest = server.open("viewer:secret@");
    loop {
        match event(&mut ingest).await {
            Event::Frame(_) => break,
            Event::Offline { error, .. } => panic!("{}", error.chain()),
            _ => {}
        }
    }
    let mut wrong = server.open("viewer:other@");
    loop {
        if let Event::Offline { error, retry_in } = event(&mut wrong).await {
            assert_eq!(error.reason(), FailureReason::Login, "{}", error.chain());
            assert_eq!(retry_in, Duration::from_secs(300));
            break;
        }
    }
}

#[tokio::test]
async fn other_codings_say_what_to_do() {
    let pipeline = "( audiotestsrc ! audioconvert ! rtpL16pay name=pay0 pt=96 )";
    let folder = std::env::temp_dir().join(format!("mjpeg-rtsp-sound-{}", std::process::id()));
    let server = Server::start(pipeline, None, folder);
    let mut ingest = server.open("");
    loop {
        if let Event::Offline { error, .. } = event(&mut ingest).await {
            let error = error.chain().to_string();
            assert!(
                error.contains("offers L16 (audio) and no M-JPEG"),
                "{error}"
            );
            break;
        }
    }
}

//! ffmpeg as the camera and as the viewer.

use std::{
    collections::HashSet,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use mjpeg_codec::{Found, Splitter, SplitterConfig};
use mjpeg_testkit::{Script, Step};

use crate::process::Server;

fn ffmpeg(args: &[&str]) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(args);
    command
}

/// Kills the program at the end of the test, whatever its outcome.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const MISSING: &str = "ffmpeg runs (cargo xtask ci --install installs it)";

/// A port that is free now, for ffmpeg, which does not accept port 0.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The frame hashes of framemd5 output.
fn hashes(framemd5: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(framemd5).unwrap();
    let frames = text.lines().filter(|line| !line.starts_with('#'));
    frames
        .map(|line| line.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

#[test]
fn frames_from_ffmpeg_to_ffmpeg_are_those_that_were_sent() {
    let port = free_port();
    let source = [
        "-re",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=25",
        "-t",
        "40",
        "-c:v",
        "mjpeg",
        "-q:v",
        "5",
    ];
    // The camera also writes its stream into a file, for comparison.
    let sent = std::env::temp_dir().join(format!("mjpeg-sent-{}-{port}.mjpeg", std::process::id()));
    let tee = format!(
        "[f=mjpeg]tcp\\://127.0.0.1\\:{port}?listen=1|[f=mjpeg]{}",
        sent.display()
    );
    let mut camera = ffmpeg(&source);
    camera
        .args(["-map", "0:v", "-flags", "bitexact", "-y", "-f", "tee", &tee])
        .stdout(Stdio::null());
    let camera = Ended(camera.spawn().expect(MISSING));

    let server = Server::start(
        &[
            "run",
            // Viewers must see the bytes that the camera has sent.
            "--placeholder",
            "none",
            "--stream",
            &format!("test=tcp://127.0.0.1:{port}@127.0.0.1:0"),
        ],
        1,
    );
    // -c copy: the hashes are those of the JPEG bytes as received.
    let copied = ffmpeg(&[
        "-i",
        &server.urls[0],
        "-c",
        "copy",
        "-frames:v",
        "60",
        "-f",
        "framemd5",
        "-",
    ]);
    let copied = output(copied);
    // Again, decoding every picture.
    let decoded = ffmpeg(&[
        "-i",
        &server.urls[0],
        "-frames:v",
        "60",
        "-f",
        "framemd5",
        "-",
    ]);
    assert_eq!(hashes(&output(decoded)).len(), 60);

    drop((server, camera));
    let all = ffmpeg(&[
        "-f",
        "mjpeg",
        "-i",
        sent.to_str().unwrap(),
        "-c",
        "copy",
        "-f",
        "framemd5",
        "-",
    ]);
    let all: HashSet<String> = hashes(&output(all)).into_iter().collect();
    std::fs::remove_file(&sent).unwrap();
    let arrived = hashes(&copied);
    assert_eq!(arrived.len(), 60);
    for hash in &arrived {
        assert!(all.contains(hash), "a frame that was never sent");
    }
    let distinct: HashSet<_> = arrived.iter().collect();
    assert!(
        distinct.len() > 50,
        "the picture moves: {} of 60 differ",
        distinct.len()
    );
}

/// Runs ffmpeg to its end. Any output on standard error is a decode error.
fn output(mut command: Command) -> Vec<u8> {
    let output = command.output().expect(MISSING);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "ffmpeg says: {errors}"
    );
    output.stdout
}

/// Our splitter and ffmpeg find the same frames in an encoder's stream.
#[test]
fn splitter_finds_as_many_frames_as_ffmpeg_wrote() {
    let encode = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x120:rate=25",
        "-frames:v",
        "50",
        "-c:v",
        "mjpeg",
        "-f",
        "mjpeg",
        "-",
    ]);
    let mut splitter = Splitter::new(SplitterConfig::default());
    splitter.push(output(encode));
    let mut frames = 0;
    while let Some(event) = splitter.poll() {
        let Found::Frame(frame) = event else {
            panic!("{event:?}")
        };
        assert_eq!((frame.width(), frame.height()), (160, 120));
        frames += 1;
    }
    assert_eq!(frames, 50);
}

/// The body can also be read as raw concatenated JPEGs, which some programs do.
#[tokio::test]
async fn response_can_be_read_as_raw_jpegs() {
    let frames: Vec<_> = (0..30).map(mjpeg_testkit::jpeg::numbered).collect();
    let steps = frames.iter().flat_map(|f| {
        [
            Step::Send(f.clone()),
            Step::Wait(std::time::Duration::from_millis(20)),
        ]
    });
    let camera =
        mjpeg_testkit::Camera::start(Script::new(steps.chain([Step::Goto(0)]).collect())).await;
    let server = Server::start(
        &[
            "run",
            // Viewers must see the bytes that the camera has sent.
            "--placeholder",
            "none",
            "--stream",
            &format!("test={}@127.0.0.1:0", camera.url()),
        ],
        1,
    );
    let raw = ffmpeg(&[
        "-f",
        "mjpeg",
        "-i",
        &server.urls[0],
        "-c",
        "copy",
        "-frames:v",
        "20",
        "-f",
        "framemd5",
        "-",
    ]);
    let hashes = tokio::task::spawn_blocking(|| hashes(&output(raw)))
        .await
        .unwrap();
    assert_eq!(hashes.len(), 20);
}

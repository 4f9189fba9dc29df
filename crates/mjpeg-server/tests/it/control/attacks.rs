//! What somebody who wants in would try.

mod bodies;
mod crowds;
mod hosts;
mod injected;
mod links;
mod pages;
mod users;

use std::time::Duration;

use mjpeg_testkit::{Camera, Script, Viewer, jpeg};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use super::Controlled;

/// Somebody who watches while others attack, and notices each frame that is missing.
struct Watching {
    counting: JoinHandle<u32>,
    stop: oneshot::Sender<()>,
}

impl Watching {
    /// Watches a stream of the [camera](steady), whose frames are numbered.
    async fn start(relay: &Controlled, path: &str) -> Self {
        let mut viewer = Viewer::open(relay.addr(), path).await.unwrap();
        let (stop, mut stopped) = oneshot::channel();
        let first = viewer.next_frame().await.unwrap().expect("a frame");
        let mut last = jpeg::number_of(&first);
        let counting = tokio::spawn(async move {
            let (mut frames, mut is_over) = (0, false);
            while !is_over || frames < 5 {
                is_over |= stopped.try_recv().is_ok();
                let next = timeout(Duration::from_secs(5), viewer.next_frame()).await;
                let frame = next.expect("in time").unwrap().expect("not ended");
                // The last frame is repeated when the camera is late.
                let (number, before) = (jpeg::number_of(&frame), last);
                let next = before.map(|before| (before + 1) % 20);
                assert!(number == before || number == next, "{before:?}, {number:?}");
                frames += u32::from(number == next);
                last = number;
            }
            frames
        });
        Self { counting, stop }
    }

    /// How many frames came, none of which was missing. Waits for some that come afterwards.
    async fn frames(self) -> u32 {
        self.stop.send(()).expect("it still watches");
        self.counting.await.expect("no frame is missing")
    }
}

/// Sends a request as it is, and returns the status, without a look at the rest.
async fn status(relay: &Controlled, raw: impl AsRef<[u8]>) -> u16 {
    let mut stream = TcpStream::connect(relay.addr()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut head = [0; 12];
    let answered = async {
        // It may be refused before it is read.
        let write = async {
            let _ = writing.write_all(raw.as_ref()).await;
        };
        let (_, read) = tokio::join!(write, reading.read_exact(&mut head));
        read
    };
    let answered = timeout(Duration::from_secs(20), answered).await;
    answered.expect("in time").expect("an answer");
    str::from_utf8(&head[9..])
        .unwrap()
        .parse()
        .expect("a status")
}

/// The stream `door`.
fn door(camera: &Camera) -> String {
    format!(
        "[[streams]]\nname = \"door\"\nsource = \"{}\"\n",
        camera.url()
    )
}

/// A camera that is slow enough for a busy machine to pass on each of its frames.
async fn steady() -> Camera {
    let frames = (0..20).map(jpeg::numbered).collect();
    Camera::start(Script::live(frames, Duration::from_millis(100))).await
}

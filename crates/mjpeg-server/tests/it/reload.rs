//! The configuration is read again while viewers watch.

mod changes;
mod keys;
mod load;
mod log;
mod orientation;
mod ports;
mod process;
mod refused;
mod watched;

use std::{fs, future::Future, net::SocketAddr, os::unix::fs::symlink, time::Duration};

use mjpeg_testkit::{Camera, Response, Script, Viewer, jpeg, request};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A relay that was started with a file.
struct Reloadable {
    server: Server,
    folder: Folder,
}

impl Reloadable {
    /// Starts a relay with this file, which prints this many URLs.
    fn start(text: &str, urls: usize) -> Self {
        Self::start_with(text, urls, &[])
    }

    fn start_with(text: &str, urls: usize, args: &[&str]) -> Self {
        let folder = Folder::new();
        let file = folder.write("mjpeg.toml", text);
        let server = Server::of(command(&[&["run", "-c", &file][..], args].concat()), urls);
        let mut this = Self { server, folder };
        this.server.stderr_until("the configuration is");
        this
    }

    /// Starts a relay that watches its file, which is a link.
    fn start_linked(text: &str) -> Self {
        let folder = Folder::new();
        folder.write("..1/mjpeg.toml", text);
        let file = folder.path().join("mjpeg.toml");
        symlink("..1", folder.path().join("..data")).expect("a link");
        symlink("..data/mjpeg.toml", &file).expect("a link");
        let file = file.to_str().expect("UTF-8");
        let server = Server::of(command(&["run", "-c", file, "--watch"]), 2);
        let mut this = Self { server, folder };
        this.server.stderr_until("the configuration is");
        this
    }

    /// Writes the file, makes the relay read it again, and returns what it logs about that.
    fn reload(&mut self, text: &str) -> Vec<String> {
        self.folder.write("mjpeg.toml", text);
        self.hang_up()
    }

    /// Puts another file in the place of the file, so that nobody reads a half of it.
    fn replace(&self, text: &str) {
        let new = self.folder.write("mjpeg.toml.new", text);
        fs::rename(new, self.folder.path().join("mjpeg.toml")).expect("renamed");
    }

    fn hang_up(&mut self) -> Vec<String> {
        self.server.signal("HUP");
        self.outcome()
    }

    /// What is logged about the next reload.
    fn outcome(&mut self) -> Vec<String> {
        let word = "configuration ";
        let mut lines = Vec::new();
        loop {
            lines.extend(self.server.stderr_until(word));
            let last = lines.last().expect("a line");
            if last.contains("configuration reloaded") || last.contains("configuration not") {
                return lines;
            }
        }
    }

    fn addr(&self, url: usize) -> SocketAddr {
        self.server.addr(url)
    }
}

/// A camera whose frames have these numbers, again and again, and no others.
async fn camera(first: u32, interval: Duration) -> Camera {
    let frames = (first..first + FRAMES).map(jpeg::numbered).collect();
    Camera::start(Script::live(frames, interval)).await
}

/// A stream without a port of its own.
fn stream(name: &str, source: &str, keys: &str) -> String {
    format!("[[streams]]\nname = \"{name}\"\nsource = \"{source}\"\n{keys}\n")
}

/// One gateway, at a free port.
const GATEWAY: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n";

/// Who waits so long for a frame has read all that were sent before. Cameras send less often.
const WAITED: Duration = Duration::from_millis(5);

/// How many different frames a camera sends.
const FRAMES: u32 = 100;

/// A viewer that checks that it is never sent a frame out of order, or of another camera.
struct Watcher<S = TcpStream> {
    viewer: Viewer<S>,
    last: Option<u32>,
    seen: u32,
}

impl Watcher {
    async fn open(addr: SocketAddr, path: &str) -> Self {
        let viewer = soon(Viewer::open(addr, &without_repeats(path))).await;
        Self::of(viewer.expect("a connection"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watcher<S> {
    fn of(viewer: Viewer<S>) -> Self {
        assert_eq!(viewer.head().status, 200);
        Self {
            viewer,
            last: None,
            seen: 0,
        }
    }

    /// The number of the next frame; `None` at the end of the response.
    async fn next(&mut self) -> Option<u32> {
        let frame = soon(self.viewer.next_frame()).await.ok()??;
        self.seen += 1;
        jpeg::number_of(&frame)
    }

    /// Watches what was sent meanwhile, and then this many frames more. None may be missed.
    async fn follow(&mut self, frames: u32) {
        let mut live = 0;
        while live < frames {
            let since = Instant::now();
            let number = self.next().await.expect("the response goes on");
            live += u32::from(since.elapsed() >= WAITED);
            if let Some(last) = self.last {
                let next = last - last % FRAMES + (last % FRAMES + 1) % FRAMES;
                assert_eq!(number, next, "after {last}");
            }
            self.last = Some(number);
        }
    }

    /// Watches until this many frames were missed.
    async fn skip(&mut self, frames: u32) {
        let mut missed = 0;
        while missed < frames {
            let last = self.last;
            self.last = Some(self.next().await.expect("the response goes on"));
            let next = last.map(|last| (last + 1) % FRAMES);
            missed += u32::from(self.last != next);
        }
    }

    /// Watches what was sent meanwhile, and then until a frame of the camera whose numbers begin
    /// here.
    async fn follow_until(&mut self, first: u32) {
        loop {
            let since = Instant::now();
            let number = self.next().await.expect("the response goes on");
            let is_live = since.elapsed() >= WAITED;
            if is_live && (first..first + FRAMES).contains(&number) {
                self.last = Some(number);
                return;
            }
        }
    }
}

/// A slow machine makes more repeats.
fn without_repeats(path: &str) -> String {
    format!("{path}?dual_final_frames=0")
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let done = timeout(Duration::from_secs(30), future).await;
    done.expect("within 30 s")
}

async fn get(addr: SocketAddr, path: &str) -> Response {
    ask(addr, path, "Host: 127.0.0.1\r\n").await
}

async fn ask(addr: SocketAddr, path: &str, headers: &str) -> Response {
    let asked = format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    soon(request(addr, asked)).await.expect("an answer")
}

/// Whether one of the lines contains the text.
fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

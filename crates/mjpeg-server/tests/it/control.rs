//! The API of the running program: streams that it adds, changes and removes, and who may.

mod answers;
mod attacks;
mod certificates;
mod crawl;
mod dry_run;
#[cfg(target_os = "linux")]
mod durable;
#[cfg(target_os = "linux")]
mod hashing;
mod links;
mod odd_files;
mod races;
mod rights;
mod secrets;
mod sources;
mod stored;
mod tokens;

use std::{ffi::OsStr, fs, net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use mjpeg_testkit::{Camera, Script, jpeg, request};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A relay with a file, whose first listener serves the API.
pub(crate) struct Controlled {
    pub(crate) server: Server,
    pub(crate) folder: Folder,
    file: String,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    etag: Option<String>,
    pub(crate) json: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

impl Controlled {
    /// Starts a relay that keeps the API's streams in a folder.
    pub(crate) fn start(more: &str) -> Self {
        Self::of(&[INCLUDE, GATEWAY, more].concat())
    }

    /// Starts a relay that keeps the API's streams in a folder, with these variables.
    pub(crate) fn with_envs<V: AsRef<OsStr>>(
        more: &str,
        envs: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        let envs: Vec<_> = envs.into_iter().collect();
        let text = [INCLUDE, GATEWAY, more].concat();
        Self::made(&text, 1, |command| {
            command.envs(envs.iter().map(|(name, value)| (name, value)));
        })
    }

    /// Starts a relay with this file alone.
    pub(crate) fn of(text: &str) -> Self {
        Self::of_several(text, 1)
    }

    /// Starts a relay with this file alone, which prints at least this many URLs.
    pub(crate) fn of_several(text: &str, urls: usize) -> Self {
        Self::made(text, urls, |_| ())
    }

    fn made(text: &str, urls: usize, change: impl FnOnce(&mut Command)) -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("streams.d")).expect("a folder");
        let file = folder.write("mjpeg.toml", text);
        let server = Self::run(&folder, &file, urls, change);
        Self {
            server,
            folder,
            file,
        }
    }

    fn run(folder: &Folder, file: &str, urls: usize, change: impl FnOnce(&mut Command)) -> Server {
        let mut command = command(&["run", "-c", file]);
        command
            .env("STATE_DIRECTORY", folder.path().join("state"))
            .env("RUNTIME_DIRECTORY", folder.path());
        change(&mut command);
        let mut server = Server::of(command, urls);
        server.stderr_until("the configuration is");
        server
    }

    /// Ends the relay, and starts it again with what is on the disk.
    pub(crate) fn restart(&mut self) {
        self.server.end_by("TERM");
        let urls = self.server.urls.len();
        self.server = Self::run(&self.folder, &self.file, urls, |_| ());
    }

    /// Replaces the file, makes the relay read it again, and returns what it logs about that.
    pub(crate) fn reload(&mut self, text: &str) -> Vec<String> {
        self.folder.write("mjpeg.toml", text);
        self.server.signal("HUP");
        let mut lines = Vec::new();
        loop {
            lines.extend(self.server.stderr_until("configuration "));
            let last = lines.last().expect("a line");
            if last.contains("configuration reloaded") || last.contains("configuration not") {
                return lines;
            }
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr(0)
    }

    /// The file of a stream of the API.
    fn stored(&self, name: &str) -> PathBuf {
        let file = format!("streams.d/{name}.toml");
        self.folder.path().join(file)
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "", body).await
    }

    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Answer {
        let asked = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{headers}Connection: close\r\n\r\n{body}",
            self.addr(),
            body.len()
        );
        let answer = timeout(Duration::from_secs(30), request(self.addr(), asked)).await;
        let answer = answer.expect("in time").expect("an answer");
        Answer {
            status: answer.head.status,
            etag: answer.head.header("etag").map(Into::into),
            json: serde_json::from_slice(&answer.body).unwrap_or_default(),
        }
    }

    /// Adds a stream of a camera at once, whatever its state.
    async fn add(&self, name: &str, source: &str) -> Answer {
        let body = format!(r#"{{"name": "{name}", "source": "{source}", "start": "retry"}}"#);
        self.ask("POST", "/streams", &body).await
    }

    /// The names of the streams that are there.
    async fn names(&self) -> Vec<String> {
        let listed = self.ask("GET", "/streams", "").await;
        let streams = listed.json["streams"].as_array().expect("a list").iter();
        let name = |stream: &Value| stream["name"].as_str().expect("a name").into();
        streams.map(name).collect()
    }
}

pub(crate) async fn camera() -> Camera {
    let frames = (0..20).map(jpeg::numbered).collect();
    Camera::start(Script::live(frames, Duration::from_millis(20))).await
}

pub(crate) const INCLUDE: &str = "include = [\"streams.d/*.toml\"]\n";

pub(crate) const GATEWAY: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n\
                       serve = [\"streams\", \"page\", \"control\"]\n";

/// The test's cameras are on this machine.
const LOOPBACK: &str = "[control]\nallow = [\"127.0.0.0/8\"]\n";

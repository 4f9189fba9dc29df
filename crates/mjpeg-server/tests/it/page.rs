//! The page: logging in, and what its script does in a real browser.

mod age;
mod axe;
pub(crate) mod browsing;
mod dialogs;
mod files;
mod network;
mod past;
mod qr;
mod recordings;
mod sessions;
mod share;
mod snippets;
mod steady;
mod wall;

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use mjpeg_auth::hash_password;
use mjpeg_testkit::{Camera, Response, Script, jpeg, request};
use tokio::time::timeout;

use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A relay whose gateways serve everything, on ports of this machine.
struct Relay {
    server: Server,
    folder: Folder,
}

impl Relay {
    /// Starts one with this file; it keeps the API's streams. Prints as many URLs.
    fn start(text: &str, urls: usize) -> Self {
        Self::of(&[INCLUDE, text].concat(), urls)
    }

    /// Starts one that cannot keep the API's streams.
    fn start_without_folder(text: &str) -> Self {
        Self::of(text, 1)
    }

    fn of(text: &str, urls: usize) -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("streams.d")).expect("a folder");
        let file = folder.write("mjpeg.toml", text);
        let mut command = command(&["run", "-c", &file]);
        command.env("STATE_DIRECTORY", folder.path().join("state"));
        let server = Server::of(command, urls);
        Self { server, folder }
    }

    /// The file of a stream of the API.
    fn stored(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("streams.d/{name}.toml"))
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr(0)
    }

    fn url(&self) -> &str {
        &self.server.urls[0]
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Response {
        ask(self.addr(), method, path, headers, body).await
    }

    async fn log_in(&self, headers: &str, name: &str, password: &str) -> Response {
        let body = format!(r#"{{"name": "{name}", "password": "{password}"}}"#);
        let headers = format!("{JSON}{headers}");
        self.ask("POST", "/login", &headers, &body).await
    }
}

async fn ask(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Response {
    let host = match headers.contains("Host: ") {
        true => String::new(),
        false => format!("Host: {addr}\r\n"),
    };
    let length = body.len();
    let asked = format!(
        "{method} {path} HTTP/1.1\r\n{host}Content-Length: {length}\r\n{headers}\
         Connection: close\r\n\r\n{body}"
    );
    let answer = timeout(Duration::from_secs(30), request(addr, asked)).await;
    answer.expect("in time").expect("an answer")
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).expect("UTF-8")
}

/// The user alice, who may do everything.
fn alice() -> String {
    let hash = hash_password(PASSWORD);
    format!(
        "[[users]]\nname = \"alice\"\npassword_hash = \"{hash}\"\n\
         may = [\"view\", \"control\"]\n"
    )
}

async fn camera() -> Camera {
    let frames = (0..20).map(jpeg::numbered).collect();
    Camera::start(Script::live(frames, Duration::from_millis(50))).await
}

const INCLUDE: &str = "include = [\"streams.d/*.toml\"]\n";

const GATEWAY: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n\
                       serve = [\"streams\", \"page\", \"control\"]\n";

/// The tests' cameras are on this machine.
const LOOPBACK: &str = "[control]\nallow = [\"127.0.0.0/8\"]\n";

const JSON: &str = "Content-Type: application/json\r\n";

const PASSWORD: &str = "correct horse battery staple";

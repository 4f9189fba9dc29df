//! What a newcomer does, with the commands of docs/ctl.md.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Output, Stdio},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use mjpeg_testkit::{Viewer, request};
use tokio::time::timeout;

use super::PASSWORD;
use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A newcomer's folder, with the commands that the page has for it.
struct Newcomer {
    folder: Folder,
    section: &'static str,
    /// Lines of the page, after the command that was run last.
    rest: Vec<&'static str>,
}

impl Newcomer {
    fn start() -> Self {
        let (_, section) = PAGE.split_once("## From nothing to a link\n").expect("it");
        let (section, _) = section.split_once("\n## ").expect("its end");
        let folder = Folder::new();
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::create_dir(folder.path().join("runtime")).unwrap();
        let program = env!("CARGO_BIN_EXE_mjpeg-server");
        std::os::unix::fs::symlink(program, folder.path().join("bin/mjpeg-server")).unwrap();
        Self {
            folder,
            section,
            rest: section.lines().collect(),
        }
    }

    /// The next command of the page, which must begin so.
    fn printed(&mut self, start: &str) -> &'static str {
        let at = self.rest.iter().position(|line| line.starts_with("$ "));
        let line = self.rest.remove(at.expect("a further command"));
        self.rest.drain(..at.unwrap_or_default());
        let printed = line.strip_prefix("$ ").unwrap();
        assert!(printed.starts_with(start), "{printed} is not {start}");
        printed
    }

    fn prepared(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("STATE_DIRECTORY", self.folder.path().join("state"))
            .env("RUNTIME_DIRECTORY", self.folder.path().join("runtime"))
            .env_remove("MJPEG_CTL_URL")
            .env_remove("COLUMNS");
        command
    }

    /// Runs a command as it is printed. Returns what it says, on standard output first.
    fn shell(&self, printed: &str) -> (String, String) {
        let mut command = self.prepared(Command::new("sh"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}/bin:{path}", self.folder.path().display());
        command.args(["-c", printed]).env("PATH", path);
        // Where there is no terminal, a password is a line of this.
        let password = self.folder.write("password", format!("{PASSWORD}\n"));
        command.stdin(Stdio::from(fs::File::open(password).unwrap()));
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("sh runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (stdout, stderr) = (text(stdout), text(stderr));
        assert!(status.success(), "{printed}: {stdout}{stderr}");
        (stdout, stderr)
    }

    /// Writes the file of the page, with this hash, for a free port.
    fn write_file(&self, hash: &str) {
        let (_, file) = self.section.split_once("```toml\n").expect("the file");
        let (file, _) = file.split_once("```\n").expect("its end");
        let mut file = file.to_owned();
        for (printed, tested) in [
            ("password_hash = \"$argon2id$…\"", hash.trim()),
            ("\"127.0.0.1:8080\"", "\"127.0.0.1:0\""),
        ] {
            assert!(file.contains(printed), "{printed}: {file}");
            file = file.replace(printed, tested);
        }
        self.folder.write("mjpeg.toml", file);
    }

    fn run(&self, printed: &str) -> Server {
        let words = printed.strip_suffix(" &").expect("in the background");
        let words: Vec<&str> = words.split(' ').skip(1).collect();
        let mut server = Server::of(self.prepared(command(&words)), 1);
        server.stderr_until("listener=control");
        server
    }
}

async fn status(addr: SocketAddr, path: &str, login: &str) -> u16 {
    let asked =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{login}Connection: close\r\n\r\n");
    request(addr, asked).await.expect("an answer").head.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomer_makes_a_user_a_camera_and_a_link_and_revokes_it() {
    let mut newcomer = Newcomer::start();
    let printed = newcomer.printed("mjpeg-server hash-password");
    let (hash, _) = newcomer.shell(printed);
    let printed = newcomer.printed("mkdir ");
    newcomer.shell(printed);
    newcomer.write_file(&hash);
    let printed = newcomer.printed("mjpeg-server check ");
    let (said, _) = newcomer.shell(printed);
    assert_eq!(said.trim(), newcomer.rest[0]);
    let printed = newcomer.printed("mjpeg-server run ");
    let server = newcomer.run(printed);
    let addr = server.addr(0);

    let printed = newcomer.printed("mjpeg-server ctl add ");
    let (said, _) = newcomer.shell(printed);
    // It has connected, and may not have shown a picture yet.
    let (added, _) = newcomer.rest[0].split_once("; ").expect("a state");
    assert!(said.starts_with(added), "{said}");
    let printed = newcomer.printed("mjpeg-server ctl links create ");
    let (link, notes) = newcomer.shell(printed);
    let link = link.trim();
    let (_, id) = notes.split_once("link ").expect("the id");
    let (id, _) = id.split_once(',').expect("its end");

    let basic = BASE64_STANDARD.encode(format!("alice:{PASSWORD}"));
    let basic = format!("Authorization: Basic {basic}\r\n");
    assert_eq!(status(addr, "/yard/snapshot", "").await, 401);
    assert_eq!(status(addr, "/yard/snapshot", &basic).await, 200);
    let mut image = Viewer::open(addr, link).await.unwrap();
    assert_eq!(image.head().status, 200, "{link}");
    image.next_frame().await.unwrap().expect("a frame");

    let printed = newcomer.printed("mjpeg-server ctl links");
    let (listed, _) = newcomer.shell(printed);
    assert_eq!(listed.lines().next(), newcomer.rest.first().copied());
    assert!(listed.contains(id), "{listed}");
    let printed = newcomer.printed("mjpeg-server ctl links revoke ");
    let (revoke, of_page) = printed.rsplit_once(' ').unwrap();
    assert!(
        newcomer
            .section
            .contains(&format!("link {of_page}, good until"))
    );
    newcomer.shell(&format!("{revoke} {id}"));
    let ending = async { while let Ok(Some(_)) = image.next_frame().await {} };
    let ended = timeout(Duration::from_secs(1), ending).await;
    ended.expect("whoever watches by it is cut");
    assert_eq!(status(addr, link, "").await, 401);
    assert!(!newcomer.rest.iter().any(|line| line.starts_with("$ ")));
}

const PAGE: &str = include_str!("../../../../../docs/ctl.md");

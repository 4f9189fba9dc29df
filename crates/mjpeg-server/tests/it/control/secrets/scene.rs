//! A relay that is asked for everything, and what it says.

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{
    super::Controlled,
    place::{BAD_FILE, Secret},
    said::Said,
};
use crate::{
    folder::Folder,
    process::{Server, command},
};

/// The relay, its log in a file, and what it has said.
pub(super) struct Scene {
    pub(super) relay: Controlled,
    /// Where its log goes.
    pub(super) log: String,
    pub(super) said: Said,
    env: Vec<(&'static str, String)>,
}

impl Scene {
    pub(super) fn start(format: &str, text: &str) -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("streams.d")).unwrap();
        fs::create_dir(folder.path().join("credentials")).unwrap();
        folder.write("credentials/camera", "hunter2-credential\n");
        folder.write("secret", "hunter2-file\n");
        let text = text.replace("FOLDER", folder.path().to_str().unwrap());
        let file = folder.write("mjpeg.toml", text);
        let log = folder.path().join("log").to_str().unwrap().to_owned();
        let env = vec![
            ("STATE_DIRECTORY", folder.path().join("state")),
            ("RUNTIME_DIRECTORY", folder.path().into()),
            ("CREDENTIALS_DIRECTORY", folder.path().join("credentials")),
            ("HUNTER", Secret::ENVIRONMENT.into()),
            ("RUST_BACKTRACE", "1".into()),
        ];
        let env = env
            .into_iter()
            .map(|(name, value)| (name, value.to_str().unwrap().to_owned()));
        let env: Vec<_> = env.collect();
        let program = command(&["run", "--log", "trace", "--log-format", format, "-c", &file]);
        // A pipe that is read late would cost lines.
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", "log=$1; shift; exec \"$0\" \"$@\" 2>\"$log\""])
            .arg(program.get_program())
            .arg(&log)
            .args(program.get_args())
            .env_remove("MJPEG_LOG")
            .env_remove("MJPEG_LOG_FORMAT")
            .envs(env.iter().cloned());
        let server = Server::of(shell, 2);
        let relay = Controlled {
            server,
            folder,
            file,
        };
        Self {
            relay,
            log,
            said: Said::default(),
            env,
        }
    }

    /// Asks, and keeps the answer.
    pub(super) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        login: &str,
        body: &str,
    ) -> (u16, Value) {
        let addr = self.relay.addr();
        self.said.ask(addr, method, path, login, body).await
    }

    /// Waits until the log says this.
    pub(super) async fn logged(&self, word: &str) {
        let waiting = async {
            while !fs::read_to_string(&self.log).unwrap().contains(word) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = timeout(Duration::from_secs(20), waiting).await;
        assert!(
            waited.is_ok(),
            "{word}: {}",
            fs::read_to_string(&self.log).unwrap()
        );
    }

    /// Runs another command of the program on a file, and keeps what it prints.
    fn run(&mut self, args: &[&str]) -> Option<i32> {
        let output = command(args)
            .envs(self.env.iter().cloned())
            .output()
            .unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.said.keep(format!("{args:?}"), text);
        }
        output.status.code()
    }

    pub(super) async fn log_in(&mut self) {
        use base64::{Engine, prelude::BASE64_STANDARD};

        let basic = |password: &str| {
            let login = BASE64_STANDARD.encode(format!("alice:{password}"));
            format!("Authorization: Basic {login}\r\n")
        };
        for (login, status) in [
            (OPERATOR.to_owned(), 200),
            (basic("hunter2-password"), 200),
            (basic("hunter2-wrong"), 401),
            ("Authorization: Bearer hunter2-wrong\r\n".into(), 401),
            (
                "Authorization: Digest username=\"hunter2-wrong\"\r\n".into(),
                401,
            ),
            ("Cookie: mjpeg_session=hunter2-session\r\n".into(), 401),
            ("X-Api-Key: hunter2-session\r\n".into(), 401),
        ] {
            let (said, _) = self.ask("GET", "/api/v1/config", &login, "").await;
            assert_eq!(said, status, "{login}");
            for stream in ["door", "file"] {
                let path = format!("/{stream}/snapshot");
                self.ask("GET", &path, &login, "").await;
            }
        }
    }

    pub(super) async fn reload(&mut self, good: &str) {
        let changed = good.replace("hunter2-query", "hunter2-other");
        self.relay.folder.write("mjpeg.toml", &changed);
        for path in ["/api/v1/reload?dry_run=true", "/api/v1/reload"] {
            let (status, said) = self.ask("POST", path, OPERATOR, "{}").await;
            assert_eq!(status, 200, "{said}");
        }
        let file = self.relay.file.clone();
        for args in [
            &["check"][..],
            &["check", "--json"],
            &["config", "--show-origin", "-c"],
        ] {
            assert_eq!(self.run(&[args, &[&file]].concat()), Some(0), "{args:?}");
        }
        for (n, bad) in BAD_FILE.iter().enumerate() {
            let file = self.relay.folder.write("mjpeg.toml", [good, bad].concat());
            let (status, said) = self.ask("POST", "/api/v1/reload", OPERATOR, "{}").await;
            assert_eq!(status, 422, "{n}: {said}");
            for args in [
                &["check"][..],
                &["check", "--json"],
                &["config", "--show-origin", "-c"],
                &["run", "-c"],
            ] {
                let code = self.run(&[args, &[&file]].concat());
                assert!(code.is_some_and(|code| code != 0), "{n} {args:?}");
            }
        }
        self.relay.folder.write("mjpeg.toml", &changed);
    }

    /// Everything that is written, but for what is meant to hold secrets.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.relay.folder.path().to_owned()];
        let holds = ["mjpeg.toml", "made.toml", "secret", "camera"];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if path.is_dir() {
                    folders.push(path);
                } else if !holds.contains(&name)
                    && let Ok(bytes) = fs::read(&path)
                {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    files.insert(path.to_str().unwrap().into(), text);
                }
            }
        }
        files
    }
}

pub(super) const OPERATOR: &str = "Authorization: Bearer hunter2-token\r\n";

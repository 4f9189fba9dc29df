//! A relay that is asked for everything, and what it says.

use std::{collections::BTreeMap, fs, net::SocketAddr, time::Duration};

use mjpeg_testkit::Viewer;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    super::Controlled,
    place::{BAD_FILE, Secret},
    said::Said,
};
use crate::{
    cert::Directory,
    folder::Folder,
    process::{Server, command},
    tls::connect_to,
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
    async fn ask(&mut self, method: &str, path: &str, login: &str, body: &str) -> (u16, Value) {
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

    pub(super) async fn edit(&mut self, dead: SocketAddr) {
        let url = |word: &str| format!("http://me:hunter2-{word}@{dead}/");
        let made = json!({
            "name": "made", "start": "retry",
            "source": url("api") + "v?token=hunter2-query#header=X-Key:hunter2-header",
            "fallback": [url("fallback")],
        });
        let (status, shown) = self
            .ask("POST", "/api/v1/streams", OPERATOR, &made.to_string())
            .await;
        assert_eq!(status, 201, "{shown}");
        // As it was shown, and for another machine.
        let masked = json!({ "source": shown["config"]["source"], "fallback": ["tcp://cam:1"] });
        let path = "/api/v1/streams/made";
        assert_eq!(
            self.ask("PUT", path, OPERATOR, &masked.to_string()).await.0,
            200
        );
        let text = fs::read_to_string(self.relay.stored("made")).unwrap();
        assert!(text.contains("hunter2-api"), "it was kept: {text}");
        let moved = json!({ "source": "http://***@127.0.0.9:1/" }).to_string();
        assert_eq!(self.ask("PATCH", path, OPERATOR, &moved).await.0, 422);
        for body in [
            json!({ "source": "exec:curl hunter2-body" }),
            json!({ "source": "http://me:hunter2-body@cam:hunter2-body/" }),
            json!({ "source": "ftp://me:hunter2-body@cam/" }),
            json!({ "source": "me:hunter2-body@cam" }),
            json!({ "source": { "password": "hunter2-body" } }),
            json!({ "source": url("body"), "fallback": [["hunter2-body"]] }),
            json!({ "source": url("body") + "#header=hunter2-body&stall_limit=hunter2-body" }),
            json!({ "source": url("body"), "pasword": "hunter2-body" }),
            json!({ "source": url("body"), "linger": { "hunter2-body": 1 } }),
            json!({ "source": url("body"), "start": "require" }),
            json!({ "source": "tcp://cam.invalid:1", "start": "require" }),
        ] {
            let mut body = body;
            body["name"] = "refused".into();
            let (status, said) = self
                .ask("POST", "/api/v1/streams", OPERATOR, &body.to_string())
                .await;
            assert!(status >= 400, "{body}: {said}");
        }
        for body in [
            "{\"source\": \"hunter2-body\"",
            "hunter2-body",
            "{\"name\": \"hunter2 body\"}",
        ] {
            assert!(
                self.ask("POST", "/api/v1/streams", OPERATOR, body).await.0 >= 400,
                "{body}"
            );
        }
        for path in [
            "streams/hunter2%20body/pause",
            "links/hunter2%20body",
            "viewers/hunter2%20body",
        ] {
            let method = if path.ends_with("pause") {
                "POST"
            } else {
                "DELETE"
            };
            let path = format!("/api/v1/{path}");
            assert_eq!(self.ask(method, &path, OPERATOR, "").await.0, 404, "{path}");
        }
    }

    /// Reads everything that there is to read, as an operator and as a stranger.
    pub(super) async fn read(&mut self) {
        let names = [
            "door",
            "locked",
            "moved",
            "quoted",
            "env",
            "file",
            "credential",
            "program",
            "made",
        ];
        let mut paths: Vec<String> = [
            "/",
            "/door/snapshot",
            "/metrics",
            "/login",
            "/nothing",
            "/healthz",
        ]
        .map(Into::into)
        .into();
        for path in [
            "streams",
            "config",
            "info",
            "openapi.json",
            "links",
            "events",
        ] {
            paths.push(format!("/api/v1/{path}"));
        }
        for name in names {
            paths.extend(
                ["", "/viewers", "/health", "/events"]
                    .map(|below| format!("/api/v1/streams/{name}{below}")),
            );
            paths.extend(["/", "/state", "/view"].map(|below| format!("/{name}{below}")));
        }
        for path in paths {
            for login in [OPERATOR, ""] {
                self.ask("GET", &path, login, "").await;
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

    /// Makes a link and watches by it, and looks where its signature is then.
    pub(super) async fn share(&mut self) {
        let wanted = r#"{"stream":"door","valid_s":600}"#;
        let addr = self.relay.addr();
        let made = Said::default()
            .ask(addr, "POST", "/api/v1/links", OPERATOR, wanted)
            .await;
        let url = made.1["url"].as_str().expect("a link").to_owned();
        let (_, sig) = url.split_once("sig=").expect("signed");
        let sig = sig.split('&').next().unwrap().to_owned();
        let agent = [
            ("User-Agent", "curl"),
            ("Referer", "http://x/?token=hunter2-referer"),
        ];
        let mut viewer = Viewer::open_with(addr, &format!("/{url}"), &agent)
            .await
            .unwrap();
        viewer.next_frame().await.unwrap().expect("a frame");
        self.read().await;
        self.said.secret(&sig);
    }

    /// The same over HTTP/2, whose libraries have logs of their own.
    pub(super) async fn over_http2(&self, certificates: &Directory) {
        let addr = self.relay.server.addr(1);
        let stream = connect_to(addr, &certificates.join("cert.pem"), b"h2")
            .await
            .unwrap();
        let (mut requests, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::get("https://localhost/api/v1/config?x=hunter2-query")
            .header("authorization", "Bearer hunter2-token")
            .header("cookie", "mjpeg_session=hunter2-session");
        let (answer, _) = requests
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
        connection.abort();
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

const OPERATOR: &str = "Authorization: Bearer hunter2-token\r\n";

//! What the relay is asked to change and to show.

use std::{fs, net::SocketAddr};

use mjpeg_testkit::Viewer;
use serde_json::json;

use super::{
    said::Said,
    scene::{OPERATOR, Scene},
};
use crate::{cert::Directory, tls::connect_to};

impl Scene {
    /// Adds a stream with secrets, and tries to add such as cannot be.
    pub(super) async fn edit(&mut self, dead: SocketAddr) {
        let url = |word: &str| format!("http://me:hunter2-{word}@{dead}/");
        let made = json!({
            "name": "made", "start": "retry",
            "source": url("api") + "v?token=hunter2-query&u=hunter2-query#header=X-Key:hunter2-header",
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
        self.read_as(&[OPERATOR, ""]).await;
    }

    pub(super) async fn read_as(&mut self, logins: &[&str]) {
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
            for login in logins {
                self.ask("GET", &path, login, "").await;
            }
        }
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
    pub(super) async fn over_http2(&mut self, certificates: &Directory) {
        let addr = self.relay.server.addr(1);
        let stream = connect_to(addr, &certificates.join("cert.pem"), b"h2")
            .await
            .unwrap();
        let (mut requests, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let login = r#"{"name":"alice","password":"hunter2-password"}"#;
        let request = http::Request::post("https://localhost/login")
            .header("content-type", "application/json");
        let (answer, mut body) = requests
            .send_request(request.body(()).unwrap(), false)
            .unwrap();
        body.send_data(login.into(), true).unwrap();
        let begun = answer.await.unwrap();
        assert_eq!(begun.status(), 204);
        let cookie = begun.headers()["set-cookie"].to_str().unwrap();
        let (cookie, _) = cookie.split_once(';').expect("attributes");
        for (name, value) in [
            ("authorization", "Bearer hunter2-token"),
            ("cookie", cookie),
        ] {
            let request = http::Request::get("https://localhost/api/v1/config?x=hunter2-query");
            let request = request.header(name, value).body(()).unwrap();
            let (answer, _) = requests.send_request(request, true).unwrap();
            assert_eq!(answer.await.unwrap().status(), 200, "{name}");
        }
        let (_, value) = cookie.split_once('=').expect("a value");
        self.said.secret(value);
        connection.abort();
    }
}

//! Everything that can be asked for.

use serde_json::Value;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: String,
    /// Its version, and the host that it is for.
    pub(super) rest: &'static str,
}

impl Asked {
    pub(super) fn json(method: &str, target: &str, body: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            body: body.into(),
            rest: "HTTP/1.1\r\nHost: localhost",
        }
    }

    /// The request with these headers. They come before the body's.
    pub(super) fn bytes(&self, headers: &str) -> String {
        let Self {
            method,
            target,
            body,
            rest,
        } = self;
        let length = body.len();
        format!(
            "{method} {target} {rest}\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    }
}

/// All requests: those of the document with these ids of a viewer and of a link, and whatever else
/// this program, and others, have.
pub(super) fn asked(document: &Value, [viewer, link]: &[String; 2]) -> Vec<Asked> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let names: &[&str] = match path.contains("/streams/{name}") {
            true => &["door", "kept", "evil"],
            false => &[""],
        };
        let id = if path.contains("/links/") {
            link
        } else {
            viewer
        };
        let path = path.replace("{id}", id);
        for name in names {
            let path = path.replace("{name}", name);
            all.extend(METHODS.map(|method| Asked::json(method, &path, body(method, &path))));
        }
        let path = path.replace("{name}", "door");
        for method in item.as_object().expect("methods").keys() {
            let method = method.to_uppercase();
            let body = body(&method, &path);
            all.extend(written(&path).map(|target| Asked::json(&method, &target, body)));
            all.extend(RESTS.map(|rest| Asked {
                rest,
                ..Asked::json(&method, &path, body)
            }));
        }
    }
    for target in OTHERS {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            all.push(Asked::json(method, target, body(method, target)));
        }
        for before in ["/cams", "/", "/./", "/door/.."] {
            all.push(Asked::json("GET", &format!("{before}{target}"), ""));
        }
    }
    all
}

/// What would have an effect.
fn body(method: &str, path: &str) -> &'static str {
    match (method, path.rsplit('/').next()) {
        ("GET" | "HEAD" | "DELETE", _) => "",
        ("POST", Some("streams")) => r#"{"name":"evil","source":"test:","start":"retry"}"#,
        ("POST", Some("links")) => r#"{"stream":"door","valid_s":600}"#,
        ("PUT", _) => r#"{"source":"test:"}"#,
        ("PATCH", _) => r#"{"max_fps":1}"#,
        _ => "{}",
    }
}

/// A path as others write it.
fn written(path: &str) -> impl Iterator<Item = String> {
    let below = path.strip_prefix("/api/v1").expect("of the API").to_owned();
    let path = path.to_owned();
    [
        format!("{path}/"),
        format!("{path}?persist=false"),
        format!("{path};x"),
        format!("{path}%2f"),
        format!("{path}%00"),
        format!("/cams{path}"),
        format!("/cams/cams{path}"),
        format!("//api//v1/{below}"),
        format!("/%61pi/v1{below}"),
        format!("/api/%76%31{below}"),
        format!("/api%2fv1{below}"),
        format!("/API/V1{below}"),
        format!("/./api/./v1{below}"),
        format!("/door/../api/v1{below}"),
        format!("/door/%2e%2e/api/v1{below}"),
        format!("/api/v1/../v1{below}"),
        format!("/door{path}"),
        format!("/door/?action=../..{path}"),
        format!("\\api\\v1{below}"),
        format!("http://localhost{path}"),
        format!("http://127.0.0.1:1{path}"),
        format!("http://me@localhost{path}"),
        format!("https://evil.example{path}"),
        format!("/api/v1/openapi.json/..{below}"),
    ]
    .into_iter()
}

const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
];

const RESTS: [&str; 7] = [
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/1.1\r\nHost: evil.example",
    "HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
    "HTTP/1.1\r\nHost: localhost, evil.example",
    "HTTP/1.1\r\nHost: LOCALHOST.:80",
    "HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nSec-Fetch-Site: same-origin",
];

/// What this program has beside the API, what it will not serve, and what others have.
const OTHERS: [&str; 51] = [
    "/",
    "/?action=stream",
    "/?action=snapshot",
    "/?action=command&id=1",
    "/?action=stream_0",
    "/?action=stream_99",
    "/stream",
    "/snapshot",
    "/state",
    "/door",
    "/door/",
    "/door/stream",
    "/door/snapshot",
    "/door/state",
    "/door/view",
    "/door/?action=stream",
    "/door/?action=command&cmd=x",
    "/door/push",
    "/phone/push",
    "/phone/push?token=x",
    "/yard/",
    "/yard/state",
    "/yard/snapshot",
    "/nothing/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v2/streams",
    "/api/stream.mjpeg?src=door",
    "/api/frame.jpeg?src=door",
    "/api/streams",
    "/api/config",
    "/api/restart",
    "/api/exit",
    "/api/log",
    "/assets",
    "/assets/app.js",
    "/login",
    "/logout",
    "/cluster",
    "/clip",
    "/mjpg/video.mjpg",
    "/axis-cgi/mjpg/video.cgi",
    "/v3/config/global/get",
    "/.env",
    "/streams.d/kept.toml",
    "/mjpeg.toml",
    "*",
];

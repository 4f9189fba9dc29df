//! Who logs in and out.

use std::net::SocketAddr;

use mjpeg_auth::hash_password;
use mjpeg_testkit::{Response, request};

use super::{events, only};
use crate::{folder::Folder, process::Server};

async fn post(addr: SocketAddr, path: &str, headers: &str, body: &str) -> Response {
    let asked = format!(
        "POST {path} HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}Connection: close\r\n\r\n{body}",
        body.len()
    );
    request(addr, asked).await.expect("an answer")
}

#[tokio::test]
async fn logins_and_logouts_that_succeed_are_a_line_each_without_a_secret() {
    for format in ["json", "text"] {
        let folder = Folder::new();
        // What would be another field in a line of text, or steer a terminal.
        let name = "ali\u{202e}ce\" listener=other\u{2028}";
        let quoted = serde_json::to_string(name).unwrap();
        let text = format!(
            "log = \"trace\"\nlog_format = \"{format}\"\n\
             [[listen]]\nname = \"main\"\naddress = \"127.0.0.1:0\"\n\
             [[users]]\nname = {quoted}\npassword_hash = \"{}\"\n",
            hash_password("hunter2-password")
        );
        let file = folder.write("mjpeg.toml", text);
        let mut server = Server::start(&["run", "-c", &file], 1);
        let addr = server.addr(0);
        let login =
            |password: &str| format!(r#"{{"name": {quoted}, "password": "hunter2-{password}"}}"#);
        let wrong = post(addr, "/login", "", &login("wrong")).await;
        assert_eq!(wrong.head.status, 401);
        let begun = post(addr, "/login", "", &login("password")).await;
        assert_eq!(begun.head.status, 204);
        let cookie = begun.head.header("set-cookie").expect("a cookie");
        let cookie = cookie.split(';').next().expect("a pair");
        let (_, value) = cookie.split_once('=').expect("a value");
        let origin = format!("Origin: http://{addr}\r\n");
        let headers = format!("{origin}Cookie: {cookie}\r\n");
        // The second time, there is no session.
        for _ in 0..2 {
            assert_eq!(post(addr, "/logout", &headers, "{}").await.head.status, 204);
        }
        server.end_by("TERM");
        let log = server.stderr();
        for secret in [value, "hunter2"] {
            assert!(!log.contains(secret), "{secret}: {log}");
        }
        for message in ["login succeeded", "logout"] {
            if format == "text" {
                let mut lines = log.lines().filter(|line| line.contains(message));
                let line = lines.next().expect("a line");
                assert_eq!(lines.next(), None);
                assert!(!line.contains(['\u{202e}', '\u{2028}']), "{line}");
                assert!(line.ends_with(" listener=main"), "{line}");
                continue;
            }
            let events = events(&log);
            let event = only(&events, message);
            assert_eq!(event["level"], "INFO");
            assert_eq!(event["user"], name);
            assert_eq!(event["listener"], "main");
            let peer = event["peer"].as_str().unwrap();
            assert!(peer.starts_with("127.0.0.1:"), "{peer}");
        }
    }
}

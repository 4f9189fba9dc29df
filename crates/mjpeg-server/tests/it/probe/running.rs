//! `ctl probe`: judges the running connection of a stream, and opens no other.

use std::{process::Command, time::Duration};

use mjpeg_testkit::{FakeHttpCamera, jpeg};
use serde_json::Value;

use super::cameras::{head, part, stream};
use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A relay of one camera, with a control socket.
struct ProbedRelay {
    _server: Server,
    folder: Folder,
}

impl ProbedRelay {
    fn start(source: &str, keys: &str) -> Self {
        let folder = Folder::new();
        folder.write("run/.keep", "");
        let config = format!(
            "[[streams]]\nname = \"garage\"\nsource = \"{source}\"\n{keys}\n[[listen]]\n\
             address = \"127.0.0.1:0\"\nserve = [\"streams\", \"control\"]\n[control]\n\
             allow = [\"127.0.0.0/8\"]\n"
        );
        let file = folder.write("mjpeg.toml", config);
        let mut command = command(&["run", "-c", &file]);
        command.env("RUNTIME_DIRECTORY", folder.path().join("run"));
        let mut server = Server::of(command, 1);
        server.stderr_until("listener=control");
        Self {
            _server: server,
            folder,
        }
    }

    fn ctl(&self, args: &[&str]) -> Command {
        let mut command = command(&[&["ctl"], args].concat());
        command.env("RUNTIME_DIRECTORY", self.folder.path().join("run"));
        command
    }

    async fn probe(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = self.ctl(&[&["probe", "garage"], args].concat());
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs"));
        let output = output.await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8(text).expect("UTF-8"),
        )
    }

    async fn json(&self) -> Value {
        let (code, text) = self.probe(&["--json"]).await;
        assert_eq!(code, Some(0), "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_stream_is_judged_without_a_second_connection() {
    let camera = FakeHttpCamera::start(|_| {
        let headers = "Content-Type: multipart/x-mixed-replace\r\nServer: Acme\r\n";
        stream(head("HTTP/1.1 200 OK", headers), |number| {
            part(&jpeg::without_dht(&jpeg::numbered(number)))
        })
    });
    let source = camera.url("/video").replace("://", "://me:open-sesame@");
    let relay = ProbedRelay::start(&source, "");
    let json = relay.json().await;
    let findings = json["findings"].as_array().unwrap();
    let codes: Vec<_> = findings.iter().map(|finding| &finding["code"]).collect();
    assert_eq!(codes, ["no_huffman_tables", "no_boundary"], "{json:#}");
    assert_eq!(json["verdict"], "relayable");
    assert_eq!(json["kind"], "multipart");
    assert_eq!(json["server"], "Acme");
    assert_eq!(json["second_client"], "not_tried");
    let fps = json["pictures"]["fps"].as_f64().unwrap();
    assert!((5.0..30.0).contains(&fps), "{json:#}");
    let (code, text) = relay.probe(&[]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("quirk (no_boundary): Its multipart type"),
        "{text}"
    );
    assert!(!text.contains("sesame"), "{text}");
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_that_nobody_watches_is_left_alone() {
    let camera = FakeHttpCamera::start(|_| Vec::new());
    let relay = ProbedRelay::start(&camera.url("/video"), "on_demand = true");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let json = relay.json().await;
    assert_eq!(json["findings"][0]["code"], "idle", "{json:#}");
    assert_eq!(json["findings"][0]["level"], "note");
    assert_eq!(camera.camera().connections(), 0);
    let mut unknown = relay.ctl(&["probe", "nowhere"]);
    assert_eq!(unknown.output().unwrap().status.code(), Some(4));
}

//! What is answered where a camera or a port cannot be had.

use std::{net::SocketAddr, time::Duration};

use mjpeg_testkit::{FakeHttpCamera, Step, Viewer, request};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{Controlled, LOOPBACK, camera};

#[tokio::test]
async fn camera_that_is_required_and_sends_nothing_is_a_timeout() {
    let camera = FakeHttpCamera::start(|_| vec![Step::Stall]);
    let relay = Controlled::start(LOOPBACK);
    let body = json!({ "name": "yard", "source": camera.url("/") }).to_string();
    let refused = relay.ask("POST", "/streams", &body).await;
    assert_eq!((refused.status, refused.code()), (504, "start_timeout"));
    assert!(!relay.stored("yard").exists() && relay.names().await.is_empty());
}

#[tokio::test]
async fn camera_that_is_required_and_has_no_such_picture_is_a_failure_of_the_source() {
    let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let camera = FakeHttpCamera::start(|_| vec![Step::Send(gone.into()), Step::Close]);
    let relay = Controlled::start(LOOPBACK);
    let body = json!({ "name": "yard", "source": camera.url("/") }).to_string();
    let refused = relay.ask("POST", "/streams", &body).await;
    assert_eq!(
        (refused.status, refused.code()),
        (502, "source_failed"),
        "{refused:?}"
    );
    assert!(!relay.stored("yard").exists() && relay.names().await.is_empty());
}

#[tokio::test]
async fn port_of_a_stream_is_opened_where_the_api_may_and_it_is_free() {
    let camera = camera().await;
    let may = LOOPBACK.to_owned() + "listen = true\n";
    let mut relay = Controlled::start(&may);
    let stream = |listen: &str| {
        let source = camera.url();
        json!({ "name": "yard", "source": source, "listen": listen, "start": "retry" }).to_string()
    };
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = relay
        .ask(
            "POST",
            "/streams",
            &stream(&held.local_addr().unwrap().to_string()),
        )
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "port_in_use"),
        "{refused:?}"
    );
    assert!(!relay.stored("yard").exists() && relay.names().await.is_empty());
    let free = held.local_addr().unwrap();
    drop(held);
    let added = relay
        .ask("POST", "/streams", &stream(&free.to_string()))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let mut viewer = Viewer::open(free, "/").await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
    relay.restart();
    let mut viewer = Viewer::open(free, "/").await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
}

/// A change whose body the relay has asked for, and not got yet.
struct Begun {
    what: String,
    connection: TcpStream,
}

impl Begun {
    async fn send(addr: SocketAddr, method: &str, path: &str, body: &str) -> Self {
        let mut connection = TcpStream::connect(addr).await.unwrap();
        let head = format!("{}Expect: 100-continue\r\n\r\n", head(method, path, body));
        connection.write_all(head.as_bytes()).await.unwrap();
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut said = vec![0; expected.len()];
        connection.read_exact(&mut said).await.unwrap();
        assert_eq!(said, expected, "{method} {path}");
        let what = format!("{method} {path}");
        Self { what, connection }
    }

    /// Sends the body. Returns the status and the code of the answer.
    async fn end(mut self, body: &str) -> (String, u16, String) {
        self.connection.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = self.connection.read_to_string(&mut answer);
        let read = timeout(Duration::from_secs(10), reading).await;
        read.expect("an answer in time").unwrap();
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
        let (_, json) = answer.split_once("\r\n\r\n").expect("an answer");
        let json: Value = serde_json::from_str(json).unwrap_or_default();
        let code = json["code"].as_str().unwrap_or_default().to_owned();
        (self.what, status.expect("a status"), code)
    }
}

fn head(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n"
    )
}

/// One waits for its camera, and the bodies of the others come too late.
#[tokio::test]
async fn changes_under_way_when_the_relay_ends_are_told_that_it_ends() {
    let silent = FakeHttpCamera::start(|_| vec![Step::Stall]);
    let door = "[[streams]]\nname = \"door\"\nsource = \"test:\"\n";
    let mut relay = Controlled::start(&[LOOPBACK, door].concat());
    let addr = relay.addr();
    let body = "{\"max_fps\": 5}";
    let mut late = Vec::new();
    for (method, path) in [
        ("PATCH", "/streams/door?persist=false"),
        ("PUT", "/streams/door?persist=false&dry_run=true"),
    ] {
        late.push((Begun::send(addr, method, path, body).await, body));
    }
    for (method, path) in [
        ("DELETE", "/streams/door?persist=false"),
        ("POST", "/streams/door/pause"),
        ("POST", "/reload"),
        ("POST", "/reload?dry_run=true"),
    ] {
        late.push((Begun::send(addr, method, path, "{}").await, "{}"));
    }
    let body = json!({ "name": "yard", "source": silent.url("/") }).to_string();
    let asked = format!("{}\r\n{body}", head("POST", "/streams", &body));
    let waiting = tokio::spawn(request(addr, asked));
    while silent.requests().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    relay.server.signal("TERM");
    let answer = waiting.await.unwrap().expect("an answer");
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = (503, &json!("shut_down"));
    assert_eq!((answer.head.status, &problem["code"]), expected);
    for (begun, body) in late {
        let (what, status, code) = begun.end(body).await;
        assert_eq!((status, &*code), (503, "shut_down"), "{what}");
    }
    assert!(!relay.stored("yard").exists());
    relay
        .server
        .stderr_until("ending; a second signal ends at once");
}

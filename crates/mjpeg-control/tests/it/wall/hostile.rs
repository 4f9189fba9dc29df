//! Clients that do not keep to the protocol, and pages of others.

use std::time::Duration;

use mjpeg_control::{ControlConfig, Hosts};
use mjpeg_testkit::WallClient;
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::client::{closed, opened, opened_by, said, showing};
use crate::support::{ROOT, Relay, until};

const UPGRADE: [(&str, &str); 5] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "mjpeg-wall.1"),
];

#[tokio::test]
async fn handshake_that_lacks_something_is_refused() {
    let relay = Relay::start().await;
    let without = |name: &str| {
        let rest = UPGRADE.into_iter().filter(|(header, _)| *header != name);
        rest.collect::<Vec<_>>()
    };
    for (lacking, status, code) in [
        ("Upgrade", 426, "upgrade_required"),
        ("Sec-WebSocket-Version", 426, "upgrade_required"),
        ("Sec-WebSocket-Key", 400, "bad_request"),
        ("Sec-WebSocket-Protocol", 400, "bad_request"),
    ] {
        let answer = relay.send("GET", "/wall", &without(lacking), "").await;
        answer.is_problem(status, code);
    }
    let answer = relay.send("GET", "/wall", &[], "").await;
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    let answer = relay.send("POST", "/wall", &[ROOT], "").await;
    answer.is_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn pages_of_other_origins_open_no_wall() {
    let relay = Relay::start().await;
    relay.configure(|policy| policy.with_hosts(Hosts::new(["cams"])));
    for headers in [
        &[("Origin", "http://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", "http://cams:81"), ("Host", "cams")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[
            ("Origin", "http://cams"),
            ("Host", "cams"),
            ("Sec-Fetch-Site", "same-site"),
        ],
    ] {
        let headers = [&UPGRADE[..], headers].concat();
        let answer = relay.send("GET", "/wall", &headers, "").await;
        answer.is_problem(403, "forbidden");
    }
    let headers = [&UPGRADE[..], &[("Host", "evil.example")]].concat();
    let answer = relay.send("GET", "/wall", &headers, "").await;
    answer.is_problem(421, "misdirected_request");
    let own = format!("http://{}", relay.addr);
    opened_by(&relay, &[("Origin", &own)]).await;
    assert_eq!(relay.control.wall_stats().opened, 1);
}

#[tokio::test]
async fn gateway_without_streams_has_no_wall() {
    let relay = Relay::start().await;
    relay.configure(|policy| policy.with_streams(false));
    let answer = relay.send("GET", "/wall", &UPGRADE, "").await;
    answer.is_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_not_understood_ends_the_socket_with_a_reason() {
    let (relay, _cameras) = showing(&["door"]).await;
    let tiles = (0..129).map(|tile| format!(r#"{{"tile":{tile},"stream":"door"}}"#));
    let tiles = tiles.collect::<Vec<_>>().join(",");
    let too_many = format!(r#"{{"type":"tiles","tiles":[{tiles}]}}"#);
    for text in ["", "{", r#"{"type":"hello"}"#, "\u{1b}[2J", &too_many] {
        let mut client = opened(&relay).await;
        client.say(text).await.unwrap();
        let (code, texts) = closed(&mut client).await;
        assert_eq!(code, Some(1008), "{text:?}");
        assert_eq!(texts[0]["type"], "error");
        assert_eq!(texts[0]["code"], "invalid_request");
        let detail = texts[0]["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.contains('\u{1b}'), "{detail}");
    }
    for bytes in [vec![], vec![0; 11], vec![255; 12], vec![0; 1000]] {
        let mut client = opened(&relay).await;
        client.say_bytes(bytes).await.unwrap();
        assert_eq!(closed(&mut client).await.0, Some(1008));
    }
    assert_eq!(relay.control.wall_stats().invalid, 9);
    assert_eq!(relay.http.total_viewers(), 0);
}

#[tokio::test]
async fn message_is_as_large_as_allowed_and_no_larger() {
    let (relay, _cameras) = showing(&[]).await;
    let padded = |bytes: usize| format!(r#"{{"type":"ping","id":1{}}}"#, " ".repeat(bytes - 22));
    let mut client = opened(&relay).await;
    client.say(&padded(64 << 10)).await.unwrap();
    assert_eq!(said(&mut client).await["type"], "pong");
    client.say(&padded((64 << 10) + 1)).await.unwrap();
    assert_eq!(closed(&mut client).await.0, Some(1009));
}

#[tokio::test]
async fn bytes_that_are_no_frames_end_the_connection() {
    let (relay, _cameras) = showing(&[]).await;
    let head = UPGRADE.map(|(name, value)| format!("{name}: {value}\r\n"));
    let addr = relay.addr;
    let head = format!(
        "GET /api/v1/wall HTTP/1.1\r\nHost: {addr}\r\n{}\r\n",
        head.concat()
    );
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        // Not masked; reserved bits; a control frame of two parts; an unknown opcode.
        &[0x81, 1, b'x'],
        &[0xF1, 0x81, 0, 0, 0, 0, b'x'],
        &[0x09, 0x80, 0, 0, 0, 0],
        &[0x83, 0x80, 0, 0, 0, 0],
        &[
            0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0,
        ],
    ] {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let reading = timeout(Duration::from_secs(5), socket.read_to_end(&mut answer));
        // A reset says as much as an end.
        let _ = reading.await.expect("the connection ends");
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{bytes:?}");
    }
    until("no socket is left", async || {
        relay.control.wall_stats().sockets == 0
    })
    .await;
}

#[tokio::test]
async fn flood_of_messages_is_cut_and_acks_are_none() {
    let config = ControlConfig::default().with_wall_messages_per_second(5);
    let relay = Relay::with(config, None).await;
    let camera = mjpeg_testkit::Camera::start(crate::support::live()).await;
    relay.run("door", &camera.url()).await;
    let mut client = opened(&relay).await;
    client.show(&["door"]).await.unwrap();
    // Many more than the client may send of other messages.
    for _ in 0..100 {
        client.painted().await.unwrap();
    }
    let flood = async |client: &mut WallClient, kind: u8| {
        for id in 0..500 {
            let sent = match kind {
                0 => client.say(&format!(r#"{{"type":"ping","id":{id}}}"#)).await,
                1 => client.show(&["door"]).await,
                _ => client.say_bytes(vec![0; 12]).await,
            };
            if sent.is_err() {
                return;
            }
        }
    };
    for kind in 0..3 {
        let mut client = opened(&relay).await;
        flood(&mut client, kind).await;
        let ended = closed(&mut client).await;
        assert!(matches!(ended.0, Some(1008) | None), "{kind}: {ended:?}");
        assert!(ended.1.len() < 40, "{}", ended.1.len());
    }
    assert_eq!(relay.control.wall_stats().floods, 3);
}

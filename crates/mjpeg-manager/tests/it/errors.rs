//! Every error, each produced by its real cause.

use std::{
    collections::BTreeSet,
    future::pending,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_ingest::{Connect, ConnectError, Connection, IngestConfig, Source};
use mjpeg_manager::{
    Error, HttpOutlet, InvalidSpec, Manager, ManagerConfig, StartMode, StreamSpec,
};
use mjpeg_testkit::{Camera, FullBacklog, Script, refused_addr};
use tokio::time::Instant;

use crate::support::{LOOPBACK, config, live, manager, serving, serving_by, soon, spec};

/// A port that is free now. A failed start must leave it free.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Asserts that a failed start has left nothing: the name and the port are free.
fn left_nothing(manager: &Manager, name: &str, port: SocketAddr) {
    assert_eq!(manager.get(name).unwrap_err().code(), "not_found");
    assert!(
        manager
            .list()
            .iter()
            .all(|stream| stream.name.as_str() != name)
    );
    TcpListener::bind(port).expect("the port is free");
}

#[tokio::test]
async fn already_exists() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    manager.start(spec("door", camera.addr())).await.unwrap();
    let error = manager
        .start(spec("door", camera.addr()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("already_exists", "a stream named door already exists")
    );
    assert_eq!(manager.list().len(), 1);
    camera.wait_connections(1).await;
    assert_eq!(camera.connections(), 1, "the camera was not bothered");
}

#[tokio::test]
async fn invalid_spec_for_a_required_camera_that_connects_to_us() {
    let (manager, door) = (manager(), free_port());
    let awaited = StreamSpec::new("door".parse().unwrap(), Source::tcp_listen(door));
    let error = manager.start(awaited.clone()).await.unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        (
            "invalid_spec",
            "a camera that connects to us cannot be required at the start"
        )
    );
    left_nothing(&manager, "door", door);
    manager
        .start(awaited.with_mode(StartMode::Retry))
        .await
        .unwrap();
    manager.stop("door").await.unwrap();
    left_nothing(&manager, "door", door);
}

#[tokio::test]
async fn port_in_use_by_another_socket() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let camera = Camera::start(live()).await;
    let manager = manager();
    let error = manager
        .start(spec("door", camera.addr()).with_listen(addr))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PortInUse { addr: a } if a == addr));
    assert_eq!(
        (error.code(), error.to_string()),
        (
            "port_in_use",
            format!("{addr} is in use by another program or stream")
        )
    );
    assert_eq!(camera.connections(), 0, "the camera was not bothered");
    drop(taken);
    left_nothing(&manager, "door", addr);
    manager
        .start(spec("door", camera.addr()).with_listen(addr))
        .await
        .expect("the name and the port are free");
}

#[tokio::test]
async fn port_in_use_by_another_stream() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let first = manager
        .start(spec("a", camera.addr()))
        .await
        .unwrap()
        .listen
        .unwrap();
    for addr in [
        first,
        ([0, 0, 0, 0], first.port()).into(),
        ([0u16; 8], first.port()).into(),
    ] {
        let error = manager
            .start(spec("b", camera.addr()).with_listen(addr))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "port_in_use", "{addr}");
    }
    assert_eq!(manager.get("b").unwrap_err().code(), "not_found");
}

#[tokio::test]
async fn tcp_connection_timeout_after_five_seconds() {
    let (silent, port) = (FullBacklog::start().await, free_port());
    let manager = manager();
    let since = Instant::now();
    let error = manager
        .start(spec("door", silent.addr()).with_listen(port))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "tcp_connection_timeout");
    assert_eq!(since.elapsed().as_secs(), 5);
    let expected = format!(
        "cannot reach the camera at tcp://{}: no connection within 5s (connect_timeout)",
        silent.addr()
    );
    assert_eq!(error.chain().to_string(), expected);
    left_nothing(&manager, "door", port);
}

#[tokio::test]
async fn tcp_connection_failed_on_a_refused_port() {
    let (addr, port) = (refused_addr().await, free_port());
    let manager = manager();
    let error = soon(manager.start(spec("door", addr).with_listen(port)))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "tcp_connection_failed");
    let text = error.chain().to_string();
    let expected = format!("cannot connect to {addr}: ");
    assert!(text.contains(&expected), "{text}");
    left_nothing(&manager, "door", port);
}

#[tokio::test]
async fn tcp_connection_failed_on_an_unknown_host() {
    let manager = manager();
    let spec = StreamSpec::parse("door", "tcp://no-such-host.invalid:1").unwrap();
    let error = soon(manager.start(spec)).await.unwrap_err();
    assert_eq!(error.code(), "tcp_connection_failed");
    let text = error.chain().to_string();
    assert!(
        text.contains("cannot resolve no-such-host.invalid"),
        "{text}"
    );
}

#[tokio::test]
async fn not_found() {
    let http = HttpOutlet::default();
    let manager = serving_by(config(), &http);
    for name in ["door", "", "no such name!"] {
        assert_eq!(manager.get(name).unwrap_err().code(), "not_found");
        assert_eq!(manager.stop(name).await.unwrap_err().code(), "not_found");
        assert_eq!(manager.subscribe(name).unwrap_err().code(), "not_found");
        assert_eq!(manager.observe(name).unwrap_err().code(), "not_found");
        assert_eq!(manager.spec(name).unwrap_err().code(), "not_found");
        assert_eq!(http.stats(name), None);
        assert!(http.viewers(name).is_empty());
    }
    assert_eq!(
        manager.get("door").unwrap_err().to_string(),
        "there is no stream named door"
    );
}

enum Kind {
    Hangs,
    Fails,
    Ends,
}

#[async_trait]
impl Connect for Kind {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        match self {
            Self::Hangs => pending().await,
            Self::Fails => Err(ConnectError::Other("out of film".into())),
            Self::Ends => Err(ConnectError::Finished),
        }
    }
}

fn custom(kind: Kind) -> StreamSpec {
    StreamSpec::new("door".parse().unwrap(), Source::custom("test:", kind))
        .with_listen(LOOPBACK.into())
}

#[tokio::test]
async fn start_timeout() {
    let short = ManagerConfig::default().with_start_timeout(Duration::from_millis(300));
    let manager = serving(short);
    let port = free_port();
    let error = soon(manager.start(custom(Kind::Hangs).with_listen(port)))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("start_timeout", "the stream did not start within 300ms")
    );
    left_nothing(&manager, "door", port);
}

#[tokio::test]
async fn start_has_a_limit_of_eight_seconds_by_default() {
    let patient = IngestConfig::default().with_connect_timeout(Duration::from_secs(60));
    let manager = serving(ManagerConfig::default().with_ingest(patient));
    let since = Instant::now();
    let error = manager.start(custom(Kind::Hangs)).await.unwrap_err();
    assert_eq!(
        (error.code(), since.elapsed().as_secs()),
        ("start_timeout", 8)
    );
}

#[tokio::test]
async fn call_timeout() {
    let manager = serving(ManagerConfig::default().with_call_timeout(Duration::from_millis(200)));
    let port = free_port();
    let error = soon(manager.start(custom(Kind::Hangs).with_listen(port)))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("call_timeout", "the call did not finish within 200ms")
    );
    left_nothing(&manager, "door", port);
}

#[tokio::test]
async fn source_failed() {
    let manager = manager();
    let port = free_port();
    let error = manager
        .start(custom(Kind::Fails).with_listen(port))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), &*error.chain().to_string()),
        ("source_failed", "cannot open test:: out of film")
    );
    let error = manager
        .start(custom(Kind::Ends).with_listen(port))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), &*error.chain().to_string()),
        ("source_failed", "cannot open test:: the source has ended")
    );
    left_nothing(&manager, "door", port);
}

#[tokio::test]
async fn invalid_spec() {
    let long = "x".repeat(65);
    for (name, source) in [
        ("", "tcp://a:1"),
        ("a b", "tcp://a:1"),
        ("ä", "tcp://a:1"),
        (&long, "tcp://a:1"),
        ("a", "tcp://a"),
        ("a", "gopher://a:1"),
    ] {
        let error = Error::from(StreamSpec::parse(name, source).unwrap_err());
        assert_eq!(error.code(), "invalid_spec", "{name:?} {source:?}");
    }
    assert!(StreamSpec::parse(&"x".repeat(64), "tcp://a:1").is_ok());
    // No machine has an address of the documentation networks (RFC 5737).
    let camera = Camera::start(live()).await;
    let manager = manager();
    let error = manager
        .start(spec("door", camera.addr()).with_listen("192.0.2.1:0".parse().unwrap()))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "invalid_spec");
    let text = error.chain().to_string();
    assert!(text.starts_with("cannot listen on 192.0.2.1:0: "), "{text}");
}

#[tokio::test]
async fn shut_down() {
    let camera = Camera::start(Script::stall()).await;
    let manager = manager();
    let there = spec("door", camera.addr()).with_mode(StartMode::Retry);
    manager.start(there).await.unwrap();
    assert_eq!(manager.pause("yard").unwrap_err().code(), "not_found");
    manager.shutdown().await;
    let refused = manager.start(spec("yard", camera.addr())).await;
    assert_eq!(refused.unwrap_err().code(), "shut_down");
    // Whoever had it before is not told that there is no such stream.
    for gone in [manager.pause("door"), manager.retry_now("door")] {
        assert_eq!(gone.unwrap_err().code(), "shut_down");
    }
    assert_eq!(manager.get("door").unwrap_err().code(), "shut_down");
}

#[tokio::test]
async fn retry_mode_starts_without_a_camera() {
    let addr = refused_addr().await;
    let manager = manager();
    let info = soon(manager.start(spec("door", addr).with_mode(StartMode::Retry)))
        .await
        .unwrap();
    assert!(info.listen.is_some());
    assert_eq!(manager.list().len(), 1);
}

#[test]
fn codes_are_distinct_words() {
    let name: mjpeg_manager::StreamName = "a".parse().unwrap();
    let addr = LOOPBACK.into();
    let error = std::sync::Arc::new(mjpeg_ingest::Error::Closed);
    let source_url = String::new();
    let after = Duration::ZERO;
    let all = [
        Error::AlreadyExists { name },
        Error::TooManyStreams { most: 1 },
        Error::PortInUse { addr },
        Error::ConnectTimeout {
            source_url: source_url.clone(),
            error: error.clone(),
        },
        Error::ConnectFailed {
            source_url: source_url.clone(),
            error: error.clone(),
        },
        Error::NotFound {
            name: String::new(),
        },
        Error::StartTimeout { after },
        Error::SourceFailed { source_url, error },
        Error::InvalidSpec(InvalidSpec::NoSource),
        Error::ListenFailed {
            addr,
            source: std::io::ErrorKind::Other.into(),
        },
        Error::OutletFailed { source: "".into() },
        Error::CallTimeout { after },
        Error::ShutDown,
    ];
    let codes: BTreeSet<_> = all.iter().map(Error::code).collect();
    assert_eq!(codes.len(), all.len());
}

/// An HTTP camera that cannot be reached has the same codes as a TCP camera; one that answers with
/// an error has another.
#[cfg(feature = "http")]
#[tokio::test]
async fn http_camera_out_of_reach_is_told_from_one_that_answers_otherwise() {
    use mjpeg_testkit::{FakeHttpCamera, Step};

    let refused = format!("http://me:hunter2@{}/", refused_addr().await);
    let (silent, missing) = (
        FakeHttpCamera::start(|_| vec![Step::Stall]),
        FakeHttpCamera::saying("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    );
    let quick = IngestConfig::default().with_answer_timeout(Duration::from_millis(300));
    let manager = serving(ManagerConfig::default().with_ingest(quick));
    for (url, code) in [
        (refused, "tcp_connection_failed"),
        // It is connected, and says nothing.
        (silent.url("/"), "source_failed"),
        (missing.url("/"), "source_failed"),
    ] {
        let error = manager
            .start(StreamSpec::parse("door", &url).unwrap())
            .await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let text = error.chain().to_string();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

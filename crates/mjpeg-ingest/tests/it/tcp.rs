//! Real sockets, real time.

use std::{net::SocketAddr, time::Duration};

use mjpeg_ingest::{Backoff, ConnectError, Error, Event, Ingest, IngestConfig, Source};
use mjpeg_testkit::{Camera, FullBacklog, Script, Step, jpeg, refused_addr};

fn ingest(addr: SocketAddr) -> Ingest {
    let quick = Backoff::try_new(Duration::from_millis(10), Duration::from_millis(50)).unwrap();
    let config = IngestConfig::default()
        .with_backoff(quick)
        .with_connect_timeout(Duration::from_millis(800));
    Ingest::new(Source::tcp(&addr.ip().to_string(), addr.port()), config)
}

async fn until_offline(ingest: &mut Ingest) -> String {
    loop {
        if let Event::Offline { error, .. } = ingest.next().await.expect("a camera never ends") {
            return error.chain().to_string();
        }
    }
}

async fn next_number(ingest: &mut Ingest) -> u32 {
    loop {
        if let Event::Frame(captured) = ingest.next().await.expect("a camera never ends") {
            return jpeg::number_of(captured.frame.bytes()).expect("a numbered frame");
        }
    }
}

#[tokio::test]
async fn camera_is_read_and_reconnected_over_one_connection_at_a_time() {
    let script = |n| {
        Script::new(vec![
            Step::Send(jpeg::numbered(n as u32)),
            Step::Wait(Duration::from_millis(5)),
        ])
    };
    let camera = Camera::start_with(script).await;
    let mut ingest = ingest(camera.addr());
    for n in 0..10 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    assert_eq!(camera.most_open(), 1);
}

#[tokio::test]
async fn reset_connection_is_told_apart_from_a_closed_one() {
    let closing = Camera::start(Script::close()).await;
    assert_eq!(
        until_offline(&mut ingest(closing.addr())).await,
        "the camera closed the connection"
    );
    let resetting = Camera::start(Script::new(vec![
        Step::Wait(Duration::from_millis(50)),
        Step::Reset,
    ]))
    .await;
    let error = until_offline(&mut ingest(resetting.addr())).await;
    assert!(
        error.starts_with("the connection to the camera broke: "),
        "{error}"
    );
}

#[tokio::test]
async fn refused_connection_names_the_address() {
    let addr = refused_addr().await;
    let error = until_offline(&mut ingest(addr)).await;
    assert!(
        error.starts_with(&format!("cannot connect to {addr}: ")),
        "{error}"
    );
}

#[tokio::test]
async fn unanswered_connection_times_out() {
    let silent = FullBacklog::start().await;
    let error = until_offline(&mut ingest(silent.addr())).await;
    assert_eq!(error, "no connection within 800ms (connect_timeout)");
}

#[tokio::test]
async fn unknown_name_is_a_resolver_error() {
    let mut ingest = Ingest::new(
        Source::tcp("no-such-host.invalid", 1),
        IngestConfig::default(),
    );
    loop {
        if let Event::Offline { error, .. } = ingest.next().await.expect("a camera never ends") {
            assert!(
                matches!(&*error, Error::Connect(ConnectError::Resolve { host, .. }) if host == "no-such-host.invalid")
            );
            break;
        }
    }
}

/// On most machines, `localhost` has an IPv6 and an IPv4 address. The camera is found on either.
#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    let camera = Camera::start(Script::frames([jpeg::numbered(5)])).await;
    let mut ingest = Ingest::new(
        Source::tcp("localhost", camera.addr().port()),
        IngestConfig::default(),
    );
    assert_eq!(next_number(&mut ingest).await, 5);
}

#[tokio::test]
async fn dropping_the_ingest_closes_the_connection() {
    let camera = Camera::start(Script::frames([jpeg::numbered(1)])).await;
    let mut ingest = ingest(camera.addr());
    next_number(&mut ingest).await;
    assert_eq!(camera.open(), 1);
    drop(ingest);
    tokio::time::timeout(Duration::from_secs(5), async {
        while camera.open() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the camera sees the close");
}

/// Without pulls nothing is read: TCP slows the camera down, and no memory grows.
#[tokio::test]
async fn owner_that_does_not_pull_holds_the_camera_back() {
    let large = jpeg::of_length(1, 200_000);
    let flood = Script::new(vec![Step::Send(large), Step::Goto(0)]);
    let camera = Camera::start(flood).await;
    let mut ingest = ingest(camera.addr());
    next_event_online(&mut ingest).await;
    let mut before = camera.bytes_sent();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = camera.bytes_sent();
        if now == before {
            break;
        }
        before = now;
    }
    assert!(
        before < 100 << 20,
        "the camera could send {before} bytes to nobody"
    );
}

async fn next_event_online(ingest: &mut Ingest) {
    while !matches!(ingest.next().await, Some(Event::Online { .. })) {}
}

/// The kernel runs a keepalive timer (02) on the connection to the camera.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connection_has_tcp_keepalive() {
    let camera = Camera::start(Script::stall()).await;
    let mut ingest = ingest(camera.addr());
    next_event_online(&mut ingest).await;
    let remote = format!(":{:04X}", camera.addr().port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ours = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Columns: local and remote address, state (01: established), queues, timer.
    let ours = ours
        .filter(|columns| columns.len() > 5 && columns[2].ends_with(&remote) && columns[3] == "01");
    let timers: Vec<_> = ours.map(|columns| columns[5].to_owned()).collect();
    assert_eq!(timers.len(), 1);
    assert!(timers[0].starts_with("02:"), "timer {}", timers[0]);
}

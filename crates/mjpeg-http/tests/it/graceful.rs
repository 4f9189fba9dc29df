//! How listeners and streams end.

use std::{io::ErrorKind, time::Duration};

use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

use crate::{Served, assert_next, publish, publish_number};

#[tokio::test]
async fn responses_end_cleanly_and_the_port_is_free() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let addr = served.addr;
    publish_number(&producer, 1);
    let mut viewers = Vec::new();
    for _ in 0..5 {
        let mut viewer = Viewer::open(addr, "/").await.unwrap();
        viewer.next_frame().await.unwrap().unwrap();
        viewers.push(viewer);
    }
    let (service, monitor) = (served.service.clone(), served.monitor.clone());
    let ended = timeout(Duration::from_secs(2), served.stop())
        .await
        .expect("at once, not at the deadline");
    assert_eq!(ended, 0);
    for viewer in &mut viewers {
        assert_eq!(
            viewer.next_frame().await.unwrap(),
            None,
            "ended after a whole part"
        );
    }
    assert_eq!(
        (monitor.stats().connections, service.stats().viewers),
        (0, 0)
    );
    assert_eq!(
        TcpStream::connect(addr).await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    TcpListener::bind(addr).await.expect("the port is free");
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let silent = TcpStream::connect(served.addr).await.unwrap();
    let mut half_asked = TcpStream::connect(served.addr).await.unwrap();
    half_asked.write_all(b"GET / HT").await.unwrap();
    let mut kept_alive = TcpStream::connect(served.addr).await.unwrap();
    kept_alive
        .write_all(b"GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    kept_alive.read_exact(&mut [0; 12]).await.unwrap();
    while served.stats().listener.connections < 3 {
        sleep(Duration::from_millis(2)).await;
    }
    let ended = timeout(Duration::from_secs(2), served.stop())
        .await
        .expect("at once, not at the deadline");
    assert_eq!(ended, 0);
    drop((silent, half_asked, kept_alive));
}

#[tokio::test]
async fn stuck_viewer_is_cut_at_the_deadline() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut served = Served::start(consumer, StreamConfig::default());
    served.grace = Duration::from_millis(800);
    let stuck = Viewer::open(served.addr, "/").await.unwrap().into_stream();
    let frame = jpeg::of_length(1, 1_000_000);
    // Until the kernel takes no more and a part is stuck half-sent.
    let mut parts = 0;
    loop {
        publish(&producer, frame.clone());
        sleep(Duration::from_millis(50)).await;
        let now = served.stats().parts;
        if now == parts && now > 0 {
            break;
        }
        parts = now;
    }
    let (addr, since) = (served.addr, Instant::now());
    let mut stopping = Box::pin(served.stop());
    let refused = async {
        while TcpStream::connect(addr).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = &mut stopping => panic!("the stuck viewer was not given its time"),
        () = refused => {}
    }
    assert!(
        since.elapsed() < Duration::from_millis(500),
        "the port is closed at once, not at the deadline"
    );
    let ended = timeout(Duration::from_secs(2), stopping)
        .await
        .expect("the deadline holds");
    assert!(since.elapsed() >= Duration::from_millis(800));
    assert_eq!(ended, 1);
    drop(stuck);
}

#[tokio::test]
async fn dropping_the_server_closes_everything() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
    viewer.next_frame().await.unwrap();
    let addr = served.addr;
    served.task.abort();
    let _ = served.task.await;
    TcpListener::bind(addr).await.expect("the port is free");
    publish_number(&producer, 2);
    assert_next(&mut viewer, 2).await;
    drop(served.service);
    assert!(!matches!(viewer.next_frame().await, Ok(Some(_))));
}

//! Limits that depend on a viewer's address, with addresses other than loopback.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService, ipnet::IpNet};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    io::AsyncReadExt,
    net::TcpSocket,
    time::{Instant, sleep},
};

use crate::{Served, apart::has_addresses, assert_next, lagging::LARGE, publish, publish_number};

const ADDRESSES: [&str; 9] = [
    "10.77.0.1/32",
    "10.77.0.2/32",
    "10.77.0.3/32",
    "10.77.0.4/32",
    "10.77.1.1/32",
    "2001:db8:9::1/128",
    "2001:db8:1::1/128",
    "2001:db8:1::2/128",
    "2001:db8:2::1/128",
];
const ANN: &str = "10.77.0.2";
const BOB: &str = "10.77.0.3";
const EVE: &str = "10.77.0.4";
const PROXY: &str = "10.77.1.1";

/// Serves on all interfaces, so that IPv4 addresses are reported in IPv6 form.
fn serve(consumer: mjpeg_fanout::Consumer, config: StreamConfig) -> Served {
    let proxies: IpNet = "10.77.1.0/24".parse().unwrap();
    let listener = ListenerConfig::default().with_trusted_proxies([proxies]);
    let listener = Listener::bind("[::]:0".parse().unwrap(), listener).unwrap();
    Served::on(listener, StreamService::new(consumer, config))
}

/// Requests the stream from this address.
async fn open(served: &Served, from: &str, key: &str) -> Viewer {
    let from: IpAddr = from.parse().unwrap();
    let (socket, home) = if from.is_ipv4() {
        (TcpSocket::new_v4().unwrap(), "10.77.0.1")
    } else {
        (TcpSocket::new_v6().unwrap(), "2001:db8:9::1")
    };
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.bind((from, 0).into()).unwrap();
    let server: SocketAddr = (home.parse::<IpAddr>().unwrap(), served.addr.port()).into();
    let stream = socket.connect(server).await.unwrap();
    let path = format!("/?key={key}");
    Viewer::ask(stream, &path, &[]).await.unwrap()
}

/// The names of the viewers, once there are this many.
async fn watching(served: &Served, viewers: u64) -> Vec<String> {
    served.until(|stats| stats.viewers == viewers).await;
    let all = served.service.viewers();
    all.into_iter().map(|viewer| viewer.key).collect()
}

#[tokio::test]
async fn reload_gets_in_and_the_oldest_of_its_address_goes() {
    let name = "addresses::reload_gets_in_and_the_oldest_of_its_address_goes";
    if !has_addresses(name, &ADDRESSES) {
        return;
    }
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = serve(consumer, StreamConfig::default().with_max_viewers(3));
    publish_number(&producer, 0);
    let mut bob = open(&served, BOB, "bob").await;
    let mut first = open(&served, ANN, "ann1").await;
    let mut second = open(&served, ANN, "ann2").await;
    for viewer in [&mut bob, &mut first, &mut second] {
        assert_next(viewer, 0).await;
    }
    let mut third = open(&served, ANN, "ann3").await;
    assert_eq!(third.head().status, 200);
    assert_next(&mut third, 0).await;
    assert_eq!(watching(&served, 3).await, ["bob", "ann2", "ann3"]);
    assert_eq!(first.next_frame().await.unwrap(), None, "a proper end");
    // A viewer from an address without other viewers is refused and replaces nobody.
    for number in 1..=20 {
        assert_eq!(open(&served, EVE, "eve").await.head().status, 503);
        publish_number(&producer, number);
        for viewer in [&mut bob, &mut second, &mut third] {
            assert_next(viewer, number).await;
        }
    }
    assert_eq!(watching(&served, 3).await, ["bob", "ann2", "ann3"]);
    let stats = served.stats();
    assert_eq!(
        (stats.viewers_replaced, stats.viewers_refused_stream),
        (1, 20)
    );
}

#[tokio::test]
async fn viewer_that_takes_nothing_goes_before_an_older_one() {
    let name = "addresses::viewer_that_takes_nothing_goes_before_an_older_one";
    if !has_addresses(name, &ADDRESSES) {
        return;
    }
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = serve(consumer, StreamConfig::default().with_max_viewers(2));
    let mut old = open(&served, ANN, "old").await;
    let mut stuck = open(&served, ANN, "stuck").await.into_stream();
    let since = Instant::now();
    let mut number = 0;
    // Twice as long as it takes to count as slow.
    while since.elapsed() < Duration::from_secs(2) {
        publish(&producer, jpeg::of_length(number, LARGE));
        assert_next(&mut old, number).await;
        number += 1;
        sleep(Duration::from_millis(50)).await;
    }
    let newcomer = open(&served, ANN, "new").await;
    assert_eq!(newcomer.head().status, 200);
    assert_eq!(watching(&served, 2).await, ["old", "new"]);
    let cut = stuck.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
    publish_number(&producer, number);
    assert_next(&mut old, number).await;
    let stats = served.stats();
    assert_eq!((stats.viewers_replaced, stats.write_stalls), (1, 0));
}

#[tokio::test]
async fn address_may_have_so_many_and_a_proxy_any_number() {
    let name = "addresses::address_may_have_so_many_and_a_proxy_any_number";
    if !has_addresses(name, &ADDRESSES) {
        return;
    }
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_viewers_per_address(2);
    let served = serve(consumer, config);
    publish_number(&producer, 0);
    let mut held = Vec::new();
    for n in 0..3 {
        held.push(open(&served, ANN, &format!("ann{n}")).await);
    }
    assert_eq!(watching(&served, 2).await, ["ann1", "ann2"]);
    for from in [PROXY, PROXY, PROXY, PROXY, BOB] {
        let viewer = open(&served, from, "other").await;
        assert_eq!(viewer.head().status, 200);
        held.push(viewer);
    }
    assert_eq!(served.stats().viewers_replaced, 1);
    // An IPv6 network counts as one address: its other machines are refused, and the first keeps
    // its viewers.
    for key in ["home1", "home2"] {
        held.push(open(&served, "2001:db8:1::1", key).await);
    }
    let refused = open(&served, "2001:db8:1::2", "home3").await;
    assert_eq!(refused.head().status, 503);
    assert_eq!(refused.head().header("Retry-After"), Some("5"));
    let elsewhere = open(&served, "2001:db8:2::1", "elsewhere").await;
    assert_eq!(elsewhere.head().status, 200);
    let stats = served.stats();
    assert_eq!(
        (stats.viewers_refused_address, stats.viewers_replaced),
        (1, 1)
    );
    assert_eq!(watching(&served, 10).await.len(), 10);
}

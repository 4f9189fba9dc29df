//! Who a client is behind a proxy, and which headers of a client count.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_http::{
    Access, Gate, Grant, Inquiry, Listener, ListenerConfig, Peer, StreamConfig, StreamService,
    ipnet::IpNet,
};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{net::TcpStream, time::Instant};

use crate::{Served, assert_next, publish_number, raw::RawClient};

/// Admits everybody, and remembers the last inquiry.
#[derive(Default)]
struct Remembering {
    last: Mutex<Option<Inquiry>>,
    grant: Grant,
}

#[async_trait]
impl Gate for Remembering {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        *self.last.lock().unwrap() = Some(inquiry.clone());
        Access::Allow(self.grant.clone())
    }
}

/// A stream behind a gate. The clients of these tests come from loopback.
fn serve(trusted: &[&str], gate: &Arc<Remembering>) -> Served {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let service = StreamService::builder(consumer).name("door");
    let service = service.gate(Arc::clone(gate) as _).build();
    Served::on(listener(trusted), service)
}

fn listener(trusted: &[&str]) -> Listener {
    let nets = trusted.iter().map(|net| net.parse::<IpNet>().unwrap());
    let config = ListenerConfig::default().with_trusted_proxies(nets);
    Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap()
}

/// Takes a snapshot with these headers, and returns what the gate was asked.
async fn asked(trusted: &[&str], headers: &str) -> Inquiry {
    let gate = Arc::default();
    let served = serve(trusted, &gate);
    let mut client = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
    client.get("/snapshot", headers).await;
    assert_eq!(client.answer().await.1, jpeg::numbered(1));
    let mut last = gate.last.lock().unwrap();
    last.take().expect("the gate is asked")
}

/// The client that the gate sees; `None` for the direct peer.
async fn client(trusted: &[&str], headers: &str) -> Option<SocketAddr> {
    let peer = asked(trusted, headers).await.peer.unwrap();
    let addr = peer.addr().unwrap();
    if addr.ip().is_loopback() {
        assert!(peer.is_shared());
        return None;
    }
    assert!(!peer.is_shared(), "{peer:?}");
    assert!(peer.is_via_trusted_proxy());
    Some(addr)
}

const LOOPBACK: &[&str] = &["127.0.0.1/32", "10.0.0.0/8", "2001:db8:1::/48"];

#[tokio::test]
async fn client_is_the_first_untrusted_address_from_the_right() {
    let many = |n: usize| vec!["10.0.0.1"; n].join(", ");
    for (headers, expected) in [
        ("203.0.113.7", Some("203.0.113.7:0")),
        // What the client itself sent stands at the left.
        ("198.51.100.1, 203.0.113.7", Some("203.0.113.7:0")),
        ("127.0.0.1,203.0.113.7 , 10.1.2.3", Some("203.0.113.7:0")),
        (
            "evil, 203.0.113.7,10.1.2.3,2001:db8:1::2",
            Some("203.0.113.7:0"),
        ),
        ("203.0.113.7:4711", Some("203.0.113.7:4711")),
        ("2001:db8:2::9", Some("[2001:db8:2::9]:0")),
        ("[2001:db8:2::9]", Some("[2001:db8:2::9]:0")),
        ("[2001:db8:2::9]:80", Some("[2001:db8:2::9]:80")),
        ("::ffff:203.0.113.7", Some("203.0.113.7:0")),
        ("198.51.100.1, ::ffff:10.0.0.9", Some("198.51.100.1:0")),
        // What stands left of garbage does not count.
        ("203.0.113.7, unknown", None),
        ("203.0.113.7, ", None),
        ("203.0.113.7, 10.1.2.3, [::1", None),
        ("203.0.113.7, 10.1.2.3.4", None),
        ("203.0.113.7:99999", None),
        ("\u{fc}", None),
        ("10.1.2.3, 10.1.2.4", None),
        ("", None),
        (&format!("203.0.113.7, {}", many(31)), Some("203.0.113.7:0")),
        (&format!("203.0.113.7, {}", many(32)), None),
        (&format!("203.0.113.7, {}", many(1000)), None),
        (
            &format!("{}, 203.0.113.7", many(1000)),
            Some("203.0.113.7:0"),
        ),
    ] {
        let header = format!("X-Forwarded-For: {headers}\r\n");
        let expected = expected.map(|addr| addr.parse().unwrap());
        assert_eq!(client(LOOPBACK, &header).await, expected, "{headers}");
    }
}

#[tokio::test]
async fn several_header_lines_are_one_list() {
    let lines = "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.7, 10.0.0.1\r\n\
                 x-forwarded-for: 10.0.0.2\r\n";
    let expected = "203.0.113.7:0".parse().unwrap();
    assert_eq!(client(LOOPBACK, lines).await, Some(expected));
}

#[tokio::test]
async fn headers_of_a_client_that_is_no_trusted_proxy_are_ignored() {
    let headers = "X-Forwarded-For: 203.0.113.7\r\nRemote-User: admin\r\nRemote-User: root\r\n";
    for trusted in [&[][..], &["10.0.0.0/8"], &["::1/128"]] {
        let inquiry = asked(trusted, headers).await;
        let peer = inquiry.peer.unwrap();
        assert!(peer.addr().unwrap().ip().is_loopback());
        assert!(!peer.is_via_trusted_proxy());
        assert!(!inquiry.headers.contains_key("remote-user"));
    }
    let inquiry = asked(LOOPBACK, headers).await;
    let names: Vec<_> = inquiry.headers.get_all("remote-user").iter().collect();
    assert_eq!(names, ["admin", "root"]);
}

#[cfg(unix)]
#[tokio::test]
async fn peer_on_a_unix_socket_is_never_a_trusted_proxy() {
    let path = std::env::temp_dir().join(format!("mjpeg-forwarded-{}.sock", std::process::id()));
    let nets = ["0.0.0.0/0", "::/0"].map(|net| net.parse::<IpNet>().unwrap());
    let config = ListenerConfig::default().with_trusted_proxies(nets);
    let listener = Listener::bind_unix(&path, config).unwrap();
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let gate = Arc::new(Remembering::default());
    let service = StreamService::builder(consumer).gate(Arc::clone(&gate) as _);
    let serving = tokio::spawn(listener.serve(service.build(), std::future::pending()));
    let mut client = RawClient::new(tokio::net::UnixStream::connect(&path).await.unwrap());
    let headers = "X-Forwarded-For: 203.0.113.7\r\nRemote-User: admin\r\n";
    client.get("/snapshot", headers).await;
    client.answer().await;
    let inquiry = gate.last.lock().unwrap().take().unwrap();
    assert_eq!(inquiry.peer, Some(Peer::LOCAL));
    assert!(!inquiry.headers.contains_key("remote-user"));
    serving.abort();
}

/// One connection from the proxy carries requests of many clients.
#[tokio::test]
async fn clients_behind_a_proxy_are_listed_and_limited_by_their_own_address() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let config = StreamConfig::default().with_max_viewers_per_address(1);
    let served = Served::on(listener(LOOPBACK), StreamService::new(consumer, config));
    let open = async |client: &str, key: &str| {
        let headers = [("X-Forwarded-For", client)];
        let path = format!("/?key={key}");
        let viewer = Viewer::open_with(served.addr, &path, &headers).await;
        let mut viewer = viewer.unwrap();
        assert_next(&mut viewer, 1).await;
        viewer
    };
    let mut ann = open("203.0.113.7", "ann1").await;
    let _bob = open("203.0.113.8", "bob").await;
    let _ann = open("203.0.113.7", "ann2").await;
    served.until(|stats| stats.viewers == 2).await;
    while ann.next_frame().await.unwrap().is_some() {}
    let viewers = served.service.viewers();
    let listed = viewers.iter().map(|viewer| (&*viewer.key, viewer.peer));
    let addr = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        listed.collect::<Vec<_>>(),
        [
            ("bob", addr("203.0.113.8:0")),
            ("ann2", addr("203.0.113.7:0"))
        ]
    );
}

#[tokio::test]
async fn grant_limits_frames_per_second_below_what_is_asked_for() {
    let gate = Arc::new(Remembering {
        grant: Grant::default().with_max_fps(2.0),
        ..Remembering::default()
    });
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::builder(consumer).gate(gate as _).build();
    let served = Served::on(listener(&[]), service);
    publish_number(&producer, 1);
    let mut viewer = Viewer::open(served.addr, "/?fps=50").await.unwrap();
    assert_next(&mut viewer, 1).await;
    let since = Instant::now();
    publish_number(&producer, 2);
    assert_next(&mut viewer, 2).await;
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
}

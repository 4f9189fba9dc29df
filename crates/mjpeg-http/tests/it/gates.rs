//! Who decides about requests, and about viewers that were admitted.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::Response;
use mjpeg_http::{
    Access, Action, CorsPolicy, Gate, Grant, Inquiry, InvalidPicture, ListenAddress, Listener,
    ListenerConfig, LiveServer, Peer, StreamConfig, StreamService, Streams,
};
use mjpeg_testkit::{Viewer, jpeg, request};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};
use tower_service::Service as _;

use crate::{Served, assert_next, publish_number, raw::RawClient};

/// Admits whoever has one of these tokens, and remembers what it was asked.
#[derive(Default)]
struct Tokens {
    good: Mutex<Vec<&'static str>>,
    asked: Mutex<Vec<Inquiry>>,
    until: Mutex<Option<std::time::Instant>>,
}

impl Tokens {
    fn of(tokens: &[&'static str]) -> Arc<Self> {
        let gate = Self::default();
        *gate.good.lock().unwrap() = tokens.to_vec();
        Arc::new(gate)
    }
}

#[async_trait]
impl Gate for Tokens {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        tokio::task::yield_now().await;
        self.asked.lock().unwrap().push(inquiry.clone());
        let token = inquiry.headers.get("authorization");
        let token = token.and_then(|token| token.to_str().ok());
        let good = self.good.lock().unwrap();
        match token.filter(|token| good.contains(token)) {
            Some(token) => {
                let proof = format!("proof of {token}");
                let mut grant = Grant::default().with_identity(token).with_proof(proof);
                grant.until = *self.until.lock().unwrap();
                Access::Allow(grant)
            }
            None => Access::deny(
                Response::builder()
                    .status(401)
                    .header("www-authenticate", "Bearer")
                    .body("Who are you?\n".into())
                    .unwrap(),
            ),
        }
    }
}

fn serve(gate: Arc<Tokens>) -> (Served, mjpeg_fanout::Producer) {
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::builder(consumer)
        .name("door")
        .gate(gate)
        .build();
    let config = ListenerConfig::default().with_name("main");
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
    (Served::on(listener, service), producer)
}

async fn open(served: &Served, path: &str, token: &str) -> Viewer {
    let headers = [("Authorization", token)];
    Viewer::open_with(served.addr, path, &headers)
        .await
        .unwrap()
}

#[tokio::test]
async fn gate_sees_the_resolved_target_and_refuses_in_its_own_words() {
    let gate = Tokens::of(&["alice"]);
    let (served, producer) = serve(Arc::clone(&gate));
    publish_number(&producer, 1);
    let mut client = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
    // Refused, then once more with the token, on the same connection: the stream takes the fast
    // path.
    client.get("/?action=stream", "").await;
    let (head, body) = client.answer().await;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert!(head.contains("www-authenticate: Bearer\r\n"), "{head}");
    // The gate's own words, and no more.
    assert!(!head.contains("access-control-allow-origin"), "{head}");
    assert_eq!(body, b"Who are you?\n");
    assert_eq!(served.stats().denied, 1);
    client.get("/snapshot", "Authorization: alice\r\n").await;
    assert_eq!(client.answer().await.1, jpeg::numbered(1));
    client
        .get("/stream?key=k", "Authorization: alice\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.0 200 OK"));
    client.until(&jpeg::numbered(1)).await;
    let viewers = served.service.viewers();
    assert_eq!(viewers[0].identity.as_deref(), Some("alice"));
    let asked = gate.asked.lock().unwrap().clone();
    let actions: Vec<_> = asked.iter().map(|inquiry| inquiry.action).collect();
    assert_eq!(actions, [Action::Stream, Action::Snapshot, Action::Stream]);
    for inquiry in &asked {
        assert_eq!(inquiry.stream.as_deref(), Some("door"));
        assert_eq!(&*inquiry.listener, "main");
        assert!(
            inquiry
                .peer
                .and_then(|peer| peer.addr())
                .unwrap()
                .ip()
                .is_loopback()
        );
        assert!(inquiry.tls.is_none());
    }
    assert_eq!(asked[2].uri, "/stream?key=k");
}

/// A redirect, an error about its URLs, and a preflight tell that a stream exists.
/// Lets everybody watch, and only one control.
#[cfg(feature = "compat")]
struct Operated;

#[cfg(feature = "compat")]
#[async_trait]
impl Gate for Operated {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        let is_operator = inquiry.headers.contains_key("authorization");
        match inquiry.action {
            Action::Control if !is_operator => Access::deny(Response::new("No.\n".into())),
            _ => Access::Allow(Grant::default()),
        }
    }
}

/// A viewer's key may be a name, or a secret of the program that watches.
#[cfg(feature = "compat")]
#[tokio::test]
async fn state_lists_viewers_only_to_those_who_may_control() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::builder(consumer).gate(Arc::new(Operated));
    let service = service.build();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), ListenerConfig::default());
    let served = Served::on(listener.unwrap(), service.clone());
    let _viewer = Viewer::open(served.addr, "/stream?key=kitchen")
        .await
        .unwrap();
    for (login, listed) in [("", 0), ("Authorization: x\r\n", 1)] {
        let asked = format!("GET /state HTTP/1.1\r\nHost: x\r\n{login}Connection: close\r\n\r\n");
        let response = mjpeg_testkit::request(served.addr, asked).await.unwrap();
        let state: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        let stream = &state["result"]["stream"];
        assert_eq!(stream["clients"], 1, "{login}");
        let list = stream["clients_stat"].as_object().unwrap();
        assert_eq!(list.len(), listed, "{login}: {stream}");
    }
    assert_eq!(service.stats().denied, 0, "it was answered");
}

#[tokio::test]
async fn nothing_tells_of_a_stream_before_the_gate_is_asked() {
    struct Named(StreamService);

    impl Streams for Named {
        fn find(&self, name: &str) -> Option<StreamService> {
            (name == "door").then(|| self.0.clone())
        }
    }
    let gate = Tokens::of(&["alice"]);
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::builder(consumer).name("door");
    let service = service.gate(Arc::clone(&gate) as _).build();
    let config = ListenerConfig::default();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(Named(service), std::future::pending()));
    let ask = async |request: &str, headers: &str| {
        let mut client = RawClient::new(TcpStream::connect(addr).await.unwrap());
        let head = format!("{request} HTTP/1.1\r\nHost: t\r\n{headers}\r\n");
        client.send(head).await;
        let (head, _) = client.answer().await;
        head[9..12].parse::<u16>().unwrap()
    };
    for (request, status) in [
        ("GET /door", 308),
        ("GET /door/nothing", 404),
        ("GET /door/?action=dance", 400),
        ("GET /door/?action=command", 501),
        ("DELETE /door/", 405),
        ("OPTIONS /door/", 204),
    ] {
        assert_eq!(ask(request, "").await, 401, "{request}");
        let found = ask(request, "Authorization: alice\r\n").await;
        assert_eq!(found, status, "{request}");
    }
    let asked = gate.asked.lock().unwrap();
    assert_eq!(asked.len(), 12);
    assert!(asked.iter().all(|inquiry| inquiry.action == Action::Find));
    serving.abort();
}

#[tokio::test]
async fn recheck_ends_only_viewers_that_lost_their_right() {
    let gate = Tokens::of(&["alice", "bob"]);
    let (served, producer) = serve(Arc::clone(&gate));
    publish_number(&producer, 1);
    let mut alice = open(&served, "/", "alice").await;
    let mut bob = open(&served, "/", "bob").await;
    assert_next(&mut alice, 1).await;
    assert_next(&mut bob, 1).await;
    assert_eq!(served.service.recheck().await.ended, 0);
    // Each is shown what it was admitted with.
    let asked = gate.asked.lock().unwrap().clone();
    let mut proofs: Vec<_> = asked.iter().map(|it| it.proof.as_deref()).collect();
    assert_eq!(proofs[..2], [None, None]);
    proofs[2..].sort();
    let expected = [&b"proof of alice"[..], b"proof of bob"].map(Some);
    assert_eq!(proofs[2..], expected);
    assert!(!format!("{asked:?}").contains("authorization"));
    *gate.good.lock().unwrap() = vec!["alice"];
    let since = Instant::now();
    assert_eq!(served.service.recheck().await.ended, 1);
    while bob.next_frame().await.is_ok_and(|frame| frame.is_some()) {}
    // Within a second although no frame comes.
    assert!(
        since.elapsed() < Duration::from_millis(2500),
        "{:?}",
        since.elapsed()
    );
    publish_number(&producer, 2);
    assert_next(&mut alice, 2).await;
    assert_eq!(served.service.viewers().len(), 1);
    assert_eq!(served.stats().kicked, 1);
}

#[tokio::test]
async fn grant_ends_when_it_says_and_a_recheck_may_extend_it() {
    let gate = Tokens::of(&["alice"]);
    let (served, producer) = serve(Arc::clone(&gate));
    publish_number(&producer, 1);
    let in_ms = |ms| Instant::now().into_std() + Duration::from_millis(ms);
    *gate.until.lock().unwrap() = Some(in_ms(400));
    let since = Instant::now();
    let mut short = open(&served, "/", "alice").await;
    assert_next(&mut short, 1).await;
    while short.next_frame().await.unwrap().is_some() {}
    assert!(since.elapsed() >= Duration::from_millis(400));
    assert!(since.elapsed() < Duration::from_secs(3));

    *gate.until.lock().unwrap() = Some(in_ms(600));
    let mut extended = open(&served, "/", "alice").await;
    assert_next(&mut extended, 1).await;
    *gate.until.lock().unwrap() = None;
    served.service.recheck().await;
    sleep(Duration::from_millis(800)).await;
    publish_number(&producer, 2);
    assert_next(&mut extended, 2).await;
}

#[tokio::test]
async fn kick_ends_one_viewer_even_within_a_part() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let stuck = Viewer::open(served.addr, "/?key=stuck").await.unwrap();
    let mut other = Viewer::open(served.addr, "/?key=other").await.unwrap();
    let frame = jpeg::of_length(1, 5_000_000);
    crate::publish(&producer, frame);
    other.next_frame().await.unwrap().unwrap();
    let id = |key: &str| {
        let viewers = served.service.viewers();
        viewers.iter().find(|viewer| viewer.key == key).unwrap().id
    };
    assert!(served.service.kick(id("stuck")));
    served.until(|stats| stats.viewers == 1).await;
    assert!(!served.service.kick(99));
    publish_number(&producer, 2);
    assert_next(&mut other, 2).await;
    assert_eq!((served.stats().kicked, served.stats().write_stalls), (1, 0));
    drop(stuck);
    // It does not come back by itself. Others do, and whoever has no key.
    for request_line in [
        "GET /?key=stuck",
        "GET /stream?fps=1&key=stuck",
        "HEAD /?key=stuck",
    ] {
        let asked = format!("{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let refused = request(served.addr, asked).await.unwrap();
        assert_eq!(refused.head.status, 410, "{request_line}");
    }
    assert_eq!(served.stats().viewers_refused_kicked, 3);
    for path in ["/?key=again", "/"] {
        let mut viewer = Viewer::open(served.addr, path).await.unwrap();
        assert_next(&mut viewer, 2).await;
    }
}

/// A service mounted in another server knows its clients by the extension, and asks the gate as
/// well.
#[tokio::test]
async fn mounted_service_asks_its_gate_and_knows_the_peer() {
    let gate = Tokens::of(&["alice"]);
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let config = StreamConfig::default().with_max_viewers_per_address(1);
    let builder = StreamService::builder(consumer).config(config);
    let mut service = builder.gate(Arc::clone(&gate) as _).build();
    let mut ask = |token: &str, peer: Option<Peer>| {
        let mut request = http::Request::get("/").body(()).unwrap();
        request
            .headers_mut()
            .insert("authorization", token.parse().unwrap());
        request.extensions_mut().extend(http::Extensions::new());
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        service.call(request)
    };
    let refused = ask("mallory", None).await.unwrap();
    assert_eq!(refused.status(), 401);
    let ann = Peer::from(([192, 0, 2, 1], 1000));
    let first = ask("alice", Some(ann)).await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(gate.asked.lock().unwrap()[1].peer, Some(ann));
    // The second viewer of this address replaces the first, which a proxy's does not.
    let second = ask("alice", Some(ann)).await.unwrap();
    assert_eq!(second.status(), 200);
    let proxy = Peer::from(([192, 0, 2, 1], 1001)).with_proxy(true);
    let behind = ask("alice", Some(proxy)).await.unwrap();
    assert_eq!(behind.status(), 200);
    drop((first, second, behind));
    assert_eq!(service.stats().viewers_replaced, 1);
}

#[tokio::test]
async fn origins_are_admitted_by_policy_in_heads_and_parts() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let page = "https://page.example";
    let listed = CorsPolicy::listed([page, "http://other.example:8080"]).unwrap();
    let served = Served::start(consumer, StreamConfig::default().with_cors(listed));
    let ask = async |path: &str, origin: &str| {
        let mut client = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
        client
            .get(path, &format!("Origin: {origin}\r\nAccept: image/*\r\n"))
            .await;
        client
    };
    for (origin, admitted) in [(page, true), ("https://evil.example", false)] {
        let allows = format!("access-control-allow-origin: {origin}\r\n");
        let (head, _) = ask("/snapshot", origin).await.answer().await;
        assert_eq!(head.contains(&allows), admitted, "{head}");
        assert!(head.contains("vary: Origin\r\n"), "{head}");
        let mut viewer = ask("/stream", origin).await;
        let head = viewer.head().await;
        assert_eq!(head.contains(&allows), admitted, "{head}");
        // The headers ahead of the first image, and of the second.
        for number in [1, 2] {
            let ahead = viewer.head().await;
            let in_part = format!("Access-Control-Allow-Origin: {origin}\r\n");
            assert_eq!(ahead.contains(&in_part), admitted, "{ahead}");
            publish_number(&producer, number);
            viewer.until(&jpeg::numbered(number)).await;
        }
    }
    served
        .service
        .configure(StreamConfig::default().with_cors(CorsPolicy::NOBODY));
    let (head, _) = ask("/snapshot", page).await.answer().await;
    assert!(!head.contains("access-control"), "{head}");
    served.service.configure(StreamConfig::default());
    let (head, _) = ask("/snapshot", page).await.answer().await;
    assert!(
        head.contains("access-control-allow-origin: *\r\n"),
        "{head}"
    );
    for bad in [
        "",
        "page.example",
        "https://a b",
        "*",
        "https://x/",
        "https://a\r\nb: c",
    ] {
        assert!(CorsPolicy::listed([bad]).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn viewers_keep_their_response_when_their_stream_is_configured_anew() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let mut viewer = Viewer::open(served.addr, "/?dual_final_frames=0")
        .await
        .unwrap();
    assert_next(&mut viewer, 1).await;
    // A shorter keepalive holds at once: the repeat comes long before the five seconds of before.
    let keepalive = StreamConfig::default()
        .with_keepalive(Duration::from_millis(200))
        .unwrap();
    served.service.configure(keepalive.clone());
    let since = Instant::now();
    viewer.next_frame().await.unwrap().unwrap();
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    // Nobody is cut by lower limits, which hold for new viewers.
    served
        .service
        .configure(keepalive.clone().with_max_viewers(0));
    publish_number(&producer, 2);
    assert_next(&mut viewer, 2).await;
    let refused = Viewer::open(served.addr, "/").await.unwrap();
    assert_eq!(refused.head().status, 503);
    // A rate holds from the next part on.
    served
        .service
        .configure(keepalive.with_max_fps(2.0).unwrap());
    publish_number(&producer, 3);
    assert_next(&mut viewer, 3).await;
    let since = Instant::now();
    publish_number(&producer, 4);
    assert_next(&mut viewer, 4).await;
    assert!(
        since.elapsed() >= Duration::from_millis(300),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(served.service.config().max_fps(), Some(2.0));
    // A duration that is over already ends it.
    let over = StreamConfig::default().with_max_duration(Duration::from_millis(1));
    served.service.configure(over);
    while viewer.next_frame().await.unwrap().is_some() {}
    assert_eq!(served.stats().duration_ends, 1);
}

/// In routes of one's own, the path says nothing.
#[tokio::test]
async fn stream_and_snapshot_are_answered_whatever_the_path() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let service = StreamService::new(consumer, StreamConfig::default());
    let request = || http::Request::get("/cameras/7?key=seven").body(()).unwrap();
    let stream = service.stream(request()).await.unwrap();
    let content_type = stream.headers()["content-type"].to_str().unwrap();
    assert_eq!(content_type, mjpeg_http::MjpegBody::content_type());
    assert_eq!(service.viewers()[0].key, "seven");
    let snapshot = service.snapshot(request()).await.unwrap();
    let picture = http_body_util::BodyExt::collect(snapshot.into_body());
    assert_eq!(picture.await.unwrap().to_bytes(), jpeg::numbered(1));
    assert_eq!(service.stats().snapshots, 1);
}

#[tokio::test]
async fn live_server_shows_pictures_in_two_calls_and_refuses_what_browsers_do_not_show() {
    let server = LiveServer::serve("127.0.0.1:0".parse().unwrap()).unwrap();
    let ListenAddress::Tcp(addr) = *server.address() else {
        panic!("not TCP");
    };
    server.update(jpeg::numbered(1)).unwrap();
    let mut viewer = Viewer::open(addr, "/").await.unwrap();
    assert_next(&mut viewer, 1).await;
    let cut_off = jpeg::numbered(2)[..200].to_vec();
    assert!(matches!(
        server.update(cut_off),
        Err(InvalidPicture::NotJpeg(_))
    ));
    // SOF3, lossless.
    let mut lossless = jpeg::numbered(3).to_vec();
    let sof = lossless.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    lossless[sof + 1] = 0xC3;
    assert_eq!(server.update(lossless), Err(InvalidPicture::NotDisplayable));
    server.update(jpeg::numbered(4)).unwrap();
    assert_next(&mut viewer, 4).await;
    assert_eq!(server.service().viewers().len(), 1);
    server.stop().await;
    while viewer.next_frame().await.unwrap().is_some() {}
    assert!(TcpStream::connect(addr).await.is_err());
}

#[cfg(feature = "serde")]
#[tokio::test]
async fn viewers_and_counters_are_serialised() {
    let (served, producer) = serve(Tokens::of(&["alice"]));
    publish_number(&producer, 1);
    let mut viewer = open(&served, "/?key=k", "alice").await;
    assert_next(&mut viewer, 1).await;
    let viewers = serde_json::to_value(served.service.viewers()).unwrap();
    let first = &viewers[0];
    assert_eq!(
        (&first["identity"], &first["key"]),
        (&"alice".into(), &"k".into())
    );
    assert_eq!(first["layout"], "trailing");
    assert!(first["watching"].is_f64() && first["peer"].is_string());
    let stats = serde_json::to_value(served.service.stats()).unwrap();
    assert_eq!(stats["viewers"], 1);
}

/// Never decides.
struct Undecided;

#[async_trait]
impl Gate for Undecided {
    async fn decide(&self, _: &Inquiry) -> Access {
        std::future::pending().await
    }
}

#[tokio::test]
async fn gate_that_does_not_decide_refuses() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let config = StreamConfig::default().with_gate_timeout(Duration::from_millis(200));
    let builder = StreamService::builder(consumer).config(config);
    let service = builder.gate(Arc::new(Undecided)).build();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), ListenerConfig::default());
    let served = Served::on(listener.unwrap(), service);
    let refused = Viewer::open(served.addr, "/").await.unwrap();
    assert_eq!(refused.head().status, 503);
    let stats = served.stats();
    assert_eq!(
        (stats.gate_timeouts, stats.denied, stats.viewers),
        (1, 1, 0)
    );
}

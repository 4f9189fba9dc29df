//! Events as they happen, and those that were.

use std::{net::SocketAddr, num::NonZeroUsize, sync::Arc, sync::atomic::Ordering, time::Duration};

use mjpeg_control::ControlConfig;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::support::{GUARD, GUEST, ROOT, Relay, Users, until};

/// A client that receives events.
struct Client {
    socket: TcpStream,
    head: String,
    buffer: String,
}

/// One event: its id, name and data.
#[derive(Debug, Default, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
    comment: String,
}

impl Client {
    async fn open(addr: SocketAddr, headers: &[(&str, &str)]) -> Self {
        Self::ask(TcpStream::connect(addr).await.unwrap(), headers).await
    }

    async fn ask(mut socket: TcpStream, headers: &[(&str, &str)]) -> Self {
        let addr = socket.peer_addr().unwrap();
        // HTTP/1.0: no chunks.
        let mut request = format!("GET /api/v1/events HTTP/1.0\r\nHost: {addr}\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        socket
            .write_all(format!("{request}\r\n").as_bytes())
            .await
            .unwrap();
        let mut this = Self {
            socket,
            head: String::new(),
            buffer: String::new(),
        };
        this.head = this.block("\r\n\r\n").await.expect("a head");
        this
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Text up to this end; `None` if the connection ends.
    async fn block(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once(end) {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                return Some(block);
            }
            let mut bytes = [0; 4096];
            let reading = timeout(Duration::from_secs(10), self.socket.read(&mut bytes));
            let count = reading.await.expect("no byte for 10 s").unwrap();
            if count == 0 {
                return None;
            }
            self.buffer += str::from_utf8(&bytes[..count]).unwrap();
        }
    }

    async fn next(&mut self) -> Option<Event> {
        let mut event = Event::default();
        for line in self.block("\n\n").await?.lines() {
            match line.split_once(": ").unwrap() {
                ("id", id) => event.id = id.into(),
                ("event", name) => event.name = name.into(),
                ("data", data) => event.data = serde_json::from_str(data).unwrap(),
                ("", comment) => event.comment = comment.into(),
                ("retry", "3000") => {}
                other => panic!("{other:?}"),
            }
        }
        Some(event)
    }

    /// The next event of this change.
    async fn change(&mut self, change: &str) -> Event {
        loop {
            let event = self.next().await.expect("not ended");
            if event.data["change"] == change {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn events_come_as_they_happen_each_to_those_who_may_see_its_stream() {
    let relay = Relay::start().await;
    let mut stranger = Client::open(relay.addr, &[]).await;
    assert!(
        stranger.head.contains("content-type: text/event-stream"),
        "{}",
        stranger.head
    );
    assert!(stranger.head.contains("cache-control: no-store"));
    let mut root = Client::open(relay.addr, &[ROOT]).await;
    assert_eq!(stranger.next().await.unwrap().comment, "events");
    let nothing_listens = mjpeg_testkit::refused_addr().await;
    relay.run("hidden", "tcp://127.0.0.1:9").await;
    relay.run("door", &format!("tcp://{nothing_listens}")).await;

    let started = stranger.change("started").await;
    assert_eq!(
        (&*started.name, &started.data["stream"]),
        ("stream", &"door".into())
    );
    assert_eq!(started.data["id"], started.id);
    assert!(started.data["at"].as_str().unwrap().ends_with('Z'));
    let offline = async |client: &mut Client| loop {
        let event = client.change("state").await;
        if event.data["state"] == "offline" && event.data["stream"] == "door" {
            return event.data["text"].as_str().unwrap().to_owned();
        }
    };
    let public = offline(&mut stranger).await;
    assert!(!public.contains("127.0.0.1"), "{public}");
    assert_eq!(root.change("started").await.data["stream"], "hidden");
    assert!(offline(&mut root).await.len() > public.len());
    relay.manager.stop("door").await.unwrap();
    assert_eq!(stranger.change("stopped").await.data["stream"], "door");
}

#[tokio::test]
async fn client_that_was_away_gets_what_it_missed() {
    let relay = Relay::start().await;
    let mut first = Client::open(relay.addr, &[]).await;
    relay.run("a", "tcp://127.0.0.1:9").await;
    let seen = first.change("started").await.id;
    drop(first);
    relay.run("b", "tcp://127.0.0.1:9").await;
    relay.manager.stop("b").await.unwrap();
    let mut again = Client::open(relay.addr, &[("Last-Event-ID", &seen)]).await;
    assert_eq!(again.next().await.unwrap().name, "", "there is no gap");
    assert_eq!(again.change("started").await.data["stream"], "b");
    assert_eq!(again.change("stopped").await.data["stream"], "b");

    // Of another run, or of none: nobody knows how many there were.
    let other = Relay::start().await;
    let mut of_other = Client::open(other.addr, &[]).await;
    let of_other = of_other.next().await.unwrap().id;
    for id in [&*of_other, "1", "x", "", &seen[1..]] {
        let mut lost = Client::open(relay.addr, &[("Last-Event-ID", id)]).await;
        let gap = lost.next().await.unwrap();
        assert_eq!(
            (&*gap.name, &gap.data),
            ("gap", &serde_json::json!({ "missed": null }))
        );
        // From there it can go on.
        let mut again = Client::open(relay.addr, &[("Last-Event-ID", &gap.id)]).await;
        assert_eq!(again.next().await.unwrap().name, "");
    }
}

#[tokio::test]
async fn what_is_no_longer_kept_is_told_as_a_gap() {
    let kept = NonZeroUsize::new(4).unwrap();
    let relay = Relay::with(ControlConfig::default().with_kept_events(kept), None).await;
    let mut first = Client::open(relay.addr, &[]).await;
    let begin = first.next().await.unwrap().id;
    drop(first);
    for name in ["a", "b", "c", "d", "e", "f"] {
        relay.run(name, "tcp://127.0.0.1:9").await;
        relay.manager.stop(name).await.unwrap();
    }
    let kept = async || {
        let mut client = Client::open(relay.addr, &[ROOT, ("Last-Event-ID", &begin)]).await;
        client.next().await.unwrap();
        let gap = client.next().await.unwrap();
        (gap, client)
    };
    until("all is logged", async || {
        let (gap, _) = kept().await;
        gap.data["missed"]
            .as_u64()
            .is_some_and(|missed| missed >= 8)
    })
    .await;
    let (gap, mut client) = kept().await;
    assert_eq!(gap.name, "gap");
    let next = client.next().await.unwrap();
    let from_gap = [ROOT, ("Last-Event-ID", &gap.id)];
    let mut again = Client::open(relay.addr, &from_gap).await;
    assert_eq!(again.next().await.unwrap().name, "");
    assert_eq!(
        again.next().await.unwrap(),
        next,
        "it is the oldest that is kept"
    );
}

#[tokio::test]
async fn nothing_is_queued_for_a_slow_client_and_it_is_told_what_it_missed() {
    let kept = NonZeroUsize::new(8).unwrap();
    let relay = Relay::with(ControlConfig::default().with_kept_events(kept), None).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let socket = socket.connect(relay.addr).await.unwrap();
    let mut slow = Client::ask(socket, &[ROOT]).await;
    let mut quick = Client::open(relay.addr, &[]).await;
    // Far more than fits into the buffers of sockets.
    for _ in 0..1000 {
        relay.run("door", "tcp://127.0.0.1:9").await;
        relay.manager.stop("door").await.unwrap();
    }
    // Another one gets the latest, whatever the slow one does.
    relay.run("last", "tcp://127.0.0.1:9").await;
    while quick.change("started").await.data["stream"] != "last" {}
    let mut missed = 0;
    loop {
        let event = slow.next().await.expect("not ended");
        missed += event.data["missed"].as_u64().unwrap_or(0);
        if event.data["stream"] == "last" && event.data["change"] == "started" {
            break;
        }
    }
    assert!(missed > 100, "{missed}");
}

#[tokio::test]
async fn as_many_clients_as_allowed_receive_events() {
    assert_eq!(ControlConfig::default().max_subscribers(), 100);
    let relay = Relay::with(ControlConfig::default().with_max_subscribers(2), None).await;
    let first = Client::open(relay.addr, &[]).await;
    let second = Client::open(relay.addr, &[]).await;
    assert_eq!((first.status(), second.status()), (200, 200));
    let answer = relay.stranger("/events").await;
    answer.is_problem(503, "too_many_subscribers");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(relay.get("/info").await.json()["subscribers"], 2);
    drop(first);
    until("a place is free", async || {
        relay.get("/info").await.json()["subscribers"] == 1
    })
    .await;
    assert_eq!(Client::open(relay.addr, &[]).await.status(), 200);
}

#[tokio::test]
async fn silence_is_broken_by_comments_that_say_how_far_the_client_has_come() {
    let config = ControlConfig::default().with_heartbeat(Duration::from_millis(30));
    let relay = Relay::with(config, None).await;
    let mut client = Client::open(relay.addr, &[]).await;
    let begin = client.next().await.unwrap().id;
    let alive = client.next().await.unwrap();
    assert_eq!((&*alive.comment, &*alive.name), ("alive", ""));
    assert!(!alive.id.is_empty() && alive.id != begin);
}

/// Neither the ids of the events that somebody may see, nor how often they change, nor gaps tell
/// how many events of other streams there were.
#[tokio::test]
async fn activity_of_hidden_streams_cannot_be_seen() {
    let config = ControlConfig::default()
        .with_heartbeat(Duration::from_millis(30))
        .with_kept_events(NonZeroUsize::new(8).unwrap());
    let relay = Relay::with(config, None).await;
    let mut guest = Client::open(relay.addr, &[GUEST]).await;
    let begin = guest.next().await.unwrap().id;
    let mut ids = vec![begin.clone()];
    // It changes in silence, too.
    for _ in 0..3 {
        ids.push(guest.next().await.unwrap().id);
    }
    relay.run("door", "tcp://127.0.0.1:9").await;
    ids.push(guest.change("started").await.id);
    for _ in 0..20 {
        relay.run("hidden", "tcp://127.0.0.1:9").await;
        relay.manager.stop("hidden").await.unwrap();
    }
    relay.run("yard", "tcp://127.0.0.1:9").await;
    loop {
        let event = guest.next().await.unwrap();
        assert_ne!(event.data["stream"], "hidden");
        ids.push(event.id);
        if event.data["stream"] == "yard" && event.data["change"] == "started" {
            break;
        }
    }
    for (at, id) in ids.iter().enumerate() {
        assert!(
            id.len() == 48 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert!(!ids[..at].contains(id), "{ids:#?}");
        // A number would begin like the one before it.
        for other in &ids[..at] {
            let same = id.bytes().zip(other.bytes()).filter(|(a, b)| a == b);
            assert!(same.count() < 24, "{id} and {other}");
        }
    }
    // It was away, and may not know how much there was; whoever controls all may.
    for (caller, knows) in [(GUEST, false), (ROOT, true)] {
        let headers = [caller, ("Last-Event-ID", &begin)];
        let mut again = Client::open(relay.addr, &headers).await;
        again.next().await.unwrap();
        let gap = again.next().await.unwrap();
        assert_eq!(gap.name, "gap");
        assert_eq!(gap.data["missed"].is_u64(), knows, "{gap:?}");
    }
}

#[tokio::test]
async fn client_that_loses_the_right_is_disconnected_and_all_are_at_the_end() {
    let users = Arc::new(Users::default());
    let relay = Relay::guarded(ControlConfig::default(), None, Arc::clone(&users) as _).await;
    let mut stranger = Client::open(relay.addr, &[]).await;
    let mut root = Client::open(relay.addr, &[ROOT]).await;
    for client in [&mut stranger, &mut root] {
        client.next().await.unwrap();
    }
    relay.control.recheck();
    relay.run("door", "tcp://127.0.0.1:9").await;
    stranger.change("started").await;
    users.is_closed.store(true, Ordering::Relaxed);
    relay.control.recheck();
    while stranger.next().await.is_some() {}
    relay.run("yard", "tcp://127.0.0.1:9").await;
    while root.change("started").await.data["stream"] != "yard" {}
    relay.control.close();
    while root.next().await.is_some() {}
}

#[tokio::test]
async fn pages_of_other_origins_receive_nothing_with_a_cookie() {
    let relay = Relay::start().await;
    let cookie = ("Cookie", "mjpeg_session=1");
    let own = format!("http://{}", relay.addr);
    let open = async |headers: &[(&str, &str)]| Client::open(relay.addr, headers).await.status();
    for headers in [
        [cookie, ("Origin", "http://evil.example")],
        [cookie, ("Origin", "http://127.0.0.1:1")],
        [cookie, ("Sec-Fetch-Site", "cross-site")],
        [cookie, ("Sec-Fetch-Site", "same-site")],
    ] {
        assert_eq!(open(&headers).await, 403, "{headers:?}");
    }
    assert_eq!(open(&[cookie, ("Origin", &own)]).await, 200);
    // What browsers send over plain HTTP: nothing.
    assert_eq!(open(&[cookie]).await, 200);
    assert_eq!(open(&[]).await, 200);
}

#[tokio::test]
async fn past_events_of_a_stream_are_listed_a_page_at_a_time() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    relay.run("yard", "tcp://127.0.0.1:9").await;
    relay.manager.pause("door").unwrap();
    let list = async |query: &str| {
        let path = format!("/streams/door/events{query}");
        let json = relay.send("GET", &path, &[GUARD], "").await.json();
        (
            json["events"].as_array().unwrap().clone(),
            json["next"].as_str().map(str::to_owned),
        )
    };
    until("paused", async || {
        let (events, _) = list("").await;
        events.iter().any(|event| event["state"] == "paused")
    })
    .await;
    let (all, next) = list("").await;
    assert!(next.is_none() && all.iter().all(|event| event["stream"] == "door"));
    assert_eq!(all[0]["change"], "started");
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let (mut page, next) = list(&format!("?limit=1{cursor}")).await;
        assert_eq!(page.len(), 1);
        paged.append(&mut page);
        let Some(next) = next else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    relay
        .get("/streams/door/events?cursor=1")
        .await
        .is_problem(422, "invalid_spec");
    relay
        .get("/streams/none/events")
        .await
        .is_problem(404, "not_found");
    relay
        .stranger("/streams/door/events")
        .await
        .is_problem(401, "unauthorized");
}

/// What the program takes itself, for webhooks.
#[tokio::test]
async fn program_takes_the_events_that_clients_are_sent() {
    let kept = NonZeroUsize::new(4).unwrap();
    let config = ControlConfig::default().with_kept_events(kept);
    let relay = Relay::with(config, None).await;
    let mut events = relay.control.events();
    relay.run("door", "tcp://127.0.0.1:1").await;
    let mut taken = Vec::new();
    while taken.last() != Some(&"offline") {
        let event = timeout(Duration::from_secs(20), events.next())
            .await
            .unwrap();
        assert_eq!(event.stream.as_str(), "door");
        taken.push(event.kind);
        let page = relay.get("/streams/door/events").await;
        let page = page.json();
        let listed = page["events"].as_array().unwrap().iter();
        let json: Value = serde_json::from_str(&event.json).unwrap();
        assert_eq!(json["id"], Value::from(event.id));
        assert!(listed.into_iter().any(|listed| *listed == json), "{json}");
    }
    assert_eq!(taken[0], "started");
    assert_eq!(events.missed(), 0);
    // Too late for all but the latest.
    for _ in 0..4 {
        for verb in ["pause", "resume"] {
            let path = format!("/streams/door/{verb}");
            assert_eq!(relay.root("POST", &path, "").await.status(), 204);
        }
    }
    let paused = async { while events.next().await.kind != "paused" {} };
    timeout(Duration::from_secs(20), paused).await.unwrap();
    assert!(events.missed() > 0);
}

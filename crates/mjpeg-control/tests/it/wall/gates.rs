//! What the wall asks gates, and what it makes of their answers.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_control::ControlConfig;
use mjpeg_manager::{
    HttpOutlet,
    mjpeg_http::{Access, Gate, Grant, Inquiry, ListenerConfig},
};
use mjpeg_testkit::{Camera, WallClient};
use tokio::time::sleep;

use super::client::{closed, opened, opened_by, said, state};
use crate::support::{Relay, Users, live, until};

/// Takes a while for each answer.
#[derive(Default)]
struct Slow {
    asking: AtomicUsize,
    most: AtomicUsize,
    asked: Mutex<Vec<String>>,
    proofs: Mutex<Vec<Option<Bytes>>>,
}

#[async_trait]
impl Gate for Slow {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        let asking = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(asking, Ordering::SeqCst);
        let stream = inquiry.stream.as_deref().unwrap_or_default();
        self.asked.lock().unwrap().push(stream.to_owned());
        self.proofs.lock().unwrap().push(inquiry.proof.clone());
        // A question may be given up.
        let _asking = Asking(&self.asking);
        sleep(Duration::from_millis(20)).await;
        Access::Allow(Grant::default())
    }
}

struct Asking<'a>(&'a AtomicUsize);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Answers as it is told: lets in with a proof, does not decide, or refuses with a status.
#[derive(Default)]
struct Moody {
    mood: Mutex<Option<u16>>,
    asked: AtomicUsize,
}

const UNDECIDED: u16 = 0;

#[async_trait]
impl Gate for Moody {
    async fn decide(&self, _: &Inquiry) -> Access {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            None => Access::Allow(Grant::default().with_proof("a proof")),
            Some(UNDECIDED) => Access::Undecided,
            Some(status) => {
                let response = http::Response::builder().status(status);
                Access::deny(response.body(Bytes::new()).unwrap())
            }
        }
    }
}

#[tokio::test]
async fn tiles_are_admitted_in_order_and_a_few_at_a_time() {
    let gate = Arc::new(Slow::default());
    let http = HttpOutlet::default().with_gate(gate.clone());
    let users = Arc::new(Moody::default());
    let relay = Relay::of_outlet(http, ControlConfig::default(), None, users).await;
    let camera = Camera::start(live()).await;
    let names: Vec<String> = (0..20).map(|n| format!("cam{n:02}")).collect();
    for name in &names {
        relay.run(name, &camera.url()).await;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut client = opened(&relay).await;
    // Those that are asked for and no longer wanted take no place.
    client.show(&names[10..]).await.unwrap();
    client.show(&[]).await.unwrap();
    client.show(&names).await.unwrap();
    state(&mut client, 19, "online").await;
    assert_eq!(gate.most.load(Ordering::SeqCst), 4);
    let asked = gate.asked.lock().unwrap();
    assert_eq!(asked[asked.len() - 20..], names);
    let proofs = gate.proofs.lock().unwrap();
    assert!(
        proofs
            .iter()
            .all(|proof| proof.as_deref() == Some(b"a proof"))
    );
}

#[tokio::test]
async fn only_a_clear_refusal_ends_a_wall_and_events() {
    let gate = Arc::new(Moody::default());
    let relay = Relay::guarded(ControlConfig::default(), None, gate.clone()).await;
    let mut client = opened(&relay).await;
    let head = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n",
        relay.addr
    );
    let mut events = tokio::net::TcpStream::connect(relay.addr).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut events, head.as_bytes())
        .await
        .unwrap();
    let mut buffer = [0; 4096];
    let mut read = async || {
        let reading = tokio::io::AsyncReadExt::read(&mut events, &mut buffer);
        let read = tokio::time::timeout(Duration::from_millis(100), reading).await;
        let length = read.ok()?.unwrap();
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    };
    until("events have begun", async || relay_asked(&gate) >= 2).await;
    while read().await.is_some() {}
    for mood in [UNDECIDED, 429, 503] {
        *gate.mood.lock().unwrap() = Some(mood);
        let before = relay_asked(&gate);
        relay.control.recheck();
        until("both are asked about", async || {
            relay_asked(&gate) == before + 2
        })
        .await;
        client.say(r#"{"type":"ping","id":1}"#).await.unwrap();
        assert_eq!(said(&mut client).await["id"], 1, "{mood}");
        assert_eq!(read().await, None, "{mood}: it goes on");
    }
    *gate.mood.lock().unwrap() = Some(403);
    relay.control.recheck();
    assert_eq!(closed(&mut client).await.0, Some(1008));
    until("events have ended", async || relay_asked(&gate) >= 10).await;
    assert!(read().await.is_some(), "the last chunk");
}

fn relay_asked(gate: &Moody) -> usize {
    gate.asked.load(Ordering::SeqCst)
}

#[tokio::test]
async fn one_address_gets_its_share_of_the_sockets() {
    let config = ControlConfig::default().with_max_walls_per_address(2);
    let relay = Relay::guarded(config, None, Arc::new(Users::default())).await;
    let proxies = [std::net::IpAddr::from([127, 0, 0, 1])];
    let listener = ListenerConfig::default().with_trusted_proxies(proxies);
    relay.handle.configure(listener);
    let from = |address| [("X-Forwarded-For", address)];
    let first = opened_by(&relay, &from("2001:db8::1")).await;
    let _second = opened_by(&relay, &from("2001:db8::2")).await;
    let third = from("2001:db8::3");
    let mut refused = WallClient::open(relay.addr, &third).await.unwrap();
    assert_eq!(closed(&mut refused).await, (Some(1013), vec![]));
    let stats = relay.control.wall_stats();
    assert_eq!((stats.refused_address, stats.refused), (1, 0));
    // Others have shares of their own, and where many share an address there is none.
    let mut others = Vec::new();
    for address in [
        "2001:db8:0:1::1",
        "192.0.2.1",
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.1",
    ] {
        others.push(opened_by(&relay, &from(address)).await);
    }
    drop(first);
    until("a place is free", async || {
        relay.control.wall_stats().sockets == 6
    })
    .await;
    opened_by(&relay, &third).await;
}

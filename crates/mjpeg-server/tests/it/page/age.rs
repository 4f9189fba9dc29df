//! The age that the page shows is true, whatever the link does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

use super::{
    GATEWAY, Relay,
    browsing::{browser, no_violations, value},
    wall::{before, cameras, moves},
};
use crate::browser::Driver;

/// Passes connections on to a relay. What the relay sends arrives so many milliseconds late.
async fn slow_link(relay: SocketAddr) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let late_ms = Arc::new(AtomicU64::new(0));
    let late = Arc::clone(&late_ms);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, relay, Arc::clone(&late)));
        }
    });
    (addr, late_ms)
}

async fn pass(client: TcpStream, relay: SocketAddr, late_ms: Arc<AtomicU64>) {
    let relay = TcpStream::connect(relay).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_relay, mut to_relay) = relay.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_relay).await });
    let (waits, mut waiting) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((due, bytes)) = waiting.recv().await {
            sleep_until(due).await;
            if to_client.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from_relay.read(&mut bytes).await {
        let late = Duration::from_millis(late_ms.load(Ordering::Relaxed));
        if waits
            .send((Instant::now() + late, bytes[..n].to_vec()))
            .is_err()
        {
            return;
        }
    }
}

/// Notes each age that a tile shows beside the true one, which a page can know here: relay and
/// browser have the same clock.
const NOTE_TRUTH: &str = "
    window.notes = [];
    let captured = 0;
    const Real = WebSocket;
    window.WebSocket = class extends Real {
      constructor(...args) {
        super(...args);
        this.addEventListener('message', ({ data }) => {
          if (typeof data !== 'string') captured = Number(new DataView(data).getBigUint64(16)) / 1000;
        });
      }
    };
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const shown = target.dataset.ageMs;
        if (shown && captured) notes.push([Number(shown), Date.now() - captured]);
      }
    }).observe(document, { subtree: true, attributeFilter: ['data-age-ms'] });";

#[tokio::test]
async fn age_holds_the_time_that_a_picture_waited_on_the_link() {
    let relay = Relay::start(&[GATEWAY, &*cameras(&["door"])].concat(), 1);
    let (addr, late_ms) = slow_link(relay.addr()).await;
    let driver = Driver::start();
    let browser = browser(&driver).await;
    before(&driver, &browser, NOTE_TRUTH).await;
    browser.goto(&format!("http://{addr}/")).await.unwrap();
    moves(&browser, "door").await;
    let notes = async || {
        value(&browser, "(window.notes = [], 0)").await;
        sleep(Duration::from_secs(6)).await;
        let notes = value(&browser, "window.notes").await;
        serde_json::from_value::<Vec<(f64, f64)>>(notes).unwrap()
    };
    let is_true = |(shown, truth): &&(f64, f64)| (shown - truth).abs() < 500.0;
    let quick = notes().await;
    assert!(
        quick.iter().filter(is_true).count() * 10 >= quick.len() * 9,
        "{quick:?}"
    );
    late_ms.store(2500, Ordering::Relaxed);
    sleep(Duration::from_secs(4)).await;
    let slow = notes().await;
    assert!(
        !slow.is_empty() && slow.iter().all(|(_, truth)| *truth > 2000.0),
        "{slow:?}"
    );
    assert!(
        slow.iter().filter(is_true).count() * 10 >= slow.len() * 9,
        "{slow:?}"
    );
    // The link is good again.
    late_ms.store(0, Ordering::Relaxed);
    sleep(Duration::from_secs(4)).await;
    let quick = notes().await;
    assert!(
        quick.iter().filter(is_true).count() * 10 >= quick.len() * 9,
        "{quick:?}"
    );
    assert!(quick.iter().any(|(shown, _)| *shown < 1000.0), "{quick:?}");
    no_violations(&browser).await;
    browser.close().await.unwrap();
}

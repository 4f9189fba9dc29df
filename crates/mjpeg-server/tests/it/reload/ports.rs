//! Ports come, go, and pass from one stream or gateway to another.

use std::{net::SocketAddr, time::Duration};

use mjpeg_testkit::Viewer;
use tokio::net::{TcpListener, TcpStream};

use super::{GATEWAY, Reloadable, Watcher, camera, get, has, soon, stream};

const INTERVAL: Duration = Duration::from_millis(20);

/// Addresses that were free a moment ago.
async fn free() -> [SocketAddr; 2] {
    let a = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let b = TcpListener::bind("127.0.0.1:0").await.unwrap();
    [a.local_addr().unwrap(), b.local_addr().unwrap()]
}

fn listen(addr: SocketAddr) -> String {
    format!("listen = \"{addr}\"")
}

fn gateway(addr: SocketAddr) -> String {
    format!("[[listen]]\naddress = \"{addr}\"\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn port_passes_from_one_to_another() {
    let (one, two) = (camera(0, INTERVAL).await, camera(200, INTERVAL).await);
    let [a, b] = free().await;
    let with = |name, keys: &str| [GATEWAY, &stream(name, &one.url(), keys)].concat();
    let other = |keys: &str| stream("other", &two.url(), keys);
    let mut relay = Reloadable::start(&[with("old", &listen(a)), other("")].concat(), 3);
    let mut watches = Watcher::open(a, "/").await;
    watches.follow(3).await;

    // Two streams change their ports; their viewers stay.
    let log = relay.reload(&[with("old", &listen(b)), other(&listen(a))].concat());
    assert!(has(&log, "reloaded: 2 changed"), "{log:#?}");
    watches.follow(5).await;
    let mut others = Watcher::open(a, "/").await;
    others.follow_until(200).await;
    let log = relay.reload(&[with("old", &listen(a)), other(&listen(b))].concat());
    assert!(has(&log, "reloaded: 2 changed"), "{log:#?}");
    watches.follow(5).await;
    others.follow(5).await;
    Watcher::open(a, "/").await.follow_until(0).await;
    Watcher::open(b, "/").await.follow_until(200).await;

    // A renamed stream keeps its port.
    let log = relay.reload(&[with("new", &listen(a)), other(&listen(b))].concat());
    assert!(has(&log, "reloaded: 1 added, 1 removed"), "{log:#?}");
    while watches.next().await.is_some() {}
    let mut watches = Watcher::open(a, "/").await;
    watches.follow(3).await;

    // The port of a stream becomes a gateway's, and again a stream's.
    let log = relay.reload(&[with("new", ""), other(&listen(b)), gateway(a)].concat());
    assert!(has(&log, &format!("+ listen listen2: {a}")), "{log:#?}");
    assert_eq!(get(a, "/other/snapshot").await.head.status, 200);
    watches.follow(5).await;
    let mut through = Watcher::open(a, "/other/").await;
    let log = relay.reload(&[with("new", &listen(a)), other(&listen(b))].concat());
    assert!(has(&log, &format!("- listen listen2: {a}")), "{log:#?}");
    assert_eq!(get(a, "/other/snapshot").await.head.status, 404);
    watches.follow(5).await;
    through.follow(5).await;

    // What nobody has any more is closed.
    let log = relay.reload(&[with("new", ""), other(&listen(b))].concat());
    assert!(
        has(&log, &format!("stream new: listen \"{a}\" -> not set")),
        "{log:#?}"
    );
    assert!(TcpStream::connect(a).await.is_err());
    watches.follow(5).await;
    through.follow(5).await;
}

/// While a port passes from stream to stream, it accepts connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_while_a_port_passes() {
    let one = camera(0, INTERVAL).await;
    let [a, _] = free().await;
    let named = |name| stream(name, &one.url(), &listen(a));
    let mut relay = Reloadable::start(&named("first"), 1);
    let asking = tokio::spawn(async move {
        let mut answered = 0;
        while answered < 300 {
            TcpStream::connect(a).await.expect("accepted");
            // The stream may be just ending, and the connection with it.
            let viewer = soon(Viewer::open(a, "/")).await;
            answered += u32::from(viewer.is_ok_and(|viewer| viewer.head().status == 200));
        }
    });
    let mut reloads = 0;
    while !asking.is_finished() || reloads < 2 {
        let name = ["second", "first"][reloads % 2];
        let log = relay.reload(&named(name));
        assert!(has(&log, "reloaded: 1 added, 1 removed"), "{log:#?}");
        reloads += 1;
    }
    asking.await.unwrap();
}

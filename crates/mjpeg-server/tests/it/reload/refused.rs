//! A reload that cannot be made changes nothing.

use std::{net::TcpListener, time::Duration};

use super::{GATEWAY, Reloadable, Watcher, camera, get, has, stream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_changes_if_anything_is_wrong() {
    let one = camera(0, Duration::from_millis(20)).await;
    let stay = stream("stay", &one.url(), "");
    let mut relay = Reloadable::start(&[GATEWAY, &stay].concat(), 2);
    let addr = relay.addr(0);
    let mut stays = Watcher::open(addr, "/stay/").await;
    stays.follow(3).await;
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let limited = stream("stay", &one.url(), "max_viewers = 1");
    let new = stream("new", &one.url(), "");
    let dead = "tcp://127.0.0.1:1";
    for (text, reasons) in [
        ("max_fsp = 1".to_owned(), &["mjpeg.toml:7:1", "max_fsp"][..]),
        (
            stream("new", &one.url(), &format!("listen = \"{taken}\"")),
            &["new: ", "(port_in_use)"],
        ),
        (
            format!("{new}[[listen]]\naddress = \"{taken}\"\n"),
            &["listen2", "(port_in_use)"],
        ),
        (
            new + &stream("dead", dead, "start = \"require\""),
            &["dead: cannot reach the camera", "(tcp_connection_failed)"],
        ),
    ] {
        let log = relay.reload(&[GATEWAY, &limited, &text].concat());
        assert!(
            has(&log, "configuration not reloaded: nothing has changed"),
            "{log:#?}"
        );
        for reason in reasons {
            assert!(has(&log, reason), "{reason}: {log:#?}");
        }
        stays.follow(5).await;
        assert_eq!(get(addr, "/new/").await.head.status, 404);
        Watcher::open(addr, "/stay/").await.follow(1).await;
    }
    // As a program leaves it that is about to write it.
    for text in ["", "# cameras\n"] {
        let log = relay.reload(text);
        assert!(has(&log, "mjpeg.toml: this file is empty"), "{log:#?}");
        stays.follow(5).await;
    }
}

//! What changes, and what does not.

use std::time::Duration;

use super::{GATEWAY, Reloadable, Watcher, camera, get, has, stream};

const INTERVAL: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_has_changed_is_touched() {
    let (one, two) = (camera(0, INTERVAL).await, camera(200, INTERVAL).await);
    let (other, new) = (camera(400, INTERVAL).await, camera(600, INTERVAL).await);
    let stay = stream("stay", &one.url(), "");
    let before = [
        GATEWAY,
        &stay,
        &stream("moved", &two.url(), ""),
        &stream("limited", &one.url(), ""),
        &stream("gone", &two.url(), ""),
    ]
    .concat();
    let mut relay = Reloadable::start(&before, 5);
    let addr = relay.addr(0);
    let mut stays = Watcher::open(addr, "/stay/").await;
    let mut moves = Watcher::open(addr, "/moved/").await;
    let mut limited = Watcher::open(addr, "/limited/").await;
    let mut goes = Watcher::open(addr, "/gone/").await;
    for watcher in [&mut stays, &mut moves, &mut limited, &mut goes] {
        watcher.follow(3).await;
    }

    let after = [
        GATEWAY,
        &stay,
        &stream("moved", &other.url(), ""),
        &stream("limited", &one.url(), "max_viewers = 1"),
        &stream("new", &new.url(), ""),
    ]
    .concat();
    let log = relay.reload(&after);
    assert!(
        has(
            &log,
            "configuration reloaded: 2 changed, 1 added, 1 removed in "
        ),
        "{log:#?}"
    );
    for line in [
        format!(
            "~ stream moved: source \"{}\" -> \"{}\"",
            two.url(),
            other.url()
        ),
        "~ stream limited: max_viewers 10000 -> 1".into(),
        format!("+ stream new: {}", new.url()),
        "- stream gone".into(),
    ] {
        assert!(has(&log, &line), "{line}: {log:#?}");
    }
    stays.follow(20).await;
    limited.follow(20).await;
    moves.follow_until(400).await;
    moves.follow(5).await;
    while goes.next().await.is_some() {}
    assert_eq!(get(addr, "/limited/").await.head.status, 503);
    assert_eq!(get(addr, "/gone/").await.head.status, 404);
    Watcher::open(addr, "/new/").await.follow_until(600).await;
    assert_eq!((one.connections(), two.open()), (2, 0));

    let log = relay.hang_up();
    assert!(
        has(&log, "configuration reloaded: nothing has changed"),
        "{log:#?}"
    );
    stays.follow(5).await;
}

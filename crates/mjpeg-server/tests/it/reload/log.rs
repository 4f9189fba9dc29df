//! What is logged from a reload on.

use super::{GATEWAY, Reloadable, get, has};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filter_holds_at_once_and_its_own_change_is_still_told() {
    let file = |log: &str| format!("log = \"{log}\"\n{GATEWAY}");
    let mut relay = Reloadable::start(&file("info"), 1);
    let accepted = "connection accepted";
    get(relay.addr(0), "/").await;
    let log = relay.reload(&file("mjpeg_http=debug"));
    assert!(!has(&log, accepted), "{log:#?}");
    get(relay.addr(0), "/").await;
    let log = relay.reload(&file("error"));
    assert!(has(&log, accepted), "{log:#?}");
    assert!(has(&log, "log \"info,mjpeg_http=debug\" -> \"error\""));
    assert!(has(&log, "configuration reloaded: 1 changed"));
    get(relay.addr(0), "/").await;
    let log = relay.reload("nonsense");
    assert!(!has(&log, accepted) && !has(&log, "INFO"), "{log:#?}");
    assert!(has(&log, "configuration not reloaded"), "{log:#?}");
}

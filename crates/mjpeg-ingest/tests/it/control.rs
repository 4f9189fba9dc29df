//! Waiting for calls on a control.

use std::time::Duration;

use mjpeg_ingest::Control;
use tokio::time::timeout;

async fn has_changed(control: &mut Control) -> bool {
    let changed = timeout(Duration::from_millis(1), control.changed()).await;
    changed.is_ok()
}

#[tokio::test(start_paused = true)]
async fn each_clone_sees_the_calls_on_all() {
    let control = Control::new();
    let (mut one, mut other) = (control.clone(), control.clone());
    assert!(!has_changed(&mut one).await);
    control.pause();
    assert!(has_changed(&mut one).await && one.is_paused());
    assert!(!has_changed(&mut one).await, "seen already");
    assert!(has_changed(&mut other).await, "not seen by this one yet");
    control.pause();
    assert!(!has_changed(&mut one).await, "it was paused before");
    control.resume();
    control.retry_now();
    assert!(has_changed(&mut one).await && !one.is_paused());
    assert!(!has_changed(&mut one).await, "two calls count as one");
    assert!(!has_changed(&mut one.clone()).await, "seen by its original");
    assert!(
        has_changed(&mut control.clone()).await,
        "not seen by its original"
    );
    one.retry_now();
    assert!(has_changed(&mut one).await, "its own call counts too");
}

#[tokio::test(start_paused = true)]
async fn call_wakes_the_waiting_and_dropped_waits_lose_nothing() {
    let control = Control::new();
    let mut watching = control.clone();
    assert!(!has_changed(&mut watching).await);
    let waiting = tokio::spawn(async move {
        watching.changed().await;
        watching.is_paused()
    });
    tokio::task::yield_now().await;
    control.pause();
    assert!(waiting.await.unwrap());
}

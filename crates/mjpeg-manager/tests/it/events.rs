//! Events of streams.

use std::time::Duration;

use mjpeg_manager::{Change, Events, StartMode, StreamState};
use mjpeg_testkit::{Camera, Script, Step, jpeg, refused_addr};

use crate::support::{live, manager, soon, spec};

/// The next event, as `stream: change`.
async fn next(events: &mut Events) -> String {
    let event = soon(events.next()).await.expect("the manager lives");
    let told = match event.change {
        Change::State(state) => state.as_str().to_owned(),
        Change::Source { index, .. } => format!("source {index}"),
        other => format!("{other:?}").to_lowercase(),
    };
    format!("{}: {told}", event.stream)
}

#[tokio::test]
async fn life_of_a_stream_is_told_in_order() {
    let addr = refused_addr().await;
    let manager = manager();
    let mut events = manager.events();
    manager
        .start(spec("door", addr).with_mode(StartMode::Retry))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await, "door: started");
    assert_eq!(next(&mut events).await, "door: offline");
    let camera = Camera::start_at(addr, live()).await.unwrap();
    assert_eq!(next(&mut events).await, "door: online");
    manager.pause("door").unwrap();
    assert_eq!(next(&mut events).await, "door: paused");
    manager.resume("door").unwrap();
    assert_eq!(next(&mut events).await, "door: connecting");
    assert_eq!(next(&mut events).await, "door: online");
    camera.shutdown().await;
    // One event per reason: closed first, then refused.
    assert_eq!(next(&mut events).await, "door: offline");
    assert_eq!(next(&mut events).await, "door: offline");
    manager.stop("door").await.unwrap();
    assert_eq!(next(&mut events).await, "door: stopped");
    assert_eq!(events.missed(), 0);
    drop(manager);
    assert!(soon(events.next()).await.is_none());
}

#[tokio::test]
async fn frozen_camera_is_told_of_and_stays_connected() {
    let mut steps: Vec<Step> = Vec::new();
    for _ in 0..40 {
        steps.push(Step::Send(jpeg::numbered(1)));
        steps.push(Step::Wait(Duration::from_millis(20)));
    }
    steps.push(Step::Send(jpeg::numbered(2)));
    steps.push(Step::Stall);
    let camera = Camera::start(Script::new(steps)).await;
    let manager = manager();
    let mut events = manager.events();
    let spec = spec("door", camera.addr()).with_frozen_after(Duration::from_millis(200));
    manager.start(spec).await.unwrap();
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "door: moving") {
        let event = next(&mut events).await;
        if event == "door: frozen" {
            let info = manager.get("door").unwrap();
            assert_eq!(info.state, StreamState::Online);
            assert!(info.frozen_since.is_some_and(|since| since >= info.since));
        }
        told.push(event);
    }
    told.retain(|event| event != "door: online" && event != "door: started");
    assert_eq!(told, ["door: frozen", "door: moving"]);
    assert_eq!(manager.get("door").unwrap().frozen_since, None);
    assert_eq!(camera.connections(), 1);
}

#[tokio::test]
async fn change_of_source_is_told() {
    let dead = refused_addr().await;
    let camera = Camera::start(live()).await;
    let manager = manager();
    let mut events = manager.events();
    let spec = spec("door", dead)
        .with_mode(StartMode::Retry)
        .with_fallback(camera.url().parse().unwrap());
    manager.start(spec).await.unwrap();
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "door: online") {
        told.push(next(&mut events).await);
    }
    let expected = [
        "door: started",
        "door: offline",
        "door: source 1",
        "door: online",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn who_does_not_listen_misses_the_oldest_and_is_told_how_many() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let mut events = manager.events();
    // Two events each: it is stopped before a picture comes.
    for _ in 0..150 {
        manager.start(spec("door", camera.addr())).await.unwrap();
        manager.stop("door").await.unwrap();
    }
    let first = soon(events.next()).await.unwrap();
    let missed = events.missed();
    assert!(missed > 0, "{first:?}");
    let mut count = 1;
    while tokio::time::timeout(Duration::from_millis(500), events.next())
        .await
        .is_ok()
    {
        count += 1;
    }
    assert_eq!((events.missed(), count), (missed, 256));
}

#[tokio::test]
async fn stream_whose_camera_is_reached_at_once_is_started_before_it_is_online() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let mut events = manager.events();
    for _ in 0..3 {
        manager.start(spec("door", camera.addr())).await.unwrap();
        assert_eq!(next(&mut events).await, "door: started");
        assert_eq!(next(&mut events).await, "door: online");
        manager.stop("door").await.unwrap();
        assert_eq!(next(&mut events).await, "door: stopped");
    }
}

#[tokio::test]
async fn failed_start_has_no_events() {
    let (dead, camera) = (refused_addr().await, Camera::start(live()).await);
    let manager = manager();
    let mut events = manager.events();
    manager.start(spec("gate", dead)).await.unwrap_err();
    manager.start(spec("door", camera.addr())).await.unwrap();
    assert_eq!(next(&mut events).await, "door: started");
}

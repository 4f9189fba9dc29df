//! How tiles and sockets end.

use std::{sync::atomic::Ordering, time::Duration};

use mjpeg_control::ControlConfig;
use mjpeg_testkit::{Camera, WallClient};
use tokio::time::{Instant, timeout};

use super::client::{closed, opened, opened_by, said, showing, state};
use crate::support::{GUEST, ROOT, Relay, Users, live, until};

#[tokio::test]
async fn kicked_viewer_loses_its_tile_and_comes_back_when_asked() {
    let (relay, _cameras) = showing(&["door", "yard"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door", "yard"]).await.unwrap();
    state(&mut client, 0, "online").await;
    let id = relay.http.viewers("door")[0].id;
    let answer = relay
        .root("DELETE", &format!("/viewers/door:{id}"), "")
        .await;
    assert_eq!(answer.status(), 204);
    let ended = state(&mut client, 0, "ended").await;
    assert_eq!(ended["code"], "kicked");
    assert_eq!(relay.http.viewers("door").len(), 0);
    // The other one runs on.
    for _ in 0..5 {
        assert_eq!(client.painted().await.unwrap().tile, 1);
    }
    client.show(&["door", "yard"]).await.unwrap();
    while client.painted().await.unwrap().tile != 0 {}
}

#[tokio::test]
async fn stream_that_is_removed_ends_its_tile() {
    let (relay, _cameras) = showing(&["door", "yard"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door", "yard"]).await.unwrap();
    state(&mut client, 0, "online").await;
    let stopping = relay.manager.stop("door");
    let ended = state(&mut client, 0, "ended");
    let (stopped, ended) = timeout(Duration::from_secs(2), async {
        tokio::join!(stopping, ended)
    })
    .await
    .expect("the wall holds the stream's end up");
    stopped.unwrap();
    assert_eq!(ended["code"], "not_found");
    assert_eq!(client.painted().await.unwrap().tile, 1);
}

#[tokio::test]
async fn what_is_not_there_or_not_for_them_is_refused_alike() {
    let (relay, _cameras) = showing(&["door", "hidden"]).await;
    let mut client = opened(&relay).await;
    client.show(&["none", "hidden", "door"]).await.unwrap();
    // The streams' own gate is not set here: see the tests of the server.
    let none = state(&mut client, 0, "refused").await;
    assert_eq!(none["code"], "not_found");
    assert!(
        none["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty())
    );
    while client.painted().await.unwrap().tile != 2 {}
}

#[tokio::test]
async fn limit_of_viewers_refuses_a_tile() {
    let (relay, _cameras) = showing(&["door"]).await;
    let config = mjpeg_manager::mjpeg_http::StreamConfig::default();
    let config = config.with_max_viewers(1);
    relay.http.configure(&"door".parse().unwrap(), config);
    let mut client = opened(&relay).await;
    client.show(&["door", "door"]).await.unwrap();
    let refused = state(&mut client, 1, "refused").await;
    assert_eq!(refused["code"], "too_many_viewers");
    assert_eq!(client.painted().await.unwrap().tile, 0);
}

#[tokio::test]
async fn who_may_look_no_longer_is_closed() {
    let users = std::sync::Arc::new(Users::default());
    let relay = Relay::guarded(ControlConfig::default(), None, users.clone() as _).await;
    let mut guest = opened_by(&relay, &[GUEST]).await;
    let mut root = opened_by(&relay, &[ROOT]).await;
    users.is_closed.store(true, Ordering::Relaxed);
    let since = Instant::now();
    relay.control.recheck();
    let (code, _) = closed(&mut guest).await;
    assert_eq!(code, Some(1008));
    assert!(since.elapsed() < Duration::from_secs(1));
    root.say(r#"{"type":"ping","id":1}"#).await.unwrap();
    assert_eq!(said(&mut root).await["id"], 1);
}

#[tokio::test]
async fn shutdown_says_so_and_is_not_held_up() {
    let (relay, _cameras) = showing(&["door"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door"]).await.unwrap();
    client.painted().await.unwrap();
    let mut silent = opened(&relay).await;
    silent.show(&["door"]).await.unwrap();
    until("both watch", async || relay.http.total_viewers() == 2).await;
    let since = Instant::now();
    let draining = relay.control.drain(Duration::from_secs(5));
    let (code, ()) = tokio::join!(async { closed(&mut client).await.0 }, draining);
    assert_eq!(code, Some(1001));
    // The silent one does not answer, and has a second for it.
    assert!(since.elapsed() < Duration::from_secs(3));
    assert_eq!(relay.http.total_viewers(), 0);
    assert_eq!(relay.control.wall_stats().sockets, 0);
    // A wall that is opened later ends at once.
    let mut late = WallClient::open(relay.addr, &[]).await.unwrap();
    assert_eq!(closed(&mut late).await.0, Some(1001));
}

#[tokio::test]
async fn wall_outlives_the_listener_that_it_came_through() {
    let (mut relay, _cameras) = showing(&["door"]).await;
    let mut client = opened(&relay).await;
    client.show(&["door"]).await.unwrap();
    client.painted().await.unwrap();
    relay.stop_listening().await;
    assert!(
        WallClient::open(relay.addr, &[]).await.is_err(),
        "it is closed"
    );
    for _ in 0..50 {
        client.painted().await.unwrap();
    }
}

#[tokio::test]
async fn one_socket_too_many_is_told_to_come_back_later() {
    let config = ControlConfig::default().with_max_walls(2);
    let relay = Relay::with(config, None).await;
    let camera = Camera::start(live()).await;
    relay.run("door", &camera.url()).await;
    let (first, _second) = (opened(&relay).await, opened(&relay).await);
    let mut third = WallClient::open(relay.addr, &[]).await.unwrap();
    assert_eq!(closed(&mut third).await, (Some(1013), vec![]));
    let stats = relay.control.wall_stats();
    assert_eq!((stats.refused, stats.refused_address), (1, 0));
    drop(first);
    until("a place is free", async || {
        relay.control.wall_stats().sockets == 1
    })
    .await;
    opened(&relay).await;
}

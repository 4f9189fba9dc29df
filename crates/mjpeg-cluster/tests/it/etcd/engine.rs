//! A real etcd as the engine: what its answers mean.

use std::time::Duration;

use etcd_client::Client;
use mjpeg_cluster::{
    CommitVerdict, Engine, EngineChange, EngineError, EngineKey, EngineValue, Etcd, EtcdConfig,
    KeyCondition, KeyEdit, LeaseId, NodeName, Transaction,
};
use tokio::time::{sleep, timeout};

use super::{PATIENCE, door, process::Group};

/// The engine, and a client that knows nothing of it.
async fn engine(group: &Group) -> (Etcd, Client) {
    let plant = NodeName::new("plant").unwrap();
    let config = EtcdConfig::new(plant, group.endpoints());
    let etcd = Etcd::connect(config.with_call_timeout(Duration::from_secs(10)));
    let etcd = etcd.await.unwrap();
    let up = async {
        while etcd.read().await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, up).await.expect("etcd is up");
    let client = Client::connect(group.endpoints(), None).await.unwrap();
    (etcd, client)
}

fn owner() -> EngineKey {
    EngineKey::Owner(door())
}

fn claim(node: &str, lease: Option<LeaseId>) -> KeyEdit {
    let json = format!(r#"{{"node":"{node}","address":"{node}.lan:1"}}"#);
    let value = EngineValue::parse(&owner(), json.as_bytes()).unwrap();
    KeyEdit::Put(value, lease)
}

#[tokio::test]
async fn lease_is_no_shorter_than_was_asked_for() {
    let Some(group) = Group::start(1) else { return };
    let (etcd, client) = engine(&group).await;
    for (asked, granted) in [(4500, 5), (5000, 5)] {
        let lease = etcd.grant(Duration::from_millis(asked)).await.unwrap();
        let mut leases = client.lease_client();
        let told = leases.time_to_live(lease.get(), None).await.unwrap();
        assert_eq!(told.granted_ttl(), granted, "{asked} ms");
    }
}

#[tokio::test]
async fn what_has_a_lease_ends_with_it_and_the_lease_is_known_to_be_gone() {
    let Some(group) = Group::start(1) else { return };
    let (etcd, _) = engine(&group).await;
    let lease = etcd.grant(Duration::from_secs(60)).await.unwrap();
    assert!(etcd.keep_alive(lease).await.unwrap());
    let put = Transaction::new().then(claim("a", Some(lease)));
    etcd.commit(&put).await.unwrap();
    assert_eq!(etcd.read().await.unwrap().stored.len(), 1);
    etcd.revoke(lease).await.unwrap();
    assert!(etcd.read().await.unwrap().stored.is_empty());
    assert!(!etcd.keep_alive(lease).await.unwrap());
    let refused = etcd.commit(&put).await.unwrap_err();
    assert!(matches!(refused, EngineError::Refused(_)), "{refused:?}");
    assert!(refused.is_answer());
}

#[tokio::test]
async fn transaction_is_executed_if_all_its_conditions_hold() {
    let Some(group) = Group::start(1) else { return };
    let (etcd, _) = engine(&group).await;
    let lease = etcd.grant(Duration::from_secs(60)).await.unwrap();
    let commit = async |condition, edit| {
        let transaction = Transaction::new().when(condition).then(edit);
        etcd.commit(&transaction).await.unwrap()
    };
    let absent = || KeyCondition::Absent(owner());
    let created = |revision| KeyCondition::Created(owner(), revision);
    let first = commit(absent(), claim("a", Some(lease))).await;
    let CommitVerdict::Done(epoch) = first else {
        panic!("nobody has it");
    };
    let second = commit(absent(), claim("b", Some(lease))).await;
    assert_eq!(second, CommitVerdict::Not);
    let other = commit(created(epoch + 1), KeyEdit::Delete(owner())).await;
    assert_eq!(other, CommitVerdict::Not);
    let change = commit(created(epoch), claim("c", Some(lease))).await;
    assert!(matches!(change, CommitVerdict::Done(later) if later > epoch));
    let image = etcd.read().await.unwrap();
    assert!(image.revision > epoch);
    let [stored] = &image.stored[..] else {
        panic!("{image:?}");
    };
    assert_eq!((stored.created, stored.lease), (epoch, Some(lease)));
    let put = KeyEdit::Put(stored.value.clone(), Some(lease));
    assert_eq!(put, claim("c", Some(lease)));
    let release = commit(created(epoch), KeyEdit::Delete(owner())).await;
    assert!(matches!(release, CommitVerdict::Done(_)));
    assert!(etcd.read().await.unwrap().stored.is_empty());
}

#[tokio::test]
async fn watch_tells_all_that_comes_after_what_was_read() {
    let Some(group) = Group::start(1) else { return };
    let (etcd, client) = engine(&group).await;
    let before = etcd.read().await.unwrap().revision;
    let put = Transaction::new().then(claim("a", None));
    etcd.commit(&put).await.unwrap();
    let mut watch = etcd.watch(before).await.unwrap();
    let told = timeout(PATIENCE, watch.next()).await.expect("it tells");
    let told = told.unwrap();
    assert_eq!(told.revision, before + 1);
    assert!(
        matches!(&told.changes[..], [EngineChange::Put(stored)] if stored.created == before + 1)
    );
    // What is put over it and is none of ours takes its place.
    let mut keys = client.kv_client();
    keys.put("/mjpeg/plant/owners/door", "{", None)
        .await
        .unwrap();
    let told = timeout(PATIENCE, watch.next()).await.expect("it tells");
    assert_eq!(told.unwrap().changes, [EngineChange::Deleted(owner())]);
    assert_eq!(etcd.skipped(), 1);
}

#[tokio::test]
async fn watch_of_what_etcd_has_forgotten_ends() {
    let Some(group) = Group::start(1) else { return };
    let (etcd, client) = engine(&group).await;
    let before = etcd.read().await.unwrap().revision;
    for node in ["a", "b", "c"] {
        let put = Transaction::new().then(claim(node, None));
        etcd.commit(&put).await.unwrap();
    }
    let mut keys = client.kv_client();
    let newest = i64::try_from(before + 3).unwrap();
    keys.compact(newest, None).await.unwrap();
    let watching = async { etcd.watch(before).await?.next().await };
    let ended = timeout(seconds(20), watching).await.expect("it ends");
    ended.expect_err("it cannot tell all");
}

#[tokio::test]
async fn all_keys_of_a_large_cluster_are_read_and_watched() {
    let Some(group) = Group::start(1) else { return };
    let (etcd, client) = engine(&group).await;
    let before = etcd.read().await.unwrap().revision;
    let mut keys = client.kv_client();
    // More than a client of gRPC takes by default.
    let large = "x".repeat(1_000_000);
    for number in 0..6 {
        let key = format!("/mjpeg/plant/else/{number}");
        keys.put(key, large.clone(), None).await.unwrap();
    }
    let image = etcd.read().await.unwrap();
    assert_eq!((image.revision, etcd.skipped()), (before + 6, 6));
    let mut watch = etcd.watch(before).await.unwrap();
    let watching = async { while watch.next().await.unwrap().revision < before + 6 {} };
    timeout(PATIENCE, watching).await.expect("it tells all");
}

#[tokio::test]
async fn engine_that_is_not_there_has_got_no_request() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let plant = NodeName::new("plant").unwrap();
    let etcd = Etcd::connect(EtcdConfig::new(plant, [endpoint])).await;
    let failed = etcd.unwrap().read().await.unwrap_err();
    assert!(matches!(failed, EngineError::Unreachable(_)), "{failed:?}");
    assert!(!failed.is_answer());
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

//! What other nodes and people write: names, addresses, keys, values, digests.

use mjpeg_cluster::{EngineKey, EngineValue, NodeName, PeerAddress, SharedName, SpecKey};

#[test]
fn name_is_short_and_plain() {
    let longest = "n".repeat(NodeName::MAX_BYTES);
    for good in ["a", "relay-1.lan_2", &longest] {
        assert_eq!(NodeName::new(good).unwrap().as_str(), good);
    }
    let longer = "n".repeat(NodeName::MAX_BYTES + 1);
    for bad in ["", "a/b", "a b", "ä", "a\u{1b}[2J", "a\n", &longer] {
        assert!(NodeName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn stream_has_a_name_that_a_relay_can_have() {
    let longest = "n".repeat(SharedName::MAX_BYTES);
    for good in ["a", "front_door-2", &longest] {
        assert_eq!(SharedName::new(good).unwrap().as_str(), good);
    }
    let longer = "n".repeat(SharedName::MAX_BYTES + 1);
    for bad in [
        "", "a.b", "a~b", "a/b", "a b", "ä", "..", "a\u{1b}[2J", &longer,
    ] {
        assert!(SharedName::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn address_has_a_host_and_a_port() {
    for good in ["relay-1.lan:7443", "10.0.0.1:1", "[fd00::1]:65535"] {
        assert_eq!(PeerAddress::new(good).unwrap().as_str(), good);
    }
    let long = format!("{}:1", "h".repeat(PeerAddress::MAX_BYTES - 1));
    for bad in [
        "",
        "relay",
        ":7443",
        "relay:",
        "relay:0",
        "relay:65536",
        "relay:+1",
        "user@relay:1",
        "relay/x:1",
        "http://relay:1",
        "fd00::1:1",
        "[]:1",
        "[relay]:1",
        "a\r\nX:1",
        &long,
    ] {
        assert!(PeerAddress::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn key_is_read_as_it_is_written() {
    let node = NodeName::new("relay-1.lan").unwrap();
    let stream = SharedName::new("door").unwrap();
    for key in [
        EngineKey::Member(node.clone()),
        EngineKey::Node(node),
        EngineKey::Stream(stream.clone()),
        EngineKey::Owner(stream),
    ] {
        assert_eq!(EngineKey::parse(key.text().as_bytes()), Some(key));
    }
    for foreign in [
        "door",
        "owners/",
        "owners/a/b",
        "else/door",
        "owners/a\u{1b}",
        "owners/a.b",
        "streams/a.b",
        "/owners/a",
    ] {
        assert_eq!(EngineKey::parse(foreign.as_bytes()), None, "{foreign:?}");
    }
    assert_eq!(EngineKey::parse(b"owners/\xff"), None);
}

#[test]
fn value_is_bounded_and_must_be_what_belongs_there() {
    let owner = EngineKey::Owner(SharedName::new("door").unwrap());
    let good = r#"{"node":"a","address":"a.lan:1","new":{"in":"a later version"}}"#;
    let value = EngineValue::parse(&owner, good.as_bytes()).unwrap();
    assert_eq!(EngineValue::parse(&owner, &value.to_json()), Some(value));
    for bad in [
        "",
        "{",
        "[]",
        "null",
        r#"{"node":"a"}"#,
        r#"{"node":"a/b","address":"a:1"}"#,
        r#"{"node":"a","address":"a"}"#,
        r#"{"node":1,"address":"a:1"}"#,
    ] {
        assert_eq!(EngineValue::parse(&owner, bad.as_bytes()), None, "{bad}");
    }
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    // What is skipped takes no stack, and what is kept must not be deep.
    let skipped = format!(r#"{{"node":"a","address":"a:1","x":{deep}}}"#);
    assert!(EngineValue::parse(&owner, skipped.as_bytes()).is_some());
    let stream = EngineKey::Stream(SharedName::new("door").unwrap());
    let kept = format!(r#"{{"x":{deep}}}"#);
    assert_eq!(EngineValue::parse(&stream, kept.as_bytes()), None);
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    assert!(EngineValue::parse(&owner, padded(EngineValue::MAX_BYTES).as_bytes()).is_some());
    assert!(EngineValue::parse(&owner, padded(EngineValue::MAX_BYTES + 1).as_bytes()).is_none());
}

#[test]
fn digest_tells_specs_apart_and_leaves_out_where_a_node_listens() {
    let key = SpecKey::new(b"secret");
    let digest = key.digest([("source", "tcp://c:1"), ("rotate", "90"), ("listen", ":1")]);
    let same = key.digest([("rotate", "90"), ("source", "tcp://c:1"), ("listen", ":2")]);
    assert_eq!(digest, same);
    for other in [
        key.digest([("source", "tcp://c:1"), ("rotate", "180")]),
        key.digest([("source", "tcp://c:1")]),
        key.digest([("source", "tcp://c:1rotate"), ("", "90")]),
        SpecKey::new(b"another").digest([("source", "tcp://c:1"), ("rotate", "90")]),
    ] {
        assert_ne!(digest, other);
    }
    assert_eq!(format!("{key:?}"), "SpecKey(***)");
}

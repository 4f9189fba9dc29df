//! Uses only mjpeg-cluster: two nodes agree that a stream of theirs is the same.

use mjpeg_cluster::{ClusterConfig, NodeName, PeerAddress, SharedStream, SpecKey, StreamDocument};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = SpecKey::new(b"a secret of the cluster");
    let one = key.digest([("source", "tcp://camera:1"), ("listen", "0.0.0.0:8001")]);
    let other = key.digest([("listen", "0.0.0.0:8002"), ("source", "tcp://camera:1")]);
    assert_eq!(SharedStream::new(one), SharedStream::new(other));
    let node = NodeName::new("relay-1")?;
    let config = ClusterConfig::new(node, PeerAddress::new("relay-1.lan:7443")?);
    assert_eq!(config.lease().as_secs(), 3);
    let secret = r#"{"source":"http://camera/","password":"hunter2"}"#;
    assert!(StreamDocument::new(secret, &["password"]).is_err());
    Ok(())
}

//! What etcd stores, as what it means.

use etcd_client::KeyValue;

use crate::engine::{
    lease::LeaseId,
    record::{EngineKey, EngineValue, Stored},
};

/// The key of a pair. None if it is none of ours.
pub(super) fn key_of(prefix: &str, pair: &KeyValue) -> Option<EngineKey> {
    EngineKey::parse(pair.key().strip_prefix(prefix.as_bytes())?)
}

/// The value of a pair, with its key. None if it is not what belongs there.
pub(super) fn stored(prefix: &str, pair: &KeyValue) -> Option<Stored> {
    let value = EngineValue::parse(&key_of(prefix, pair)?, pair.value())?;
    let lease = (pair.lease() != 0).then(|| LeaseId::new(pair.lease()));
    Some(Stored {
        value,
        created: pair.create_revision().unsigned_abs(),
        lease,
    })
}

//! Which node a stream belongs on: rendezvous hashing, which needs no talk between nodes, and
//! moves nothing but the streams of a node that leaves.

use crate::{
    engine::record::NodeRecord,
    name::{NodeName, SharedName},
    spec::{SharedStream, SpecDigest},
};

/// A node that may be given streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'a NodeName,
    /// The revision at which it came up.
    pub(crate) created: u64,
    pub(crate) record: &'a NodeRecord,
    /// How many streams it owns.
    pub(crate) owned: usize,
}

/// Whether a node may own a stream at all, however many it owns.
pub(crate) fn may_own(
    name: &NodeName,
    record: &NodeRecord,
    stream: &SharedName,
    spec: &SharedStream,
) -> bool {
    let has = |(key, value): (&String, &String)| record.labels.get(key) == Some(value);
    !record.draining
        && record.streams.get(stream) == Some(&spec.digest)
        && spec.requires.iter().all(has)
        && spec.pinned.as_ref().is_none_or(|pinned| pinned == name)
}

/// The place of a node in the order in which nodes are to claim a stream, from 0. None if it is not
/// to claim it.
///
/// The order is the same on all nodes that know the same.
pub(crate) fn place_of<'a>(
    node: &NodeName,
    stream: &SharedName,
    spec: &SharedStream,
    nodes: impl Iterator<Item = Candidate<'a>>,
) -> Option<usize> {
    let mut own = None;
    let mut better = Vec::new();
    for candidate in nodes {
        let full = candidate.owned >= candidate.record.capacity as usize;
        if full || !may_own(candidate.name, candidate.record, stream, spec) {
            continue;
        }
        let key = (weight(candidate.name, stream), candidate.name);
        if candidate.name == node {
            own = Some(key);
        } else {
            better.push(key);
        }
    }
    let own = own?;
    Some(better.into_iter().filter(|key| *key > own).count())
}

/// The first node in that order.
pub(crate) fn first<'a>(
    stream: &SharedName,
    spec: &SharedStream,
    nodes: impl Iterator<Item = Candidate<'a>>,
) -> Option<&'a NodeName> {
    nodes
        .filter(|node| node.owned < node.record.capacity as usize)
        .filter(|node| may_own(node.name, node.record, stream, spec))
        .map(|node| (weight(node.name, stream), node.name))
        .max()
        .map(|(_, name)| name)
}

/// The digest that counts for a stream, and the node that has it: the owner's, or else that of the
/// node which has been up for longest. A node that has another one is refused.
pub(crate) fn reference<'a>(
    stream: &SharedName,
    owner: Option<&NodeName>,
    nodes: impl Iterator<Item = Candidate<'a>>,
) -> Option<(&'a NodeName, SpecDigest)> {
    let defined = nodes.filter_map(|node| Some((node, *node.record.streams.get(stream)?)));
    let order = |node: &Candidate<'_>| (owner != Some(node.name), node.created);
    let oldest = defined.min_by_key(|(node, _)| order(node))?;
    Some((oldest.0.name, oldest.1))
}

/// A number that is the same on every machine and in every version: FNV-1a, stirred by the
/// finalizer of SplitMix64, because FNV alone hardly mixes the last bytes into the high bits.
fn weight(node: &NodeName, stream: &SharedName) -> u64 {
    let bytes = node
        .as_str()
        .bytes()
        .chain([b'/'])
        .chain(stream.as_str().bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{name::PeerAddress, spec::SpecKey};

    fn record(
        capacity: u32,
        site: &str,
        streams: &[SharedName],
        spec: &SharedStream,
    ) -> NodeRecord {
        NodeRecord {
            address: PeerAddress::new("node:1").unwrap(),
            labels: BTreeMap::from([("site".to_owned(), site.to_owned())]),
            version: String::new(),
            capacity,
            draining: false,
            waiting: false,
            seen: 0,
            floor: 0,
            streams: streams
                .iter()
                .map(|name| (name.clone(), spec.digest))
                .collect(),
        }
    }

    fn spec() -> SharedStream {
        SharedStream::new(SpecKey::new(b"secret").digest([("source", "tcp://c:1")]))
    }

    fn names(prefix: &str, count: usize) -> Vec<NodeName> {
        let name = |at| NodeName::new(&format!("{prefix}{at}")).unwrap();
        (0..count).map(name).collect()
    }

    fn streams(count: usize) -> Vec<SharedName> {
        let name = |at| SharedName::new(&format!("camera-{at}")).unwrap();
        (0..count).map(name).collect()
    }

    fn nodes<'a>(
        names: &'a [NodeName],
        record: &'a NodeRecord,
    ) -> impl Iterator<Item = Candidate<'a>> {
        let candidate = move |name| Candidate {
            name,
            created: 1,
            record,
            owned: 0,
        };
        names.iter().map(candidate)
    }

    #[test]
    fn streams_spread_evenly_and_only_those_of_a_node_that_leaves_move() {
        let (names, streams, spec) = (names("relay-", 5), streams(1000), spec());
        let record = record(1000, "a", &streams, &spec);
        let mut counts = BTreeMap::new();
        for stream in &streams {
            let before = first(stream, &spec, nodes(&names, &record)).unwrap();
            *counts.entry(before).or_insert(0) += 1;
            let after = first(stream, &spec, nodes(&names[1..], &record)).unwrap();
            assert!(before == after || *before == names[0], "{stream}");
        }
        assert_eq!(counts.len(), 5);
        assert!(
            counts.values().all(|count| (150..=250).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn each_candidate_has_a_place_of_its_own() {
        let (names, streams, spec) = (names("relay-", 4), streams(1), spec());
        let record = record(1, "a", &streams, &spec);
        let place = |name| place_of(name, &streams[0], &spec, nodes(&names, &record)).unwrap();
        let mut places: Vec<_> = names.iter().map(place).collect();
        let first = first(&streams[0], &spec, nodes(&names, &record)).unwrap();
        assert_eq!(place(first), 0);
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3]);
    }

    #[test]
    fn full_foreign_draining_and_unlabelled_nodes_are_none() {
        let (names, streams) = (names("relay-", 1), streams(1));
        let labels = BTreeMap::from([("site".to_owned(), "a".to_owned())]);
        let spec = spec().with_requires(labels);
        let good = record(1, "a", &streams, &spec);
        let place = |record: &NodeRecord, spec: &SharedStream, owned| {
            let name = &names[0];
            let node = Candidate {
                name,
                created: 1,
                record,
                owned,
            };
            place_of(name, &streams[0], spec, [node].into_iter())
        };
        assert_eq!(place(&good, &spec, 0), Some(0));
        assert_eq!(place(&good, &spec, 1), None);
        assert_eq!(place(&record(1, "b", &streams, &spec), &spec, 0), None);
        assert_eq!(place(&record(1, "a", &[], &spec), &spec, 0), None);
        let draining = NodeRecord {
            draining: true,
            ..good.clone()
        };
        assert_eq!(place(&draining, &spec, 0), None);
        let pinned = spec.with_pinned(NodeName::new("another").unwrap());
        assert_eq!(place(&good, &pinned, 0), None);
    }
}

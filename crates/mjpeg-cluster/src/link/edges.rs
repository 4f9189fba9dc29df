//! Which nodes read which stream.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::address::LinkNodeId;

/// The nodes that read streams from this one.
#[derive(Debug, Default)]
pub(super) struct Edges(Mutex<EdgeTable>);

#[derive(Debug, Default)]
struct EdgeTable {
    next: u64,
    streams: HashMap<String, Vec<Edge>>,
}

#[derive(Debug)]
struct Edge {
    id: u64,
    node: Option<LinkNodeId>,
}

/// Counts one node for as long as it lives.
#[derive(Debug)]
pub(super) struct EdgePlace {
    edges: Arc<Edges>,
    stream: String,
    id: u64,
}

impl Edges {
    /// Takes a place, unless there are `most` already.
    pub(super) fn take(
        self: &Arc<Self>,
        stream: &str,
        node: Option<LinkNodeId>,
        most: usize,
    ) -> Option<EdgePlace> {
        let mut table = self.table();
        let id = table.next;
        let edges = table.streams.get(stream).map_or(0, Vec::len);
        if edges >= most {
            return None;
        }
        table.next += 1;
        let edges = table.streams.entry(stream.to_owned()).or_default();
        edges.push(Edge { id, node });
        Some(EdgePlace {
            edges: Arc::clone(self),
            stream: stream.to_owned(),
            id,
        })
    }

    /// The nodes that read a stream and have said who they are.
    pub(super) fn of(&self, stream: &str) -> Vec<LinkNodeId> {
        let table = self.table();
        let edges = table.streams.get(stream).into_iter().flatten();
        edges.filter_map(|edge| edge.node.clone()).collect()
    }

    /// How many there are, over all streams.
    pub(super) fn count(&self) -> usize {
        self.table().streams.values().map(Vec::len).sum()
    }

    fn table(&self) -> MutexGuard<'_, EdgeTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EdgePlace {
    fn drop(&mut self) {
        let mut table = self.edges.table();
        if let Some(edges) = table.streams.get_mut(&self.stream) {
            edges.retain(|edge| edge.id != self.id);
            if edges.is_empty() {
                table.streams.remove(&self.stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_counted_and_named_for_each_stream_alone() {
        let edges = Arc::new(Edges::default());
        let node = |name| LinkNodeId::new(name, "host:1").ok();
        let door = edges.take("door", node("a"), 1).expect("the first");
        let yard = edges.take("yard", node("b"), 1).expect("another stream");
        assert!(edges.take("door", node("c"), 1).is_none());
        let nameless = edges.take("yard", None, 2).expect("the second");
        assert_eq!(edges.count(), 3);
        assert_eq!(edges.of("door"), Vec::from_iter(node("a")));
        assert_eq!(edges.of("yard"), Vec::from_iter(node("b")));
        drop(door);
        assert_eq!((edges.of("door"), edges.count()), (Vec::new(), 2));
        drop((yard, nameless));
        assert_eq!(edges.count(), 0);
    }
}

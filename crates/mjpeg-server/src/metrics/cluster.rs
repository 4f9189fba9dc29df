//! The figures of a cluster.

use std::fmt;

use super::families::{Families, Label};
use crate::cluster::figures::{ClusterFigures, SharedStreamFigures};

type ReadFigure = fn(&SharedStreamFigures) -> u64;

/// Writes the figures of a node, if the relay is one.
pub(super) fn encode(node: Option<&ClusterFigures>, families: &mut Families<'_>) -> fmt::Result {
    let Some(node) = node else {
        return Ok(());
    };
    let gauges: [(&str, &str, u64); 5] = [
        (
            "mjpeg_cluster_engine_up",
            "1 if the node reaches the engine, else 0.",
            node.is_engine_up.into(),
        ),
        (
            "mjpeg_cluster_hold",
            "1 if the node keeps its cameras without the engine, as no other node reaches it \
             either, else 0.",
            node.holds.into(),
        ),
        (
            "mjpeg_cluster_nodes",
            "Nodes that are up.",
            node.nodes as u64,
        ),
        (
            "mjpeg_cluster_members",
            "Nodes that belong to the cluster, up or down.",
            node.members as u64,
        ),
        (
            "mjpeg_cluster_edges",
            "Streams that other nodes read from this one now.",
            node.edges,
        ),
    ];
    for (name, help, value) in gauges {
        families.gauges(name, help, [([], value)])?;
    }
    families.gauges(
        "mjpeg_cluster_lease_remaining_seconds",
        "For how long the node may use its cameras if it hears nothing more of the engine.",
        [([], node.lease_remaining.as_secs_f64())],
    )?;
    let counters: [(&str, &str, u64); 3] = [
        (
            "mjpeg_cluster_claims",
            "Cameras that the node has taken over.",
            node.claims,
        ),
        (
            "mjpeg_cluster_self_fences",
            "How often the node has let go of all its cameras because it had not heard of the \
             engine in time.",
            node.self_fences,
        ),
        (
            "mjpeg_cluster_pulls",
            "Streams that the node began to read from other nodes.",
            node.pulls,
        ),
    ];
    for (name, help, value) in counters {
        families.counters(name, help, [([], value)])?;
    }
    families.counters(
        "mjpeg_cluster_pull_failures",
        "Streams that could not be read from another node, or no longer: no connection, silence \
         for 3 s, something that the link does not allow.",
        node.pull_failures
            .map(|(reason, count)| ([("reason", reason)], count)),
    )?;
    families.counters(
        "mjpeg_cluster_edges_refused",
        "Requests of other nodes that were not answered with a stream, by reason.",
        node.refused
            .map(|(reason, count)| ([("reason", reason)], count)),
    )?;
    streams(&node.streams, families)
}

fn streams(streams: &[SharedStreamFigures], families: &mut Families<'_>) -> fmt::Result {
    let gauges: [(&str, &str, ReadFigure); 4] = [
        (
            "mjpeg_cluster_stream_owned",
            "1 if this node reads the camera itself, else 0.",
            |stream| stream.is_owned.into(),
        ),
        (
            "mjpeg_cluster_stream_epoch",
            "A number that grows each time that another node takes the camera; 0 if none has it.",
            |stream| stream.epoch,
        ),
        (
            "mjpeg_cluster_stream_pulled",
            "1 if the stream is read from another node now, else 0.",
            |stream| stream.is_pulled.into(),
        ),
        (
            "mjpeg_cluster_stream_conflict",
            "1 if another node has other keys for a stream of this name, else 0.",
            |stream| stream.is_in_conflict.into(),
        ),
    ];
    for (name, help, read) in gauges {
        let samples = streams.iter().map(|stream| {
            let label: [Label<'_>; 1] = [("stream", stream.name.as_str())];
            (label, read(stream))
        });
        families.gauges(name, help, samples)?;
    }
    Ok(())
}

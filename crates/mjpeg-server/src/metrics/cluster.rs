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
    let gauges: [(&str, &str, u64); 6] = [
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
            "mjpeg_cluster_engine_rewound",
            "1 if the engine has gone back in time, as after a restored backup, so that the node \
             takes over no camera, else 0.",
            node.is_rewound.into(),
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
            "mjpeg_cluster_stale_frames",
            "Frames left out because they did not come after those before: of an owner of before.",
            node.stale_frames,
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
        "mjpeg_cluster_moves",
        "Cameras that the node has taken over, by why: nobody had it, its owner was gone, drained \
         or gave it up, somebody asked for it, or the node has had it before.",
        node.moves
            .map(|(reason, count)| ([("reason", reason)], count)),
    )?;
    families.counters(
        "mjpeg_cluster_pull_failures",
        "Streams that could not be read from another node, or no longer: no connection, silence \
         for 3 s, something that the link does not allow, an address of no node.",
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
    let gauges: [(&str, &str, ReadFigure); 3] = [
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
    let pulled = streams.iter().filter_map(|stream| {
        let label: [Label<'_>; 1] = [("stream", stream.name.as_str())];
        Some((label, stream.pull_age?.as_secs_f64()))
    });
    families.gauges(
        "mjpeg_cluster_pull_age_seconds",
        "The age of the newest frame when another node sent it; only of streams that are read from \
         one now.",
        pulled,
    )
}

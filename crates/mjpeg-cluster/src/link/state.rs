//! What nodes tell one another of a camera, as JSON.

use std::time::Duration;

use mjpeg_fanout::Status;
use mjpeg_ingest::escaped;
use serde::{Deserialize, Serialize};

use super::node::LinkStream;

/// What another node says of a stream that is read from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkReport {
    /// False if the camera is lost. It is true while it is being connected, too.
    pub is_online: bool,
    /// The epoch in which its owner reads it, if that is known.
    pub epoch: Option<u64>,
    /// For how long the camera has been lost, if that is known.
    pub offline_for: Option<Duration>,
    /// Why it is lost, for people: one line of at most 200 characters.
    pub why: Option<String>,
    /// How many viewers that node has, nodes included.
    pub viewers: u64,
    /// How many nodes stand between that node and the owner.
    pub depth: u8,
}

/// The same on the wire. Members that are not known are passed over: adjacent versions work
/// together.
#[derive(Serialize, Deserialize)]
struct WireState {
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offline_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default)]
    viewers: u64,
    #[serde(default)]
    depth: u8,
}

impl LinkReport {
    /// Reads it; `None` if it is none.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let wire: WireState = serde_json::from_slice(json).ok()?;
        let why = wire.why.map(|why| {
            let line: String = escaped(&why).chars().take(MAX_WHY_CHARS).collect();
            line
        });
        Some(Self {
            is_online: wire.state != OFFLINE,
            epoch: wire.epoch,
            offline_for: wire.offline_ms.map(Duration::from_millis),
            why,
            viewers: wire.viewers,
            depth: wire.depth,
        })
    }
}

/// Writes how a stream of this node is.
pub(super) fn render(stream: &LinkStream) -> Vec<u8> {
    let status = stream.consumer.status();
    let newest = || stream.consumer.latest().map(|frame| frame.id().epoch);
    let outage = stream.outage.as_ref();
    let outage = outage.filter(|_| status == Status::Offline);
    let wire = WireState {
        state: status.to_string(),
        epoch: stream.epoch.or_else(newest),
        offline_ms: outage.map(|outage| millis(outage.lasted)),
        why: outage.map(|outage| outage.why.chars().take(MAX_WHY_CHARS).collect()),
        viewers: stream.consumer.viewers() as u64,
        depth: stream.depth,
    };
    serde_json::to_vec(&wire).expect("numbers and texts are always JSON")
}

fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

const OFFLINE: &str = "offline";

const MAX_WHY_CHARS: usize = 200;

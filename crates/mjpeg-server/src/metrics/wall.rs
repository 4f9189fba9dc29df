//! The figures of the wall sockets.

use std::fmt;

use mjpeg_control::{ControlApi, WallStats};

use super::families::Families;

/// A reading of the wall sockets.
#[derive(Debug)]
pub(super) struct WallReading {
    stats: WallStats,
    limit: usize,
}

impl WallReading {
    pub(super) fn new(control: &ControlApi) -> Self {
        Self {
            stats: control.wall_stats(),
            limit: control.max_walls(),
        }
    }

    pub(super) fn encode(&self, families: &mut Families<'_>) -> fmt::Result {
        let stats = &self.stats;
        families.gauges(
            "mjpeg_walls",
            "Wall sockets that are open.",
            [([], stats.sockets)],
        )?;
        families.gauges(
            "mjpeg_walls_limit",
            "How many wall sockets may be open.",
            [([], self.limit as u64)],
        )?;
        families.gauges(
            "mjpeg_wall_tiles",
            "Tiles of walls that show a stream: each is a viewer.",
            [([], stats.tiles)],
        )?;
        families.counters(
            "mjpeg_walls_opened",
            "Wall sockets opened.",
            [([], stats.opened)],
        )?;
        families.counters(
            "mjpeg_walls_refused",
            "Wall sockets refused because as many as allowed were open.",
            [
                ([("reason", "relay_full")], stats.refused),
                ([("reason", "address_full")], stats.refused_address),
            ],
        )?;
        families.counters(
            "mjpeg_wall_frames_sent",
            "Frames sent to tiles, repeats included.",
            [([], stats.frames)],
        )?;
        families.counters(
            "mjpeg_wall_sent_bytes",
            "Bytes of the frames sent to tiles.",
            [([], stats.sent_bytes)],
        )?;
        families.counters(
            "mjpeg_walls_cut",
            "Wall sockets closed because the client sent what is not understood or too many \
             messages, did not answer, or took too long for a frame.",
            [
                ([("reason", "invalid")], stats.invalid),
                ([("reason", "flood")], stats.floods),
                ([("reason", "stall")], stats.stalls),
                ([("reason", "send_timeout")], stats.send_timeouts),
            ],
        )
    }
}

//! The figures of the ports at which pictures are taken.

use std::fmt;

use mjpeg_manager::mjpeg_ingest::PushStats;

use super::families::Families;

pub(super) fn encode(stats: PushStats, families: &mut Families<'_>) -> fmt::Result {
    let refused = stats.refused.saturating_sub(stats.wrong_tokens);
    families.counters(
        "mjpeg_push_requests",
        "Requests that were answered at the ports of http-listen:// sources.",
        [
            ([("result", "taken")], stats.taken),
            ([("result", "refused")], refused),
            ([("result", "wrong_token")], stats.wrong_tokens),
        ],
    )?;
    families.counters(
        "mjpeg_push_connections_closed",
        "Connections closed at the ports of http-listen:// sources by a limit.",
        [
            ([("reason", "max_connections")], stats.connections_refused),
            ([("reason", "max_head_bytes")], stats.heads_too_large),
            ([("reason", "head_timeout")], stats.head_timeouts),
            ([("reason", "idle_timeout")], stats.idle_timeouts),
        ],
    )
}

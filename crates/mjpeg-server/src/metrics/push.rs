//! The figures of pushed pictures: of ports for them, and of gateways.

use std::fmt;

use mjpeg_control::{ControlApi, GatewayPushStats};
use mjpeg_manager::mjpeg_ingest::PushStats;

use super::families::Families;

/// A reading of what was pushed.
#[derive(Debug)]
pub(super) struct PushFigures {
    ports: PushStats,
    /// `None` where there is no gateway that takes pictures.
    gateways: Option<GatewayPushStats>,
}

impl PushFigures {
    pub(super) fn now(control: Option<&ControlApi>) -> Self {
        Self {
            ports: PushStats::read(),
            gateways: control.map(ControlApi::push_stats),
        }
    }

    pub(super) fn encode(&self, families: &mut Families<'_>) -> fmt::Result {
        if let Some(gateways) = self.gateways {
            families.counters(
                "mjpeg_gateway_push_requests",
                "Requests that sent pictures to gateways, by the status of the answer.",
                gateways
                    .answers()
                    .map(|(status, count)| ([("status", status)], count)),
            )?;
        }
        let stats = &self.ports;
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
}

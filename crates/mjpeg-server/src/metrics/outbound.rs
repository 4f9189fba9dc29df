//! The figures of what the relay itself sends requests to.

use std::fmt;

use mjpeg_auth::HookStats;

use super::families::Families;
use crate::webhooks::stats::WebhookStats;

type ReadStat = fn(&WebhookStats) -> u64;

/// Writes the figures of webhooks, if there are any.
pub(super) fn webhooks(
    webhooks: &[(String, WebhookStats)],
    families: &mut Families<'_>,
) -> fmt::Result {
    if webhooks.is_empty() {
        return Ok(());
    }
    let samples = |read: ReadStat| {
        let all = webhooks.iter();
        all.map(move |(name, stats)| ([("webhook", name.as_str())], read(stats)))
    };
    let counters: [(&str, &str, ReadStat); 4] = [
        (
            "mjpeg_webhook_sent",
            "Events that the receiver of a webhook has taken.",
            |stats| stats.sent,
        ),
        (
            "mjpeg_webhook_retries",
            "Attempts to send an event after the first one.",
            |stats| stats.retries,
        ),
        (
            "mjpeg_webhook_failed",
            "Events that were given up, because the receiver did not take them.",
            |stats| stats.failed,
        ),
        (
            "mjpeg_webhook_dropped",
            "Events that were dropped because a hundred waited.",
            |stats| stats.dropped,
        ),
    ];
    for (name, help, read) in counters {
        families.counters(name, help, samples(read))?;
    }
    families.gauges(
        "mjpeg_webhook_waiting",
        "Events that wait to be sent to a webhook.",
        samples(|stats| stats.waiting),
    )
}

/// Writes the figures of the hook that decides about rights, if there is one.
pub(super) fn hook(stats: Option<&HookStats>, families: &mut Families<'_>) -> fmt::Result {
    let Some(stats) = stats else {
        return Ok(());
    };
    let answers = [
        ("allowed", stats.allowed),
        ("denied", stats.denied),
        ("failed", stats.failed),
        ("refused", stats.refused),
    ];
    families.counters(
        "mjpeg_auth_hook_answers",
        "Questions to the auth hook, by how they were answered; those that are refused were not \
         asked, because too many were.",
        answers.map(|(answer, count)| ([("answer", answer)], count)),
    )
}

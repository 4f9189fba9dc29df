//! How many requests that send pictures were answered, and how.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// How many requests that send pictures [`ControlService::push`](crate::ControlService::push) has
/// answered, from [`ControlApi::push_stats`](crate::ControlApi::push_stats). (Feature `push`.)
///
/// ```
/// use mjpeg_control::GatewayPushStats;
///
/// let none = GatewayPushStats::default();
/// assert!(none.answers().any(|answer| answer == ("401", 0)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayPushStats {
    counts: [u64; STATUSES.len()],
}

impl GatewayPushStats {
    /// Returns how many answers had each status, such as `401`. The last ones are `other`: all that
    /// have none of the statuses before.
    pub fn answers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        STATUSES.into_iter().zip(self.counts)
    }
}

/// The counters behind [`GatewayPushStats`].
#[derive(Debug, Default)]
pub(crate) struct PushAnswers([AtomicU64; STATUSES.len()]);

impl PushAnswers {
    /// Counts an answer.
    pub(super) fn count(&self, status: StatusCode) {
        let known = STATUSES.iter().position(|known| *known == status.as_str());
        if let Some(counter) = self.0.get(known.unwrap_or(STATUSES.len() - 1)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> GatewayPushStats {
        GatewayPushStats {
            counts: self.0.each_ref().map(|count| count.load(Ordering::Relaxed)),
        }
    }
}

/// The statuses that are told apart. So the number of series is bounded, and each begins at 0.
const STATUSES: [&str; 13] = [
    "200", "400", "401", "403", "404", "409", "413", "415", "421", "429", "503", "508", "other",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_counter_and_rare_ones_share_the_last() {
        let answers = PushAnswers::default();
        for status in [200, 401, 401, 500, 418] {
            answers.count(StatusCode::from_u16(status).unwrap());
        }
        let counted = answers.read();
        let counted: Vec<_> = counted.answers().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("200", 1), ("401", 2), ("other", 2)]);
    }
}

//! How many bytes may be on their way to one client.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Bounds the bytes in flight by what the client has acknowledged of late, so that a slow link has
/// one frame in flight, and a fast one as many as it takes in half a second.
///
/// Pure arithmetic over times given from outside.
#[derive(Debug)]
pub(crate) struct Flow {
    most: usize,
    in_flight: usize,
    /// Frames acknowledged of late.
    acked: VecDeque<(Instant, usize)>,
    acked_bytes: usize,
    /// The shortest time in which the client has answered.
    round_trip: Option<Duration>,
}

impl Flow {
    /// Allows this many bytes at most.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            in_flight: 0,
            acked: VecDeque::new(),
            acked_bytes: 0,
            round_trip: None,
        }
    }

    /// Whether a frame of about this many bytes may be sent. One may always be in flight.
    pub(crate) fn allows(&mut self, bytes: usize, now: Instant) -> bool {
        self.forget_old(now);
        let cap = self.acked_bytes.min(self.most);
        self.in_flight == 0 || self.in_flight.saturating_add(bytes) <= cap
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.in_flight += bytes;
    }

    pub(crate) fn acked(&mut self, bytes: usize, now: Instant) {
        self.forget_old(now);
        self.in_flight = self.in_flight.saturating_sub(bytes);
        self.acked.push_back((now, bytes));
        self.acked_bytes += bytes;
    }

    /// Records that these bytes will not be acknowledged.
    pub(crate) fn forgotten(&mut self, bytes: usize) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    /// Records how long the client took to answer a ping.
    pub(crate) fn answered(&mut self, time: Duration) {
        let time = time.min(LONGEST_ROUND_TRIP);
        let shortest = self.round_trip.into_iter().chain([time]).min();
        self.round_trip = shortest;
    }

    fn forget_old(&mut self, now: Instant) {
        let window = IN_FLIGHT_TIME + self.round_trip.unwrap_or_default();
        while let Some(&(at, bytes)) = self.acked.front()
            && now.saturating_duration_since(at) > window
        {
            self.acked_bytes -= bytes;
            self.acked.pop_front();
        }
    }
}

/// How long what is in flight may take at the rate of late, besides the time of a round trip.
const IN_FLIGHT_TIME: Duration = Duration::from_millis(500);

/// A longer one says more of a queue than of the link.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 20_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Sends whenever it may over a link of this rate and round trip, which queues without bound.
    /// Returns the longest time from a frame's writing to its arrival in the second half, and how
    /// many frames arrived in that half.
    fn over_link(bytes_per_second: f64, round_trip: Duration, knows_it: bool) -> (Duration, usize) {
        let start = Instant::now();
        let mut flow = Flow::new(1 << 22);
        if knows_it {
            flow.answered(round_trip);
        }
        let transfer = Duration::from_secs_f64(FRAME as f64 / bytes_per_second);
        let (mut free_at, mut acks) = (start, VecDeque::new());
        let (mut longest, mut arrived) = (Duration::ZERO, 0);
        for step in 0..20_000 {
            let now = start + ms(step);
            while acks.front().is_some_and(|(at, _)| *at <= now) {
                let (_, written): (Instant, Instant) = acks.pop_front().unwrap();
                flow.acked(FRAME, now);
                if step > 10_000 {
                    longest = longest.max(now - written);
                    arrived += 1;
                }
            }
            while flow.allows(FRAME, now) && acks.len() < 128 {
                flow.sent(FRAME);
                free_at = free_at.max(now) + transfer;
                acks.push_back((free_at + round_trip, now));
            }
        }
        (longest, arrived)
    }

    #[tokio::test(start_paused = true)]
    async fn slow_link_has_one_frame_in_flight() {
        // 200 kbit/s: a frame of 20 kB takes 0.8 s.
        let (longest, arrived) = over_link(25_000.0, ms(40), true);
        assert!(longest <= ms(850), "{longest:?}");
        assert!(arrived >= 11, "{arrived}");
    }

    #[tokio::test(start_paused = true)]
    async fn fast_link_is_used() {
        let (longest, arrived) = over_link(5_000_000.0, ms(20), true);
        assert!(longest <= ms(600), "{longest:?}");
        assert!(arrived >= 2_300, "{arrived} of 2500");
    }

    #[tokio::test(start_paused = true)]
    async fn far_link_is_used_once_its_round_trip_is_known() {
        let (_, alone) = over_link(1_000_000.0, ms(600), false);
        let (longest, known) = over_link(1_000_000.0, ms(600), true);
        assert!(known > 400 && alone < known, "{known} of 500, {alone}");
        assert!(longest <= ms(1_800), "{longest:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_most_is_in_flight() {
        let (mut flow, now) = (Flow::new(3 * FRAME), Instant::now());
        for _ in 0..100 {
            flow.sent(FRAME);
            flow.acked(FRAME, now);
        }
        let mut sent = 0;
        while flow.allows(FRAME, now) {
            flow.sent(FRAME);
            sent += 1;
        }
        assert_eq!(sent, 3);
        flow.forgotten(FRAME);
        assert!(flow.allows(FRAME, now));
    }
}

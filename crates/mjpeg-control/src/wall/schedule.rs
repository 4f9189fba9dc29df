//! Which tile's frame is sent next.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{flow::Flow, message::MAX_TILES};

/// Decides whose frame goes next: in turn, one in flight per tile, and no more bytes in flight than
/// [`Flow`] allows.
///
/// Which frame it is does not matter here: the tile's newest, when it goes.
#[derive(Debug)]
pub(crate) struct Schedule {
    flow: Flow,
    /// The tiles with a frame that is due, in the order in which they get their turn.
    due: VecDeque<u16>,
    in_flight: Vec<Option<FrameInFlight>>,
    /// The size of the last frame of each tile; 0 before the first.
    sizes: Vec<usize>,
    /// That of the last frame of any.
    last_size: usize,
}

#[derive(Clone, Copy, Debug)]
struct FrameInFlight {
    seq: u64,
    bytes: usize,
    /// It has been handed to the kernel as a whole.
    is_written: bool,
}

impl Schedule {
    /// Has no tile yet, and at most this many bytes in flight.
    pub(crate) fn new(max_bytes_in_flight: usize) -> Self {
        Self {
            flow: Flow::new(max_bytes_in_flight),
            due: VecDeque::new(),
            in_flight: vec![None; MAX_TILES],
            sizes: vec![0; MAX_TILES],
            last_size: 0,
        }
    }

    /// Records that a tile has a frame to send.
    pub(crate) fn due(&mut self, tile: u16) {
        if !self.due.contains(&tile) {
            self.due.push_back(tile);
        }
    }

    /// Takes the tile whose turn it is, if one may send now.
    pub(crate) fn next(&mut self, now: Instant) -> Option<u16> {
        let tile = *self.due.front()?;
        let size = match self.sizes[usize::from(tile)] {
            0 => self.last_size,
            size => size,
        };
        if !self.flow.allows(size, now) {
            return None;
        }
        self.due.pop_front()
    }

    /// Records that a tile's frame is being written.
    pub(crate) fn sent(&mut self, tile: u16, seq: u64, bytes: usize) {
        let at = usize::from(tile);
        self.in_flight[at] = Some(FrameInFlight {
            seq,
            bytes,
            is_written: false,
        });
        (self.sizes[at], self.last_size) = (bytes, bytes);
        self.flow.sent(bytes);
    }

    /// Records that it has been written.
    pub(crate) fn written(&mut self, tile: u16) {
        if let Some(frame) = &mut self.in_flight[usize::from(tile)] {
            frame.is_written = true;
        }
    }

    /// Records an ack. Returns whether it is for the frame in flight; only then may the next one be
    /// sent.
    pub(crate) fn acked(&mut self, tile: u16, seq: u64, now: Instant) -> bool {
        let in_flight = &mut self.in_flight[usize::from(tile)];
        match in_flight.take_if(|frame| frame.is_written && frame.seq == seq) {
            Some(frame) => {
                self.flow.acked(frame.bytes, now);
                true
            }
            None => false,
        }
    }

    /// Records how long the client took to answer a ping.
    pub(crate) fn answered(&mut self, time: std::time::Duration) {
        self.flow.answered(time);
    }

    /// Forgets a tile that shows nothing any more.
    pub(crate) fn forget(&mut self, tile: u16) {
        let at = usize::from(tile);
        if let Some(frame) = self.in_flight[at].take() {
            self.flow.forgotten(frame.bytes);
        }
        self.sizes[at] = 0;
        self.due.retain(|due| *due != tile);
    }

    /// Whether a tile's frame has not been acknowledged.
    #[cfg(test)]
    fn is_in_flight(&self, tile: u16) -> bool {
        self.in_flight[usize::from(tile)].is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 1000;

    /// Sends what may go, and returns whose frames those were.
    fn send_all(schedule: &mut Schedule, seq: u64, now: Instant) -> Vec<u16> {
        let mut sent = Vec::new();
        while let Some(tile) = schedule.next(now) {
            schedule.sent(tile, seq, FRAME);
            schedule.written(tile);
            sent.push(tile);
        }
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn tiles_send_in_turn() {
        let (mut schedule, now) = (Schedule::new(1 << 20), Instant::now());
        for tile in [3, 1, 2, 1, 3] {
            schedule.due(tile);
        }
        let mut order = Vec::new();
        // A fast tile is due again at once, and has to wait for the others.
        for seq in 0..6 {
            let tile = schedule.next(now).unwrap();
            schedule.sent(tile, seq, FRAME);
            schedule.written(tile);
            assert!(schedule.acked(tile, seq, now));
            schedule.due(tile);
            order.push(tile);
        }
        assert_eq!(order, [3, 1, 2, 3, 1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_ack_of_the_frame_in_flight_counts() {
        let (mut schedule, now) = (Schedule::new(1 << 20), Instant::now());
        schedule.sent(5, 7, FRAME);
        assert!(!schedule.acked(5, 7, now), "not written yet");
        schedule.written(5);
        assert!(!schedule.acked(5, 6, now) && !schedule.acked(4, 7, now));
        assert!(schedule.is_in_flight(5));
        assert!(schedule.acked(5, 7, now) && !schedule.is_in_flight(5));
        assert!(!schedule.acked(5, 7, now), "twice");
    }

    #[tokio::test(start_paused = true)]
    async fn first_frames_go_one_by_one_and_more_as_they_are_acked() {
        let (mut schedule, now) = (Schedule::new(1 << 20), Instant::now());
        (0..8).for_each(|tile| schedule.due(tile));
        assert_eq!(send_all(&mut schedule, 1, now), [0]);
        assert!(schedule.acked(0, 1, now));
        assert_eq!(send_all(&mut schedule, 1, now), [1]);
        assert!(schedule.acked(1, 1, now));
        assert_eq!(send_all(&mut schedule, 1, now), [2, 3]);
        assert!(schedule.acked(2, 1, now) && schedule.acked(3, 1, now));
        assert_eq!(send_all(&mut schedule, 1, now), [4, 5, 6, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn tile_that_is_gone_holds_nothing_up() {
        let (mut schedule, now) = (Schedule::new(1 << 20), Instant::now());
        (0..3).for_each(|tile| schedule.due(tile));
        assert_eq!(send_all(&mut schedule, 1, now), [0]);
        schedule.forget(0);
        schedule.forget(1);
        assert_eq!(send_all(&mut schedule, 1, now), [2]);
        assert!(!schedule.acked(0, 1, now));
    }
}

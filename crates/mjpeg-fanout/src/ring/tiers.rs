//! The frames of a ring by age.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::{
    published::Published,
    ring::{config::RingTier, frame::RingFrame, segment::RingSegment},
};

/// The frames of a ring by age. The frames of a tier are newer than all frames of the next one.
#[derive(Debug)]
pub(super) struct Tiers {
    tiers: Vec<Tier>,
    /// The number of the newest frame.
    newest: u64,
    /// When the newest frame was captured.
    last: Option<Instant>,
}

#[derive(Debug)]
struct Tier {
    config: RingTier,
    /// How long after their capture frames leave.
    until: std::time::Duration,
    frames: VecDeque<RingFrame>,
    segment: Option<RingSegment>,
    /// How many segments it has had.
    segments: u64,
    /// The time of capture of the last frame that the tier kept.
    kept: Option<Instant>,
}

impl Tiers {
    pub(super) fn new(tiers: &[RingTier]) -> Self {
        let mut made = Self {
            tiers: Vec::new(),
            newest: 0,
            last: None,
        };
        made.configure(tiers);
        made
    }

    /// Replaces the tiers. Drops the frames of removed tiers; other frames leave when they are too
    /// old.
    pub(super) fn configure(&mut self, tiers: &[RingTier]) {
        let mut until = std::time::Duration::ZERO;
        self.tiers.truncate(tiers.len());
        for (at, config) in tiers.iter().enumerate() {
            until = until.saturating_add(config.keep());
            match self.tiers.get_mut(at) {
                Some(tier) => (tier.config, tier.until) = (*config, until),
                None => self.tiers.push(Tier {
                    config: *config,
                    until,
                    frames: VecDeque::new(),
                    segment: None,
                    segments: 0,
                    kept: None,
                }),
            }
        }
    }

    /// Returns this time of capture, or the last one if that is later.
    pub(super) fn in_order(&self, at: Instant) -> Instant {
        self.last.map_or(at, |last| last.max(at))
    }

    /// Returns whether the first tier keeps a frame that was captured at this time.
    pub(super) fn takes_first(&self, at: Instant) -> bool {
        self.tiers.first().is_some_and(|tier| tier.takes(at))
    }

    /// Drops frames that are too old for the last tier.
    pub(super) fn expire(&mut self, now: Instant) {
        let Some(tier) = self.tiers.last_mut() else {
            return;
        };
        while tier
            .frames
            .front()
            .is_some_and(|frame| tier.is_over(frame, now))
        {
            tier.frames.pop_front();
        }
        tier.forget_segment();
    }

    /// Removes frames that are too old for their tier, up to the first one that the next tier
    /// keeps. Returns that frame, and the number of the next tier.
    pub(super) fn leaving(&mut self, now: Instant) -> Option<(usize, RingFrame)> {
        for at in 0..self.tiers.len().saturating_sub(1) {
            let (newer, older) = self.tiers.split_at_mut(at + 1);
            let (Some(tier), Some(next)) = (newer.last_mut(), older.first()) else {
                return None;
            };
            while tier
                .frames
                .front()
                .is_some_and(|frame| tier.is_over(frame, now))
            {
                let Some(frame) = tier.frames.pop_front() else {
                    break;
                };
                if next.takes(frame.at) && !next.is_over(&frame, now) {
                    return Some((at + 1, frame));
                }
            }
            tier.forget_segment();
        }
        None
    }

    /// Copies a frame of a newer tier into this one. Returns whether there was room.
    pub(super) fn move_on(&mut self, tier: usize, frame: &RingFrame) -> bool {
        let tier = self.tiers.get_mut(tier);
        tier.is_some_and(|tier| tier.keep(frame))
    }

    pub(super) fn has_room(&self, tier: usize, bytes: usize) -> bool {
        let segment = self.tiers.get(tier).and_then(|tier| tier.segment.as_ref());
        segment.is_some_and(|segment| segment.has_room(bytes))
    }

    pub(super) fn end_segment(&mut self, tier: usize) {
        if let Some(tier) = self.tiers.get_mut(tier) {
            tier.segment = None;
        }
    }

    pub(super) fn begin_segment(&mut self, tier: usize, segment: RingSegment) {
        if let Some(tier) = self.tiers.get_mut(tier) {
            tier.segments += 1;
            tier.segment = Some(segment);
        }
    }

    /// Adds a new frame. Returns whether there was room.
    pub(super) fn put(&mut self, published: &Published, at: Instant) -> bool {
        let number = self.newest + 1;
        let Some(tier) = self.tiers.first_mut() else {
            return false;
        };
        let frame = RingFrame {
            number,
            at,
            id: published.id(),
            frame: published.frame.clone(),
            stamp: published.stamp,
            seq: published.seq,
            epoch: published.epoch,
            segment: 0,
        };
        let is_kept = tier.keep(&frame);
        if is_kept {
            (self.newest, self.last) = (number, Some(at));
        }
        is_kept
    }

    /// Drops the oldest frames, all those that share a segment. Returns how many.
    pub(super) fn evict(&mut self) -> usize {
        let oldest = self
            .tiers
            .iter_mut()
            .rev()
            .find(|tier| !tier.frames.is_empty());
        let Some(tier) = oldest else {
            return 0;
        };
        let first = tier.frames.front().map(|frame| frame.segment);
        let other = |frame: &RingFrame| Some(frame.segment) != first;
        let shared = tier.frames.iter().position(other);
        let shared = shared.unwrap_or(tier.frames.len());
        tier.frames.drain(..shared);
        tier.forget_segment();
        shared
    }

    pub(super) fn at(&self, time: Instant) -> Option<RingFrame> {
        // The newest tier first: most look for what was a moment ago.
        self.tiers.iter().find_map(|tier| {
            let later = tier.frames.partition_point(|frame| frame.at <= time);
            later.checked_sub(1).map(|at| tier.frames[at].clone())
        })
    }

    pub(super) fn after(&self, number: u64) -> Option<RingFrame> {
        self.first(|frame| frame.number <= number)
    }

    pub(super) fn since(&self, time: Instant) -> Option<RingFrame> {
        self.first(|frame| frame.at < time)
    }

    /// Returns the first frame that is not before, and looks in the oldest tier first.
    fn first(&self, is_before: impl Fn(&RingFrame) -> bool) -> Option<RingFrame> {
        self.tiers.iter().rev().find_map(|tier| {
            let at = tier.frames.partition_point(&is_before);
            tier.frames.get(at).cloned()
        })
    }

    pub(super) fn list(
        &self,
        from: Instant,
        to: Instant,
        most: usize,
    ) -> Vec<(u64, Instant, usize)> {
        let within = |tier: &Tier| {
            let first = tier.frames.partition_point(|frame| frame.at < from);
            let end = tier.frames.partition_point(|frame| frame.at <= to);
            first..end.max(first)
        };
        let frames = self.tiers.iter().rev();
        let frames = frames.flat_map(|tier| tier.frames.range(within(tier)));
        frames
            .take(most)
            .map(|frame| (frame.number, frame.at, frame.frame.bytes().len()))
            .collect()
    }

    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        let mut tiers = self.tiers.iter().filter(|tier| !tier.frames.is_empty());
        let newest = tiers.next()?;
        let oldest = tiers.next_back().unwrap_or(newest);
        Some((oldest.frames.front()?.at, newest.frames.back()?.at))
    }

    pub(super) fn frames(&self) -> usize {
        self.tiers.iter().map(|tier| tier.frames.len()).sum()
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }
}

impl Tier {
    fn takes(&self, at: Instant) -> bool {
        let due = self.kept.map(|kept| kept + self.config.every());
        !self.config.keep().is_zero() && due.is_none_or(|due| at >= due)
    }

    fn is_over(&self, frame: &RingFrame, now: Instant) -> bool {
        now.saturating_duration_since(frame.at) > self.until
    }

    /// Adds a copy of a frame. Returns whether there was room.
    fn keep(&mut self, frame: &RingFrame) -> bool {
        let bytes = frame.frame.bytes();
        let segment = self.segment.as_mut();
        let Some(segment) = segment.filter(|segment| segment.has_room(bytes.len())) else {
            return false;
        };
        self.frames.push_back(RingFrame {
            frame: frame.frame.copied(|bytes| segment.copy(bytes)),
            segment: self.segments,
            ..frame.clone()
        });
        self.kept = Some(frame.at);
        true
    }

    /// Frees the segment if the tier has no frames.
    fn forget_segment(&mut self) {
        if self.frames.is_empty() {
            self.segment = None;
        }
    }
}

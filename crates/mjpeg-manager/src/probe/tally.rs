//! Collects what pictures are like.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mjpeg_codec::{DiscardReason, Frame, repair::Repairs, verify::Verdict};

use crate::status::info::DiscardTotal;

/// Collects what the pictures of a camera are like. What it keeps is bounded: some numbers, the
/// arrivals of the last 2000 pictures, and the last picture.
#[derive(Clone, Debug, Default)]
pub struct ProbeTally {
    frames: u64,
    /// Of the whole stream, where pictures of a running one are looked at.
    of_stream: Option<u64>,
    bytes: u64,
    largest: usize,
    size: Option<(u16, u16)>,
    sizes_changed: u64,
    coding: Option<(u8, u8, u8)>,
    unsupported: u64,
    same: u64,
    in_burst: u64,
    last: Option<Bytes>,
    arrivals: Vec<Instant>,
    checked: u64,
    damaged: u64,
    repaired: BTreeMap<&'static str, u64>,
    discarded: Discards,
}

impl ProbeTally {
    /// Takes a picture as it came, which arrived then, together with the one before or not.
    pub fn frame(&mut self, frame: &Frame, arrived: Instant, in_burst: bool) {
        let (_, repairs) = frame.repaired(Repairs::RECOMMENDED);
        for (name, _) in repairs.named().filter(|(_, was_made)| *was_made) {
            *self.repaired.entry(name).or_default() += 1;
        }
        self.picture(frame, arrived, in_burst);
    }

    /// Takes a picture that may have been repaired.
    pub fn picture(&mut self, frame: &Frame, arrived: Instant, in_burst: bool) {
        self.frames += 1;
        self.bytes += frame.bytes().len() as u64;
        self.largest = self.largest.max(frame.bytes().len());
        let size = (frame.width(), frame.height());
        self.sizes_changed += u64::from(self.size.is_some_and(|before| before != size));
        self.size = Some(size);
        self.coding = Some((frame.sof(), frame.precision_bits(), frame.components()));
        self.unsupported += u64::from(!frame.displayable());
        self.same += u64::from(self.last.as_ref() == Some(frame.bytes()));
        self.last = Some(frame.bytes().clone());
        self.in_burst += u64::from(in_burst);
        if self.arrivals.len() == MOST_ARRIVALS {
            self.arrivals.drain(..MOST_ARRIVALS / 2);
        }
        self.arrivals.push(arrived);
    }

    /// Takes the outcome of a check of one of the pictures.
    pub fn checked(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Complete { .. } => self.checked += 1,
            Verdict::Damaged(_) => {
                self.checked += 1;
                self.damaged += 1;
            }
            _ => {}
        }
    }

    /// Takes bytes that belong to no picture.
    pub fn discarded(&mut self, reason: DiscardReason, bytes: u64) {
        let total = self.discarded.entry(reason.as_str()).or_default();
        total.count += 1;
        total.bytes += bytes;
    }

    /// Replaces what was lost and repaired by the counts of a whole stream.
    pub(super) fn of_stream(
        mut self,
        frames: u64,
        discarded: &Discards,
        repaired: &BTreeMap<&'static str, u64>,
    ) -> Self {
        self.of_stream = Some(frames);
        self.discarded = discarded.clone();
        self.repaired = repaired.clone();
        self
    }

    /// How many pictures were taken.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// How long from the first of them to the last.
    pub fn watched(&self) -> Duration {
        let ends = self.arrivals.first().zip(self.arrivals.last());
        ends.map_or(Duration::ZERO, |(first, last)| {
            last.saturating_duration_since(*first)
        })
    }

    /// Pictures per second, by count over time; `None` before the second picture.
    pub fn fps(&self) -> Option<f64> {
        let seconds = self.watched().as_secs_f64();
        let intervals = self.arrivals.len().checked_sub(1)?;
        (intervals > 0 && seconds > 0.0).then(|| intervals as f64 / seconds)
    }

    /// Width and height of the last picture.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size
    }

    /// The mean length of a picture, in bytes.
    pub fn mean_bytes(&self) -> u64 {
        self.bytes.checked_div(self.frames).unwrap_or_default()
    }

    /// The length of the largest picture, in bytes.
    pub fn largest_bytes(&self) -> usize {
        self.largest
    }

    /// The coding of the last picture, in words such as `baseline, 8 bit, colour`.
    pub fn coding(&self) -> Option<String> {
        let (sof, bits, components) = self.coding?;
        let kind = match sof {
            0xC0 => "baseline",
            0xC1 => "extended sequential",
            0xC2 => "progressive",
            0xC3 | 0xC7 | 0xCB | 0xCF => "lossless",
            0xC9..=0xCA => "arithmetic",
            _ => "hierarchical",
        };
        let colour = if components == 1 { "grey" } else { "colour" };
        Some(format!("{kind}, {bits} bit, {colour}"))
    }

    /// The times from picture to picture, the shortest first.
    pub(super) fn intervals(&self) -> Vec<Duration> {
        let pairs = self.arrivals.windows(2);
        let mut all: Vec<_> = pairs
            .map(|two| two[1].saturating_duration_since(two[0]))
            .collect();
        all.sort_unstable();
        all
    }

    pub(super) fn in_burst(&self) -> u64 {
        self.in_burst
    }

    pub(super) fn same(&self) -> u64 {
        self.same
    }

    pub(super) fn sizes_changed(&self) -> u64 {
        self.sizes_changed
    }

    pub(super) fn unsupported(&self) -> u64 {
        self.unsupported
    }

    /// How many pictures were checked, and how many of them are damaged.
    pub(super) fn damage(&self) -> (u64, u64) {
        (self.checked, self.damaged)
    }

    /// The pictures among which the lost and repaired ones are counted.
    pub(super) fn counted(&self) -> u64 {
        self.of_stream.unwrap_or(self.frames)
    }

    /// How many pictures needed a repair.
    pub(super) fn repaired(&self, name: &str) -> u64 {
        self.repaired.get(name).copied().unwrap_or_default()
    }

    /// How much was discarded for a reason.
    pub(super) fn lost(&self, reason: &str) -> DiscardTotal {
        self.discarded.get(reason).copied().unwrap_or_default()
    }
}

/// Counters by stable words.
type Discards = BTreeMap<&'static str, DiscardTotal>;

/// How many arrivals are kept.
const MOST_ARRIVALS: usize = 2000;

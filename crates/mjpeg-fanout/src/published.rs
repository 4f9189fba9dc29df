//! A frame on its way to the consumers.

use std::{
    sync::OnceLock,
    time::{Instant, SystemTime},
};

use mjpeg_codec::{
    Frame,
    multipart::{Boundary, Part, PartHeaders, render},
};

/// A published frame, shared by all consumers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// Which frame of its producer this is: 1, 2, 3, … without gaps.
    pub seq: u64,
    /// Which producer it came from: a number drawn at random for each.
    pub epoch: u64,
    /// The image.
    pub frame: Frame,
    /// When its last byte was read, by the wall clock (which may jump).
    pub wall: SystemTime,
    /// When its last byte was read, by the monotonic clock.
    pub mono: Instant,
    part: OnceLock<Part>,
}

impl Published {
    pub(crate) fn new(seq: u64, epoch: u64, frame: Frame, wall: SystemTime, mono: Instant) -> Self {
        Self {
            seq,
            epoch,
            frame,
            wall,
            mono,
            part: OnceLock::new(),
        }
    }

    /// The frame as a part of a multipart stream with the default [`Boundary`], with its length and timestamp.
    ///
    /// Made when first asked for, then shared: ten thousand viewers cost one copy of the image, an unwatched stream none.
    pub fn part(&self) -> &Part {
        self.part.get_or_init(|| {
            let headers = PartHeaders::default().with_timestamp(self.wall);
            render(&Boundary::default(), &headers, &self.frame.bytes)
        })
    }
}

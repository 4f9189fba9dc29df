//! Numbered pictures, and when each was made.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mjpeg_testkit::jpeg;
use tokio::time::Instant;

/// Pictures with consecutive numbers.
pub(crate) struct Sequence {
    template: Bytes,
    made: Mutex<Made>,
}

/// Which pictures have been made.
#[derive(Default)]
struct Made {
    last: u32,
    /// When the latest were made, the newest last.
    times: VecDeque<Instant>,
}

impl Default for Sequence {
    fn default() -> Self {
        Self::of(jpeg::of_length(0, PICTURE_BYTES))
    }
}

impl Sequence {
    /// Creates a sequence whose pictures differ from this one by their numbers only.
    pub(crate) fn of(template: Bytes) -> Self {
        Self {
            template,
            made: Mutex::default(),
        }
    }

    /// Makes the next picture. Also returns its number.
    pub(crate) fn next(&self) -> (u32, Bytes) {
        let number = self.next_number();
        (number, numbered(&self.template, number))
    }

    /// Takes the next number, for a picture that the caller makes.
    pub(crate) fn next_number(&self) -> u32 {
        let mut made = self.made();
        made.last += 1;
        if made.times.len() == TIMES {
            made.times.pop_front();
        }
        made.times.push_back(Instant::now());
        made.last
    }

    /// Makes the next picture, and returns the first half of it.
    pub(crate) fn half(&self) -> Bytes {
        let (_, picture) = self.next();
        picture.slice(..picture.len() / 2)
    }

    /// The last number that was taken.
    pub(crate) fn last(&self) -> u32 {
        self.made().last
    }

    /// When a picture was made, if it is one of the latest [`TIMES`].
    pub(crate) fn made_at(&self, number: u32) -> Option<Instant> {
        let made = self.made();
        let back = made.last.checked_sub(number)? as usize + 1;
        made.times.get(made.times.len().checked_sub(back)?).copied()
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a picture a number. [`jpeg::number_of`] reads the first comment, which is this one.
pub(crate) fn numbered(template: &[u8], number: u32) -> Bytes {
    jpeg::with_segment(template, COM, format!("n={number:010}").as_bytes())
}

/// A viewer's socket holds a second of such pictures, so only the relay can lose one.
const PICTURE_BYTES: usize = 4 << 10;
const TIMES: usize = 4096;
const COM: u8 = 0xfe;

//! Whether a camera codes its pictures with the Huffman tables of RFC 2435, which no packet
//! carries: the first pictures of a connection are checked.

use mjpeg_codec::verify::{Damage, Verdict, Verifier};

use crate::parsed::Parsed;

/// Checks the first pictures of a connection, until one is sound.
pub(super) struct CodingCheck {
    /// How many more are checked.
    left: u32,
    /// How many were miscoded, in a row.
    miscoded: u32,
    checking: Option<(Box<Verifier>, Parsed)>,
}

/// What was found about a picture.
pub(super) enum Checked {
    /// It can be shown, as far as that is known.
    Passed(Parsed),
    /// It is coded in another way.
    Miscoded {
        /// Its bytes.
        bytes: u64,
        /// So are all pictures of the camera.
        is_settled: bool,
    },
}

impl CodingCheck {
    pub(super) fn new() -> Self {
        Self {
            left: MOST_CHECKED,
            miscoded: 0,
            checking: None,
        }
    }

    /// Begins to check a picture, or gives it back if that is not needed any more.
    pub(super) fn begin(&mut self, found: Parsed) -> Option<Parsed> {
        match &found {
            Parsed::Frame { captured, .. } if self.left > 0 => {
                let verifier = Box::new(Verifier::new(&captured.frame));
                self.checking = Some((verifier, found));
                None
            }
            _ => Some(found),
        }
    }

    /// Whether a picture is being checked.
    pub(super) fn is_under_way(&self) -> bool {
        self.checking.is_some()
    }

    /// Goes on for about half a millisecond. Returns what was found, once.
    pub(super) fn step(&mut self) -> Option<Checked> {
        let (verifier, _) = self.checking.as_mut()?;
        let verdict = verifier.step(SLICE_NANOS)?;
        let (_, found) = self.checking.take()?;
        self.left -= 1;
        let Verdict::Damaged(damage) = verdict else {
            // The tables are right, or cannot be told.
            self.left = 0;
            return Some(Checked::Passed(found));
        };
        let Parsed::Frame { captured, .. } = &found else {
            return Some(Checked::Passed(found));
        };
        if !is_miscoded(damage) {
            self.miscoded = 0;
            return Some(Checked::Passed(found));
        }
        self.miscoded += 1;
        Some(Checked::Miscoded {
            bytes: captured.frame.bytes().len() as u64,
            is_settled: self.miscoded >= MOST_MISCODED,
        })
    }
}

/// Whether a decoder loses its way soon, as it does with wrong tables: of 108 pictures with tables
/// of their own, read with those of the RFC, all were damaged within their first fifth. A picture
/// that a camera cuts off or tears is sound for longer.
fn is_miscoded(damage: Damage) -> bool {
    damage.mcus < damage.expected_mcus / 4
}

/// How many pictures are checked at most, if each is damaged.
const MOST_CHECKED: u32 = 8;

/// How many miscoded ones in a row settle it.
const MOST_MISCODED: u32 = 3;

/// The work of a step, in the units of [`Verifier::step`].
const SLICE_NANOS: usize = 500_000;

//! The outcome of a check.

use crate::entropy::{damage::Damage, not_checked::NotChecked};

/// The outcome of [`Frame::verify`](crate::Frame::verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Every component is in a scan, and every scan has all its MCUs.
    Complete {
        /// How many bytes followed the last MCU of a scan or restart interval. Does not count
        /// padding (bytes of only ones or only zeros).
        ///
        /// 0 in most frames. Some webcams leave up to about ten in each restart interval of good
        /// pictures. Otherwise, dozens of them mean that bits were changed or lost, so that a block
        /// was read as shorter than it was.
        surplus_bytes: usize,
    },
    /// The picture is not complete.
    Damaged(Damage),
    /// Frames of this kind are not checked.
    NotChecked(NotChecked),
}

impl From<Damage> for Verdict {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<NotChecked> for Verdict {
    fn from(reason: NotChecked) -> Self {
        Self::NotChecked(reason)
    }
}

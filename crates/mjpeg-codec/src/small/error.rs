//! Why a frame has no small picture.

use crate::{
    entropy::{damage::Damage, not_checked::NotChecked},
    small::picture::MOST_SAMPLES,
};

/// Why a frame has no small picture. The camera decides that; show the whole picture instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSmallPicture {
    /// The walk over the Huffman codes does not read this coding.
    #[error("coding is not read ({0})")]
    Coding(NotChecked),
    /// Not 8 bits per sample.
    #[error("{0} bits per sample")]
    Precision(u8),
    /// Neither one nor three components: CMYK, for example.
    #[error("{0} components")]
    Components(u8),
    /// The small picture would have more than [`MOST_SAMPLES`].
    #[error("more than {MOST_SAMPLES} samples")]
    TooLarge,
    /// The frame is damaged, or lacks a quantization table.
    #[error("damaged ({0})")]
    Damaged(Damage),
}

impl NoSmallPicture {
    /// Returns the reason as a stable lower-case word, for counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coding(reason) => reason.as_str(),
            Self::Precision(_) => "precision",
            Self::Components(_) => "components",
            Self::TooLarge => "too_large",
            Self::Damaged(_) => "damaged",
        }
    }
}

impl From<Damage> for NoSmallPicture {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<NotChecked> for NoSmallPicture {
    fn from(reason: NotChecked) -> Self {
        Self::Coding(reason)
    }
}

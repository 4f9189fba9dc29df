//! What can be detected.

use std::fmt;

/// What can be detected in a stream's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Detection {
    /// The picture is dark.
    Dark,
    /// The picture has almost no contrast anywhere, as if something covered the camera.
    Covered,
    /// The picture has not changed at all for a while.
    Still,
    /// Something moves.
    Motion,
}

impl Detection {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Dark, Self::Covered, Self::Still, Self::Motion];

    /// Returns it as a stable lower-case word, for counters and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Covered => "covered",
            Self::Still => "still",
            Self::Motion => "motion",
        }
    }
}

impl fmt::Display for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! What one may do.

use std::{fmt, str::FromStr};

use mjpeg_http::Action;

/// Something that one may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Right {
    /// Watch streams and take pictures.
    View,
    /// Send pictures to streams.
    Push,
    /// Watch recordings.
    Replay,
    /// Change which streams run, and how.
    Control,
    /// Read the metrics.
    Metrics,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 5] = [
        Self::View,
        Self::Push,
        Self::Replay,
        Self::Control,
        Self::Metrics,
    ];

    /// Returns the right's name in settings, such as `view`.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Push => "push",
            Self::Replay => "replay",
            Self::Control => "control",
            Self::Metrics => "metrics",
        }
    }

    /// Returns the right that an action needs; `None` for the web page, which has no right of its
    /// own.
    pub fn for_action(action: Action) -> Option<Self> {
        match action {
            Action::Stream | Action::Snapshot | Action::State | Action::Find => Some(Self::View),
            Action::Replay => Some(Self::Replay),
            Action::Push => Some(Self::Push),
            Action::Metrics => Some(Self::Metrics),
            Action::Page => None,
            // An action that is not known here is one for those who may do everything.
            _ => Some(Self::Control),
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no right of this name; the caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown right {name:?}; the rights are view, push, replay, control and metrics")]
#[non_exhaustive]
pub struct UnknownRight {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(name: &str) -> Result<Self, UnknownRight> {
        let mut all = Self::ALL.into_iter();
        all.find(|right| right.name() == name)
            .ok_or_else(|| UnknownRight { name: name.into() })
    }
}

/// A set of rights. Default: none.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);

    /// Makes a set of these rights.
    pub fn of(rights: impl IntoIterator<Item = Right>) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }

    /// Adds a right.
    pub fn with(self, right: Right) -> Self {
        Self(self.0 | bit(right))
    }

    /// Whether this right is among them.
    pub fn has(self, right: Right) -> bool {
        self.0 & bit(right) != 0
    }

    /// The rights.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |&right| self.has(right))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn bit(right: Right) -> u8 {
    1 << right as u8
}

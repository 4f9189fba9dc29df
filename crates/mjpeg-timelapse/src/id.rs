//! The id of a job, which is also the name of its folder.

use std::{fmt, str::FromStr, time::SystemTime};

use crate::{clock::micros, error::Error};

/// The id of a job: 1 to 40 letters a-z, digits and hyphens, and no hyphen first. A store makes it
/// from the time of creation and a counter. It is the name of the job's folder, so no id leads out
/// of the store. Of two jobs of a store, the later one has the greater id, unless the clock was set
/// back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimelapseId(String);

impl TimelapseId {
    /// The most bytes of an id.
    pub const MAX_BYTES: usize = 40;

    /// Makes the id of a job created at this time.
    pub(crate) fn new(created: SystemTime, count: u64) -> Self {
        Self(format!("{:013}-{count}", micros(created) / 1000))
    }

    /// Returns the text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TimelapseId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let has_length = (1..=Self::MAX_BYTES).contains(&text.len());
        if !has_length || text.starts_with('-') || !text.bytes().all(is_allowed) {
            return Err(Error::InvalidId);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TimelapseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

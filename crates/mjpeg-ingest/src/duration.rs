//! The longest duration used in arithmetic.

use std::time::Duration;

/// As good as no limit, and far from where adding it to a time would overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

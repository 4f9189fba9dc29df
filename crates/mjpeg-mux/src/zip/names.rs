//! The names of files in an archive.

use crate::utc::UtcTime;

/// As in `000001-20261128T120000.123Z.jpg`: sorted by name, frames are in order.
pub(super) fn file_name(index: usize, taken: UtcTime) -> String {
    format!("{:06}-{}.jpg", index + 1, taken.compact())
}

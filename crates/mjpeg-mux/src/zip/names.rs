//! The names of files in an archive.

use crate::utc::UtcTime;

/// Makes a name such as `000001-20261128T120000.123Z.jpg`. Sorted by name, the frames are in order.
pub(super) fn file_name(index: usize, taken: UtcTime) -> String {
    format!("{:06}-{}.jpg", index + 1, taken.compact())
}

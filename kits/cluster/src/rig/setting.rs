//! Settings that all rigs share.

use std::path::PathBuf;

/// Which relay is tested, and how.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The program `mjpeg-server`.
    pub(crate) server: PathBuf,
    /// For logs and other files.
    pub(crate) folder: PathBuf,
    /// Of this round.
    pub(crate) seed: u64,
    /// What the relays lack, one of [`LACKS`].
    pub(crate) without: Option<String>,
    /// By which factor times may be longer.
    pub(crate) slack: f64,
}

impl Setting {
    /// Whether the relays know of one another.
    pub(crate) fn is_cluster(&self) -> bool {
        self.without.as_deref() != Some("cluster")
    }
}

/// Reads a tag: `"EPOCH-SEQ"`, the epoch in hexadecimal digits.
pub(crate) fn tag(text: &str) -> Option<(u64, u64)> {
    let (epoch, seq) = text.strip_prefix('"')?.strip_suffix('"')?.split_once('-')?;
    Some((u64::from_str_radix(epoch, 16).ok()?, seq.parse().ok()?))
}

/// What relays can be run without, to see that the kit notices.
pub(crate) const LACKS: &[&str] = &["cluster"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_holds_epoch_and_sequence() {
        assert_eq!(tag("\"0f-19\""), Some((15, 19)));
        assert_eq!(tag("\"7-19-p\""), None);
        assert_eq!(tag("7-19"), None);
    }
}

//! What one source of a stream is.

use crate::migrate::sources::SourceVerdict;

/// What one source is.
pub(super) struct JudgedSource {
    pub(super) verdict: SourceVerdict,
    pub(super) rotate: u16,
    pub(super) notes: Vec<String>,
}

impl From<SourceVerdict> for JudgedSource {
    fn from(verdict: SourceVerdict) -> Self {
        Self {
            verdict,
            rotate: 0,
            notes: Vec::new(),
        }
    }
}

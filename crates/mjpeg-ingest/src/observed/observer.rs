//! Takes notes of a camera's answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::facts::Observed;
#[cfg(feature = "http")]
use super::quirk::CameraQuirk;

/// Shared by all clones of a source and what reads it. What is noted is bounded: texts are short,
/// and quirks are few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer(Arc<Mutex<Observed>>);

impl Observer {
    /// What has been noted so far.
    pub(crate) fn observed(&self) -> Observed {
        self.facts().clone()
    }

    /// Changes what is noted.
    #[cfg(feature = "http")]
    pub(crate) fn note(&self, change: impl FnOnce(&mut Observed)) {
        change(&mut self.facts());
    }

    /// Counts a quirk.
    #[cfg(feature = "http")]
    pub(crate) fn quirk(&self, quirk: CameraQuirk) {
        self.note(|facts| count(facts, quirk));
    }

    /// Counts several quirks.
    #[cfg(feature = "http")]
    pub(crate) fn quirks(&self, quirks: &[CameraQuirk]) {
        if !quirks.is_empty() {
            self.note(|facts| quirks.iter().for_each(|quirk| count(facts, *quirk)));
        }
    }

    fn facts(&self) -> MutexGuard<'_, Observed> {
        // Each step leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "http")]
fn count(facts: &mut Observed, quirk: CameraQuirk) {
    let count = facts.quirks.entry(quirk).or_default();
    *count = count.saturating_add(1);
}

/// Two are equal if they are the same, as it is who looks that matters, and not what was seen.
impl PartialEq for Observer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

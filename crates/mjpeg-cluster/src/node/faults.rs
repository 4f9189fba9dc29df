//! Mistakes that tests plant, to see that they are found.

/// Which mistakes a node makes. Only tests can choose any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Mistakes {
    /// The end of a tenure is not enforced.
    pub(crate) no_fence: bool,
    /// What the view shows as mine is mine.
    pub(crate) resume_from_view: bool,
    /// A release deletes whatever is there.
    pub(crate) release_without_compare: bool,
    /// A lease is counted from the answer, not from the request.
    pub(crate) deadline_from_answer: bool,
    /// A peer that does not answer counts as cut off from the engine.
    pub(crate) silence_agrees: bool,
    /// Who has told a peer to hold claims all the same.
    pub(crate) broken_promise: bool,
    /// A new member claims before the others know it.
    pub(crate) unadmitted_claims: bool,
    /// A new lease counts for what is not claimed with it yet.
    pub(crate) renewing_counts_as_renewed: bool,
}

impl Mistakes {
    /// Whether a mistake is planted: never, outside tests.
    pub(crate) fn planted(self, fault: impl FnOnce(Self) -> bool) -> bool {
        cfg!(test) && fault(self)
    }
}

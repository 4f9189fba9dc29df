//! What was found about a camera.

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingLevel {
    /// Worth knowing, and nothing is wrong.
    Note,
    /// The camera does something that it should not. The relay copes with it.
    Quirk,
    /// Pictures are lost or late, unless something is set or mended.
    Problem,
    /// The camera cannot be relayed like this.
    Fault,
}

impl FindingLevel {
    /// Returns a stable word for machines: `note`, `quirk`, `problem` or `fault`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Quirk => "quirk",
            Self::Problem => "problem",
            Self::Fault => "fault",
        }
    }
}

/// Something that was found about a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeFinding {
    /// A stable word for machines, such as `no_eoi`.
    pub code: &'static str,
    /// How much it matters.
    pub level: FindingLevel,
    /// What the camera does: one sentence.
    pub text: String,
    /// What to do about it: one sentence.
    pub advice: String,
    /// The keys of the stream to set, and their values as TOML writes them.
    pub set: Vec<(&'static str, String)>,
}

impl ProbeFinding {
    pub(super) fn new(
        level: FindingLevel,
        code: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            code,
            level,
            text: text.into(),
            advice: advice.into(),
            set: Vec::new(),
        }
    }

    pub(super) fn quirk(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(FindingLevel::Quirk, code, text, NOTHING)
    }

    pub(super) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Sets a key of the stream.
    pub(super) fn setting(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.set.push((key, value.into()));
        self
    }
}

/// The advice where the relay copes by itself.
const NOTHING: &str = "There is nothing to set: the relay copes with it.";

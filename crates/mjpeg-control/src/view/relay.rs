//! The relay as a whole.

use serde::Serialize;
use utoipa::ToSchema;

/// The program, and what it does.
#[derive(Serialize, ToSchema)]
pub(crate) struct InfoView {
    /// The name of the program.
    pub(crate) program: String,
    pub(crate) version: String,
    /// The version of this API.
    pub(crate) api: &'static str,
    /// Since when it runs (RFC 3339).
    pub(crate) since: String,
    /// Streams now.
    pub(crate) streams: usize,
    /// Starts refused because there were as many streams as allowed.
    pub(crate) streams_refused: u64,
    /// Viewers of all streams now.
    pub(crate) viewers: usize,
    /// How many viewers all streams may have together.
    pub(crate) max_viewers: usize,
    /// Viewers refused because all streams together had as many as allowed.
    pub(crate) viewers_refused: u64,
    /// Clients that receive events now.
    pub(crate) subscribers: usize,
}

/// What a reload has changed, or would change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReloadView {
    /// Whether nothing was changed, because only the difference was asked for.
    pub(crate) dry_run: bool,
    /// The changes, a line each, for people. Empty if nothing differs.
    pub(crate) changes: Vec<String>,
    /// What is odd about the configuration, for people.
    pub(crate) warnings: Vec<String>,
}

//! Links.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{links::IssuedLink, time::rfc3339};

/// A page of the list of links.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkPage {
    pub(crate) links: Vec<LinkView>,
    /// The cursor of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A link by which whoever has it may watch a stream for a while.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// What to revoke it by.
    id: String,
    stream: String,
    /// A word: `stream`, `snapshot` or `replay`.
    action: &'static str,
    /// Until when it is good (RFC 3339).
    expires: String,
    /// Frames per second at most.
    fps: Option<f64>,
    /// The path to open, with its signature. Only in the answer that makes the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

impl From<IssuedLink> for LinkView {
    fn from(link: IssuedLink) -> Self {
        Self {
            id: link.id,
            stream: link.stream.to_string(),
            action: link.action.as_str(),
            expires: rfc3339(link.expires),
            fps: link.fps,
            url: link.url,
        }
    }
}

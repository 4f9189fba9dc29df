//! What the answers of other nodes mean.

use std::time::Duration;

use super::{address::LinkNodeId, error::LinkFailure, head::LinkHead, paths::OWNER};

/// A node to ask next.
pub(super) enum NextNode {
    Owner(LinkNodeId),
    Hub(LinkNodeId),
}

/// Finds out whom to ask next; `None` if the stream begins.
pub(super) fn next_node(
    peer: &str,
    head: &LinkHead,
    hop_path: &str,
) -> Result<Option<NextNode>, LinkFailure> {
    let problem = match head.status {
        200 => {
            let content_type = head.headers.content_type().unwrap_or_default();
            if content_type.starts_with("multipart/") {
                return Ok(None);
            }
            "no multipart stream"
        }
        421 => match head.headers.get(OWNER).and_then(|node| node.parse().ok()) {
            Some(owner) => return Ok(Some(NextNode::Owner(owner))),
            None => "it does not name the owner of the stream",
        },
        307 => match head
            .headers
            .get("location")
            .and_then(|to| hub(to, hop_path))
        {
            Some(hub) => return Ok(Some(NextNode::Hub(hub))),
            None => "it does not name the node to read from",
        },
        status => return Err(refused(peer, status)),
    };
    Err(bad_answer(peer, problem))
}

/// The node that a redirect names.
fn hub(location: &str, hop_path: &str) -> Option<LinkNodeId> {
    let address = location.strip_prefix("//")?.strip_suffix(hop_path)?;
    LinkNodeId::new("hub", address).ok()
}

pub(super) fn refused(peer: &str, status: u16) -> LinkFailure {
    LinkFailure::Refused {
        peer: peer.to_owned(),
        status,
        meaning: match status {
            404 => "it knows no such stream",
            503 => "the stream is not to be read there at present",
            508 => "the frames would come back",
            _ => "it does not say why",
        },
    }
}

pub(super) fn bad_answer(peer: &str, problem: &'static str) -> LinkFailure {
    LinkFailure::BadAnswer {
        peer: peer.to_owned(),
        problem,
    }
}

pub(super) fn timed_out(peer: &str, after: Duration) -> LinkFailure {
    LinkFailure::TimedOut {
        peer: peer.to_owned(),
        after,
    }
}

/// Whether a node reaches the engine.
#[derive(serde::Deserialize)]
pub(super) struct EngineAnswer {
    pub(super) reaches: bool,
}

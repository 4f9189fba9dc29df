//! Why a stream cannot be read from another node.

use std::{io, time::Duration};

use mjpeg_ingest::{ConnectError, RelayError};

use super::address::LinkNodeId;

/// Why a stream cannot be read from another node, or no longer. The other node or the network is at
/// fault, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFailure {
    /// This is no address of a node, or no name of a stream. The caller is at fault.
    #[error("no address of a node (HOST:PORT), or no name of a stream")]
    BadTarget,
    /// The node cannot be reached.
    #[error("the node {peer} cannot be reached")]
    Unreachable {
        /// Its address.
        peer: String,
        /// The system's error.
        source: io::Error,
    },
    /// The node was not reached, or did not answer, in time.
    #[error("the node {peer} did not answer within {after:?}")]
    TimedOut {
        /// Its address.
        peer: String,
        /// The limit.
        after: Duration,
    },
    /// The connection could not be encrypted: one of the two nodes does not trust the other.
    #[error("no encrypted connection to the node {peer}")]
    Tls {
        /// Its address.
        peer: String,
        /// What TLS said.
        source: io::Error,
    },
    /// What the node answers is not the link's.
    #[error("the node {peer} does not answer as a node ({problem})")]
    BadAnswer {
        /// Its address.
        peer: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The node refuses, with this status.
    #[error("the node {peer} answers {status}: {meaning}")]
    Refused {
        /// Its address.
        peer: String,
        /// The status of the answer.
        status: u16,
        /// What it means.
        meaning: &'static str,
    },
    /// Each node names another one as the owner, or as the one to read from.
    #[error("nodes send one another for the stream; the last one named is {0}")]
    TooManyRedirects(LinkNodeId),
    /// The node names an address that no [known](crate::LinkClient::with_known) node has. It was
    /// not dialled.
    #[error("the node {peer} names {node}, which is none of the cluster's nodes that are up")]
    Stranger {
        /// The address of the node that names it.
        peer: String,
        /// What it names.
        node: LinkNodeId,
    },
    /// The frames come through this node, or through too many relays.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The node has sent nothing whole for this time, although it is to say each second how the
    /// camera is.
    #[error("the node sent nothing for {after:?}")]
    Silent {
        /// The limit.
        after: Duration,
    },
    /// The node has sent what the link does not allow.
    #[error("the node sent what it may not: {0}")]
    Broken(&'static str),
    /// The connection broke.
    #[error("the connection to the node broke")]
    Read(#[source] io::Error),
}

impl LinkFailure {
    /// Whether it passes by itself soon: the nodes do not yet know the same of an owner.
    pub(crate) fn is_of_a_hand_over(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 503 | 508,
                ..
            } | Self::TooManyRedirects(_)
                | Self::Stranger { .. }
                | Self::Relay(RelayError::Loop)
        )
    }
}

impl From<LinkFailure> for ConnectError {
    fn from(error: LinkFailure) -> Self {
        match error {
            LinkFailure::TimedOut { after, .. } => Self::TimedOut { after },
            error => Self::Other(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_nodes_that_do_not_know_the_same_pass_and_no_others() {
        let peer = || "relay-1.lan:7443".to_owned();
        let node = || LinkNodeId::new("relay-2", "relay-2.lan:7443").unwrap();
        let refused = |status| LinkFailure::Refused {
            peer: peer(),
            status,
            meaning: "",
        };
        let source = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let stranger = LinkFailure::Stranger {
            peer: peer(),
            node: node(),
        };
        let after = Duration::from_secs(3);
        for (failure, passes) in [
            (refused(503), true),
            (refused(508), true),
            (LinkFailure::TooManyRedirects(node()), true),
            (stranger, true),
            (RelayError::Loop.into(), true),
            (refused(404), false),
            (RelayError::TooMany(8).into(), false),
            (LinkFailure::BadTarget, false),
            (LinkFailure::Broken("x"), false),
            (LinkFailure::Silent { after }, false),
            (LinkFailure::Read(source()), false),
            (
                LinkFailure::Unreachable {
                    peer: peer(),
                    source: source(),
                },
                false,
            ),
        ] {
            assert_eq!(failure.is_of_a_hand_over(), passes, "{failure}");
        }
        let timed_out = LinkFailure::TimedOut {
            peer: peer(),
            after,
        };
        assert!(!timed_out.is_of_a_hand_over());
        let timed_out = ConnectError::from(timed_out);
        assert!(
            matches!(timed_out, ConnectError::TimedOut { after: limit } if limit == after),
            "{timed_out}"
        );
    }
}

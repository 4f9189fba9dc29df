//! Connections to the relay.

use std::{io, time::Duration};

use tokio::time::timeout;

use super::{failure::CtlFailure, problem::NO_MEMBER, target::RelayTarget, tls};
use crate::outbound::{
    connect::{self, AnyWire, Protection},
    tls::Fingerprint,
};

/// A connection that was made.
pub(super) struct Connected {
    pub(super) wire: Box<dyn AnyWire>,
    /// Which place it was.
    pub(super) index: usize,
    /// Whether one before it is a socket that this user may not open.
    pub(super) was_denied: bool,
}

/// Connects to the first of these places that takes a connection.
pub(super) async fn connect(
    targets: &[RelayTarget],
    trusted: Option<Fingerprint>,
) -> Result<Connected, CtlFailure> {
    let (mut tried, mut advice, mut was_denied) = (Vec::new(), None, false);
    for (index, target) in targets.iter().enumerate() {
        let connecting = timeout(CONNECT_TIME, dial(target, trusted));
        let error = match connecting.await {
            Ok(Ok(wire)) => {
                return Ok(Connected {
                    wire,
                    index,
                    was_denied,
                });
            }
            Ok(Err(error)) => error,
            Err(_) => io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no connection within {} s", CONNECT_TIME.as_secs()),
            ),
        };
        tried.push(format!("{target}: {error}"));
        let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
        was_denied |= is_denied;
        let specific = match is_denied {
            true => Some(NO_MEMBER),
            false => tls::advice(&error),
        };
        advice = advice.or(specific);
    }
    Err(CtlFailure::Unreachable {
        detail: "no relay can be reached".into(),
        tried,
        hint: advice.unwrap_or(NOT_RUNNING).into(),
    })
}

async fn dial(target: &RelayTarget, trusted: Option<Fingerprint>) -> io::Result<Box<dyn AnyWire>> {
    match target {
        #[cfg(unix)]
        RelayTarget::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        RelayTarget::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        RelayTarget::Url(url) => {
            let protection = match url.is_secure {
                true => Protection::Tls(trusted),
                false => Protection::Plain,
            };
            connect::dial(&url.host, url.port, protection).await
        }
    }
}

const CONNECT_TIME: Duration = Duration::from_secs(5);

const NOT_RUNNING: &str = "is it running? Start it with \"mjpeg-server run\", or say where it is \
                           with --socket PATH or --url URL";

//! Reaches the camera of a stream that requires it at the start.

use std::sync::Arc;

use mjpeg_ingest::{ConnectError, Error as IngestError, Event, Failover, Source};

use crate::{error::Error, spec::StreamSpec, status::monitor::Monitor};

/// Pulls events until one of the sources is connected, or each has failed once.
///
/// # Errors
///
/// [`Error::ConnectTimeout`], [`Error::ConnectFailed`] or [`Error::SourceFailed`] with the first
/// failure.
pub(crate) async fn reach(
    failover: &mut Failover,
    spec: &StreamSpec,
    monitor: &Monitor,
) -> Result<(), Error> {
    let source = spec.sources().first();
    let mut first_error = None;
    let mut failed = vec![false; spec.sources().len()];
    loop {
        let Some((index, event)) = failover.next().await else {
            let finished = || Arc::new(IngestError::Connect(ConnectError::Finished));
            return Err(unreachable(source, first_error.unwrap_or_else(finished)));
        };
        if let Event::Offline { error, .. } = &event {
            failed[index] = true;
            let first = first_error.get_or_insert_with(|| Arc::clone(error));
            if failed.iter().all(|&failed| failed) {
                return Err(unreachable(source, Arc::clone(first)));
            }
        }
        let is_online = matches!(event, Event::Online { .. });
        monitor.source_event(index, event);
        if is_online {
            return Ok(());
        }
    }
}

fn unreachable(source: Option<&Source>, error: Arc<IngestError>) -> Error {
    let source_url = source.map_or_else(String::new, Source::to_string);
    match &*error {
        IngestError::Connect(ConnectError::TimedOut { .. }) => {
            Error::ConnectTimeout { source_url, error }
        }
        // The system's own limit ran out before ours did.
        IngestError::Connect(ConnectError::Failed { source, .. })
            if source.kind() == std::io::ErrorKind::TimedOut =>
        {
            Error::ConnectTimeout { source_url, error }
        }
        IngestError::Connect(ConnectError::Failed { .. } | ConnectError::Resolve { .. }) => {
            Error::ConnectFailed { source_url, error }
        }
        _ => Error::SourceFailed { source_url, error },
    }
}

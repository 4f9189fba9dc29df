//! What is written to the log about one stream. The journal in its record decides how much.

use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::{
    name::StreamName,
    state::StreamState,
    status::{freeze::Motion, journal::SuppressedLines, record::Record},
};

/// Writes a change of state.
pub(crate) fn state(stream: &StreamName, state: &StreamState, record: &mut Record) {
    let now = Instant::now();
    let journal = &mut record.journal;
    match state {
        StreamState::Offline { error, reason, .. } => {
            if journal.begin_outage(now, *reason) && journal.admits(now) {
                warn!(%stream, %error, "camera offline; retrying until it returns");
            } else {
                debug!(%stream, %error, "camera still offline");
            }
        }
        // The program itself feeds it.
        StreamState::Online if record.sources.is_empty() => {}
        StreamState::Online => {
            let outage = journal.end_outage(now);
            if !journal.admits(now) {
                return;
            }
            let peer = record.peer().unwrap_or_default();
            match outage {
                Some((after, attempts)) => {
                    info!(%stream, %peer, ?after, attempts, "camera online");
                }
                None => info!(%stream, %peer, "camera online"),
            }
        }
        // A camera that was told to be lost is only being tried again.
        StreamState::Connecting | StreamState::Idle | StreamState::Stalled { .. }
            if journal.is_out() =>
        {
            debug!(%stream, %state, "camera");
        }
        StreamState::Connecting => debug!(%stream, %state, "camera"),
        // Written together with the panic.
        StreamState::Failed { .. } => {}
        StreamState::Stalled { .. } => {
            if journal.admits(now) {
                warn!(%stream, %state, "camera");
            }
        }
        _ => {
            journal.end_outage(now);
            if journal.admits(now) {
                info!(%stream, %state, "camera");
            }
        }
    }
}

/// Writes that the picture has frozen, or moves again.
pub(crate) fn motion(stream: &StreamName, motion: Motion, record: &mut Record) {
    if record.journal.admits(Instant::now()) {
        warn!(%stream, ?motion, "the camera's picture");
    }
}

/// Writes that frames come from another source.
pub(crate) fn active(stream: &StreamName, source: &str, record: &mut Record) {
    if record.journal.admits(Instant::now()) {
        warn!(%stream, %source, "frames come from another source now");
    }
}

/// Writes how much was not written, if it is time.
pub(crate) fn suppressed(stream: &StreamName, record: &mut Record, now: Instant) {
    let Some(SuppressedLines { lines, within }) = record.journal.take_suppressed(now) else {
        return;
    };
    let (state, seconds) = (&record.state, within.as_secs());
    warn!(%stream, %state, "the camera comes and goes: {lines} more changes in {seconds} s");
}

//! What is written to the log about one stream. The journal in its record decides how much.

use std::time::Duration;

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
    let (source, peer) = (record.source(), record.peer());
    let journal = &mut record.journal;
    match state {
        StreamState::Offline { error, reason, .. } => {
            if journal.begin_outage(now, *reason) && journal.admits(now) {
                warn!(%stream, source, %error, "camera offline; retrying until it returns");
            } else {
                debug!(%stream, source, %error, "camera still offline");
            }
        }
        // The program itself feeds it.
        StreamState::Online if record.sources.is_empty() => {}
        StreamState::Online => {
            let outage = journal.end_outage(now);
            if !journal.admits(now) {
                return;
            }
            let (lasted, attempts) = outage.unzip();
            let outage_seconds = lasted.map(|lasted: Duration| lasted.as_secs_f64());
            info!(%stream, source, peer, outage_seconds, attempts, "camera online");
        }
        // A camera that was told to be lost is only being tried again.
        StreamState::Connecting | StreamState::Idle | StreamState::Stalled { .. }
            if journal.is_out() =>
        {
            debug!(%stream, source, %state, "camera state");
        }
        StreamState::Connecting => debug!(%stream, source, %state, "camera state"),
        // Written together with the panic.
        StreamState::Failed { .. } => {}
        StreamState::Stalled { after } => {
            if journal.admits(now) {
                let silent_seconds = after.as_secs_f64();
                warn!(%stream, source, peer, silent_seconds, "camera stalled");
            }
        }
        _ => {
            journal.end_outage(now);
            if journal.admits(now) {
                info!(%stream, source, %state, "camera state");
            }
        }
    }
}

/// Writes that the picture has frozen, or moves again.
pub(crate) fn motion(stream: &StreamName, motion: Motion, record: &mut Record) {
    if !record.journal.admits(Instant::now()) {
        return;
    }
    let source = record.source();
    match motion {
        Motion::Frozen => warn!(%stream, source, "the camera's picture is frozen"),
        Motion::Moving => info!(%stream, source, "the camera's picture moves again"),
    }
}

/// Writes that frames come from another source.
pub(crate) fn active(stream: &StreamName, source: &str, record: &mut Record) {
    if record.journal.admits(Instant::now()) {
        warn!(%stream, source, "frames come from another source now");
    }
}

/// Writes that the camera's connection was closed because another may read the camera.
pub(crate) fn given_up(stream: &StreamName, record: &mut Record) {
    if record.journal.admits(Instant::now()) {
        let source = record.source();
        info!(%stream, source, "camera given up; another node may read it now");
    }
}

/// Writes that the camera sends a flood.
pub(crate) fn flooded(stream: &StreamName, record: &mut Record) {
    if record.journal.admits(Instant::now()) {
        let source = record.source();
        warn!(%stream, source, "the camera sends a flood and is read more slowly");
    }
}

/// Writes how much was not written, if it is time.
pub(crate) fn suppressed(stream: &StreamName, record: &mut Record, now: Instant) {
    let Some(SuppressedLines { lines, within }) = record.journal.take_suppressed(now) else {
        return;
    };
    let (state, seconds) = (&record.state, within.as_secs());
    warn!(%stream, %state, lines, seconds, "the camera comes and goes; lines were left out");
}

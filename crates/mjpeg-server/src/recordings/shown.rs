//! Recordings as the API shows them.

use mjpeg_control::{RecordingInfo, RecordingKind};
use mjpeg_timelapse::{TimelapseId, TimelapseJob, TimelapseState};

/// A job as the API shows it.
pub(super) fn shown(kind: RecordingKind, job: &TimelapseJob) -> RecordingInfo {
    let id = print_id(kind, &job.id);
    let mut shown = RecordingInfo::new(kind, id, job.spec.stream(), job.created);
    shown.title = job.spec.title().to_owned();
    shown.event = job.spec.event().map(str::to_owned);
    shown.first = job.first;
    shown.ended = match &job.state {
        TimelapseState::Ended { reason, at } => Some((reason.clone(), *at)),
        _ => None,
    };
    shown.every_s = job.spec.every().map(|every| every.as_secs_f64());
    shown.until = job.spec.until();
    shown.max_frames = job.spec.max_frames();
    shown.fps = job.spec.fps();
    (shown.frames, shown.bytes, shown.last) = (job.frames, job.bytes, job.last);
    shown.refused = job.refused;
    shown
}

pub(super) fn print_id(kind: RecordingKind, id: &TimelapseId) -> String {
    match kind {
        RecordingKind::Clip => format!("c-{id}"),
        _ => format!("t-{id}"),
    }
}

pub(super) fn parse_id(text: &str) -> Option<(RecordingKind, TimelapseId)> {
    let (kind, id) = text.split_once('-')?;
    let kind = match kind {
        "c" => RecordingKind::Clip,
        "t" => RecordingKind::Timelapse,
        _ => return None,
    };
    Some((kind, id.parse().ok()?))
}

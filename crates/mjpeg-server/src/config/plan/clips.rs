//! Clips that streams keep by themselves.

use super::unusable::Failed;
use crate::{
    config::keys::stream::StreamKeys,
    event_clips::{ClipEvent, EventClipPlan},
};

/// What a stream keeps clips of; `None` for nothing.
pub(super) fn clips(keys: &StreamKeys) -> Result<Option<EventClipPlan>, Failed> {
    if keys.clip_on.is_empty() {
        return Ok(None);
    }
    let Some(kept) = keys.replay.span() else {
        let message = "clips are made of the past pictures of a stream, and this one keeps none: \
                       set `replay`, such as `replay = \"60s\"`";
        return Err(("clip_on", message.into()));
    };
    if keys.clip_before.0 > kept {
        let message = format!(
            "the stream keeps pictures for less time than that: set `replay` to at least \"{}\"",
            keys.clip_before
        );
        return Err(("clip_before", message));
    }
    let needed = [
        (ClipEvent::Motion, "detect_motion", keys.detect_motion.0),
        (ClipEvent::Dark, "detect_dark", keys.detect_dark.0),
        (ClipEvent::Covered, "detect_covered", keys.detect_covered.0),
    ];
    for (event, key, threshold) in needed {
        if keys.clip_on.contains(&event) && threshold.is_none() {
            let word = event.as_str();
            let message = format!("\"{word}\" is never detected without `{key}`: set it, too");
            return Err(("clip_on", message));
        }
    }
    let (before, after) = (keys.clip_before.0, keys.clip_after.0);
    if before.saturating_add(after) > keys.max_clip_duration.0 {
        let message = "a clip would be shorter than `clip_before` and `clip_after` together";
        return Err(("max_clip_duration", message.into()));
    }
    Ok(Some(EventClipPlan {
        on: keys.clip_on.iter().copied().collect(),
        before,
        after,
        longest: keys.max_clip_duration.0,
    }))
}

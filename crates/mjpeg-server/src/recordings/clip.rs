//! Keeps a part of what a stream has in memory.

use std::{iter::Peekable, sync::Arc, time::SystemTime};

use mjpeg_control::{Error, ErrorCode};
use mjpeg_manager::{
    Manager, StreamName,
    mjpeg_fanout::{ReplayRing, RingFrame},
    mjpeg_http::{Moment, MomentClock},
};
use mjpeg_timelapse::{
    TimelapseFrame, TimelapseJob, TimelapseSpec, TimelapseState, TimelapseStore,
};
use tokio::time::{Duration, Instant, sleep_until};

use super::{refusal::refusal, slot::StoreSlot};

/// The past of a stream.
pub(super) struct ClipSource(ReplayRing);

/// The frames of a clip, which the ring still holds or not.
pub(super) struct ClipFrames {
    ring: ReplayRing,
    numbers: Vec<u64>,
    bytes: u64,
}

impl ClipFrames {
    /// What they take on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl ClipSource {
    pub(super) fn of(manager: &Manager, stream: &StreamName) -> Result<Self, Error> {
        let consumer = manager.observe(stream.as_str()).map_err(Error::from)?;
        let ring = consumer.replay();
        let ring = ring.filter(|ring| !ring.config().tiers().is_empty());
        ring.map(Self).ok_or_else(|| {
            let error = Error::new(ErrorCode::NotFound, "the stream keeps no past pictures");
            error.with_hint("set replay = \"60s\" for it")
        })
    }

    /// Lists the frames of a time, when its end has come.
    pub(super) async fn frames(self, from: Moment, to: Moment) -> Result<ClipFrames, Error> {
        let clock = MomentClock::now_by_system();
        let (from, to) = (clock.instant(from), clock.instant(to));
        if to < from {
            let detail = "the end, to, is before the beginning, from";
            return Err(Error::new(ErrorCode::InvalidSpec, detail));
        }
        if to > Instant::now() + FURTHEST_AHEAD {
            let detail = "the end, to, is more than 30 s ahead";
            return Err(Error::new(ErrorCode::InvalidSpec, detail));
        }
        sleep_until(to).await;
        let frames = self.0.list(from, to, MOST_FRAMES + 1);
        if frames.len() > MOST_FRAMES {
            let detail = format!("the clip would have more than {MOST_FRAMES} pictures");
            let error = Error::new(ErrorCode::InvalidSpec, detail);
            return Err(error.with_hint("keep a shorter one, or download it from clip.mov"));
        }
        if frames.is_empty() {
            let detail = "the stream has no pictures of that time";
            return Err(Error::new(ErrorCode::NotFound, detail));
        }
        let lengths = frames.iter().map(|(.., length)| frame_bytes(*length));
        Ok(ClipFrames {
            bytes: TimelapseStore::JOB_BYTES + lengths.sum::<u64>(),
            ring: self.0,
            numbers: frames.into_iter().map(|(number, ..)| number).collect(),
        })
    }
}

/// Keeps frames as a recording that has ended.
pub(super) fn keep(
    slot: &StoreSlot,
    spec: &TimelapseSpec,
    frames: ClipFrames,
) -> Result<TimelapseJob, Error> {
    let store = slot.open()?;
    let job = store.create(spec, SystemTime::now()).map_err(refusal)?;
    let kept = keep_all(&store, &job, &frames);
    if kept.is_err() {
        // What is there of it is of no use. If even that fails, it can be deleted later.
        let _ = store.delete(&job.id);
    }
    kept
}

/// Ends clips that the end of the relay has interrupted: they have the pictures that were kept.
pub(super) fn end_interrupted(store: &TimelapseStore) {
    let running = store.list().into_iter();
    for job in running.filter(|job| job.state == TimelapseState::Running) {
        // If that fails, it is tried again at the next start.
        let _ = store.finish(&job.id, "interrupted", SystemTime::now());
    }
}

fn keep_all(
    store: &Arc<TimelapseStore>,
    job: &TimelapseJob,
    frames: &ClipFrames,
) -> Result<TimelapseJob, Error> {
    let clock = MomentClock::now_by_system();
    let kept = frames.numbers.iter().filter_map(|number| {
        // Older ones may be dropped meanwhile.
        let frame = frames.ring.after(number.saturating_sub(1))?;
        (frame.number() == *number).then(|| kept_frame(&frame, clock))
    });
    let mut kept = kept.peekable();
    loop {
        let batch = next_batch(&mut kept);
        if batch.is_empty() {
            break;
        }
        store.append_all(&job.id, &batch).map_err(refusal)?;
    }
    let ended = store.finish(&job.id, "clip", SystemTime::now());
    ended.and_then(|()| store.get(&job.id)).map_err(refusal)
}

/// Returns as many frames as are kept at once. Their memory is the ring's, which cannot use it
/// again until they are kept.
fn next_batch(frames: &mut Peekable<impl Iterator<Item = TimelapseFrame>>) -> Vec<TimelapseFrame> {
    let mut batch = Vec::from_iter(frames.next());
    let mut bytes = batch.first().map_or(0, |frame| frame.jpeg.len());
    while batch.len() < TimelapseStore::MAX_BATCH_FRAMES
        && let Some(frame) = frames.next_if(|frame| bytes + frame.jpeg.len() <= BATCH_BYTES)
    {
        bytes += frame.jpeg.len();
        batch.push(frame);
    }
    batch
}

/// What a frame of this length takes on the disk.
pub(super) fn frame_bytes(length: usize) -> u64 {
    length as u64 + RECORD_BYTES
}

pub(super) fn kept_frame(frame: &RingFrame, clock: MomentClock) -> TimelapseFrame {
    let image = frame.frame();
    let (width, height) = (image.width(), image.height());
    TimelapseFrame::new(image.bytes().clone(), clock.wall(frame.at()), width, height)
}

/// What a frame takes besides its JPEG.
const RECORD_BYTES: u64 = 32;

const FURTHEST_AHEAD: Duration = Duration::from_secs(30);

/// The most bytes that are kept at once, unless one frame has more.
const BATCH_BYTES: usize = 8 << 20;

/// Some minutes at 30 pictures a second.
const MOST_FRAMES: usize = 20_000;

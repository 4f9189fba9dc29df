//! Clips that streams keep by themselves when something happens.

pub(crate) mod counters;
mod disk;
mod recorder;
mod schedule;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mjpeg_control::ControlApi;
use mjpeg_manager::{Events, Manager, StreamEvent, StreamName};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use self::{
    counters::{ClipCounters, EventClipStats},
    disk::ClipDisk,
    recorder::EventRecorder,
};
use super::Recordings;
use crate::{background::OwnedTask, event_clips::EventClipPlan};

/// Keeps clips of streams by itself. Each stream has a task of its own, so that none waits for
/// another, and no stream waits for any of them. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct EventClips(Arc<EventClipsInner>);

struct EventClipsInner {
    manager: Manager,
    control: ControlApi,
    disk: ClipDisk,
    running: Mutex<HashMap<StreamName, RunningRecorder>>,
}

/// The task of a stream. It ends by itself when this is dropped, after a clip that it makes.
struct RunningRecorder {
    plan: watch::Sender<Arc<EventClipPlan>>,
    events: mpsc::Sender<StreamEvent>,
    counters: Arc<ClipCounters>,
    task: JoinHandle<()>,
}

impl EventClips {
    pub(crate) fn new(manager: Manager, control: ControlApi, recordings: &Recordings) -> Self {
        Self(Arc::new(EventClipsInner {
            manager,
            control,
            disk: ClipDisk::new(recordings),
            running: Mutex::default(),
        }))
    }

    /// Keeps clips of these streams from now on, until the task is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn begin(
        self,
        plans: &[(StreamName, EventClipPlan)],
        events: Events,
    ) -> (Self, OwnedTask) {
        self.configure(plans);
        let following = self.follow(events);
        (self, following)
    }

    /// Replaces what streams keep clips of. A clip that is being made goes on as it was begun,
    /// unless its stream keeps none any more: then it ends.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn configure(&self, plans: &[(StreamName, EventClipPlan)]) {
        let mut running = self.running();
        running.retain(|stream, _| plans.iter().any(|(name, _)| name == stream));
        for (stream, plan) in plans {
            match running.get(stream) {
                Some(known) => drop(known.plan.send_replace(Arc::new(plan.clone()))),
                None => drop(running.insert(stream.clone(), self.start(stream, plan))),
            }
        }
    }

    fn start(&self, stream: &StreamName, plan: &EventClipPlan) -> RunningRecorder {
        let (events, received) = mpsc::channel(EVENTS_AHEAD);
        let plan = watch::Sender::new(Arc::new(plan.clone()));
        let counters = Arc::<ClipCounters>::default();
        let recorder = EventRecorder {
            stream: stream.clone(),
            manager: self.0.manager.clone(),
            control: self.0.control.clone(),
            disk: self.0.disk.clone(),
            counters: Arc::clone(&counters),
            plan: plan.subscribe(),
            events: received,
            kept_to: None,
            problem: None,
        };
        RunningRecorder {
            task: tokio::spawn(recorder.run()),
            plan,
            events,
            counters,
        }
    }

    /// Passes these events on, until the task is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    fn follow(&self, mut events: Events) -> OwnedTask {
        let clips = self.clone();
        OwnedTask::start(async move {
            while let Some(event) = events.next().await {
                if let Some(recorder) = clips.running().get(&event.stream) {
                    // It is far behind: the disk hangs. What it has missed, nobody keeps.
                    let _ = recorder.events.try_send(event);
                }
            }
        })
    }

    /// Ends all clips that are being made, and waits for them a little.
    pub(crate) async fn end(&self) {
        let ending = std::mem::take(&mut *self.running());
        let tasks = ending.into_values().map(|recorder| recorder.task);
        let all = futures_util::future::join_all(tasks);
        // Otherwise they are ended at the next start.
        let _ = timeout(END_TIME, all).await;
    }

    /// Reads what was counted, by stream, and how many clips were deleted.
    pub(crate) fn stats(&self) -> (Vec<(String, EventClipStats)>, u64) {
        let running = self.running();
        let read = |(stream, recorder): (&StreamName, &RunningRecorder)| {
            (stream.to_string(), recorder.counters.read())
        };
        let mut streams: Vec<_> = running.iter().map(read).collect();
        streams.sort_by(|(one, _), (other, _)| one.cmp(other));
        (streams, self.0.disk.deleted())
    }

    /// Nothing that is done under the lock can panic.
    fn running(&self) -> MutexGuard<'_, HashMap<StreamName, RunningRecorder>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EventClips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventClips").finish_non_exhaustive()
    }
}

/// Events that wait while a stream's task waits for the disk.
const EVENTS_AHEAD: usize = 64;

/// How long the end of the relay waits for the end of clips.
const END_TIME: Duration = Duration::from_secs(2);

//! The tasks that serve a stream's viewers: one for each worker thread of the runtime, whatever
//! listeners the viewers come through.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mjpeg_fanout::Consumer;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tracing::warn;

use crate::{
    closing::Closing,
    config::stream::StreamConfig,
    shards::{
        attached::{Attached, AttachedCount},
        viewer::NewViewer,
    },
};

pub(crate) mod attached;
pub(crate) mod offer;
#[cfg(target_os = "linux")]
pub(crate) mod part_pages;
pub(crate) mod shard;
pub(crate) mod single;
pub(crate) mod viewer;
pub(crate) mod viewer_socket;

/// Owns the tasks. They start with the first viewer; dropping this cuts them.
#[derive(Debug, Default)]
pub(crate) struct Shards {
    tasks: Mutex<Tasks>,
    attached: AttachedCount,
    /// Held while one call drains, so that another returns no sooner.
    draining: tokio::sync::Mutex<()>,
    /// The stream's name, for the log.
    stream: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Tasks {
    running: JoinSet<()>,
    senders: Vec<mpsc::UnboundedSender<(NewViewer, Attached)>>,
    next: usize,
    is_drained: bool,
}

impl Shards {
    /// Makes them for the stream of this name.
    pub(crate) fn new(stream: Option<Arc<str>>) -> Self {
        Self {
            stream,
            ..Self::default()
        }
    }

    /// Gives a viewer to the next task in turn. `ends` makes what tells a new task to end.
    pub(crate) fn attach(
        &self,
        viewer: NewViewer,
        consumer: &Consumer,
        ends: impl Fn() -> (Closing, watch::Receiver<Arc<StreamConfig>>),
    ) {
        let mut tasks = self.lock();
        if tasks.is_drained {
            viewer.socket.end();
            return;
        }
        let start = |running: &mut JoinSet<()>| {
            let (sender, incoming) = mpsc::unbounded_channel();
            let (closing, config) = ends();
            running.spawn(shard::serve(consumer.clone(), incoming, closing, config));
            sender
        };
        let Tasks {
            running,
            senders,
            next,
            ..
        } = &mut *tasks;
        if senders.is_empty() {
            let workers = Handle::current().metrics().num_workers();
            senders.extend((0..workers).map(|_| start(running)));
        }
        *next = (*next + 1) % senders.len();
        let refused = senders[*next].send((viewer, self.attached.one()));
        if let Err(mpsc::error::SendError(viewer)) = refused {
            // The task has panicked or is ending. Its viewers are lost, but new ones need not be.
            let stream = self.stream.as_deref();
            warn!(
                stream,
                "a task that serves viewers has failed; starting another"
            );
            senders[*next] = start(running);
            let _ = senders[*next].send(viewer);
        }
    }

    /// Gives a viewer of something else than the stream a task of its own.
    pub(crate) fn attach_alone(
        &self,
        viewer: NewViewer,
        consumer: Consumer,
        ends: impl Fn() -> (Closing, watch::Receiver<Arc<StreamConfig>>),
    ) {
        let mut tasks = self.lock();
        if tasks.is_drained {
            viewer.socket.end();
            return;
        }
        // Those that have ended are kept until somebody looks.
        while tasks.running.try_join_next().is_some() {}
        let (sender, incoming) = mpsc::unbounded_channel();
        let (closing, config) = ends();
        // The receiver is right here.
        let _ = sender.send((viewer, self.attached.one()));
        // Without its sender, the task ends with its viewer.
        let shard = shard::serve(consumer, incoming, closing, config);
        tasks.running.spawn(shard);
    }

    /// Waits until the tasks have ended, at most for the grace, and then cuts them. Returns how
    /// many viewers were cut. The service must be closed, or they do not end.
    pub(crate) async fn drain(&self, grace: Duration) -> usize {
        let _draining = self.draining.lock().await;
        let mut running = {
            let mut tasks = self.lock();
            tasks.is_drained = true;
            tasks.senders.clear();
            std::mem::take(&mut tasks.running)
        };
        let all = async { while running.join_next().await.is_some() {} };
        if timeout(grace, all).await.is_ok() {
            return 0;
        }
        let (stream, cut) = (self.stream.as_deref(), self.attached.now());
        warn!(stream, cut, "viewers did not end in time and were cut");
        running.shutdown().await;
        cut
    }

    /// Held briefly, never across a wait.
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        // Every step under this lock leaves the tasks owned.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

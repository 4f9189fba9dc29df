//! When a response over HTTP/2 is cut.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::{
    closing::Closing,
    config::stream::StreamConfig,
    server::http2::body::BodyProgress,
    stats::{ListenerCounters, StreamCounters},
    timer::LazySleep,
    viewers::{answer::AnswerState, cut::CutReason, viewer::ViewerState},
};

/// What bounds the sending of a response.
pub(super) enum Bounds {
    Viewer(ViewerBounds),
    /// A snapshot or another answer of a stream.
    Answer(Arc<AnswerState>),
    /// An answer of the listener or its fallback.
    Other {
        write_stall: Duration,
        counters: Arc<ListenerCounters>,
    },
}

pub(super) struct ViewerBounds {
    pub(super) viewer: Arc<ViewerState>,
    pub(super) counters: Arc<StreamCounters>,
    pub(super) config: watch::Receiver<Arc<StreamConfig>>,
    /// Of the viewer's service.
    pub(super) cut: Option<watch::Receiver<bool>>,
}

impl Bounds {
    /// Waits until the response must be cut, and counts it. To be polled after the response, which
    /// wakes the task: this itself notices progress only then.
    ///
    /// `others_cut` announces that all but viewers are cut.
    pub(super) async fn passed(mut self, progress: &BodyProgress, others_cut: Closing) {
        let mut timer = LazySleep::default();
        let mut owner_cuts = pin!(self.owner_cuts(others_cut));
        loop {
            let waiting = poll_fn(|_| match progress.waiting_since() {
                Some(since) => Poll::Ready(since),
                None => Poll::Pending,
            });
            let since = tokio::select! {
                biased;
                since = waiting => since,
                () = &mut owner_cuts => return,
            };
            let (at, reason) = self.limit(since).await;
            if at <= Instant::now() {
                self.count(reason);
                return;
            }
            let goes_on = poll_fn(|_| match progress.waiting_since() {
                Some(still) if still == since => Poll::Pending,
                _ => Poll::Ready(()),
            });
            tokio::select! {
                biased;
                () = goes_on => {}
                () = self.chosen(since) => return,
                () = timer.until(Some(at)) => {}
                () = &mut owner_cuts => return,
            }
        }
    }

    /// When a client that has taken nothing since then is cut, and why.
    async fn limit(&self, since: Instant) -> (Instant, CutReason) {
        match self {
            Self::Viewer(ViewerBounds { viewer, config, .. }) => {
                viewer.blocks(since);
                let config = config.borrow();
                let stalled_at = since + config.write_stall();
                let slow_at = viewer.begun_at() + config.max_frame_send_time();
                if slow_at < stalled_at {
                    (slow_at, CutReason::TooSlow)
                } else {
                    (stalled_at, CutReason::Stalled)
                }
            }
            Self::Answer(state) => poll_fn(|cx| Poll::Ready(state.limit(since, cx))).await,
            Self::Other { write_stall, .. } => (since + *write_stall, CutReason::Stalled),
        }
    }

    fn count(&self, reason: CutReason) {
        match self {
            Self::Viewer(viewer) => reason.count(&viewer.counters),
            Self::Answer(state) => reason.count(state.counters()),
            Self::Other { counters, .. } => counters.write_stalls.add_one(),
        }
    }

    /// Waits until this response is chosen to be cut, while it is being sent.
    async fn chosen(&self, since: Instant) {
        match self {
            Self::Viewer(viewer) => viewer.viewer.cut.notified().await,
            Self::Answer(state) => {
                let chosen = poll_fn(|cx| match state.limit(since, cx) {
                    (_, CutReason::Chosen) => Poll::Ready(()),
                    _ => Poll::Pending,
                });
                chosen.await;
            }
            Self::Other { .. } => std::future::pending().await,
        }
    }

    /// Waits until the owner of the response cuts it, or is gone.
    fn owner_cuts(&mut self, mut others_cut: Closing) -> impl Future<Output = ()> + use<> {
        let service = match self {
            Self::Viewer(viewer) => viewer.cut.take(),
            Self::Answer(_) | Self::Other { .. } => None,
        };
        async move {
            match service {
                // An error means that the service was dropped.
                Some(mut cut) => drop(cut.wait_for(|is_cut| *is_cut).await),
                None => others_cut.wait().await,
            }
        }
    }
}

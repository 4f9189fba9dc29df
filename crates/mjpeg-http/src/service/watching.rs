//! How another service is admitted to watch a stream.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::{
    feed::Feed,
    gate::{Action, Grant, Inquiry},
    request::stream::StreamRequest,
    service::{access::GateRefusal, shared::ServiceShared},
    viewers::permit::Permit,
    watcher::{StreamWatcher, WatchRefusal, WatchRequest, WatchedService},
};

impl ServiceShared {
    /// Admits a viewer that another service sends frames to.
    pub(crate) async fn watch(
        &self,
        mut inquiry: Inquiry,
        request: &WatchRequest,
    ) -> Result<StreamWatcher, WatchRefusal> {
        (inquiry.action, inquiry.stream) = (Action::Stream, self.name.clone());
        let inquiry = Arc::new(inquiry);
        loop {
            let rechecks = self.rechecks.load(Ordering::Acquire);
            let granted = if self.gate.is_some() && !request.skips_gate {
                self.granted(&inquiry).await
            } else {
                Ok(Grant::default())
            };
            let watcher = match granted {
                Ok(grant) => self.watcher(grant, &inquiry, request),
                Err(GateRefusal::Denied(response)) => Err(WatchRefusal::Denied(response)),
                Err(GateRefusal::Undecided) => Err(WatchRefusal::Undecided),
            };
            // A recheck that began in the meantime has not seen this viewer.
            if self.rechecks.load(Ordering::Acquire) == rechecks {
                return watcher;
            }
        }
    }

    fn watcher(
        &self,
        grant: Grant,
        inquiry: &Arc<Inquiry>,
        request: &WatchRequest,
    ) -> Result<StreamWatcher, WatchRefusal> {
        if self.closer.is_closed() {
            return Err(WatchRefusal::Closed);
        }
        let (config, now) = (self.config(), Instant::now());
        let wanted = StreamRequest {
            fps: request.fps,
            protocol: Some(request.protocol),
            ..StreamRequest::default()
        };
        let wanted = wanted.with_max_fps(grant.max_fps);
        let most_fps = grant.max_fps.filter(|fps| fps.is_finite() && *fps > 0.0);
        let kept = (self.gate.is_some() && !request.skips_gate).then(|| {
            let mut kept = Arc::clone(inquiry);
            if grant.proof.is_some() {
                Arc::make_mut(&mut kept).proof.clone_from(&grant.proof);
            }
            kept
        });
        let entrance = self.entrance(&config);
        let permit = Permit::take(&entrance, inquiry.peer, &wanted, (grant, kept), now)
            .map_err(|full| WatchRefusal::Full(full.reason().trim_end().to_owned()))?;
        permit.log_arrival(Some(&inquiry.listener), &inquiry.headers, &inquiry.uri);
        let service = WatchedService {
            consumer: self.consumer.clone(),
            closing: self.closer.closing(),
            config: self.config.subscribe(),
            watching: self.watching.subscribe(),
        };
        let feed = Feed::new(permit, wanted, config, now);
        Ok(StreamWatcher::new(feed, service, most_fps))
    }

    /// Waits until the viewers have ended that other services send frames to, at most for the
    /// grace. Returns how many have not: those services were told, and must end them.
    pub(crate) async fn drain_watchers(&self, grace: Duration) -> usize {
        if timeout(grace, self.watching.closed()).await.is_ok() {
            return 0;
        }
        let (stream, cut) = (self.name.as_deref(), self.watching.receiver_count());
        warn!(stream, cut, "viewers did not end in time and were cut");
        self.viewers.all().iter().for_each(|viewer| {
            viewer.revoke();
        });
        cut
    }
}

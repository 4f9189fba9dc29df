//! One running stream.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use mjpeg_fanout::{Consumer, Producer};
use mjpeg_ingest::{
    Backoff, ConnectError, Control, Error as IngestError, Event, Ingest, IngestConfig,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing::{debug, error, info, warn};

use crate::{
    Error, ManagerConfig, StartMode, StreamInfo, StreamName, StreamSpec,
    monitor::Monitor,
    outlet::{Bound, Serving},
};

/// A stream and everything it owns; dropping it ends all of that.
#[derive(Debug)]
pub(crate) struct Running {
    spec: StreamSpec,
    monitor: Arc<Monitor>,
    consumer: Consumer,
    serving: Option<Serving>,
    control: Control,
    /// Drives the camera; owns the producer.
    driver: JoinHandle<()>,
}

impl Running {
    /// Takes the port, reaches the camera if that is required, and only then begins to serve. Until it returns, dropping the future undoes all.
    pub(crate) async fn start(spec: StreamSpec, config: &ManagerConfig) -> Result<Self, Error> {
        if spec.mode == StartMode::Require && spec.source.is_awaited() {
            let why = "a camera that connects to us cannot be required at the start";
            return Err(Error::InvalidSpec(why.into()));
        }
        let bound = spec
            .listen
            .map(|addr| Bound::bind(addr, config))
            .transpose()?;
        let (producer, consumer) = mjpeg_fanout::channel();
        let monitor = Arc::new(Monitor::new());
        let mut ingest = Ingest::new(spec.source.clone(), config.ingest.clone());
        if spec.mode == StartMode::Require {
            reach(&mut ingest, &spec, &monitor, &producer).await?;
        }
        let control = ingest.control();
        let driver = Driver {
            name: spec.name.clone(),
            config: config.ingest.clone(),
            monitor: Arc::clone(&monitor),
            producer,
            spec: spec.clone(),
        };
        let driver = tokio::spawn(driver.run(ingest));
        let serving = bound.map(|bound| bound.serve(consumer.clone()));
        Ok(Self {
            spec,
            monitor,
            consumer,
            serving,
            control,
            driver,
        })
    }

    /// Ends the responses, frees the port, hangs up on the camera; returns when all tasks have ended. Gives how many responses had
    /// to be cut.
    pub(crate) async fn stop(mut self) -> usize {
        let cut = match &mut self.serving {
            Some(serving) => serving.stop().await,
            None => 0,
        };
        self.driver.abort();
        // An error is the abort just asked for.
        let _ = (&mut self.driver).await;
        cut
    }

    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    pub(crate) fn consumer(&self) -> Consumer {
        self.consumer.clone()
    }

    #[cfg(feature = "listener")]
    pub(crate) fn http_stats(&self) -> Option<mjpeg_http::Stats> {
        self.serving.as_ref().map(Serving::stats)
    }

    #[cfg(feature = "listener")]
    pub(crate) fn viewers(&self) -> Vec<mjpeg_http::ViewerInfo> {
        self.serving
            .as_ref()
            .map_or_else(Vec::new, Serving::viewers)
    }

    pub(crate) fn info(&self) -> StreamInfo {
        let seen = self.monitor.seen();
        StreamInfo {
            name: self.spec.name.clone(),
            source: self.spec.source.to_string(),
            mode: self.spec.mode,
            listen: self.serving.as_ref().map(Serving::addr),
            peer: seen.peer.clone(),
            state: seen.state,
            since: seen.since,
            size: seen.size,
            fps: seen.meter.rate(Instant::now().into_std()),
            frames: seen.frames,
            bytes: seen.bytes,
            discarded: seen.discarded.clone(),
            repaired: seen.repaired.clone(),
            viewers: self.consumer.viewers(),
            reconnects: seen.connections.saturating_sub(1),
            last_error: seen.last_error.clone(),
            panics: seen.panics,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Pulls events until the camera is reached or is not.
async fn reach(
    ingest: &mut Ingest,
    spec: &StreamSpec,
    monitor: &Monitor,
    producer: &Producer,
) -> Result<(), Error> {
    loop {
        let Some(event) = ingest.next().await else {
            let error = Arc::new(IngestError::Connect(ConnectError::Finished));
            return Err(Error::SourceFailed {
                source_url: spec.source.to_string(),
                error,
            });
        };
        if let Event::Offline { error, .. } = event {
            return Err(unreachable(spec, error));
        }
        let online = matches!(event, Event::Online { .. });
        monitor.apply(event, producer, spec);
        if online {
            return Ok(());
        }
    }
}

fn unreachable(spec: &StreamSpec, error: Arc<IngestError>) -> Error {
    let source_url = spec.source.to_string();
    match &*error {
        IngestError::Connect(ConnectError::TimedOut { .. }) => {
            Error::TcpConnectionTimeout { source_url, error }
        }
        // The system's own limit ran out before ours did.
        IngestError::Connect(ConnectError::Failed { source, .. })
            if source.kind() == std::io::ErrorKind::TimedOut =>
        {
            Error::TcpConnectionTimeout { source_url, error }
        }
        IngestError::Connect(ConnectError::Failed { .. } | ConnectError::Resolve { .. }) => {
            Error::TcpConnectionFailed { source_url, error }
        }
        _ => Error::SourceFailed { source_url, error },
    }
}

/// Carries a camera's events to its viewers.
struct Driver {
    name: StreamName,
    config: IngestConfig,
    monitor: Arc<Monitor>,
    producer: Producer,
    spec: StreamSpec,
}

impl Driver {
    /// Runs until aborted, or until the source ends. A panic costs a restart with backoff.
    async fn run(self, mut ingest: Ingest) {
        let seed = fastrand::u64(..);
        let mut attempt = 0;
        loop {
            let since = Instant::now();
            // What the panic may have left half-done is dropped with the ingest; the monitor's figures stay readable.
            let outcome = AssertUnwindSafe(self.pull(&mut ingest))
                .catch_unwind()
                .await;
            if outcome.is_ok() {
                self.monitor.ended(&self.producer);
                info!(stream = %self.name, "the source has ended");
                // The producer must outlive the source: viewers keep the last picture until the stream is stopped.
                return std::future::pending().await;
            }
            if since.elapsed() >= STABLE_AFTER {
                attempt = 0;
            }
            let retry_in = Backoff::default().delay(attempt, seed);
            attempt += 1;
            error!(stream = %self.name, ?retry_in, "the stream's task panicked; starting it again");
            // Close the old connection before the wait: one connection per camera.
            let (source, config) = (self.spec.source.clone(), self.config.clone());
            ingest = Ingest::with_control(source, config, ingest.control());
            self.monitor.panicked(retry_in, &self.producer);
            sleep(retry_in).await;
        }
    }

    async fn pull(&self, ingest: &mut Ingest) {
        let mut told = None;
        while let Some(event) = ingest.next().await {
            match &event {
                Event::Online { peer } => {
                    told = None;
                    info!(stream = %self.name, %peer, "camera online");
                }
                // A camera that is off for days is one line, not one per attempt.
                Event::Offline { error, retry_in } if told == Some(error.to_string()) => {
                    debug!(stream = %self.name, %error, ?retry_in, "camera still offline");
                }
                Event::Offline { error, .. } => {
                    told = Some(error.to_string());
                    warn!(stream = %self.name, %error, "camera offline; trying again for ever");
                }
                Event::Paused => {
                    told = None;
                    info!(stream = %self.name, "paused");
                }
                _ => {}
            }
            self.monitor.apply(event, &self.producer, &self.spec);
        }
    }
}

/// How long a stream must have run for a panic to count as the first again.
const STABLE_AFTER: Duration = Duration::from_secs(60);

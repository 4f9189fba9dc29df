//! One running stream.

use std::sync::Arc;

use mjpeg_fanout::{Consumer, Producer};
use mjpeg_ingest::{ConnectError, Control, Error as IngestError, Event, Failover, Source};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    Error, ManagerConfig, StartMode, StreamInfo, StreamSpec,
    driver::Driver,
    event::Herald,
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
    sources: watch::Sender<Vec<Source>>,
    /// Tells the driver of what the control was told.
    nudge: Arc<Notify>,
    /// Drives the camera; owns the producer.
    driver: JoinHandle<()>,
}

impl Running {
    /// Takes the port, reaches the camera if that is required, and only then begins to serve. Until it returns, dropping the future undoes all.
    pub(crate) async fn start(
        spec: StreamSpec,
        config: &ManagerConfig,
        herald: Herald,
    ) -> Result<Self, Error> {
        spec.check_sense()?;
        let bound = spec
            .listen
            .map(|addr| Bound::bind(addr, config))
            .transpose()?;
        let (producer, consumer) = mjpeg_fanout::channel();
        let monitor = Arc::new(Monitor::new(&spec, herald));
        let mut failover = Failover::new(spec.sources.clone(), config.ingest.clone());
        if spec.mode == StartMode::Require {
            reach(&mut failover, &spec, &monitor, &producer).await?;
        }
        let control = failover.control();
        let (sources, listed) = watch::channel(spec.sources.clone());
        let nudge = Arc::new(Notify::new());
        let driver = Driver::new(
            spec.clone(),
            config.ingest.clone(),
            (listed, Arc::clone(&nudge)),
            Arc::clone(&monitor),
            (producer, consumer.clone()),
            failover,
        );
        let driver = tokio::spawn(driver.run());
        let serving = bound.map(|bound| bound.serve(consumer.clone()));
        Ok(Self {
            spec,
            monitor,
            consumer,
            serving,
            control,
            sources,
            nudge,
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

    pub(crate) fn pause(&self) {
        self.control.pause();
        self.nudge.notify_one();
    }

    pub(crate) fn resume(&self) {
        self.control.resume();
        self.nudge.notify_one();
    }

    pub(crate) fn retry_now(&self) {
        self.control.retry_now();
    }

    /// Reads other sources from now on.
    pub(crate) fn set_sources(&self, sources: Vec<Source>) {
        self.sources.send_replace(sources);
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
            source: seen.source(),
            sources: seen.sources.clone(),
            on_demand: self.spec.linger.is_some(),
            mode: self.spec.mode,
            listen: self.serving.as_ref().map(Serving::addr),
            peer: seen.peer(),
            state: seen.state.clone(),
            since: seen.since,
            frozen_since: seen.freeze.since(),
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

/// Pulls events until a camera is reached, or none is.
async fn reach(
    failover: &mut Failover,
    spec: &StreamSpec,
    monitor: &Monitor,
    producer: &Producer,
) -> Result<(), Error> {
    let mut first_error = None;
    let mut failed = vec![false; spec.sources.len()];
    loop {
        let Some((index, event)) = failover.next().await else {
            let finished = || Arc::new(IngestError::Connect(ConnectError::Finished));
            let error = first_error.unwrap_or_else(finished);
            return Err(unreachable(&spec.sources[0], error));
        };
        if let Event::Offline { error, .. } = &event {
            failed[index] = true;
            let first = first_error.get_or_insert_with(|| Arc::clone(error));
            if failed.iter().all(|&failed| failed) {
                return Err(unreachable(&spec.sources[0], Arc::clone(first)));
            }
        }
        let online = matches!(event, Event::Online { .. });
        monitor.apply(index, event, producer, spec);
        if online {
            return Ok(());
        }
    }
}

fn unreachable(source: &Source, error: Arc<IngestError>) -> Error {
    let source_url = source.to_string();
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

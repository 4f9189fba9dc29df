//! A port that is being served.

use std::{net::SocketAddr, time::Duration};

use mjpeg_http::{Listener, ListenerMonitor, StreamService};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// A port that is being served.
#[derive(Debug)]
pub(super) struct Port {
    /// The address asked for.
    pub(super) asked: SocketAddr,
    pub(super) addr: SocketAddr,
    pub(super) monitor: ListenerMonitor,
    stop: Option<oneshot::Sender<()>>,
    /// `None` when it has ended.
    task: Option<JoinHandle<usize>>,
}

impl Port {
    /// Serves the stream on a bound port.
    pub(super) fn serve(asked: SocketAddr, listener: Listener, service: StreamService) -> Self {
        let addr = listener.local_addr().unwrap_or(asked);
        let monitor = listener.monitor();
        let (stop, stopped) = oneshot::channel();
        let until = async {
            // An error means that the port is being dropped, which aborts this task anyway.
            let _ = stopped.await;
        };
        let serve = listener.serve(service, until);
        let task = tokio::spawn(async move { serve.await.cut });
        Self {
            asked,
            addr,
            monitor,
            stop: Some(stop),
            task: Some(task),
        }
    }

    /// Frees the port, waits until its connections have ended, and cuts those that have not within
    /// the grace. Returns how many were cut.
    pub(super) async fn stop(mut self, grace: Duration, service: Option<&StreamService>) -> usize {
        self.close();
        if let Ok(cut) = timeout(grace, self.ended()).await {
            return cut;
        }
        // The service counts those of its viewers itself.
        let viewers = service.map_or(0, |service| service.stats().viewers);
        let cut = self.monitor.stats().connections.saturating_sub(viewers);
        self.abort();
        self.ended().await;
        cut as usize
    }

    /// Accepts no more connections.
    pub(super) fn close(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the task has ended by itself.
            let _ = stop.send(());
        }
    }

    /// Waits until all connections have ended. Returns how many were cut.
    pub(super) async fn ended(&mut self) -> usize {
        let Some(task) = &mut self.task else {
            return 0;
        };
        let cut = task.await.unwrap_or(0);
        self.task = None;
        cut
    }

    /// Whether [`ended`](Self::ended) has returned once.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_none()
    }

    fn abort(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.abort();
    }
}

//! A port that is being served.

use std::net::SocketAddr;

use mjpeg_http::{Listener, ListenerHandle, StreamService};
use tokio::{sync::oneshot, task::JoinHandle};

/// A port that is being served.
#[derive(Debug)]
pub(super) struct Port {
    /// The address asked for.
    pub(super) asked: SocketAddr,
    pub(super) addr: SocketAddr,
    pub(super) handle: ListenerHandle,
    stop: Option<oneshot::Sender<()>>,
    /// `None` when it has ended.
    task: Option<JoinHandle<()>>,
}

impl Port {
    /// Serves the stream on a bound port.
    pub(super) fn serve(asked: SocketAddr, listener: Listener, service: StreamService) -> Self {
        let addr = listener.local_addr().unwrap_or(asked);
        let handle = listener.handle();
        let (stop, stopped) = oneshot::channel();
        let until = async {
            // An error means that the port is being dropped, which aborts this task anyway.
            let _ = stopped.await;
        };
        let serve = listener.serve(service, until);
        let task = tokio::spawn(async move {
            // It has no limit of its own to cut anything.
            serve.await;
        });
        Self {
            asked,
            addr,
            handle,
            stop: Some(stop),
            task: Some(task),
        }
    }

    /// Accepts no more connections.
    pub(super) fn close(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the task has ended by itself.
            let _ = stop.send(());
        }
    }

    /// Waits until all connections but those of viewers have ended.
    pub(super) async fn ended(&mut self) {
        if let Some(task) = &mut self.task {
            // An error is a panic of the task, which has ended it.
            let _ = task.await;
            self.task = None;
        }
    }

    /// Whether [`ended`](Self::ended) has returned once.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_none()
    }

    /// Cuts the connections that have not ended, and returns how many there were. Call it when the
    /// viewers have ended: they are connections of the port too.
    pub(super) async fn cut(mut self) -> usize {
        if self.has_ended() {
            return 0;
        }
        let cut = self.handle.stats().connections;
        self.abort();
        self.ended().await;
        cut as usize
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

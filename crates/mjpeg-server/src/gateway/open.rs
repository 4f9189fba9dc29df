//! One gateway that is served.

use std::sync::Arc;

use mjpeg_manager::mjpeg_http::{Drained, ListenAddress, Listener, ListenerHandle};
use tokio::{sync::oneshot, task::JoinHandle};
use tracing::info;
#[cfg(unix)]
use tracing::warn;

use super::{
    config::{GatewayAddress, GatewayConfig},
    site::Site,
    state::{GatewayState, GatewayStreams, Relayed},
    tls::GatewayTls,
};
use crate::tls::Tls;

/// A gateway that is served.
#[derive(Debug)]
pub(super) struct Gateway {
    /// The address asked for.
    pub(super) asked: GatewayAddress,
    pub(super) address: ListenAddress,
    pub(super) state: Arc<GatewayState>,
    pub(super) handle: ListenerHandle,
    pub(super) tls: Arc<GatewayTls>,
    stop: Option<oneshot::Sender<()>>,
    /// `None` when it has ended.
    task: Option<JoinHandle<Drained>>,
}

impl Gateway {
    /// Serves what this listener accepts.
    pub(super) fn serve(
        relayed: Arc<Relayed>,
        config: GatewayConfig,
        listener: Listener,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        let (asked, address) = (config.address().clone(), listener.address());
        info!(listener = config.name(), %address, "gateway opened");
        let state = Arc::new(GatewayState::new(relayed, &address, config));
        let wrap = Arc::new(GatewayTls::default());
        wrap.set(tls);
        let listener = listener.with_fallback(Site(Arc::clone(&state)));
        let listener = listener.with_wrap(Arc::clone(&wrap) as _);
        let handle = listener.handle();
        let (stop, stopped) = oneshot::channel();
        let until = async {
            // An error means that the gateway is being dropped, which aborts this task anyway.
            let _ = stopped.await;
        };
        let streams = GatewayStreams(Arc::clone(&state));
        Self {
            asked,
            address,
            state,
            handle,
            tls: wrap,
            stop: Some(stop),
            task: Some(tokio::spawn(listener.serve(streams, until))),
        }
    }

    /// Applies to the next request of each connection.
    pub(super) fn configure(&mut self, config: GatewayConfig, tls: Option<Arc<Tls>>) {
        self.tls.set(tls);
        if self.asked != *config.address() {
            self.asked = config.address().clone();
            set_mode(config.name(), &self.asked);
        }
        self.handle.configure(config.listener());
        self.state.configure(config);
    }

    /// Whether all has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_none()
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
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Gives a socket file that is open another mode.
fn set_mode(listener: &str, address: &GatewayAddress) {
    #[cfg(unix)]
    if let GatewayAddress::Unix {
        path,
        mode: Some(mode),
    } = address
    {
        use std::{fs, os::unix::fs::PermissionsExt};

        if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(*mode)) {
            let address = path.display();
            warn!(listener, %address, %error, "cannot set the mode of a socket");
        }
    }
    #[cfg(not(unix))]
    let _ = (listener, address);
}

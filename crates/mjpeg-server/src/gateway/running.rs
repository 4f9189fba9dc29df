//! The gateways that are open, and how their set changes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::join_all;
use mjpeg_manager::mjpeg_http::{ListenAddress, Listener, ListenerConfig};
use tokio::time::timeout;
use tracing::{info, warn};

use super::{
    bind::bind,
    config::{GatewayAddress, GatewayConfig, GatewayError, GatewayFailure},
    open::Gateway,
    state::Relayed,
    tls::certificate,
};
use crate::tls::{Tls, error::TlsError};

/// The open gateways. Dropping them closes them at once; viewers belong to their streams.
#[derive(Debug)]
pub(crate) struct RunningGateways {
    relayed: Arc<Relayed>,
    running: Vec<Gateway>,
    /// The socket of the program's own user, if it is open.
    control: Option<Gateway>,
    /// Closed, and not ended yet.
    left: Vec<Gateway>,
}

/// A gateway that there is to be, with its certificate.
#[derive(Debug)]
pub(crate) struct WantedGateway {
    config: GatewayConfig,
    tls: Result<Option<Arc<Tls>>, TlsError>,
}

/// A change of the gateways whose every new port is bound. Dropping it changes nothing.
#[derive(Debug)]
pub(crate) struct GatewayChange(Vec<Planned>);

/// Finds a port that something else has and is about to close.
type PassedOn<'a> = dyn Fn(SocketAddr, ListenerConfig) -> Option<Listener> + 'a;

#[derive(Debug)]
enum Planned {
    /// The gateway at this place stays open, with this configuration.
    Keep(usize, GatewayConfig, Option<Arc<Tls>>),
    Open(GatewayConfig, Box<Listener>, Option<Arc<Tls>>),
}

impl RunningGateways {
    pub(crate) fn new(relayed: Arc<Relayed>) -> Self {
        Self {
            relayed,
            running: Vec::new(),
            control: None,
            left: Vec::new(),
        }
    }

    /// Reads the certificates that are wanted and not in use yet. Changes nothing.
    pub(crate) async fn with_certificates(
        &self,
        wanted: impl IntoIterator<Item = GatewayConfig>,
    ) -> Vec<WantedGateway> {
        let running = self.running.iter();
        let mut in_use: Vec<_> = running
            .filter_map(|gateway| gateway.tls.current())
            .collect();
        let mut with_certificates = Vec::new();
        for config in wanted {
            let tls = match config.tls() {
                Some(files) => certificate(files, &mut in_use).await.map(Some),
                None => Ok(None),
            };
            with_certificates.push(WantedGateway { config, tls });
        }
        with_certificates
    }

    /// Binds what is wanted and not open yet. A gateway is its address: all else may change while
    /// it is open. `passed_on` finds a port that something else has and is about to close.
    ///
    /// # Errors
    ///
    /// One for each address that cannot be bound, and for each certificate that cannot be used;
    /// nothing is bound then.
    pub(crate) fn prepare(
        &self,
        wanted: Vec<WantedGateway>,
        passed_on: &PassedOn<'_>,
    ) -> Result<GatewayChange, Vec<GatewayError>> {
        let mut kept = vec![false; self.running.len()];
        let (mut planned, mut errors) = (Vec::new(), Vec::new());
        for WantedGateway { config, tls } in wanted {
            let is_it = |(gateway, kept): (&Gateway, &bool)| {
                !kept && gateway.asked.is_same(config.address())
            };
            let at = self.running.iter().zip(&kept).position(is_it);
            if let Some(at) = at {
                kept[at] = true;
            }
            let name = config.name().to_owned();
            match plan(at, config, tls, passed_on) {
                Ok(plan) => planned.push(plan),
                Err(source) => errors.push(GatewayError { name, source }),
            }
        }
        if errors.is_empty() {
            Ok(GatewayChange(planned))
        } else {
            Err(errors)
        }
    }

    /// Makes a second listener of a gateway's port, which is to pass to something else, unless the
    /// gateway is still wanted.
    pub(crate) fn hand_over(
        &self,
        addr: SocketAddr,
        wanted: &[GatewayConfig],
        config: ListenerConfig,
    ) -> Option<Listener> {
        let address = GatewayAddress::Tcp(addr);
        let is_wanted = |wanted: &GatewayConfig| wanted.address().is_same(&address);
        if addr.port() == 0 || wanted.iter().any(is_wanted) {
            return None;
        }
        let mut running = self.running.iter();
        let gateway = running.find(|gateway| gateway.asked.is_same(&address))?;
        Listener::taking_over(&gateway.handle, config)?.ok()
    }

    /// Makes a change that was prepared by the last call: opens what is new, configures what stays,
    /// and closes the rest. Connections of what is closed may still end; viewers stay.
    pub(crate) fn commit(&mut self, GatewayChange(planned): GatewayChange) {
        let mut old: Vec<Option<Gateway>> = self.running.drain(..).map(Some).collect();
        for planned in planned {
            let gateway = match planned {
                Planned::Keep(at, config, tls) => {
                    let mut kept = old.get_mut(at).and_then(Option::take);
                    if let Some(kept) = &mut kept {
                        kept.configure(config, tls);
                    }
                    kept
                }
                Planned::Open(config, listener, tls) => {
                    let relayed = Arc::clone(&self.relayed);
                    Some(Gateway::serve(relayed, config, *listener, tls))
                }
            };
            self.running.extend(gateway);
        }
        for mut gateway in old.into_iter().flatten() {
            let configured = gateway.state.configured();
            let listener = configured.config.name();
            info!(listener, address = %gateway.address, "gateway closed");
            gateway.close();
            self.left.push(gateway);
        }
        self.relayed.set_listeners(
            self.running
                .iter()
                .map(|gateway| {
                    let name = gateway.state.configured().config.name().to_owned();
                    (name, gateway.handle.clone())
                })
                .collect(),
        );
        warn_of_unused_sockets(&self.running);
    }

    /// Opens the socket at which the program's own user controls it. Without it, all else goes on.
    pub(crate) fn open_control_socket(&mut self, config: GatewayConfig) {
        match bind(&config, &|_, _| None) {
            Ok(listener) => {
                let relayed = Arc::clone(&self.relayed);
                self.control = Some(Gateway::serve(relayed, config, listener, None));
            }
            // Another relay of this user has it, most likely.
            Err(error) => warn!(%error, "the control socket is not opened"),
        }
    }

    /// Waits until the ports of closed gateways are free, and for a moment until what came through
    /// them has been answered.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn settled(&mut self) {
        let ending = self.left.iter_mut().map(Gateway::ended);
        let _ = timeout(SETTLE_TIME, join_all(ending)).await;
        self.left.retain(|gateway| !gateway.has_ended());
    }

    /// Closes all gateways, and waits until their connections have ended, which each listener's
    /// grace bounds. Viewers' connections end with their streams.
    pub(crate) async fn shutdown(&mut self) {
        self.running.iter_mut().for_each(Gateway::close);
        self.left.append(&mut self.running);
        self.control.iter_mut().for_each(Gateway::close);
        self.left.extend(self.control.take());
        join_all(self.left.iter_mut().map(Gateway::ended)).await;
        self.left.clear();
    }

    /// Where they listen, and with which configuration.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&ListenAddress, GatewayConfig)> {
        let read = |gateway: &Gateway| gateway.state.configured().config.clone();
        let open = self.running.iter();
        open.map(move |gateway| (&gateway.address, read(gateway)))
    }
}

/// Plans one gateway: one that is open at this place stays.
fn plan(
    at: Option<usize>,
    config: GatewayConfig,
    tls: Result<Option<Arc<Tls>>, TlsError>,
    passed_on: &PassedOn<'_>,
) -> Result<Planned, GatewayFailure> {
    let tls = tls?;
    Ok(match at {
        Some(at) => Planned::Keep(at, config, tls),
        None => {
            let listener = bind(&config, passed_on)?;
            Planned::Open(config, Box::new(listener), tls)
        }
    })
}

/// Says that nobody answers a socket on which the service manager lets clients connect.
fn warn_of_unused_sockets(running: &[Gateway]) {
    #[cfg(unix)]
    for name in crate::systemd::socket_names() {
        let is_it = |gateway: &Gateway| matches!(&gateway.asked, GatewayAddress::Inherited(asked) if asked == name);
        if !running.iter().any(is_it) {
            warn!(
                socket = name,
                "an inherited socket is not used by any gateway"
            );
        }
    }
}

/// How long a change waits for requests that came through a closed gateway.
const SETTLE_TIME: Duration = Duration::from_secs(1);

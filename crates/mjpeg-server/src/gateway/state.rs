//! What gateways know of the streams.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use mjpeg_control::Hosts;
use mjpeg_manager::{
    HttpOutlet, Manager, StreamInfo, StreamName,
    mjpeg_http::{ListenAddress, ListenerHandle, StreamService, Streams},
};
use tokio::sync::watch;

use super::{config::GatewayConfig, routes::Routes};
use crate::{machine, metrics::Metrics};

/// The streams, as all gateways see them.
#[derive(Debug)]
pub(crate) struct Relayed {
    pub(crate) manager: Manager,
    pub(crate) http: HttpOutlet,
    routes: watch::Sender<Arc<Routes>>,
    metrics: Metrics,
    /// The gateways that are open, by their names.
    listeners: watch::Sender<Vec<(String, ListenerHandle)>>,
}

impl Relayed {
    pub(crate) fn new(manager: Manager, http: HttpOutlet) -> Self {
        Self {
            metrics: Metrics::new(manager.clone(), http.clone()),
            manager,
            http,
            routes: watch::Sender::default(),
            listeners: watch::Sender::default(),
        }
    }

    /// Replaces the gateways whose counters are read.
    pub(super) fn set_listeners(&self, listeners: Vec<(String, ListenerHandle)>) {
        self.listeners.send_replace(listeners);
    }

    /// Answers a request for the metrics that has this `Accept` header.
    pub(super) fn metrics(&self, accept: Option<&str>) -> Response<Bytes> {
        let listeners = self.listeners.borrow().clone();
        let read = |(name, handle): (String, ListenerHandle)| (name, handle.stats());
        self.metrics
            .respond(accept, listeners.into_iter().map(read))
    }

    /// Replaces the routes, for all gateways at once.
    pub(crate) fn set_routes(&self, routes: Routes) {
        self.routes.send_replace(Arc::new(routes));
    }

    fn routes(&self) -> Arc<Routes> {
        Arc::clone(&self.routes.borrow())
    }

    /// Finds a stream by its name or a further one.
    fn find(&self, name: &str) -> Option<StreamService> {
        let by_alias = || self.http.service(self.routes().alias(name)?.as_str());
        self.http.service(name).or_else(by_alias)
    }

    /// The streams that somebody without credentials may see, in order.
    pub(super) fn visible(&self) -> Vec<StreamName> {
        self.routes().ordered(self.http.names())
    }

    /// Reads a stream that somebody without credentials may see, by its name or a further one.
    pub(super) fn read(&self, name: &str) -> Option<StreamInfo> {
        let by_alias = || self.manager.get(self.routes().alias(name)?.as_str()).ok();
        self.manager.get(name).ok().or_else(by_alias)
    }
}

/// One gateway's view of the streams. Its configuration may change while it serves.
#[derive(Debug)]
pub(crate) struct GatewayState {
    pub(super) relayed: Arc<Relayed>,
    /// Whether only this machine can connect.
    pub(super) is_local: bool,
    config: watch::Sender<Arc<ConfiguredGateway>>,
}

/// A configuration, and what is made of it.
#[derive(Debug)]
pub(super) struct ConfiguredGateway {
    pub(super) config: GatewayConfig,
    pub(super) hosts: Hosts,
}

impl ConfiguredGateway {
    fn new(config: GatewayConfig) -> Arc<Self> {
        let hosts = hosts(config.hosts());
        Arc::new(Self { config, hosts })
    }
}

/// The names of a gateway: those configured, and the machine's own.
fn hosts(configured: &[String]) -> Hosts {
    Hosts::new(configured.iter().cloned().chain(machine::names()))
}

impl GatewayState {
    pub(super) fn new(
        relayed: Arc<Relayed>,
        address: &ListenAddress,
        config: GatewayConfig,
    ) -> Self {
        let is_local = match address {
            ListenAddress::Tcp(addr) => addr.ip().to_canonical().is_loopback(),
            ListenAddress::Unix(_) => true,
            _ => false,
        };
        Self {
            relayed,
            is_local,
            config: watch::Sender::new(ConfiguredGateway::new(config)),
        }
    }

    /// Replaces the configuration, from the next request on.
    pub(super) fn configure(&self, config: GatewayConfig) {
        self.config.send_replace(ConfiguredGateway::new(config));
    }

    /// The configuration that applies now.
    pub(super) fn configured(&self) -> Arc<ConfiguredGateway> {
        Arc::clone(&self.config.borrow())
    }
}

/// The streams of a gateway: none if it serves none.
pub(super) struct GatewayStreams(pub(super) Arc<GatewayState>);

impl GatewayStreams {
    fn relayed(&self) -> Option<&Relayed> {
        let serve = self.0.configured().config.serve();
        serve.streams.then_some(&*self.0.relayed)
    }
}

impl Streams for GatewayStreams {
    fn find(&self, name: &str) -> Option<StreamService> {
        self.relayed()?.find(name)
    }

    fn default_stream(&self) -> Option<StreamService> {
        let relayed = self.relayed()?;
        if let Some(name) = self.0.configured().config.default() {
            return relayed.http.service(name.as_str());
        }
        match &*relayed.http.names() {
            [only] => relayed.http.service(only.as_str()),
            _ => None,
        }
    }

    fn nth(&self, index: usize) -> Option<StreamService> {
        let relayed = self.relayed()?;
        let name = relayed.visible().into_iter().nth(index)?;
        relayed.http.service(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Uri, header::HOST};

    use super::*;

    #[test]
    fn gateways_are_reached_by_the_names_of_the_machine_and_configured_ones() {
        let hosts = hosts(&["cams.example.org".into()]);
        // None if it calls itself localhost.
        let names = machine::names().into_iter();
        for name in names.chain(["cams.example.org".into()]) {
            let host = format!("{name}:8080").parse().unwrap();
            let headers = HeaderMap::from_iter([(HOST, host)]);
            assert!(hosts.include(&Uri::from_static("/"), &headers), "{name}");
        }
    }
}

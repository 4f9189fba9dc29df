//! The HTTP side of one stream.

use std::{io::ErrorKind, mem, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use mjpeg_fanout::Consumer;
use mjpeg_http::{BindError, ListenAddress, Listener, StreamConfig, StreamService};
use tokio::time::timeout;

use crate::{
    error::{Error, InvalidSpec},
    name::StreamName,
    spec::StreamSpec,
    stream::{
        http::{
            gate::OutletGate,
            port::Port,
            ports::Ports,
            services::{Served, ServedPort, Services},
        },
        outlet::Outlet,
    },
};

/// The HTTP side of one stream.
#[derive(Debug)]
pub(super) struct HttpStream {
    name: StreamName,
    config: StreamConfig,
    gate: Option<OutletGate>,
    ports: Arc<Ports>,
    services: Arc<Services>,
    /// Made when the stream is first served, with a port or without. It owns the viewers, whatever
    /// becomes of the port they came through.
    service: Option<StreamService>,
    /// What `serve` is to do.
    next: PortChange,
    port: Option<Port>,
    /// Ports that accept no more viewers.
    left: Vec<Port>,
    is_stopped: bool,
}

/// What becomes of the port.
#[derive(Debug)]
enum PortChange {
    Keep,
    /// Move to this port, which was asked for by this address.
    Listen(SocketAddr, Box<Listener>),
    Close,
}

impl HttpStream {
    /// Makes the HTTP side of a stream that is not served yet.
    pub(super) fn new(
        name: StreamName,
        config: StreamConfig,
        gate: Option<OutletGate>,
        ports: Arc<Ports>,
        services: Arc<Services>,
    ) -> Self {
        Self {
            name,
            config,
            gate,
            ports,
            services,
            service: None,
            next: PortChange::Keep,
            port: None,
            left: Vec::new(),
            is_stopped: false,
        }
    }

    /// Makes the service unless there is one, and lets listeners find it.
    fn service(&mut self, consumer: &Consumer) -> StreamService {
        let new = || {
            // Locked from the reading of the configuration on, so that no change of it is missed.
            let mut services = self.services.lock();
            let entry = services.entry(self.name.clone()).or_default();
            let config = entry.config.as_ref().unwrap_or(&self.config);
            let builder = StreamService::builder(consumer.clone()).config(config.clone());
            let builder = builder.name(self.name.as_str());
            let service = match &self.gate {
                Some(gate) => builder.gate(Arc::clone(&gate.0)).build(),
                None => builder.build(),
            };
            entry.served = Some(Served {
                service: service.clone(),
                port: None,
            });
            service
        };
        self.service.get_or_insert_with(new).clone()
    }

    /// Tells those who read counters which port is the newest.
    fn show_port(&self, port: &Port) {
        let mut services = self.services.lock();
        let entry = services.get_mut(&self.name);
        if let Some(served) = entry.and_then(|entry| entry.served.as_mut()) {
            served.port = Some(ServedPort::of(port));
        }
    }
}

#[async_trait]
impl Outlet for HttpStream {
    fn bind(&mut self, spec: &StreamSpec) -> Result<Option<SocketAddr>, Error> {
        let Some(asked) = spec.listen() else {
            self.next = PortChange::Close;
            return Ok(None);
        };
        if let Some(port) = &mut self.port
            && (port.asked == asked || port.addr == asked)
        {
            self.next = PortChange::Keep;
            return Ok(Some(port.addr));
        }
        let config = || self.ports.port_config(&self.name);
        let bind = || Listener::bind(asked, config()).map_err(failure);
        let listener = self.ports.take(asked, &self.name).map_or_else(bind, Ok)?;
        let addr = listener.local_addr().unwrap_or(asked);
        self.next = PortChange::Listen(asked, Box::new(listener));
        Ok(Some(addr))
    }

    fn unbind(&mut self) {
        self.next = PortChange::Keep;
    }

    fn serve(&mut self, consumer: &Consumer) {
        let service = self.service(consumer);
        let port = match mem::replace(&mut self.next, PortChange::Keep) {
            PortChange::Keep => return,
            PortChange::Close => None,
            PortChange::Listen(asked, listener) => {
                let port = Port::serve(asked, *listener, service);
                self.show_port(&port);
                Some(port)
            }
        };
        if let Some(mut old) = mem::replace(&mut self.port, port) {
            old.close();
            self.left.push(old);
        }
    }

    async fn settled(&mut self) {
        // Each port is free at once; only its last requests may take longer.
        let ending = self.left.iter_mut().map(Port::ended);
        let _ = timeout(SETTLE_TIME, join_all(ending)).await;
        self.left.retain(|port| !port.has_ended());
    }

    async fn stop(&mut self, grace: Duration) -> usize {
        self.services.lock().remove(&self.name);
        self.is_stopped = true;
        let service = self.service.take();
        let mut ports: Vec<Port> = self.left.drain(..).chain(self.port.take()).collect();
        ports.iter_mut().for_each(Port::close);
        let ending = timeout(grace, join_all(ports.iter_mut().map(Port::ended)));
        let draining = async {
            match &service {
                Some(service) => service.drain(grace).await.cut,
                None => 0,
            }
        };
        let (_in_time, viewers) = tokio::join!(ending, draining);
        let connections = join_all(ports.into_iter().map(Port::cut)).await;
        connections.into_iter().sum::<usize>() + viewers
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        // A stopped stream's name may be that of another by now.
        if !self.is_stopped {
            self.services.lock().remove(&self.name);
        }
    }
}

/// Says whose fault it is that the port could not be bound.
pub(super) fn failure(error: BindError) -> Error {
    match error {
        BindError::InUse {
            address: ListenAddress::Tcp(addr),
        } => Error::PortInUse { addr },
        BindError::Failed {
            address: ListenAddress::Tcp(addr),
            source,
        } if is_callers_fault(source.kind()) => InvalidSpec::Listen { addr, source }.into(),
        BindError::Failed {
            address: ListenAddress::Tcp(addr),
            source,
        } => Error::ListenFailed { addr, source },
        other => Error::OutletFailed {
            source: Box::new(other),
        },
    }
}

/// No such address on this machine, or no right to use that port.
fn is_callers_fault(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AddrNotAvailable
            | ErrorKind::PermissionDenied
            | ErrorKind::Unsupported
            | ErrorKind::InvalidInput
    )
}

/// How long a change of the port waits for requests that came through the old one.
const SETTLE_TIME: Duration = Duration::from_secs(1);

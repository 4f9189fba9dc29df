//! The HTTP side of one stream.

use std::{io::ErrorKind, mem, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use mjpeg_fanout::Consumer;
use mjpeg_http::{BindError, ListenAddress, Listener, ListenerConfig, StreamConfig, StreamService};
use tokio::time::timeout;

use crate::{
    error::{Error, InvalidSpec},
    name::StreamName,
    spec::StreamSpec,
    stream::{
        http::{
            port::Port,
            services::{Served, Services},
        },
        outlet::Outlet,
    },
};

/// The HTTP side of one stream.
#[derive(Debug)]
pub(super) struct HttpStream {
    name: StreamName,
    config: StreamConfig,
    listener: ListenerConfig,
    services: Arc<Services>,
    /// Made for the first port. It owns the viewers, whatever becomes of the port they came
    /// through.
    service: Option<StreamService>,
    /// What `serve` is to do.
    next: PortChange,
    port: Option<Port>,
    /// Ports that accept no more viewers.
    left: Vec<Port>,
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
        listener: ListenerConfig,
        services: Arc<Services>,
    ) -> Self {
        Self {
            name,
            config,
            listener,
            services,
            service: None,
            next: PortChange::Keep,
            port: None,
            left: Vec::new(),
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
        let listener = Listener::bind(asked, self.listener.clone()).map_err(failure)?;
        let addr = listener.local_addr().unwrap_or(asked);
        self.next = PortChange::Listen(asked, Box::new(listener));
        Ok(Some(addr))
    }

    fn unbind(&mut self) {
        self.next = PortChange::Keep;
    }

    fn serve(&mut self, consumer: &Consumer) {
        let port = match mem::replace(&mut self.next, PortChange::Keep) {
            PortChange::Keep => return,
            PortChange::Close => None,
            PortChange::Listen(asked, listener) => {
                let new = || StreamService::builder(consumer.clone());
                let service = self.service.get_or_insert_with(|| {
                    let builder = new().config(self.config.clone());
                    builder.name(self.name.as_str()).build()
                });
                let port = Port::serve(asked, *listener, service.clone());
                let served = Served {
                    service: service.clone(),
                    port: port.monitor.clone(),
                };
                self.services.lock().insert(self.name.clone(), served);
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
        let (ports, service) = (
            self.left.drain(..).chain(self.port.take()),
            self.service.take(),
        );
        let closing = ports.map(|port| port.stop(grace, service.as_ref()));
        let draining = async {
            match &service {
                Some(service) => service.drain(grace).await.cut,
                None => 0,
            }
        };
        let (connections, viewers) = tokio::join!(join_all(closing), draining);
        connections.into_iter().sum::<usize>() + viewers
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        if self.service.is_some() {
            self.services.lock().remove(&self.name);
        }
    }
}

/// Says whose fault it is that the port could not be bound.
fn failure(error: BindError) -> Error {
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

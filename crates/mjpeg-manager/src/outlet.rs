//! The HTTP side of a stream, where there is one.

#[cfg(feature = "listener")]
pub(crate) use with_listener::{AllViewers, Bound, Serving};
#[cfg(not(feature = "listener"))]
pub(crate) use without_listener::{AllViewers, Bound, Serving};

#[cfg(feature = "listener")]
mod with_listener {
    use std::{io::ErrorKind, net::SocketAddr};

    use mjpeg_fanout::Consumer;
    use mjpeg_http::{
        BindError, HttpConfig, Listener, Stats, StreamService, ViewerInfo, ViewerLimit,
    };
    use tokio::{sync::oneshot, task::JoinHandle};

    use crate::{Error, ManagerConfig};

    /// The viewers of all streams together, and their limit.
    #[derive(Debug)]
    pub(crate) struct AllViewers(ViewerLimit);

    impl AllViewers {
        /// Sets the limit for all that are served by this config.
        pub(crate) fn limited(config: &mut ManagerConfig) -> Self {
            let limit = ViewerLimit::new(config.max_viewers);
            config.http = config.http.clone().with_viewer_limit(limit.clone());
            Self(limit)
        }

        pub(crate) fn now(&self) -> usize {
            self.0.viewers()
        }

        pub(crate) fn refused(&self) -> u64 {
            self.0.refused()
        }
    }

    /// A port that is taken but not served yet.
    pub(crate) struct Bound {
        listener: Listener,
        config: HttpConfig,
    }

    impl Bound {
        pub(crate) fn bind(addr: SocketAddr, config: &ManagerConfig) -> Result<Self, Error> {
            let config = config.http.clone().with_grace(config.shutdown_grace);
            let listener = Listener::bind(addr, config.clone()).map_err(failure)?;
            Ok(Self { listener, config })
        }

        pub(crate) fn serve(self, consumer: Consumer) -> Serving {
            let addr = self.listener.local_addr();
            let service = StreamService::new(consumer, self.config);
            let (stop, stopped) = oneshot::channel();
            let until = async {
                // An error is the stream being dropped, which aborts this task anyway.
                let _ = stopped.await;
            };
            let serve = self.listener.serve(service.clone(), until);
            let task = tokio::spawn(async move { serve.await.aborted });
            Serving {
                addr,
                service,
                stop: Some(stop),
                task,
            }
        }
    }

    fn failure(error: BindError) -> Error {
        match error {
            BindError::InUse { addr } => Error::PortInUse { addr },
            BindError::Failed { addr, source } if !is_callers_fault(source.kind()) => {
                Error::ListenFailed { addr, source }
            }
            other => Error::InvalidSpec(Box::new(other)),
        }
    }

    /// No such address here, or no right to that port.
    fn is_callers_fault(kind: ErrorKind) -> bool {
        matches!(
            kind,
            ErrorKind::AddrNotAvailable
                | ErrorKind::PermissionDenied
                | ErrorKind::Unsupported
                | ErrorKind::InvalidInput
        )
    }

    /// A port that is being served.
    #[derive(Debug)]
    pub(crate) struct Serving {
        addr: SocketAddr,
        service: StreamService,
        stop: Option<oneshot::Sender<()>>,
        task: JoinHandle<usize>,
    }

    impl Serving {
        pub(crate) fn addr(&self) -> SocketAddr {
            self.addr
        }

        pub(crate) fn stats(&self) -> Stats {
            self.service.stats()
        }

        pub(crate) fn viewers(&self) -> Vec<ViewerInfo> {
            self.service.viewers()
        }

        /// Ends all responses and frees the port. Gives how many had to be cut.
        pub(crate) async fn stop(&mut self) -> usize {
            if let Some(stop) = self.stop.take() {
                // An error means that it has ended by itself.
                let _ = stop.send(());
            }
            (&mut self.task).await.unwrap_or(0)
        }
    }

    impl Drop for Serving {
        fn drop(&mut self) {
            self.task.abort();
        }
    }
}

#[cfg(not(feature = "listener"))]
mod without_listener {
    use std::{convert::Infallible, net::SocketAddr};

    use mjpeg_fanout::Consumer;

    use crate::{Error, ManagerConfig};

    /// Nobody: this build has no listener.
    #[derive(Debug)]
    pub(crate) struct AllViewers;

    impl AllViewers {
        pub(crate) fn limited(_: &mut ManagerConfig) -> Self {
            Self
        }

        pub(crate) fn now(&self) -> usize {
            0
        }

        pub(crate) fn refused(&self) -> u64 {
            0
        }
    }

    /// Cannot be: this build has no listener.
    pub(crate) struct Bound(Infallible);

    impl Bound {
        pub(crate) fn bind(_: SocketAddr, _: &ManagerConfig) -> Result<Self, Error> {
            Err(Error::InvalidSpec(
                "this build of mjpeg-manager has no HTTP listener (feature \"listener\")".into(),
            ))
        }

        pub(crate) fn serve(self, _: Consumer) -> Serving {
            match self.0 {}
        }
    }

    /// Cannot be: this build has no listener.
    #[derive(Debug)]
    pub(crate) struct Serving(Infallible);

    impl Serving {
        pub(crate) fn addr(&self) -> SocketAddr {
            match self.0 {}
        }

        pub(crate) async fn stop(&mut self) -> usize {
            match self.0 {}
        }
    }
}

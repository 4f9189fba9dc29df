//! The relay as one value: its streams, their URLs, its end.

use std::{fmt, net::SocketAddr};

use futures_util::future::join_all;
use mjpeg_manager::{
    Error, HttpOutlet, Manager, ManagerConfig, ShutdownReport, StreamInfo, StreamName, StreamSpec,
};

/// A running relay. Dropping it ends it at once; [`shutdown`](Self::shutdown) ends it properly.
#[derive(Debug)]
pub struct Relay {
    manager: Manager,
    http: HttpOutlet,
    streams: Vec<StreamInfo>,
}

impl Relay {
    /// Starts all streams at once, or none, and serves them over HTTP by default settings.
    ///
    /// # Errors
    ///
    /// When any of them fails. Those that had started are stopped again.
    pub async fn start(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
    ) -> Result<Self, StartError> {
        Self::with_http(specs, config, HttpOutlet::default()).await
    }

    /// Starts all streams at once, or none, and serves them over HTTP as this outlet does.
    ///
    /// # Errors
    ///
    /// When any of them fails. Those that had started are stopped again.
    pub async fn with_http(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
        http: HttpOutlet,
    ) -> Result<Self, StartError> {
        let manager = Manager::with_outlets(config, [http.factory()]);
        let mut streams = Vec::new();
        let mut errors = Vec::new();
        let starting = specs.into_iter().map(async |spec| {
            let name = spec.name().clone();
            manager.start(spec).await.map_err(|error| (name, error))
        });
        for started in join_all(starting).await {
            match started {
                Ok(stream) => streams.push(stream),
                Err(failure) => errors.push(failure),
            }
        }
        if !errors.is_empty() {
            manager.shutdown().await;
            return Err(StartError { errors });
        }
        Ok(Self {
            manager,
            http,
            streams,
        })
    }

    /// The manager that runs the streams.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// The HTTP side of the streams: its counters and viewers.
    pub fn http(&self) -> &HttpOutlet {
        &self.http
    }

    /// Where viewers find the streams, in the order of their specs.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        self.streams
            .iter()
            .filter_map(|stream| stream.listen)
            .map(url)
    }

    /// Ends all streams within the manager's grace, and reports what had to be cut.
    pub async fn shutdown(self) -> ShutdownReport {
        self.manager.shutdown().await
    }
}

/// Why a [`Relay`] did not start. Its text tells each failure.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// Which streams failed, and why; at least one.
    pub errors: Vec<(StreamName, Error)>,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the relay did not start")?;
        for (name, error) in &self.errors {
            write!(f, "\n  {name}: {} ({})", error.chain(), error.code())?;
        }
        Ok(())
    }
}

impl std::error::Error for StartError {}

/// A URL that works in a browser on this machine.
fn url(addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        return format!("http://localhost:{}/", addr.port());
    }
    format!("http://{addr}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_can_be_opened() {
        let url = |addr: &str| url(addr.parse().unwrap());
        assert_eq!(url("[::]:8081"), "http://localhost:8081/");
        assert_eq!(url("0.0.0.0:8081"), "http://localhost:8081/");
        assert_eq!(url("127.0.0.1:8081"), "http://127.0.0.1:8081/");
        assert_eq!(url("[::1]:8081"), "http://[::1]:8081/");
    }
}

//! The relay: a manager, its HTTP outlet and its streams.

use std::{fmt, net::SocketAddr};

use futures_util::future::join_all;
use mjpeg_manager::{
    Error, HttpOutlet, Manager, ManagerConfig, ShutdownReport, StreamInfo, StreamName, StreamSpec,
};

/// A running relay. Dropping it stops it at once; [`shutdown`](Self::shutdown) stops it gracefully.
#[derive(Debug)]
pub struct Relay {
    manager: Manager,
    http: HttpOutlet,
    streams: Vec<StreamInfo>,
}

impl Relay {
    /// Starts all streams or none, concurrently, and serves them over HTTP with default settings.
    ///
    /// # Errors
    ///
    /// [`StartError`] if any stream fails. The streams that had started are stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all streams at once.
    pub async fn start(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
    ) -> Result<Self, StartError> {
        Self::with_http(specs, config, HttpOutlet::default()).await
    }

    /// Starts all streams or none, concurrently, and serves them over HTTP through this outlet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if any stream fails. The streams that had started are stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all streams at once.
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

    /// Returns the manager that runs the streams.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Returns the HTTP outlet of the streams, with its counters and viewers.
    pub fn http(&self) -> &HttpOutlet {
        &self.http
    }

    /// Returns the URLs of the streams, in the order of their specs.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        self.streams
            .iter()
            .filter_map(|stream| stream.listen)
            .map(url)
    }

    /// Stops all streams within the manager's grace period, and reports what had to be cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the relay, which stops it at once.
    pub async fn shutdown(self) -> ShutdownReport {
        self.manager.shutdown().await
    }
}

/// Why a [`Relay`] did not start. `Display` lists the failures, each with its causes and its code.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// The streams that failed, and why; at least one.
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

/// Makes a URL that works in a browser on this machine.
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

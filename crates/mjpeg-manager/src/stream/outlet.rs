//! The seam between a stream and whatever serves it.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use mjpeg_fanout::Consumer;

use crate::{
    error::{Error, InvalidSpec},
    name::StreamName,
    spec::StreamSpec,
};

/// Makes an [`Outlet`] for each stream of a manager. Give it to
/// [`Manager::with_outlets`](crate::Manager::with_outlets).
///
/// It keeps what the outlets of all streams share, such as a limit on viewers.
pub trait OutletFactory: fmt::Debug + Send + Sync + 'static {
    /// Makes the outlet of a stream that is about to start. Takes nothing yet.
    fn outlet(&self, stream: &StreamName) -> Box<dyn Outlet>;
}

/// Serves one stream: over HTTP on a port, into a recording, to another process.
///
/// The manager calls [`bind`](Self::bind) before it connects the camera, [`serve`](Self::serve)
/// when the start has succeeded, both again for each change of the stream's spec, and
/// [`stop`](Self::stop) at the end. Dropping an outlet must end what it serves at once.
#[async_trait]
pub trait Outlet: fmt::Debug + Send + 'static {
    /// Takes what it needs to serve the stream as `spec` says, such as a port, beside what it
    /// already has. Nothing that is being served changes before [`serve`](Self::serve).
    ///
    /// Returns the address where it listens for viewers, with the real port, if it does.
    ///
    /// # Errors
    ///
    /// Why it cannot serve the stream so. It has taken nothing then.
    fn bind(&mut self, spec: &StreamSpec) -> Result<Option<SocketAddr>, Error>;

    /// Gives back what the last [`bind`](Self::bind) has taken: another outlet could not be bound.
    fn unbind(&mut self);

    /// Serves the stream with what [`bind`](Self::bind) has taken, and lets go of what it had
    /// before. Viewers keep their responses.
    ///
    /// Each viewer should take a clone of the consumer, and hold
    /// [`Consumer::viewing`] while it wants frames.
    fn serve(&mut self, consumer: &Consumer);

    /// Waits until what the last [`serve`](Self::serve) let go of is free. Returns at once by
    /// default.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: dropping the future only ends the waiting.
    async fn settled(&mut self) {}

    /// Ends all responses and frees everything. Responses that have not ended within `grace` are
    /// cut. Returns how many were cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future, and then the outlet, must end everything at once.
    async fn stop(&mut self, grace: Duration) -> usize;
}

/// All outlets of one stream.
#[derive(Debug)]
pub(crate) struct Outlets(Vec<Box<dyn Outlet>>);

impl Outlets {
    pub(crate) fn new(factories: &[Arc<dyn OutletFactory>], stream: &StreamName) -> Self {
        let outlets = factories.iter().map(|factory| factory.outlet(stream));
        Self(outlets.collect())
    }

    /// Binds all, or none. Returns where viewers connect.
    pub(crate) fn bind(&mut self, spec: &StreamSpec) -> Result<Option<SocketAddr>, Error> {
        let mut listen = None;
        for at in 0..self.0.len() {
            match self.0[at].bind(spec) {
                Ok(addr) => listen = listen.or(addr),
                Err(error) => {
                    self.unbind(at);
                    return Err(error);
                }
            }
        }
        if let (Some(addr), None) = (spec.listen(), listen) {
            self.unbind(self.0.len());
            return Err(InvalidSpec::NoListener { addr }.into());
        }
        Ok(listen)
    }

    fn unbind(&mut self, count: usize) {
        for outlet in &mut self.0[..count] {
            outlet.unbind();
        }
    }

    pub(crate) fn serve(&mut self, consumer: &Consumer) {
        for outlet in &mut self.0 {
            outlet.serve(consumer);
        }
    }

    pub(crate) async fn settled(&mut self) {
        join_all(self.0.iter_mut().map(|outlet| outlet.settled())).await;
    }

    /// Stops all at once. Returns how many responses were cut.
    pub(crate) async fn stop(&mut self, grace: Duration) -> usize {
        let stopping = self.0.iter_mut().map(|outlet| outlet.stop(grace));
        join_all(stopping).await.into_iter().sum()
    }
}

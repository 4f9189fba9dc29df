//! A socket whose client does not read, under paused time.

use std::io;

use async_trait::async_trait;
use mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig,
    mjpeg_http::{Access, Gate, Inquiry},
};
use serde_json::Value;
use tokio::io::ReadBuf;

use super::*;
use crate::{
    Configurator, ConfiguredStream, ControlApi, ControlConfig, EditedStream, Error, GatewayPolicy,
    Reloaded, StreamEdit, StreamRemoval, wall::io::opened,
};

/// A connection that takes as many bytes as it has room for, and no more; nothing comes from it.
struct Blocked {
    room: usize,
    tries: usize,
}

impl AsyncRead for Blocked {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Blocked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.tries += 1;
        assert!(self.tries < 100, "it spins");
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        match taken {
            0 => Poll::Pending,
            taken => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Open;

#[async_trait]
impl Gate for Open {
    async fn decide(&self, _: &Inquiry) -> Access {
        Access::Allow(Grant::default())
    }
}

struct NoStreams;

#[async_trait]
impl Configurator for NoStreams {
    fn stream(&self, _: &str) -> Option<ConfiguredStream> {
        None
    }

    async fn set(&self, _: StreamEdit) -> Result<EditedStream, Error> {
        Err(Error::not_found())
    }

    async fn remove(&self, _: StreamRemoval) -> Result<(), Error> {
        Err(Error::not_found())
    }

    async fn reload(&self, _: bool) -> Result<Reloaded, Error> {
        Err(Error::not_found())
    }

    async fn shown(&self) -> Result<Value, Error> {
        Err(Error::not_found())
    }
}

#[tokio::test(start_paused = true)]
async fn blocked_write_waits_and_ends() {
    let http = HttpOutlet::default();
    let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
    let config = ControlConfig::default();
    let control = ControlApi::new(manager, http, Arc::new(NoStreams), None, config);
    let policy = Arc::new(GatewayPolicy::new(Arc::new(Open)));
    // Nothing of the welcome, a part of it, all of it and no ping.
    for room in [0, 10, 70] {
        let (parts, ()) = http::Request::new(()).into_parts();
        let limit = Duration::from_secs(5);
        let caller = Arc::new(ApiCaller::new(&parts, Arc::clone(&policy), limit));
        let stall = caller.write_stall();
        let since = Instant::now();
        let socket = opened(Blocked { room, tries: 0 });
        let state = control.state();
        let end = WallSocket::new(socket, state, caller, &Grant::default());
        assert_eq!(end.run().await, WallEnd::Stalled, "{room}");
        let took = since.elapsed();
        assert!(
            took >= stall && took <= stall + Duration::from_secs(1),
            "{took:?}"
        );
    }
}

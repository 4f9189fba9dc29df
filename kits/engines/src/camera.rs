//! A TCP camera that sends numbered pictures and records when it sent each.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    task::block_in_place,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::picture;

/// A camera for one relay, one connection at a time.
pub(crate) struct Camera {
    listener: kit::camera::Camera,
    relay: Option<TcpStream>,
    next: u16,
    /// The picture with that number. It is encoded in advance because encoding would delay sending.
    ready: Bytes,
}

/// A picture, and when its first byte was written: milliseconds since 1970, as `Date.now()` in a
/// page.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) number: u16,
    pub(crate) at_ms: f64,
}

impl Camera {
    pub(crate) fn bind(ip: IpAddr) -> Result<Self> {
        Ok(Self {
            listener: kit::camera::Camera::listen(ip)?,
            relay: None,
            next: 1,
            ready: picture::numbered(1),
        })
    }

    pub(crate) fn addr(&self) -> Result<SocketAddr> {
        self.listener.addr()
    }

    /// Waits until the relay has connected.
    pub(crate) fn connected(&mut self) -> Result<()> {
        let stream = block_in_place(|| self.listener.accept())?;
        stream.set_nonblocking(true)?;
        self.relay = Some(TcpStream::from_std(stream)?);
        Ok(())
    }

    /// Sends one picture.
    pub(crate) async fn send(&mut self) -> Result<Sent> {
        let number = self.next;
        let relay = self.relay.as_mut().context("no relay is connected")?;
        let at_ms = now_ms();
        let written = relay.write_all(&self.ready).await;
        written.context("the relay has left its camera")?;
        self.next = number.checked_add(1).context("the numbers have run out")?;
        self.ready = picture::numbered(self.next);
        Ok(Sent { number, at_ms })
    }

    /// Sends `fps` pictures per second for this long, the first one at once.
    pub(crate) async fn play(&mut self, fps: u32, length: Duration) -> Result<Vec<Sent>> {
        let start = Instant::now();
        let mut ticks = interval_at(start, Duration::from_secs(1) / fps);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut sent = Vec::new();
        loop {
            let tick = ticks.tick().await;
            if tick.duration_since(start) >= length {
                return Ok(sent);
            }
            sent.push(self.send().await?);
        }
    }
}

pub(crate) fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1000.0
}

//! How a camera is opened, again and again.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
    time::{Instant, sleep},
};

use super::{
    about::V4l2Device,
    camera::V4l2Camera,
    capture::Capture,
    feed::V4l2Feed,
    start::{StartedCapture, start},
};
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    error::{ConnectError, v4l2::V4l2Error},
    within::within,
};

/// Opens a camera, and again after each replug.
pub(in crate::source) struct Opener {
    camera: V4l2Camera,
    /// Held while the device is being opened, is open or is being closed: an attempt that was given
    /// up may still be under way on another thread.
    place: Arc<Mutex<()>>,
}

impl Opener {
    pub(in crate::source) fn new(camera: V4l2Camera) -> Self {
        Self {
            camera,
            place: Arc::default(),
        }
    }

    /// Starts a capture. One that was just given up, by another stream or for other settings, may
    /// hold the device a moment longer.
    async fn start(&self) -> Result<(StartedCapture, OwnedMutexGuard<()>), ConnectError> {
        let began = Instant::now();
        loop {
            let place = Arc::clone(&self.place).lock_owned().await;
            let camera = self.camera.clone();
            // The place goes along: it is free when this is over, whoever still waits for it.
            let starting = spawn_blocking(move || start(&camera).map(|it| (it, place)));
            match starting.await.map_err(io::Error::from)? {
                Err(error) if V4l2Error::is_busy(&error) && began.elapsed() < BUSY_TIME => {
                    sleep(BUSY_STEP).await;
                }
                started => return started,
            }
        }
    }

    async fn open(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let (started, place) = self.start().await?;
        let (peer, interval) = (started.chosen.clone(), started.interval);
        let splitter = config.splitter().clone();
        let capture = Capture::new(started, place, splitter.max_frame_bytes())?;
        let connection = Connection::feed(V4l2Feed::new(capture, splitter), peer);
        Ok(match interval {
            Some(interval) => connection.with_interval(interval),
            None => connection,
        })
    }
}

#[async_trait]
impl Connect for Opener {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.open(&IngestConfig::default()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let after = config.connect_timeout();
        let opened = within(after, self.open(config)).await;
        opened.unwrap_or(Err(ConnectError::TimedOut { after }))
    }
}

/// A source that is not one: its error lists the cameras of this machine.
pub(in crate::source) struct DeviceList;

#[async_trait]
impl Connect for DeviceList {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let listed = V4l2Device::list().await?;
        let listed: Vec<_> = listed.iter().map(V4l2Device::to_string).collect();
        Err(V4l2Error::List(match listed.is_empty() {
            true => "this machine has no camera that V4L2 knows and that may be opened".into(),
            false => format!("the cameras of this machine are {}", listed.join(" | ")),
        })
        .into())
    }
}

/// How long a device that is in use is tried again before that is told.
const BUSY_TIME: Duration = Duration::from_secs(1);
const BUSY_STEP: Duration = Duration::from_millis(50);

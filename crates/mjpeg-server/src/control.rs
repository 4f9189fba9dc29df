//! What the API asks of the program: the configuration of streams.

mod change;
pub(crate) mod editor;
mod failure;
pub(crate) mod masked;
mod prepared;
mod store;
mod view;
mod written;

use std::sync::Arc;

use async_trait::async_trait;
use mjpeg_control::{
    Configurator, ConfiguredStream, EditedStream, Error, ErrorCode, Reloaded, StreamEdit,
    StreamRemoval,
};
#[cfg(all(feature = "v4l2", target_os = "linux"))]
use mjpeg_manager::mjpeg_ingest::V4l2Device;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use self::view::ConfiguredView;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
use crate::devices;
use crate::{
    background::in_background, config::schema::api::stream_schema,
    reload::difference::Configuration,
};

/// Passes what the API asks for to the task that has the relay.
pub(crate) struct ControlRequests {
    requests: mpsc::Sender<ControlRequest>,
    view: watch::Receiver<Arc<ConfiguredView>>,
    running: watch::Receiver<Arc<Configuration>>,
}

/// Something that the API asks for, and where the answer goes.
pub(crate) enum ControlRequest {
    Set(StreamEdit, Reply<EditedStream>),
    /// Only to say what would become of the stream.
    Check(StreamEdit, Reply<EditedStream>),
    /// A new stream whose camera had to be there was started, or not.
    Started(StreamEdit, Reply<EditedStream>, Result<(), Error>),
    Remove(StreamRemoval, Reply<()>),
    /// Whether only to say what would change.
    Reload(bool, Reply<Reloaded>),
}

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

impl ControlRequests {
    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> ControlRequest) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let ended = |_| Error::new(ErrorCode::ShutDown, "the relay is ending");
        let sent = self.requests.send(request(reply)).await;
        sent.map_err(|_| ended(()))?;
        answer.await.map_err(|_| ended(()))?
    }
}

#[async_trait]
impl Configurator for ControlRequests {
    fn stream(&self, name: &str) -> Option<ConfiguredStream> {
        self.view.borrow().streams.get(name).cloned()
    }

    async fn set(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        self.ask(|reply| ControlRequest::Set(change, reply)).await
    }

    async fn check_edit(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        self.ask(|reply| ControlRequest::Check(change, reply)).await
    }

    fn stream_schema(&self) -> Option<Value> {
        let settings = &self.running.borrow().settings;
        Some(stream_schema(&settings.control, &settings.defaults))
    }

    #[cfg(all(feature = "v4l2", target_os = "linux"))]
    async fn devices(&self) -> Option<Value> {
        let may = |running: &Configuration| {
            let kinds = &running.settings.control.sources;
            kinds.iter().any(|kind| kind == "v4l2")
        };
        if !may(&self.running.borrow()) {
            return None;
        }
        // It fails only when the program ends.
        let all = V4l2Device::list().await.unwrap_or_default();
        Some(devices::as_json(&all))
    }

    async fn remove(&self, removal: StreamRemoval) -> Result<(), Error> {
        self.ask(|reply| ControlRequest::Remove(removal, reply))
            .await
    }

    async fn reload(&self, dry_run: bool) -> Result<Reloaded, Error> {
        self.ask(|reply| ControlRequest::Reload(dry_run, reply))
            .await
    }

    async fn shown(&self) -> Result<Value, Error> {
        let running = Arc::clone(&self.running.borrow());
        let shown = in_background(move || serde_json::to_value(&running.settings)).await;
        shown.map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))
    }
}

/// How many requests wait for the task that has the relay.
const MOST_WAITING: usize = 64;

//! The camera as its URL describes it, and its connections.

use std::sync::Arc;

use async_trait::async_trait;

use super::{requests::RtspPast, session, settings::RtspSettings};
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    error::ConnectError,
    source::{invalid::InvalidSource, limits::Limits},
};

/// A camera that speaks RTSP, in the clear or through TLS, and sends M-JPEG.
pub(in crate::source) struct RtspCamera {
    settings: Arc<RtspSettings>,
    past: Arc<RtspPast>,
}

impl RtspCamera {
    pub(in crate::source) fn new(url: &str) -> Result<Self, InvalidSource> {
        Ok(Self {
            settings: Arc::new(RtspSettings::parse(url)?),
            past: Arc::default(),
        })
    }

    pub(in crate::source) fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// The host of its URL.
    pub(in crate::source) fn host(&self) -> &str {
        &self.settings.host
    }

    /// Writes the camera as a URL without its secrets and limits.
    pub(in crate::source) fn label(&self) -> String {
        self.settings.label()
    }

    /// Writes the camera as a URL without its limits, secrets included, the same way each time.
    pub(in crate::source) fn text(&self) -> String {
        self.settings.text()
    }
}

#[async_trait]
impl Connect for RtspCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.connect_within(&IngestConfig::default()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        session::open(Arc::clone(&self.settings), Arc::clone(&self.past), config).await
    }
}

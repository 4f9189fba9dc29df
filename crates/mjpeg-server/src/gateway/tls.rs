//! Whether a gateway speaks TLS, which may change while it serves.

use std::{io, sync::Arc};

use async_trait::async_trait;
use mjpeg_manager::mjpeg_http::{Transport, Wrap};
use tokio::sync::watch;

use crate::tls::{Tls, error::TlsError, files::TlsFiles};

/// Wraps the connections of a gateway in TLS, if it speaks that.
#[derive(Debug, Default)]
pub(super) struct GatewayTls(watch::Sender<Option<Arc<Tls>>>);

impl GatewayTls {
    /// Reads what is needed to speak TLS with these files, or plain HTTP without.
    ///
    /// # Errors
    ///
    /// If the files cannot be used. Nothing has changed in any case.
    pub(super) fn prepare(&self, files: Option<&TlsFiles>) -> Result<Option<Arc<Tls>>, TlsError> {
        let Some(files) = files else {
            return Ok(None);
        };
        let current = self.0.borrow().clone();
        match current.filter(|tls| tls.files() == *files) {
            Some(current) => Ok(Some(current)),
            None => Tls::load(files.clone()).map(|tls| Some(Arc::new(tls))),
        }
    }

    /// Speaks this on new connections.
    pub(super) fn set(&self, tls: Option<Arc<Tls>>) {
        self.0.send_replace(tls);
    }
}

#[async_trait]
impl Wrap for GatewayTls {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        let tls = self.0.borrow().clone();
        match tls {
            Some(tls) => tls.wrap(transport).await,
            None => Ok(transport),
        }
    }
}

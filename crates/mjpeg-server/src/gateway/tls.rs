//! Whether a gateway speaks TLS, which may change while it serves.

use std::{io, sync::Arc};

use async_trait::async_trait;
use mjpeg_manager::mjpeg_http::{Transport, Wrap};
use tokio::sync::watch;

use crate::{
    background::in_background,
    tls::{Tls, error::TlsError, files::TlsFiles},
};

/// Wraps the connections of a gateway in TLS, if it speaks that.
#[derive(Debug, Default)]
pub(super) struct GatewayTls(watch::Sender<Option<Arc<Tls>>>);

impl GatewayTls {
    /// What new connections speak.
    pub(super) fn current(&self) -> Option<Arc<Tls>> {
        self.0.borrow().clone()
    }

    /// Speaks this on new connections.
    pub(super) fn set(&self, tls: Option<Arc<Tls>>) {
        self.0.send_replace(tls);
    }
}

#[async_trait]
impl Wrap for GatewayTls {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        match self.current() {
            Some(tls) => tls.wrap(transport).await,
            None => Ok(transport),
        }
    }
}

/// Finds the certificate from these files among those in use, or else reads it and adds it to them.
///
/// # Errors
///
/// If the files cannot be used.
pub(super) async fn certificate(
    files: &TlsFiles,
    in_use: &mut Vec<Arc<Tls>>,
) -> Result<Arc<Tls>, TlsError> {
    if let Some(tls) = in_use.iter().find(|tls| tls.files() == files) {
        return Ok(Arc::clone(tls));
    }
    let files = files.clone();
    let tls = Arc::new(in_background(move || Tls::load(files)).await?);
    in_use.push(Arc::clone(&tls));
    Ok(tls)
}

//! The port for other nodes.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result};
use mjpeg_cluster::{LinkServer, LinkServerStats, LinkTls};
use mjpeg_manager::mjpeg_http::{ListenAddress, Listener, ListenerConfig, Wrap};
use tokio::sync::watch;

use super::plan::LinkTlsFiles;
use crate::{
    background::{OwnedTask, in_background},
    config::files::shown,
};

/// The port at which other nodes ask this one. Dropping it closes it.
pub(super) struct LinkPort {
    address: ListenAddress,
    server: LinkServer,
    closing: watch::Sender<bool>,
    _task: OwnedTask,
}

impl LinkPort {
    /// Binds the port and answers from now on.
    ///
    /// # Errors
    ///
    /// If it cannot be bound.
    pub(super) fn open(
        listen: SocketAddr,
        server: LinkServer,
        tls: Option<LinkTls>,
    ) -> Result<Self> {
        let listener = Listener::bind(listen, ListenerConfig::default());
        let listener = listener.context("the port for other nodes (`listen` of `[cluster]`)")?;
        let mut listener = listener.with_fallback(server.clone());
        if let Some(tls) = tls {
            listener = listener.with_wrap(Arc::new(tls) as Arc<dyn Wrap>);
        }
        let address = listener.address();
        let (closing, mut closed) = watch::channel(false);
        let until = async move {
            // An error means that the port is dropped, which ends the task anyway.
            let _ = closed.wait_for(|closed| *closed).await;
        };
        let serving = listener.serve(server.clone(), until);
        let task = OwnedTask::start(async move {
            serving.await;
        });
        Ok(Self {
            address,
            server,
            closing,
            _task: task,
        })
    }

    pub(super) fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// What was asked of it.
    pub(super) fn stats(&self) -> LinkServerStats {
        self.server.stats()
    }

    /// Takes no more connections.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// Reads the certificates for other nodes.
///
/// # Errors
///
/// If a file cannot be read, or is not what it is to be.
pub(super) async fn certificates(files: LinkTlsFiles) -> Result<LinkTls> {
    in_background(move || {
        let (certificate, key, ca) = read(&files)?;
        let tls = LinkTls::from_pem(&certificate, &key, &ca);
        tls.context("the certificates for other nodes (`tls` of `[cluster]`)")
    })
    .await
}

/// Reads the certificates again, for connections from now on.
///
/// # Errors
///
/// As [`certificates`]. Nothing has changed then.
pub(super) async fn replace(tls: LinkTls, files: LinkTlsFiles) -> Result<()> {
    in_background(move || {
        let (certificate, key, ca) = read(&files)?;
        let replaced = tls.replace(&certificate, &key, &ca);
        replaced.context("the certificates for other nodes (`tls` of `[cluster]`)")
    })
    .await
}

fn read(files: &LinkTlsFiles) -> Result<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let read = |path: &Path| {
        let text = fs::read(path);
        text.with_context(|| format!("cannot read {}", shown(path)))
    };
    Ok((
        read(&files.certificate)?,
        read(&files.key)?,
        read(&files.ca)?,
    ))
}

//! A program on the same machine that sends its images through a Unix socket.

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::net::UnixStream;

use crate::{
    connect::{Connect, Connection},
    error::ConnectError,
};

/// The socket of a program that sends concatenated JPEG images.
#[derive(Debug)]
pub(super) struct Unix {
    path: PathBuf,
}

impl Unix {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

#[async_trait]
impl Connect for Unix {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let path = self.path.display().to_string();
        match UnixStream::connect(&self.path).await {
            Ok(stream) => Ok(Connection::bytes(stream, path)),
            Err(source) => Err(ConnectError::Open { path, source }),
        }
    }
}

//! A program of the same machine that sends its images through a Unix socket.

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::net::UnixStream;

use crate::{Connect, ConnectError, Connection};

#[derive(Debug)]
pub(crate) struct UnixSocket {
    path: PathBuf,
}

impl UnixSocket {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

#[async_trait]
impl Connect for UnixSocket {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let path = self.path.display().to_string();
        match UnixStream::connect(&self.path).await {
            Ok(stream) => Ok(Connection::new(stream, path)),
            Err(source) => Err(ConnectError::Open { path, source }),
        }
    }
}

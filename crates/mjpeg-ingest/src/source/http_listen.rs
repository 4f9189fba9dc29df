//! Cameras and programs that POST their pictures to us.

mod connection;
#[cfg(feature = "__fuzzing")]
pub(super) mod fuzzing;
mod guests;
mod head;
mod paths;
mod port;
mod reply;
pub(super) mod stats;
mod token;
mod url;
mod wrong_tokens;

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;

pub(super) use self::url::HttpListenUrl;
use self::{paths::PathEntry, port::Listened, token::PushToken};
use super::{bound::Bound, push};
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    error::ConnectError,
    source::push::intake::{Intake, OpenIntake},
};

/// A path of an address at which pictures are taken. Other sources may have other paths of it.
#[derive(Debug)]
pub(super) struct HttpListen {
    addr: SocketAddr,
    path: String,
    /// Senders must know it, if there is one.
    token: Option<PushToken>,
    intake: Arc<Intake>,
    bound: Bound<(Listened, OpenIntake)>,
}

impl HttpListen {
    pub(super) fn new(url: &HttpListenUrl) -> Self {
        Self {
            addr: url.addr,
            path: url.path.clone(),
            token: url.token.as_deref().map(PushToken::new),
            intake: Arc::default(),
            bound: Bound::default(),
        }
    }

    /// Takes the path, and the address if no other source has.
    fn listen(&self, config: &IngestConfig) -> Result<(Listened, OpenIntake), ConnectError> {
        let entry = PathEntry {
            token: self.token.clone(),
            intake: Arc::clone(&self.intake),
        };
        let listened = port::listen(self.addr, &self.path, entry)?;
        Ok((listened, self.intake.open(config.splitter())))
    }
}

#[async_trait]
impl Connect for HttpListen {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.connect_within(&IngestConfig::default()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let bound = self.bound.get_or(|| self.listen(config))?;
        let connection = push::open(Arc::clone(&self.intake), config).await;
        Ok(connection.keeping(bound))
    }

    fn is_passive(&self) -> bool {
        true
    }
}

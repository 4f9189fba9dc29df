//! What should run.

use std::net::SocketAddr;

use mjpeg_codec::repair::Repairs;
use mjpeg_ingest::Source;

use crate::{Error, StreamName};

/// What a stream is: its name, where its frames come from, and where they are served.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    pub(crate) name: StreamName,
    pub(crate) source: Source,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) mode: StartMode,
    pub(crate) pass_unsupported: bool,
    pub(crate) repair: Repairs,
}

/// What a start does about a camera that cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartMode {
    /// The start fails unless the camera can be connected to. Later outages are retried for ever. Not for a source that
    /// [connects to us](Source::is_awaited): that is [`Error::InvalidSpec`].
    #[default]
    Require,
    /// The start succeeds, and the camera is retried for ever.
    Retry,
}

impl StreamSpec {
    /// Makes a stream that requires its camera and has no port.
    pub fn new(name: StreamName, source: Source) -> Self {
        Self {
            name,
            source,
            listen: None,
            mode: StartMode::default(),
            pass_unsupported: false,
            repair: Repairs::RECOMMENDED,
        }
    }

    /// Makes a stream as [`new`](Self::new) does, from texts: a name and a source URL.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSpec`] when either is not valid.
    pub fn parse(name: &str, source: &str) -> Result<Self, Error> {
        let name = name.parse().map_err(|e| Error::InvalidSpec(Box::new(e)))?;
        let source = source
            .parse()
            .map_err(|e| Error::InvalidSpec(Box::new(e)))?;
        Ok(Self::new(name, source))
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Serves the stream over HTTP at this address. Port 0 takes a free port; [`StreamInfo::listen`](crate::StreamInfo::listen) tells
    /// which. `[::]` listens on all interfaces, IPv4 included. Needs the feature `listener`.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen = Some(addr);
        self
    }

    /// Sets what the start does about a camera that cannot be reached. Default [`StartMode::Require`].
    pub fn mode(mut self, mode: StartMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets whether frames that browsers cannot show are passed on to viewers. Default false: they are held back and counted.
    pub fn pass_unsupported(mut self, pass: bool) -> Self {
        self.pass_unsupported = pass;
        self
    }

    /// Sets which repairs are made on frames that need them, each without loss of pixels. Default
    /// [`Repairs::RECOMMENDED`]; [`StreamInfo::repaired`](crate::StreamInfo::repaired) counts them.
    pub fn repair(mut self, repairs: Repairs) -> Self {
        self.repair = repairs;
        self
    }
}

//! What should run.

use std::{net::SocketAddr, time::Duration};

use mjpeg_codec::{Frame, repair::Repairs};
use mjpeg_ingest::Source;

use crate::{Error, StreamName, config::LONGEST};

/// What a stream is: its name, where its frames come from, and where they are served.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    pub(crate) name: StreamName,
    /// The preferred one first; at least one.
    pub(crate) sources: Vec<Source>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) mode: StartMode,
    pub(crate) pass_unsupported: bool,
    pub(crate) repair: Repairs,
    pub(crate) check: bool,
    /// How long the camera stays connected when nobody wants frames any more; `None` for ever.
    pub(crate) linger: Option<Duration>,
    pub(crate) placeholder: Placeholder,
    pub(crate) placeholder_after: Duration,
    pub(crate) frozen_after: Duration,
}

/// What viewers are shown where there is no frame.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Placeholder {
    /// Nothing: they keep the last frame, or wait for the first.
    #[default]
    None,
    /// A picture in the size of the last frame (640x480 before the first), with the stream's name, what is wrong, and since when.
    #[cfg(feature = "placeholder")]
    Drawn,
    /// A picture of yours.
    Picture(Frame),
}

/// What a start does about a camera that cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartMode {
    /// The start fails unless the camera can be connected to. Later outages are retried for ever. Not for a source that
    /// [connects to us](Source::is_awaited), nor for a stream [on demand](StreamSpec::on_demand): that is [`Error::InvalidSpec`]. Of several
    /// sources one must be reached.
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
            sources: vec![source],
            listen: None,
            mode: StartMode::default(),
            pass_unsupported: false,
            repair: Repairs::RECOMMENDED,
            check: false,
            linger: None,
            placeholder: Placeholder::default(),
            placeholder_after: Duration::from_secs(10),
            frozen_after: Duration::from_secs(30),
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
    pub fn with_listen(mut self, addr: SocketAddr) -> Self {
        self.listen = Some(addr);
        self
    }

    /// Sets what the start does about a camera that cannot be reached. Default [`StartMode::Require`].
    pub fn with_mode(mut self, mode: StartMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets whether frames that browsers cannot show are passed on to viewers. Default false: they are held back and counted.
    pub fn with_pass_unsupported(mut self, pass: bool) -> Self {
        self.pass_unsupported = pass;
        self
    }

    /// Sets which repairs are made on frames that need them, each without loss of pixels. Default
    /// [`Repairs::RECOMMENDED`]; [`StreamInfo::repaired`](crate::StreamInfo::repaired) counts them.
    pub fn with_repair(mut self, repairs: Repairs) -> Self {
        self.repair = repairs;
        self
    }

    /// Adds a source for when those before it have no frames; see [`Failover`](mjpeg_ingest::Failover).
    pub fn with_fallback(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// Sets whether each frame's scan is checked for damage ([`Frame::verify`]), at a cost of some 4 ms per megabyte. Damaged frames are held back, so that viewers
    /// keep the last good one, and counted as `damaged`. Default false: frames that were cut off are found without it.
    pub fn with_check(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// Connects the camera only while somebody wants frames, a viewer or a snapshot, and for so long after the last. 10 s is a good time: long enough for
    /// a page to be loaded anew. Default: always connected.
    ///
    /// A stream on demand cannot [require](StartMode::Require) its camera.
    pub fn with_on_demand(mut self, linger: Duration) -> Self {
        self.linger = Some(linger.min(LONGEST));
        self
    }

    /// Sets what viewers are shown where there is no frame. Default [`Placeholder::None`].
    ///
    /// A viewer that finds no frame gets it after 1 s. While a camera is gone, viewers keep its last frame, and get the placeholder when that is older than
    /// [`placeholder_after`](Self::placeholder_after).
    pub fn with_placeholder(mut self, placeholder: Placeholder) -> Self {
        self.placeholder = placeholder;
        self
    }

    /// Sets how old the last frame of a camera that is gone may be before the placeholder takes its place. Default 10 s.
    pub fn with_placeholder_after(mut self, age: Duration) -> Self {
        self.placeholder_after = age.min(LONGEST);
        self
    }

    /// Sets after how long of identical frames a camera is reported as [frozen](crate::StreamInfo::frozen_since). Default 30 s. It stays connected.
    pub fn with_frozen_after(mut self, time: Duration) -> Self {
        self.frozen_after = time.min(LONGEST);
        self
    }

    /// Whether such a stream can be.
    pub(crate) fn check_sense(&self) -> Result<(), Error> {
        let requires = self.mode == StartMode::Require;
        let why = if requires && self.sources.iter().any(Source::is_awaited) {
            "a camera that connects to us cannot be required at the start"
        } else if requires && self.linger.is_some() {
            "a camera that is connected on demand cannot be required at the start"
        } else if matches!(&self.placeholder, Placeholder::Picture(frame) if !frame.displayable()) {
            "the placeholder is no picture that browsers can show"
        } else {
            return Ok(());
        };
        Err(Error::InvalidSpec(why.into()))
    }

    /// The sources, the preferred one first; at least one.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Where the stream is served over HTTP on a port of its own.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// What a start does about a camera that cannot be reached.
    pub fn mode(&self) -> StartMode {
        self.mode
    }

    /// Whether frames that browsers cannot show are passed on.
    pub fn pass_unsupported(&self) -> bool {
        self.pass_unsupported
    }

    /// Which repairs are made on frames that need them.
    pub fn repair(&self) -> Repairs {
        self.repair
    }

    /// Whether each frame is checked for damage.
    pub fn check(&self) -> bool {
        self.check
    }

    /// How long the camera of a stream on demand stays connected after the last viewer; `None` for
    /// a camera that is always connected.
    pub fn linger(&self) -> Option<Duration> {
        self.linger
    }

    /// What viewers are shown where there is no frame.
    pub fn placeholder(&self) -> &Placeholder {
        &self.placeholder
    }

    /// How old the last frame may be before the placeholder replaces it.
    pub fn placeholder_after(&self) -> Duration {
        self.placeholder_after
    }

    /// After how long of identical frames a camera is reported as frozen.
    pub fn frozen_after(&self) -> Duration {
        self.frozen_after
    }
}

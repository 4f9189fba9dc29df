//! What a stream is to be.

use std::{net::SocketAddr, time::Duration};

use mjpeg_codec::{Frame, repair::Repairs};
use mjpeg_ingest::Source;

use crate::{config::LONGEST, detect::config::DetectConfig, error::InvalidSpec, name::StreamName};

/// What a stream is to be: its name, where its frames come from, and where they are served.
///
/// A running stream's spec is read with [`Manager::spec`](crate::Manager::spec) and replaced with
/// [`Manager::apply`](crate::Manager::apply).
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSpec {
    name: StreamName,
    /// The preferred one first. None if the stream is fed.
    sources: Vec<Source>,
    listen: Option<SocketAddr>,
    mode: StartMode,
    pass_unsupported: bool,
    repair: Repairs,
    check: bool,
    linger: Option<Duration>,
    placeholder: Placeholder,
    placeholder_after: Duration,
    frozen_after: Duration,
    detect: DetectConfig,
    #[cfg(feature = "replay")]
    replay: Option<mjpeg_fanout::RingConfig>,
}

/// What viewers are shown when there is no frame.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Placeholder {
    /// Nothing: they keep the last frame, or wait for the first.
    #[default]
    None,
    /// A picture that says the stream's name, what is wrong in general
    /// ([`StreamState::public`](crate::StreamState::public)), and since when, in local time.
    ///
    /// It has the size of the last frame that was whole (640x480 before the first), scaled down to
    /// two megapixels. It is drawn when somebody wants to see something, one of all streams of the
    /// process at a time.
    #[cfg(feature = "placeholder")]
    Drawn,
    /// A picture of your own.
    Picture(Frame),
}

/// What a start does about a camera that cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum StartMode {
    /// The start fails unless the camera can be connected to. Later outages are retried
    /// indefinitely. Of several sources one must be reached.
    ///
    /// Neither a source that [connects to us](Source::is_passive) nor a stream
    /// [on demand](StreamSpec::with_on_demand) can be required: that is
    /// [`InvalidSpec`].
    #[default]
    Require,
    /// The start succeeds, and the camera is retried indefinitely.
    Retry,
}

impl StreamSpec {
    /// Makes a stream that requires its camera and does not listen.
    pub fn new(name: StreamName, source: Source) -> Self {
        Self {
            sources: vec![source],
            mode: StartMode::Require,
            ..Self::fed(name)
        }
    }

    /// Makes a stream as [`new`](Self::new) does, from a name and a source URL.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec::Name`] or [`InvalidSpec::Source`].
    pub fn parse(name: &str, source: &str) -> Result<Self, InvalidSpec> {
        Ok(Self::new(name.parse()?, source.parse()?))
    }

    /// Makes a stream that has no source: the program publishes its frames itself. Start it with
    /// [`Manager::start_fed`](crate::Manager::start_fed).
    ///
    /// Its mode is [`StartMode::Retry`]. Being on demand has no effect on it.
    pub fn fed(name: StreamName) -> Self {
        Self {
            name,
            sources: Vec::new(),
            listen: None,
            mode: StartMode::Retry,
            pass_unsupported: false,
            repair: Repairs::RECOMMENDED,
            check: false,
            linger: None,
            placeholder: Placeholder::None,
            placeholder_after: Duration::from_secs(10),
            frozen_after: Duration::from_secs(30),
            detect: DetectConfig::default(),
            #[cfg(feature = "replay")]
            replay: None,
        }
    }

    /// Replaces all sources, the preferred one first.
    pub fn with_sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// Adds a source for when those before it have no frames. See
    /// [`Failover`](mjpeg_ingest::Failover).
    pub fn with_fallback(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// Serves the stream over HTTP at this address. Default: on no port.
    ///
    /// Port 0 takes a free port; [`StreamInfo::listen`](crate::StreamInfo::listen) says which.
    /// `[::]` listens on all interfaces, IPv4 included. Needs an outlet that listens, such as
    /// `HttpOutlet` (feature `listener`).
    pub fn with_listen(mut self, addr: SocketAddr) -> Self {
        self.listen = Some(addr);
        self
    }

    /// Serves the stream on no port of its own.
    pub fn without_listen(mut self) -> Self {
        self.listen = None;
        self
    }

    /// Sets what the start does about a camera that cannot be reached. Default
    /// [`StartMode::Require`].
    pub fn with_mode(mut self, mode: StartMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets whether frames that browsers cannot show are passed on to viewers. Default false: they
    /// are held back and counted as `unsupported`.
    pub fn with_pass_unsupported(mut self, pass: bool) -> Self {
        self.pass_unsupported = pass;
        self
    }

    /// Sets which repairs are made on frames that need them, each without loss of pixels. Default
    /// [`Repairs::RECOMMENDED`]. [`StreamInfo::repaired`](crate::StreamInfo::repaired) counts
    /// them. [`Repairs::with_orientation`] turns and mirrors the stream's pictures.
    ///
    /// With the repair of EOI, frames without EOI are accepted from the camera if a delimiter, the
    /// next SOI or the end of the source ends them. Each is checked like [`with_check`]: one whose
    /// scan was cut off is held back, and counted as `truncated`. On a running stream, that begins
    /// with the next connection.
    ///
    /// [`with_check`]: Self::with_check
    pub fn with_repair(mut self, repairs: Repairs) -> Self {
        self.repair = repairs;
        self
    }

    /// Sets whether each frame's scan is checked for damage ([`Frame::verify`]). Default false:
    /// frames that were cut off are found without it.
    ///
    /// The check takes 3 to 5 ms per megabyte of a camera's frame, and up to 60 ms per megabyte of
    /// one made for that. It is done in slices, so that other streams have their turn; that of a
    /// [fed](Self::fed) stream is not.
    ///
    /// Damaged frames are held back, so that viewers keep the last good one, and counted as
    /// `damaged`.
    pub fn with_check(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// Connects the camera only while somebody wants frames, and for this long afterwards. Default:
    /// always connected.
    ///
    /// Viewers, snapshots and [subscribers](crate::Manager::subscribe) want frames. 10 s is a good
    /// value: long enough to reload a page. A time above a hundred years means forever. A stream
    /// on demand cannot [require](StartMode::Require) its camera.
    pub fn with_on_demand(mut self, linger: Duration) -> Self {
        self.linger = Some(linger.min(LONGEST));
        self
    }

    /// Keeps the camera always connected.
    pub fn without_on_demand(mut self) -> Self {
        self.linger = None;
        self
    }

    /// Sets what viewers are shown when there is no frame. Default [`Placeholder::None`].
    ///
    /// A viewer that finds no frame gets it after 1 s. While a camera is offline, viewers keep its
    /// last frame, and get the placeholder when that is older than
    /// [`placeholder_after`](Self::placeholder_after).
    pub fn with_placeholder(mut self, placeholder: Placeholder) -> Self {
        self.placeholder = placeholder;
        self
    }

    /// Sets how old the last frame of an offline camera may be before the placeholder replaces it.
    /// Default 10 s. A time above a hundred years means never.
    pub fn with_placeholder_after(mut self, age: Duration) -> Self {
        self.placeholder_after = age.min(LONGEST);
        self
    }

    /// Sets after how long of identical frames a camera is reported as
    /// [frozen](crate::StreamInfo::frozen_since). Default 30 s. It stays connected. A time above a
    /// hundred years means never.
    pub fn with_frozen_after(mut self, time: Duration) -> Self {
        self.frozen_after = time.min(LONGEST);
        self
    }

    /// Sets what is detected in the pictures. Default: nothing.
    ///
    /// Up to five pictures a second are looked at, after they are published, at an eighth of their
    /// size and without decoding; that takes 1 to 2 ms per picture of 1080p. Frames with arithmetic
    /// coding and the like cannot be looked at ([`StreamInfo::undetectable`]). A stream on demand
    /// is looked at while it is connected.
    ///
    /// [`StreamInfo::undetectable`]: crate::StreamInfo::undetectable
    #[cfg(feature = "detect")]
    pub fn with_detect(mut self, detect: DetectConfig) -> Self {
        self.detect = detect;
        self
    }

    /// Sets which past frames are kept in memory for replay. Default: none.
    ///
    /// Frames are kept as they are published, so only while the camera is connected. A stream on
    /// demand keeps only what was sent while somebody watched.
    /// [`ManagerConfig::with_max_replay_bytes`](crate::ManagerConfig::with_max_replay_bytes) limits
    /// the memory of all streams together.
    #[cfg(feature = "replay")]
    pub fn with_replay(mut self, keep: impl Into<Option<mjpeg_fanout::RingConfig>>) -> Self {
        self.replay = keep.into();
        self
    }

    /// Returns which frames of the past are kept for replay.
    #[cfg(feature = "replay")]
    pub fn replay(&self) -> Option<&mjpeg_fanout::RingConfig> {
        self.replay.as_ref()
    }

    /// Checks that the settings are valid and go together. [`start`](crate::Manager::start) and
    /// [`apply`](crate::Manager::apply) do so too.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] says which setting is wrong.
    pub fn validate(&self) -> Result<(), InvalidSpec> {
        let requires = self.mode == StartMode::Require;
        if requires && self.sources.iter().any(Source::is_passive) {
            return Err(InvalidSpec::RequiredButPassive);
        }
        if requires && self.linger.is_some() {
            return Err(InvalidSpec::RequiredOnDemand);
        }
        if matches!(&self.placeholder, Placeholder::Picture(frame) if !frame.displayable()) {
            return Err(InvalidSpec::Placeholder);
        }
        self.detect.validate()
    }

    /// Returns the stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Returns the sources, the preferred one first. None if the stream is [fed](Self::fed).
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Returns where the stream is served over HTTP on a port of its own.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// Returns what the start does about a camera that cannot be reached.
    pub fn mode(&self) -> StartMode {
        self.mode
    }

    /// Returns whether frames that browsers cannot show are passed on.
    pub fn pass_unsupported(&self) -> bool {
        self.pass_unsupported
    }

    /// Returns which repairs are made on frames that need them.
    pub fn repair(&self) -> Repairs {
        self.repair
    }

    /// Returns whether each frame is checked for damage.
    pub fn check(&self) -> bool {
        self.check
    }

    /// Returns how long an on-demand camera stays connected after the last viewer; `None` for a
    /// camera that is always connected.
    pub fn linger(&self) -> Option<Duration> {
        self.linger
    }

    /// Returns what viewers are shown when there is no frame.
    pub fn placeholder(&self) -> &Placeholder {
        &self.placeholder
    }

    /// Returns how old the last frame may be before the placeholder replaces it.
    pub fn placeholder_after(&self) -> Duration {
        self.placeholder_after
    }

    /// Returns after how long of identical frames a camera is reported as frozen.
    pub fn frozen_after(&self) -> Duration {
        self.frozen_after
    }

    /// Returns what is detected in the pictures.
    pub fn detect(&self) -> &DetectConfig {
        &self.detect
    }
}

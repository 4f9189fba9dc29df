//! The type that stands for any kind of source.

#[cfg(unix)]
use std::path::PathBuf;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;

#[cfg(feature = "http")]
use super::http::HttpCamera;
#[cfg(feature = "rtsp")]
use super::rtsp::RtspCamera;
#[cfg(feature = "test-picture")]
use super::test::TestCamera;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
use super::v4l2::{DeviceList, Opener, V4l2Camera};
use super::{
    file::Recording,
    limits::Limits,
    tcp::Tcp,
    tcp_listen::TcpListen,
    text::{Text, URL_OPTIONS},
    visits::Visits,
};
#[cfg(feature = "http-listen")]
use super::{
    http_listen::{HttpListen, HttpListenUrl},
    push::{Inlet, PushSource},
};
#[cfg(unix)]
use super::{unix::Unix, url::path_text};
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    contained::Contained,
    dial_policy::DialPolicy,
    error::{ConnectError, Error, reason::FailureReason},
    observed::{facts::Observed, observer::Observer},
    text::escaped,
};

/// Where the images of a stream come from: how to connect, and how to name it to people.
///
/// Parsed from a URL:
///
/// * `tcp://host:port` connects to a camera that sends raw concatenated JPEG images over TCP. The
///   host is a name, an IPv4 address or an IPv6 address in brackets.
/// * `http://host/path` and `https://host/path` ask a camera that speaks HTTP (features `http` and
///   `tls`). It sends a multipart stream, or one JPEG image per request.
///   `http://user:password@host/path` logs in, by Basic or Digest as the camera asks. Options
///   follow a `#`; see [below](#options-of-http-and-https).
/// * `rtsp://host/path` has a camera that speaks RTSP play its M-JPEG (RFC 2435) over the same
///   connection (feature `rtsp`). No other coding is read. Logins and the options for limits are
///   those of `http`; the port is 554 unless the URL has one. `rtsps://host/path` does the same
///   through TLS (features `rtsp` and `tls`), at port 322, with the options `#ca=/path/to/file.pem`
///   and `#insecure`.
/// * `tcp-listen://addr:port` listens for a camera or encoder that connects to us and sends the
///   same as over `tcp`. One sender at a time. A new one that has sent a whole image replaces a
///   sender that has been silent for 2 s, and for twice its longest pause, or never sent an image.
///   The address is one of this machine; `tcp-listen://:port` listens at all of them.
/// * `http-listen://addr:port/path#token=…` takes the pictures that cameras and programs send by
///   `POST` or `PUT` (feature `http-listen`): a JPEG image per request, or a multipart of them.
///   Sources with different paths share an address. See
///   [below](#options-of-http-listen-and-push).
/// * `push:` takes pictures that this program is given by its own callers; see [`Inlet`] (feature
///   `http-listen`).
/// * `unix:///path` connects to the socket of a program on this machine that sends the same (Unix).
/// * `file:///path` plays a recording of the same, repeated at 30 frames per second. `?fps=12.5`
///   sets the rate, `?once` plays it once. The path may contain `%20` and the like. The file is
///   opened anew for each pass and may be replaced or rewritten meanwhile; see
///   [`Recording`].
/// * `exec:program args` runs a program that writes the same to its standard output (feature
///   `exec`, Unix). Arguments are separated by spaces and may be quoted as in a shell, but no shell
///   reads them. When the connection closes, the program and all its children are killed, and also
///   when this process is killed, if the system has `/bin/sh`; those that leave their process group
///   are not found.
/// * `v4l2:///dev/video0` reads a camera of this machine that makes JPEG images, such as a USB
///   webcam (feature `v4l2`, Linux). `?size=1280x720&fps=30&brightness=128` sets what the camera
///   can do; see `V4l2Camera`. When it is unplugged, it is looked for every second. `v4l2://?list`
///   is never online: its error lists the cameras and what they can do.
/// * `test:` makes a moving test picture, 640x480 at 15 frames per second (feature `test-picture`).
///   `test:?name=door&size=1280x720&fps=30` sets these.
///
/// # Options of http and https
///
/// They are separated by `&` and never sent. Times are written `500ms`, `10s`, `5m` or `1h`.
///
/// * `#fps=5` sets how often to request an image from a camera that sends single images: 0.00001
///   (once a day) to 60 per second, default 2. `#poll_interval=1m` says the same as a time.
/// * `#answer_timeout=60s` is how long the camera may take to answer, default 30 s.
/// * `#login_retry=10m` is how long after a refused password the next login is tried, default
///   5 min.
/// * `#connect_timeout=10s` and `#stall_limit=2m`: see
///   [below](#options-of-tcp-tcp-listen-unix-file-exec-and-v4l2).
/// * `#header=X-Key:%20abc` adds a header to each request. It may be repeated.
/// * `#ca=/path/to/file.pem` trusts this certificate, or those that it signed, instead of the
///   authorities that this machine trusts.
/// * `#ca-pem=…` does the same with the certificate itself, percent-encoded.
/// * `#insecure` trusts any certificate.
///
/// # Options of tcp, tcp-listen, unix, file, exec and v4l2
///
/// * `#connect_timeout=10s` is how long a connection may take to be made, a file to be opened, a
///   program to be started; default 5 s.
/// * `#stall_limit=2m` is how long the camera may send nothing before it counts as lost, default
///   10 s. A camera that sends an image per minute needs more. A file has 30 s at least.
///
/// Behind the command line of `exec`, they are its last word: `exec:program args #stall_limit=2m`.
/// An argument that begins with `#` must be quoted, and in a path a `#` is written as `%23`.
///
/// # Options of http-listen and push
///
/// * `#token=…` is what senders must know: they give it as `Authorization: Bearer TOKEN`, as the
///   password of a Basic login, or as `?token=TOKEN`. Percent-encoded.
/// * `#open` lets everybody send who can reach the address. Beyond loopback, one of the two is
///   required.
/// * `#stall_limit=2m` as above. A sender whose usual interval is known has three of them at least.
///
/// # Names and passwords
///
/// Write `/`, `?`, `#`, `@`, `:` and `%` in a user name or password as `%2F`, `%3F`, `%23`, `%40`,
/// `%3A` and `%25`.
///
/// # Secrets
///
/// `Display` and `Debug` replace secrets with `***`: the user name, password and header values of
/// an HTTP or RTSP camera, the values in its query but for a few that are known to be harmless,
/// such as `fps` and `resolution`, and the token of `http-listen`. Of a program they show the name
/// and how many arguments it has. Only [`reveal`](Self::reveal) returns the full text.
///
/// # Equality
///
/// Sources are equal when their full texts, limits and dial policies are: the same place, read with
/// the same settings. A stream whose source gets another policy is read anew, so no connection that
/// the new policy refuses goes on. A [custom](Self::custom) source without a text is equal only to
/// its clones.
///
/// ```
/// use mjpeg_ingest::Source;
///
/// let source: Source = "tcp://camera.local:6001".parse().unwrap();
/// assert_eq!(source.to_string(), "tcp://camera.local:6001");
/// assert_eq!(source, Source::tcp("camera.local", 6001));
/// assert!("tcp://camera.local".parse::<Source>().unwrap_err().to_string().contains("port"));
/// ```
#[derive(Clone)]
pub struct Source {
    label: Text,
    /// The full text, secrets included, always in the same form; `None` if it has none.
    pub(super) text: Option<Text>,
    limits: Limits,
    pub(super) dial_policy: DialPolicy,
    /// The host that is dialled first, if its kind dials.
    pub(super) host: Option<Arc<str>>,
    /// What options for its limits begin with in its text, if it may have any.
    options_begin: Option<&'static str>,
    /// The longest wait before it is looked whether what is away is there again, if that burdens
    /// nobody.
    longest_wait: Option<Duration>,
    connect: Arc<dyn Connect>,
    visits: Arc<Visits>,
    observer: Observer,
    /// Where its pictures are handed in, if they are.
    #[cfg(feature = "http-listen")]
    inlet: Option<Inlet>,
}

impl Source {
    /// Makes a source that connects over TCP to a camera that sends raw concatenated JPEG images.
    ///
    /// The name is resolved again for each connection.
    pub fn tcp(host: &str, port: u16) -> Self {
        let bracketed = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.into()
        };
        Self::known(format!("tcp://{bracketed}:{port}"), Tcp::new(host, port))
            .dialling(host)
            .taking_options(URL_OPTIONS)
    }

    /// Makes a source that listens at this address for cameras and encoders that send raw
    /// concatenated JPEG images, one at a time.
    ///
    /// The address is bound when an [`Ingest`](crate::Ingest) begins, and released when the ingest
    /// is dropped or paused.
    pub fn tcp_listen(addr: SocketAddr) -> Self {
        Self::known(format!("tcp-listen://{addr}"), TcpListen::new(addr))
            .taking_options(URL_OPTIONS)
    }

    /// Makes a source of what is sent to a path of an address.
    #[cfg(feature = "http-listen")]
    pub(super) fn http_listen(url: &HttpListenUrl) -> Self {
        Self::known(url.text(), HttpListen::new(url))
            .with_label(url.label())
            .taking_options(URL_OPTIONS)
            .with_limits(url.limits)
    }

    /// Makes a source `push:`, whose pictures the program hands in by its [inlet](Self::inlet).
    /// (Feature `http-listen`.)
    #[cfg(feature = "http-listen")]
    pub fn push() -> Self {
        let push = PushSource::default();
        let inlet = push.inlet();
        let mut source = Self::known("push:".into(), push).taking_options(URL_OPTIONS);
        source.inlet = Some(inlet);
        source
    }

    /// Where the pictures of a source `push:` are handed in; `None` for other sources. (Feature
    /// `http-listen`.)
    #[cfg(feature = "http-listen")]
    pub fn inlet(&self) -> Option<&Inlet> {
        self.inlet.as_ref()
    }

    /// Makes a source that connects to a Unix socket, whose program sends raw concatenated JPEG
    /// images.
    #[cfg(unix)]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let label = format!("unix://{}", path.display());
        let text = format!("unix://{}", path_text(&path));
        Self::known(text, Unix::new(path))
            .with_label(label)
            .taking_options(URL_OPTIONS)
    }

    /// Makes a source that plays a recording.
    pub fn file(recording: Recording) -> Self {
        Self::known(recording.text(), recording).taking_options(URL_OPTIONS)
    }

    /// Makes a source of moving test pictures. (Feature `test-picture`.)
    #[cfg(feature = "test-picture")]
    pub fn test(camera: TestCamera) -> Self {
        Self::known(camera.text(), camera)
    }

    /// Makes a source of a camera that speaks HTTP. (Feature `http`.)
    #[cfg(feature = "http")]
    pub fn http(camera: HttpCamera) -> Self {
        let (label, limits) = (camera.label(), camera.limits());
        let host = camera.host().to_owned();
        Self::known(camera.text(), camera)
            .with_label(label)
            .dialling(&host)
            .taking_options(URL_OPTIONS)
            .with_limits(limits)
    }

    /// Makes a source of a camera that speaks RTSP.
    #[cfg(feature = "rtsp")]
    pub(super) fn rtsp(camera: RtspCamera) -> Self {
        let (label, limits) = (camera.label(), camera.limits());
        let host = camera.host().to_owned();
        Self::known(camera.text(), camera)
            .with_label(label)
            .dialling(&host)
            .taking_options(URL_OPTIONS)
            .with_limits(limits)
    }

    /// Makes a source of a camera of this machine. (Feature `v4l2`, Linux.)
    ///
    /// While it is not there or in use, it is looked for every second at least, whatever the
    /// [backoff](IngestConfig::with_backoff): nobody is burdened by that.
    #[cfg(all(feature = "v4l2", target_os = "linux"))]
    pub fn v4l2(camera: V4l2Camera) -> Self {
        let mut source = Self::known(camera.text(), Opener::new(camera));
        source.longest_wait = Some(Duration::from_secs(1));
        source.taking_options(URL_OPTIONS)
    }

    /// Makes a source whose error lists the cameras of this machine.
    #[cfg(all(feature = "v4l2", target_os = "linux"))]
    pub(super) fn v4l2_list() -> Self {
        Self::known("v4l2://?list".into(), DeviceList).taking_options(URL_OPTIONS)
    }

    /// Makes a source of another kind.
    ///
    /// The label names it in listings and logs, so it must hold no secrets. It need not be unique.
    pub fn custom(label: impl Into<String>, connect: impl Connect) -> Self {
        Self {
            label: Text::new(escaped(&label.into()).into_owned()),
            text: None,
            limits: Limits::new(),
            dial_policy: DialPolicy::default(),
            host: None,
            options_begin: None,
            longest_wait: None,
            connect: Arc::new(Attempts(connect)),
            visits: Arc::default(),
            observer: Observer::default(),
            #[cfg(feature = "http-listen")]
            inlet: None,
        }
    }

    /// Puts another way to connect in place of the source's own, which the other one is given. All
    /// else stays: text, label, limits, dial policy, and what it equals.
    ///
    /// For cameras that may be read elsewhere: the other way decides for each attempt whether it
    /// uses the source's own.
    pub fn through<C: Connect>(mut self, other: impl FnOnce(Arc<dyn Connect>) -> C) -> Self {
        let own = self.connect();
        self.connect = Arc::new(Attempts(other(own)));
        self
    }

    /// Replaces the limits of the source: those that are set go before the ones of the
    /// [`IngestConfig`]. Default: none is set.
    ///
    /// The texts of all kinds but `test` and [custom](Self::custom) ones show them.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        if let Some(begin) = self.options_begin {
            let options = limits.options();
            self.label = self.label.with_options(begin, &options);
            self.text = self.text.map(|text| text.with_options(begin, &options));
        }
        self
    }

    /// The limits of the source.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sets the full text of a [custom](Self::custom) source, which may hold secrets.
    ///
    /// [`reveal`](Self::reveal) returns it, and sources with the same text are equal.
    ///
    /// Give a text that names everything the source depends on, such as a URL in a scheme of yours.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(Text::new(text.into()));
        self
    }

    /// Returns the full text of the source, secrets included. Never log or show it.
    ///
    /// Parsing it gives an equal source. Exceptions: a [custom](Self::custom) source has the text
    /// that it was given, else its label; a path that is not UTF-8 has no URL; the
    /// [limits](Self::with_limits) of some kinds are in no text, nor is any
    /// [dial policy](Self::with_dial_policy).
    ///
    /// ```
    /// # #[cfg(feature = "http")] {
    /// use mjpeg_ingest::Source;
    ///
    /// let source: Source = "http://me:secret@camera.local/video".parse().unwrap();
    /// assert_eq!(source.to_string(), "http://***@camera.local/video");
    /// assert_eq!(source.reveal(), "http://me:secret@camera.local/video");
    /// assert_eq!(source.reveal().parse::<Source>().unwrap(), source);
    /// # }
    /// ```
    pub fn reveal(&self) -> &str {
        let text = self.text.as_ref().unwrap_or(&self.label);
        &text.whole
    }

    /// Whether the other side connects to us, so that the source cannot be reached from here.
    pub fn is_passive(&self) -> bool {
        self.connect.is_passive()
    }

    /// What the answers of the camera were like so far, to all who read this source or a clone of
    /// it. Empty for a camera that does not speak HTTP.
    pub fn observed(&self) -> Observed {
        self.observer.observed()
    }

    /// Makes a source whose text is known and is also its label.
    pub(super) fn known(text: String, connect: impl Connect) -> Self {
        Self::custom(text.clone(), connect).with_text(text)
    }

    /// Sets the text for people.
    pub(super) fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Text::new(escaped(&label.into()).into_owned());
        self
    }

    /// Names the host that is dialled.
    fn dialling(mut self, host: &str) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Lets the text have options for limits, which begin so.
    pub(super) fn taking_options(mut self, begin: &'static str) -> Self {
        self.options_begin = Some(begin);
        self
    }

    /// Replaces the limits and the dial policy of a configuration by those of the source.
    pub(crate) fn limited(&self, mut config: IngestConfig) -> IngestConfig {
        self.limits.apply(&mut config);
        config.dial_policy = self.dial_policy.clone();
        config.observer = Some(self.observer.clone());
        config
    }

    /// The longest wait before the next attempt, after this error, if one burdens nobody.
    pub(crate) fn longest_wait(&self, error: &Error) -> Option<Duration> {
        let is_away = matches!(
            error.reason(),
            FailureReason::Unreachable | FailureReason::Closed
        );
        self.longest_wait.filter(|_| is_away)
    }

    /// What the ingests of this source pass on.
    pub(crate) fn visits(&self) -> &Visits {
        &self.visits
    }

    pub(crate) fn connect(&self) -> Arc<dyn Connect> {
        Arc::clone(&self.connect)
    }
}

/// Contains what a connection attempt may do when it is dropped.
struct Attempts<C>(C);

#[async_trait]
impl<C: Connect> Connect for Attempts<C> {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        Contained::new(self.0.connect()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        Contained::new(self.0.connect_within(config)).await
    }

    fn is_passive(&self) -> bool {
        self.0.is_passive()
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        let is_same = match (&self.text, &other.text) {
            (Some(a), Some(b)) => a.whole == b.whole,
            (None, None) => Arc::ptr_eq(&self.connect, &other.connect),
            _ => false,
        };
        is_same && self.limits == other.limits && self.dial_policy == other.dial_policy
    }
}

impl Eq for Source {}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label.whole)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.label.whole).finish()
    }
}

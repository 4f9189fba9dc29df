//! What a stream can come from, written as a URL.

mod parse;

use std::{fmt, net::SocketAddr, ops::RangeInclusive, path::PathBuf, sync::Arc};

pub use parse::InvalidSource;

use crate::{Connect, file::Recording, listen::TcpDoor, tcp::TcpCamera};

/// What a stream comes from: how to connect to it, and how to name it to people.
///
/// Parsed from a URL:
///
/// | URL | what it is |
/// |---|---|
/// | `tcp://host:port` | dials a camera that sends raw concatenated JPEG images over TCP; `host` is a name, an IPv4 address or an IPv6 address in brackets |
/// | `http://host/path` `https://host/path` | a camera that speaks HTTP (features `http`, `tls`): it sends a multipart stream, or one JPEG picture each time it is asked. `http://user:password@host/path` logs in, by Basic or Digest as the camera asks. The options below go behind a `#` and are not sent |
/// | `tcp-listen://addr:port` | awaits a camera or encoder that connects to us and sends the same; one at a time, another one takes the place of one that has been silent for 2 s. `addr` is an address of this machine; without one, all |
/// | `unix:///path` | a program of this machine that sends the same to whoever connects to its socket (Unix) |
/// | `file:///path` | a recording of the same, played again and again, 30 frames a second; `?fps=12.5` sets the rate, `?once` plays it once |
/// | `exec:program args` | a program that writes the same to its standard output (feature `exec`, Unix). Arguments are separated by spaces and may be quoted as in a shell, but no shell reads them. It is killed, with all that it has started, when the connection is closed |
/// | `test:` | a moving test picture, 640x480 at 15 frames per second (feature `test-picture`); `test:?name=door&size=1280x720&fps=30` sets these |
///
/// Options of `http` and `https`, separated by `&`: `#fps=5`, how often a camera is asked that sends single pictures (0.2 to 60, default 2);
/// `#header=X-Key:%20abc`, one more header, may be repeated; `#ca=/path/to/file.pem`, the certificate of the camera or its authority, instead of the
/// authorities that this machine trusts; `#insecure` to trust whoever answers. In user name and password, `/`, `?`, `#`, `@`, `:` and `%` are written as `%2F`,
/// `%3F`, `%23`, `%40`, `%3A` and `%25`.
///
/// A file's path may hold `%20` and the like. In listings, logs and errors, user name, password, header values and what looks like a password in a query of an HTTP camera are replaced by `***`. So is what stands before the `@` of a URL within `exec:`.
///
/// ```
/// use mjpeg_ingest::Source;
///
/// let source: Source = "tcp://camera.local:6001".parse().unwrap();
/// assert_eq!(source.to_string(), "tcp://camera.local:6001");
/// assert!("tcp://camera.local".parse::<Source>().unwrap_err().to_string().contains("port"));
/// ```
#[derive(Clone)]
pub struct Source {
    label: Arc<str>,
    connect: Arc<dyn Connect>,
}

impl Source {
    /// A camera that sends raw concatenated JPEG images over TCP. The name is resolved anew for each connection.
    pub fn tcp(host: &str, port: u16) -> Self {
        let bracketed = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.into()
        };
        Self::custom(
            format!("tcp://{bracketed}:{port}"),
            TcpCamera::new(host, port),
        )
    }

    /// Cameras and encoders that connect to this address, one at a time, and send raw concatenated JPEG images.
    ///
    /// The address is taken when an [`Ingest`](crate::Ingest) begins, and given back when it is dropped or paused.
    pub fn tcp_listen(addr: SocketAddr) -> Self {
        Self::custom(format!("tcp-listen://{addr}"), TcpDoor::new(addr))
    }

    /// A program of this machine that sends raw concatenated JPEG images to whoever connects to its socket.
    #[cfg(unix)]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::custom(
            format!("unix://{}", path.display()),
            crate::unix::UnixSocket::new(path),
        )
    }

    /// A file of concatenated JPEG images, played at this many frames per second (0.001 to 1000), again and again or `once`.
    pub fn file(path: impl Into<PathBuf>, fps: f64, once: bool) -> Self {
        let path = path.into();
        let label = format!("file://{}", path.display());
        Self::custom(label, Recording::new(path, sound_fps(fps), once))
    }

    /// A moving test picture of that name, at this many frames per second (0.001 to 1000).
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a size that is less than 16x16 or more than 8192x8192.
    #[cfg(feature = "test-picture")]
    pub fn test(name: &str, width: u16, height: u16, fps: f64) -> Result<Self, InvalidSource> {
        let picture = mjpeg_picture::TestPicture::new(name, width, height);
        let picture = picture.map_err(|error| InvalidSource::BadOption(error.to_string()))?;
        let camera = crate::test_camera::TestCamera::new(picture, sound_fps(fps));
        Ok(Self::custom("test:", camera))
    }

    /// A camera that speaks HTTP.
    #[cfg(feature = "http")]
    pub fn http(camera: crate::HttpCamera) -> Self {
        let (label, connect) = camera.into_parts();
        Self::custom(label, connect)
    }

    /// Whether the other side comes to us, so that there is nothing to reach.
    pub fn is_awaited(&self) -> bool {
        self.connect.is_awaited()
    }

    /// A source of another kind. The label stands for it in listings and logs: no secrets in it.
    pub fn custom(label: impl Into<String>, connect: impl Connect) -> Self {
        Self {
            label: label.into().into(),
            connect: Arc::new(connect),
        }
    }

    pub(crate) fn connect(&self) -> Arc<dyn Connect> {
        Arc::clone(&self.connect)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.label).finish()
    }
}

fn sound_fps(fps: f64) -> f64 {
    if fps.is_nan() {
        return 1.0;
    }
    fps.clamp(*FPS.start(), *FPS.end())
}

const FPS: RangeInclusive<f64> = 0.001..=1000.0;

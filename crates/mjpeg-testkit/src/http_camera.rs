//! A camera that answers HTTP requests, each by a script.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::camera::Camera;
use crate::connection::lock;
use crate::script::{Script, Step};

/// A request that an [`HttpCamera`] got.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which connection it came through: 0, 1, 2 and so on.
    pub connection: usize,
    /// Its head as it came, with the empty line.
    pub head: String,
}

impl Asked {
    pub(crate) fn new(connection: usize, head: String) -> Self {
        Self { connection, head }
    }

    /// What is asked for: the second word of the first line.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of the first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

type Answers = Arc<dyn Fn(&Asked) -> Vec<Step> + Send + Sync>;

/// What a camera does on a connection.
#[derive(Clone)]
pub(crate) enum Plan {
    Play(Script),
    Answer(Answers),
}

/// A camera on 127.0.0.1 that answers each request with steps, byte for byte: heads are the script's business too. Where the steps run out, it waits for the
/// next request on the same connection; [`Step::Close`] closes it.
pub struct HttpCamera(Camera);

impl HttpCamera {
    /// Starts a camera on a free port that asks `answers` what to do about each request.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    pub fn start(answers: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let answers: Answers = Arc::new(answers);
        let plan = move |_| Plan::Answer(Arc::clone(&answers));
        let camera = Camera::listen((Ipv4Addr::LOCALHOST, 0).into(), plan);
        Self(camera.expect("some port of 127.0.0.1 can be listened on"))
    }

    /// Starts a camera that answers each request with the same bytes and closes the connection.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    pub fn saying(answer: impl Into<Bytes>) -> Self {
        let answer = answer.into();
        Self::start(move |_| vec![Step::Send(answer.clone()), Step::Close])
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// A path of it as a URL.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.0.shared.asked).clone()
    }

    /// The camera under it, which counts connections.
    #[must_use]
    pub fn camera(&self) -> &Camera {
        &self.0
    }
}

impl fmt::Debug for HttpCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpCamera").field(&self.0).finish()
    }
}

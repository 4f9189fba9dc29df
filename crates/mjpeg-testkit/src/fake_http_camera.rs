//! A camera that answers HTTP requests, each by a script.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::camera::Camera;
use crate::connection::lock;
use crate::plan::{Answers, Plan, ReceivedRequest};
use crate::script::Step;

/// A camera on 127.0.0.1 that answers each HTTP request with steps.
///
/// It sends the bytes of the steps only, so they include the head of the response. After the last
/// step it waits for the next request on the same connection; [`Step::Close`] closes the
/// connection.
pub struct FakeHttpCamera(Camera);

impl FakeHttpCamera {
    /// Starts a camera on a free port that calls `answers` for the steps of each response.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    pub fn start(answers: impl Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync + 'static) -> Self {
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

    /// The URL of a path on this camera.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    /// All requests received so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        lock(&self.0.state.requests).clone()
    }

    /// The underlying camera, which counts connections.
    #[must_use]
    pub fn camera(&self) -> &Camera {
        &self.0
    }
}

impl fmt::Debug for FakeHttpCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeHttpCamera").field(&self.0).finish()
    }
}

//! A camera that speaks RTSP over one TCP connection, by a script.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::camera::Camera;
use crate::fake_http_camera::FakeHttpCamera;
use crate::plan::{Answers, ReceivedRequest};
use crate::script::Step;

/// What a [`FakeRtspCamera`] answers.
#[derive(Clone)]
pub struct RtspAnswers {
    /// The description of the session (SDP).
    pub sdp: String,
    /// What is sent after the answer to PLAY.
    pub play: Answers,
    /// Replaces the answer to a request, if it returns steps.
    pub instead: Exceptions,
}

type Exceptions = Arc<dyn Fn(&ReceivedRequest) -> Option<Vec<Step>> + Send + Sync>;

impl RtspAnswers {
    /// Sends M-JPEG: pictures of this size, if one is to be stated, in what `play` returns.
    pub fn mjpeg(
        size: Option<(u16, u16)>,
        play: impl Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let size = size.map(|(width, height)| format!("a=x-dimensions:{width},{height}\r\n"));
        let size = size.unwrap_or_default();
        Self {
            sdp: format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n\
                 m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\na=control:track1\r\n{size}"
            ),
            play: Arc::new(play),
            instead: Arc::new(|_| None),
        }
    }

    /// Answers some requests in another way.
    #[must_use]
    pub fn instead(
        mut self,
        answers: impl Fn(&ReceivedRequest) -> Option<Vec<Step>> + Send + Sync + 'static,
    ) -> Self {
        self.instead = Arc::new(answers);
        self
    }

    fn steps(&self, request: &ReceivedRequest) -> Vec<Step> {
        if let Some(steps) = (self.instead)(request) {
            return steps;
        }
        let sdp = &self.sdp;
        match request.method() {
            "DESCRIBE" => vec![FakeRtspCamera::answer(
                request,
                "200 OK",
                "Content-Type: application/sdp\r\n",
                sdp,
            )],
            "SETUP" => vec![FakeRtspCamera::answer(
                request,
                "200 OK",
                "Session: 12345678;timeout=60\r\n\
                 Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
                "",
            )],
            "PLAY" => {
                let answer = FakeRtspCamera::answer(request, "200 OK", "Session: 12345678\r\n", "");
                let mut steps = vec![answer];
                // Steps count from the first one after the answer.
                steps.extend((self.play)(request).into_iter().map(|step| match step {
                    Step::Goto(index) => Step::Goto(index + 1),
                    step => step,
                }));
                steps
            }
            _ => vec![FakeRtspCamera::answer(
                request,
                "200 OK",
                "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n",
                "",
            )],
        }
    }
}

impl fmt::Debug for RtspAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtspAnswers")
            .field("sdp", &self.sdp)
            .finish_non_exhaustive()
    }
}

/// A camera on 127.0.0.1 that speaks RTSP and sends RTP over the same connection (RFC 2326 section
/// 10.12).
///
/// While the steps of an answer are played, it answers no other request.
#[derive(Debug)]
pub struct FakeRtspCamera(FakeHttpCamera);

impl FakeRtspCamera {
    /// Starts a camera on a free port.
    ///
    /// # Panics
    ///
    /// If no port of 127.0.0.1 can be listened on.
    pub fn start(answers: RtspAnswers) -> Self {
        Self(FakeHttpCamera::start(move |request| answers.steps(request)))
    }

    /// An answer to a request. `headers` end with a line break.
    #[must_use]
    pub fn answer(request: &ReceivedRequest, status: &str, headers: &str, body: &str) -> Step {
        let number = request.header("CSeq").unwrap_or("0");
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!("RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}{length}\r\n");
        Step::Send((head + body).into())
    }

    /// A packet as it is sent on a channel of the connection.
    ///
    /// # Panics
    ///
    /// If it has more than 65 535 bytes.
    #[must_use]
    pub fn interleaved(channel: u8, packet: &[u8]) -> Bytes {
        let length = u16::try_from(packet.len()).expect("a packet has at most 65535 bytes");
        let [high, low] = length.to_be_bytes();
        [&[b'$', channel, high, low][..], packet].concat().into()
    }

    /// Steps that send the packets of each picture at once, then wait.
    pub fn pictures(
        pictures: impl IntoIterator<Item = Vec<Bytes>>,
        interval: Duration,
    ) -> Vec<Step> {
        let pictures = pictures.into_iter();
        let steps = pictures.flat_map(|packets| {
            let packets = packets.iter().map(|packet| Self::interleaved(0, packet));
            let bytes: Vec<u8> = packets.flatten().collect();
            [Step::Send(bytes.into()), Step::Wait(interval)]
        });
        steps.collect()
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// The URL of a path on this camera.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("rtsp://{}{path}", self.addr())
    }

    /// All requests received so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.0.requests()
    }

    /// The underlying camera, which counts connections.
    #[must_use]
    pub fn camera(&self) -> &Camera {
        self.0.camera()
    }
}

//! From a connection to a stream: DESCRIBE, SETUP, PLAY (RFC 2326 section 10), and logins.

use std::{sync::Arc, time::Duration};

use super::{
    feed::{RtspFeed, RtspPlaying},
    message::RtspResponse,
    requests::{MOST_CHALLENGES, RtspPast, RtspRequests, check},
    sdp::{Description, control_url, starts_with_scheme},
    settings::RtspSettings,
    wire::{Followed, RtspWire},
};
#[cfg(feature = "tls")]
use crate::source::http::tls;
use crate::{
    config::IngestConfig,
    connect::Connection,
    dial_policy::DialPolicy,
    error::{ConnectError, http::HttpError, rtsp::RtspError},
    source::{
        http::{
            challenge::challenges,
            line::Duplex,
            login::{Login, schemes},
        },
        tcp,
    },
    within::within,
};

/// Connects to a camera and has it play. The very address that the policy has judged is dialled,
/// and no other: redirects are not followed, and what the camera names is not dialled.
pub(super) async fn open(
    settings: Arc<RtspSettings>,
    past: Arc<RtspPast>,
    config: &IngestConfig,
) -> Result<Connection, ConnectError> {
    let after = config.connect_timeout();
    let dialled = within(after, dial(&settings, config.dial_policy())).await;
    let (stream, peer) = dialled.unwrap_or(Err(ConnectError::TimedOut { after }))?;
    let mut opening = Opening {
        wire: RtspWire::over(stream),
        requests: RtspRequests::new(settings, past),
        answer: config.answer_timeout(),
        login_retry: config.login_retry(),
    };
    let (playing, interval) = opening.play().await?;
    let Opening { wire, requests, .. } = opening;
    let feed = RtspFeed::new(wire, requests, playing, config.splitter().max_frame_bytes());
    let connection = Connection::feed(feed, peer);
    Ok(match interval {
        Some(interval) => connection.with_interval(interval),
        None => connection,
    })
}

/// Connects over TCP, and TLS where the URL says so.
async fn dial(
    settings: &RtspSettings,
    policy: &DialPolicy,
) -> Result<(Box<dyn Duplex>, String), ConnectError> {
    let (stream, peer) = tcp::dial(&settings.host, settings.port, policy).await?;
    let peer = peer.to_string();
    #[cfg(feature = "tls")]
    if settings.tls {
        let name = settings.host_without_zone();
        let stream = tls::encrypt(stream, name, &settings.trust).await?;
        return Ok((Box::new(stream), peer));
    }
    Ok((Box::new(stream), peer))
}

/// A connection on which the camera does not play yet.
struct Opening {
    wire: RtspWire,
    requests: RtspRequests,
    answer: Duration,
    login_retry: Duration,
}

impl Opening {
    async fn play(&mut self) -> Result<(RtspPlaying, Option<Duration>), RtspError> {
        let url = self.requests.settings.request_url();
        let described = self
            .ask("DESCRIBE", &url, "Accept: application/sdp\r\n")
            .await?;
        // https:// and others are no base for what follows.
        let base = ["content-base", "content-location"]
            .into_iter()
            .find_map(|name| {
                described
                    .head
                    .text(name)
                    .filter(|base| starts_with_scheme(base))
            })
            .unwrap_or(&url);
        let description = Description::parse(&described.body);
        let Some((media, format)) = description.jpeg() else {
            let offers = description.offers();
            return Err(RtspError::NotMjpeg { offers });
        };
        let bad_control = RtspError::Malformed("an address of its stream that cannot be sent");
        let media_url = control_url(base, media.control.as_deref());
        let session_url = control_url(base, description.control.as_deref());
        let (media_url, session_url) = media_url.zip(session_url).ok_or(bad_control)?;
        let set_up = self.ask("SETUP", &media_url, TRANSPORT).await?;
        let session = set_up.session();
        let (id, timeout) = session.ok_or(RtspError::Malformed("a session without a name"))?;
        let (rtp, rtcp) = set_up.channels().ok_or(RtspError::NotOverTcp)?;
        self.requests.session = Some(id.to_owned());
        let (answered, number) = self.request("PLAY", &session_url, RANGE, true).await?;
        let mut playing = RtspPlaying {
            session_url,
            format,
            size: media.size,
            rtp,
            rtcp: rtcp.or(rtp.checked_add(1)),
            keep_alive: Duration::from_secs(timeout.clamp(2, MOST_TIMEOUT_SECONDS)) / 2,
            answer_due: None,
            first: None,
        };
        match answered {
            Followed::Response(response) => self.check(&response)?,
            Followed::Data(data) => {
                playing.first = Some(data);
                playing.answer_due = Some(number);
            }
        }
        let interval = media.frame_rate.filter(|&rate| rate > 0.0).map(f64::recip);
        // A camera that says so little that nobody would miss it is not believed.
        let interval = interval.filter(|seconds| SLOW_SECONDS.contains(seconds));
        Ok((playing, interval.map(Duration::from_secs_f64)))
    }

    /// Sends a request and returns a response of success.
    async fn ask(
        &mut self,
        method: &str,
        url: &str,
        headers: &str,
    ) -> Result<RtspResponse, RtspError> {
        match self.request(method, url, headers, false).await? {
            (Followed::Response(response), _) => {
                self.check(&response)?;
                Ok(response)
            }
            // Packets were not wanted.
            (Followed::Data(_), _) => Err(RtspError::Malformed("a packet before its stream")),
        }
    }

    /// Sends a request, logs in if that is asked for, and returns what followed and its number.
    async fn request(
        &mut self,
        method: &str,
        url: &str,
        headers: &str,
        wants_data: bool,
    ) -> Result<(Followed, u32), RtspError> {
        let mut logins = 0;
        loop {
            let request = self.requests.write(method, url, headers);
            let number = self.requests.number();
            let after = self.answer;
            let answered = within(after, self.wire.exchange(&request, number, wants_data)).await;
            match answered.ok_or(HttpError::AnswerTimedOut { after })?? {
                Followed::Response(response) if response.status == 401 => {
                    self.requests.login = Some(self.challenged(&response, logins)?);
                    logins += 1;
                }
                followed => return Ok((followed, number)),
            }
        }
    }

    /// Prepares the login that the camera asks for, if it may have it. `logins` were answered
    /// before it asked again.
    fn challenged(&self, response: &RtspResponse, logins: u32) -> Result<Login, RtspError> {
        let RtspRequests { settings, past, .. } = &self.requests;
        if settings.account.is_none() {
            return Err(RtspError::LoginNeeded);
        }
        let retry_in = self.login_retry;
        let values = response.head.all("www-authenticate").take(MOST_CHALLENGES);
        let challenges: Vec<_> = values.flat_map(challenges).collect();
        // A camera that is silent about how to log in has refused a login that was made.
        if challenges.is_empty() && logins > 0 {
            return Err(HttpError::LoginRefused { retry_in }.into());
        }
        let login = Login::choose(&challenges);
        let login = login.ok_or_else(|| HttpError::UnknownLogin(schemes(&challenges)))?;
        if login.is_plain() && past.knows_digest() {
            return Err(HttpError::LoginDowngraded { retry_in }.into());
        }
        // A second challenge means that the login was wrong, unless only its nonce was too old.
        if logins > u32::from(login.is_stale()) {
            return Err(HttpError::LoginRefused { retry_in }.into());
        }
        if !login.is_plain() {
            past.learn_digest();
        }
        Ok(login)
    }

    /// Refuses a response that is none of success.
    fn check(&self, response: &RtspResponse) -> Result<(), RtspError> {
        let has_login = self.requests.login.is_some();
        check(response, has_login.then_some(self.login_retry))
    }
}

/// Packets come over this connection.
const TRANSPORT: &str = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";

/// From now on.
const RANGE: &str = "Range: npt=0.000-\r\n";

/// A session that would last longer is kept alive as often as one of this length.
const MOST_TIMEOUT_SECONDS: u64 = 60;

/// Seconds from picture to picture that are worth telling the watch for stalls.
const SLOW_SECONDS: std::ops::RangeInclusive<f64> = 1.0..=60.0;

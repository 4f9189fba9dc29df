//! A connection of senders: one request after another.

use std::{future::poll_fn, net::IpAddr, sync::Arc, sync::atomic::AtomicU64, time::Duration};

use tokio::{
    sync::oneshot,
    task::coop,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    guests::GuestPlace,
    head::{PushMethod, PushRequestHead},
    paths::{PathEntry, PushPaths},
    reply::PushReply,
    stats::{COUNTERS, count},
    wrong_tokens,
};
use crate::{
    source::{
        http::{
            extent::Extent,
            head,
            line::{Duplex, HttpLine},
        },
        push::request::{PushBody, PushRequest},
    },
    within::within,
};

/// A connection that is served.
pub(super) struct PushConnection {
    line: HttpLine,
    peer: IpAddr,
    paths: Arc<PushPaths>,
    /// Its place among the connections of the address.
    place: Option<GuestPlace>,
    /// No request has come yet.
    is_fresh: bool,
    wrong_token_delay: Duration,
}

/// What became of the wait for a request.
enum NextHead {
    Head(PushRequestHead),
    Bad(PushReply),
    /// The sender has gone, or is silent.
    Gone,
}

impl PushConnection {
    pub(super) fn new(
        io: Box<dyn Duplex>,
        peer: IpAddr,
        paths: Arc<PushPaths>,
        place: Option<GuestPlace>,
    ) -> Self {
        Self {
            line: HttpLine::new(io),
            peer,
            paths,
            place,
            is_fresh: true,
            wrong_token_delay: WRONG_TOKEN_DELAY,
        }
    }

    /// Answers wrong tokens at once.
    #[cfg(feature = "__fuzzing")]
    pub(super) fn without_delays(mut self) -> Self {
        self.wrong_token_delay = Duration::ZERO;
        self
    }

    /// Answers requests until the connection ends.
    pub(super) async fn serve(mut self) {
        loop {
            self.waits(true);
            let reply = match self.next_head().await {
                NextHead::Gone => return,
                NextHead::Bad(reply) => reply.closing(),
                NextHead::Head(head) => {
                    self.is_fresh = false;
                    self.waits(false);
                    match self.answer(head).await {
                        Some(reply) => reply,
                        None => return,
                    }
                }
            };
            count(match reply.status() {
                ..400 => &COUNTERS.taken,
                _ => &COUNTERS.refused,
            });
            let written = within(WRITE_TIME, self.line.write(&reply.bytes())).await;
            if !matches!(written, Some(Ok(()))) {
                return;
            }
            if !reply.keeps() {
                return self.leave().await;
            }
            // A sender may send requests without end.
            coop::consume_budget().await;
        }
    }

    fn waits(&self, waits: bool) {
        if let Some(place) = &self.place {
            place.waits(waits.then(Instant::now));
        }
    }

    /// Waits for the next head.
    async fn next_head(&mut self) -> NextHead {
        let limit = |is_fresh| if is_fresh { HEAD_TIMEOUT } else { IDLE_TIMEOUT };
        let mut until = Instant::now() + limit(self.is_fresh);
        let (mut searched, mut has_begun) = (0, false);
        loop {
            let ahead = self.line.ahead();
            let end = head::end(ahead, searched);
            if end.unwrap_or(ahead.len() + 1) > MAX_HEAD_BYTES {
                count(&COUNTERS.heads_too_large);
                return NextHead::Bad(PushReply::new(431, HEAD_TOO_LARGE));
            }
            if let Some(end) = end {
                let head = PushRequestHead::parse(&ahead[..end]);
                self.line.consume(end);
                return match head {
                    Ok(head) => NextHead::Head(head),
                    Err(bad) => NextHead::Bad(PushReply::new(400, bad.as_str())),
                };
            }
            // Some send a line break behind a body.
            if !has_begun && ahead.iter().any(|byte| !b"\r\n".contains(byte)) {
                has_begun = true;
                until = Instant::now() + HEAD_TIMEOUT;
            }
            searched = ahead.len();
            match timeout_at(until, poll_fn(|cx| self.line.poll_fill(cx))).await {
                Ok(Ok(bytes)) if bytes > 0 => {}
                Ok(_) => return NextHead::Gone,
                Err(_) => return self.timed_out(has_begun),
            }
        }
    }

    fn timed_out(&self, has_begun: bool) -> NextHead {
        let counter: &AtomicU64 = match has_begun || self.is_fresh {
            true => &COUNTERS.head_timeouts,
            false => &COUNTERS.idle_timeouts,
        };
        count(counter);
        match has_begun {
            true => NextHead::Bad(PushReply::new(408, HEAD_TIMED_OUT)),
            false => NextHead::Gone,
        }
    }

    /// Answers a request; `None` if the connection is gone.
    async fn answer(&mut self, head: PushRequestHead) -> Option<PushReply> {
        let entry = match self.admit(&head) {
            Ok(entry) => entry,
            Err(refusal) => return Some(self.refused(&head, refusal).await),
        };
        let extent = head.extent.unwrap_or(Extent::Length(0));
        if head.expects {
            let proceed = within(WRITE_TIME, self.line.write(PROCEED)).await;
            proceed?.ok()?;
        }
        self.line.begin(extent, head.keeps);
        let line = std::mem::replace(&mut self.line, HttpLine::closed());
        let (answer, answered) = oneshot::channel();
        let body = PushBody::Line(line);
        let request = PushRequest::new(head.push, Some(self.peer), body, answer);
        entry.intake.offer(request);
        let (PushBody::Line(line), outcome) = answered.await.ok()? else {
            return None;
        };
        self.line = line;
        let keeps = self.line.keeps() && self.skips().await;
        Some(PushReply::of(outcome).keeping(keeps))
    }

    /// Decides whether a request may send pictures, and to whom.
    fn admit(&self, head: &PushRequestHead) -> Result<PathEntry, PushReply> {
        let entry = self.paths.find(&head.path);
        let entry = entry.ok_or_else(|| PushReply::new(404, NO_SUCH_PATH))?;
        if head.method != PushMethod::Push {
            return Err(PushReply::new(405, NOT_ALLOWED).with_header("Allow", "POST, PUT"));
        }
        match &entry.token {
            Some(token) if !head.tokens.iter().any(|given| token.is(given)) => {
                return Err(
                    PushReply::new(401, WRONG_TOKEN).with_header("WWW-Authenticate", CHALLENGE)
                );
            }
            // A page of any site can make a browser on this network send something here.
            None if head.has_origin => return Err(PushReply::new(403, FROM_A_PAGE)),
            _ => {}
        }
        if head.extent.is_none() {
            return Err(PushReply::new(411, NO_LENGTH));
        }
        match entry.intake.max_frame_bytes() {
            Some(most) => head.push.check(most).map_err(PushReply::of)?,
            // The stream is just being stopped.
            None => return Err(PushReply::new(404, NO_SUCH_PATH)),
        }
        Ok(entry)
    }

    /// Answers a request whose body is not wanted. A short one is read, so that the connection can
    /// be kept.
    async fn refused(&mut self, head: &PushRequestHead, refusal: PushReply) -> PushReply {
        if refusal.status() == 401 {
            count(&COUNTERS.wrong_tokens);
            // Some clients send theirs only when they are asked.
            if !head.tokens.is_empty() {
                wrong_tokens::log(self.peer, &head.path);
            }
            // Guessing takes time; nobody else waits.
            sleep(self.wrong_token_delay).await;
        }
        let extent = head.extent.unwrap_or(Extent::Length(0));
        self.line.begin(extent, head.keeps);
        // Who waits for `100 Continue` sends no body then; who does not wait any more, does.
        let keeps = head.keeps && !head.expects && self.skips().await;
        refusal.keeping(keeps)
    }

    /// Reads what is left of a body, if that is little. Returns whether it was.
    async fn skips(&mut self) -> bool {
        within(SKIP_TIME, self.line.skip(MAX_SKIPPED_BYTES)).await == Some(true)
    }

    /// Closes the connection so that the last answer can still be read: a sender that is sending
    /// would otherwise lose it.
    async fn leave(mut self) {
        if self.line.shut_down().await.is_err() {
            return;
        }
        let mut left = MAX_DRAINED_BYTES;
        let drained = async {
            while let Ok(bytes) = poll_fn(|cx| self.line.poll_fill(cx)).await
                && (1..=left).contains(&bytes)
            {
                left -= bytes;
                self.line.consume(bytes);
                coop::consume_budget().await;
            }
        };
        // In time or not, the connection is closed then.
        let _ = timeout(DRAIN_TIME, drained).await;
    }
}

/// Lets a sender send its body that waits for that (RFC 9110 section 10.1.1).
const PROCEED: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What is said when there are too many connections.
pub(super) const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\
                               Retry-After: 1\r\nContent-Length: 0\r\n\r\n";

const CHALLENGE: &str = "Bearer, Basic realm=\"pictures\"";

const HEAD_TOO_LARGE: &str = "the head of the request is longer than 16 KiB (max_head_bytes)";
const HEAD_TIMED_OUT: &str = "the head of the request was not whole within 10 s (head_timeout)";
const NO_SUCH_PATH: &str =
    "no stream takes pictures at this path now: see the path of its source, http-listen://";
const NOT_ALLOWED: &str = "send pictures by POST or PUT; to see them, ask the relay's own port";
const WRONG_TOKEN: &str =
    "send the token of this path: Authorization: Bearer TOKEN, or ?token=TOKEN";
const FROM_A_PAGE: &str =
    "a web page may not send pictures here: that needs a #token= in the stream's source";
const NO_LENGTH: &str = "the request says no length: send Content-Length, or Transfer-Encoding: \
                         chunked";

/// The largest head of a request, in bytes (`max_head_bytes`).
const MAX_HEAD_BYTES: usize = 16 << 10;

/// How long the first request may take to come, and each head from its first byte to its last
/// (`head_timeout`).
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next request (`idle_timeout`). A camera may send a picture
/// in minutes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// How long an answer may take to be written. It is short.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// How long a wrong token waits for its answer.
const WRONG_TOKEN_DELAY: Duration = Duration::from_millis(300);

/// How much of a body is read that is not wanted.
const MAX_SKIPPED_BYTES: u64 = 64 << 10;
const SKIP_TIME: Duration = Duration::from_secs(2);

/// How much a sender may still send when its connection is closed.
const MAX_DRAINED_BYTES: usize = 1 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);

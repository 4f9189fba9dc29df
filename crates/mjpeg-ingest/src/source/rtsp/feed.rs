//! The pictures of a camera that plays.

use std::{
    collections::VecDeque,
    io,
    pin::pin,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use mjpeg_codec::{
    DiscardReason, Stamp,
    rtp::{Depacketizer, DepacketizerConfig, DropReason, Packet, Reassembled},
};
use tokio::{task::yield_now, time::Instant};

use super::{
    clock::SenderReport,
    coding::{Checked, CodingCheck},
    inbox::{Data, Received},
    message::RtspResponse,
    requests::{RtspRequests, check},
    sdp::JpegFormat,
    wire::RtspWire,
};
use crate::{
    error::{ConnectError, SourceEnd, rtsp::RtspError},
    event::Captured,
    parsed::{Parsed, ParsedFeed},
    timer::Timer,
};

/// What is agreed with the camera.
pub(super) struct RtspPlaying {
    /// Where the session is kept alive and ended.
    pub(super) session_url: String,
    pub(super) format: JpegFormat,
    /// The size of the pictures, if the description states it.
    pub(super) size: Option<(u16, u16)>,
    /// The channel of the packets.
    pub(super) rtp: u8,
    /// The channel of the reports.
    pub(super) rtcp: Option<u8>,
    /// How often the session is kept alive.
    pub(super) keep_alive: Duration,
    /// The number of the request to play, if packets came before its response.
    pub(super) answer_due: Option<u32>,
    /// The packet that came before.
    pub(super) first: Option<Data>,
}

/// Reads the packets of a camera that plays, and keeps the session alive.
pub(super) struct RtspFeed {
    wire: RtspWire,
    requests: RtspRequests,
    playing: RtspPlaying,
    depacketizer: Depacketizer,
    /// What was found and not taken.
    found: VecDeque<Parsed>,
    /// The camera's clock.
    clock: Option<SenderReport>,
    timer: Timer,
    keep_alive_at: Instant,
    /// The camera says that it knows `GET_PARAMETER`.
    knows_parameters: bool,
    /// Pictures that were dropped for what their camera always does, before any was whole.
    unusable: u32,
    has_frame: bool,
    coding: CodingCheck,
    /// When bytes were last read, by both clocks.
    last_read: (SystemTime, Instant),
    /// The work left before other tasks have their turn.
    work: usize,
    cost: u64,
    bytes: u64,
    /// Why no more is read.
    failure: Option<RtspError>,
}

impl RtspFeed {
    pub(super) fn new(
        wire: RtspWire,
        requests: RtspRequests,
        mut playing: RtspPlaying,
        max_frame_bytes: usize,
    ) -> Self {
        let config = DepacketizerConfig::default()
            .with_max_frame_bytes(max_frame_bytes)
            .with_size(playing.size);
        let first = playing.first.take();
        let now = Instant::now();
        let mut feed = Self {
            wire,
            requests,
            depacketizer: Depacketizer::new(config),
            found: VecDeque::new(),
            clock: None,
            timer: Timer::default(),
            keep_alive_at: now + playing.keep_alive,
            playing,
            knows_parameters: false,
            unusable: 0,
            has_frame: false,
            coding: CodingCheck::new(),
            last_read: (SystemTime::now(), now),
            work: WORK_PER_TURN,
            cost: 0,
            bytes: 0,
            failure: None,
        };
        if let Some(data) = first {
            feed.take_data(&data);
        }
        feed
    }

    fn take(&mut self, received: Received) -> Result<(), RtspError> {
        match received {
            Received::Data(data) => self.take_data(&data),
            Received::Response(response) => self.take_response(&response)?,
            Received::Request(number) => self.wire.refuse(number),
        }
        Ok(())
    }

    fn take_data(&mut self, data: &Data) {
        self.work = self.work.saturating_sub(data.packet.len() + PACKET_WORK);
        self.cost += PACKET_COST;
        if Some(data.channel) == self.playing.rtcp {
            self.clock = SenderReport::parse(&data.packet).or(self.clock);
        }
        if data.channel != self.playing.rtp {
            return;
        }
        let packet = Packet::parse(&data.packet);
        let payload_type = self.playing.format.payload_type;
        let Some(packet) = packet.filter(|packet| packet.payload_type == payload_type) else {
            self.found.push_back(Parsed::Discarded {
                reason: DiscardReason::Garbage,
                bytes: data.packet.len() as u64,
            });
            return;
        };
        let found = self.depacketizer.push(&packet);
        self.reassembled(found);
    }

    fn reassembled(&mut self, found: Vec<Reassembled>) {
        for found in found {
            match found {
                Reassembled::Frame { frame, timestamp } => {
                    self.has_frame = true;
                    let (received, monotonic) = self.last_read;
                    let clock_rate = self.playing.format.clock_rate;
                    let time = |clock: SenderReport| clock.time_of(timestamp, clock_rate);
                    let camera = self.clock.and_then(time);
                    let stamp = Stamp::new(received, monotonic.into_std()).with_camera(camera);
                    self.found.push_back(Parsed::Frame {
                        captured: Captured::new(frame, stamp),
                        relay: None,
                    });
                }
                Reassembled::Dropped { reason, bytes, .. } => {
                    self.judge(reason);
                    let reason = reason.into();
                    self.found.push_back(Parsed::Discarded { reason, bytes });
                }
                // The enum may grow.
                _ => {}
            }
        }
    }

    /// Gives a camera up of which no picture can be read.
    fn judge(&mut self, reason: DropReason) {
        if self.has_frame || !reason.is_permanent() {
            return;
        }
        self.unusable += 1;
        if self.unusable == MOST_UNUSABLE {
            self.failure = Some(RtspError::Pictures(reason));
        }
    }

    /// Goes on checking a picture. `None` if that is not done; others have their turn then.
    fn check_coding(&mut self) -> Option<Parsed> {
        Some(match self.coding.step()? {
            Checked::Passed(found) => found,
            Checked::Miscoded { bytes, is_settled } => {
                if is_settled {
                    self.failure.get_or_insert(RtspError::Miscoded);
                    // Those that came with it are no better.
                    self.found.clear();
                }
                let reason = DiscardReason::Malformed;
                Parsed::Discarded { reason, bytes }
            }
        })
    }

    fn take_response(&mut self, response: &RtspResponse) -> Result<(), RtspError> {
        let number = response.head.number();
        if number.is_some() && number == self.playing.answer_due {
            self.playing.answer_due = None;
            return check(response, None);
        }
        if response.status == 401 {
            self.requests.renew_login(response);
        }
        let public = response.head.text("public").unwrap_or_default();
        self.knows_parameters |= public.contains("GET_PARAMETER");
        Ok(())
    }

    /// Asks something for the sake of asking, when it is time.
    fn poll_keep_alive(&mut self, cx: &mut Context<'_>) {
        while self.timer.poll(cx, self.keep_alive_at).is_ready() {
            self.keep_alive_at = Instant::now() + self.playing.keep_alive;
            // Some cameras end the session when they are asked for what they do not know.
            let method = if self.knows_parameters {
                "GET_PARAMETER"
            } else {
                "OPTIONS"
            };
            let request = self.requests.write(method, &self.playing.session_url, "");
            self.wire.send(&request);
        }
    }

    fn end(&mut self) {
        let found = self.depacketizer.finish();
        self.reassembled(found);
    }
}

impl ParsedFeed for RtspFeed {
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        loop {
            if self.coding.is_under_way() {
                if let Some(found) = self.check_coding() {
                    return Poll::Ready(Some(found));
                }
                let turn = pin!(yield_now());
                return turn.poll(cx).map(|()| None);
            }
            if let Some(found) = self.found.pop_front() {
                match self.coding.begin(found) {
                    Some(found) => return Poll::Ready(Some(found)),
                    None => continue,
                }
            }
            if self.failure.is_some() {
                return Poll::Ready(None);
            }
            if self.work == 0 {
                self.work = WORK_PER_TURN;
                let turn = pin!(yield_now());
                // Pending, and the task is woken when the others had their turn.
                return turn.poll(cx).map(|()| None);
            }
            let next = self.wire.inbox.next();
            let Some(received) = next.transpose() else {
                return Poll::Ready(None);
            };
            if let Err(failure) = received.and_then(|received| self.take(received)) {
                self.failure.get_or_insert(failure);
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if let Some(failure) = self.failure.take() {
            let failure: ConnectError = failure.into();
            return Poll::Ready(Err(SourceEnd::Failed(Box::new(failure)).into()));
        }
        self.poll_keep_alive(cx);
        if let Poll::Ready(Err(error)) = self.wire.poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        let Poll::Ready(read) = self.wire.poll_fill(cx) else {
            self.work = WORK_PER_TURN;
            return Poll::Pending;
        };
        let read = read?;
        if read > 0 {
            self.last_read = (SystemTime::now(), Instant::now());
            self.bytes += read as u64;
        }
        Poll::Ready(Ok(read > 0))
    }

    fn finish(&mut self) {
        self.end();
    }

    fn cut_off(&mut self) {
        self.end();
    }

    fn cost(&self) -> (u64, u64) {
        (self.cost, self.bytes)
    }

    fn last_read(&self) -> Instant {
        self.last_read.1
    }

    fn keeps_time(&self) -> bool {
        false
    }
}

/// Tells the camera that nobody watches any more. It sees the connection's end as well.
impl Drop for RtspFeed {
    fn drop(&mut self) {
        let request = self
            .requests
            .write("TEARDOWN", &self.playing.session_url, "");
        self.wire.try_send(&request);
    }
}

/// The work after which other tasks have their turn: bytes that are copied and looked at.
const WORK_PER_TURN: usize = 256 << 10;

/// What a packet takes beside its bytes, in bytes.
const PACKET_WORK: usize = 1 << 10;

/// What a packet costs, in the codec's units: one of less than 200 bytes is dear.
const PACKET_COST: u64 = 100;

/// How many pictures are looked at before a camera is given up.
const MOST_UNUSABLE: u32 = 3;

//! From packets to pictures.

use std::collections::VecDeque;

use super::{
    config::DepacketizerConfig,
    headers::Fragment,
    packet::Packet,
    picture::{Allowed, PartialPicture, is_after},
    quantization::KnownTables,
    reason::DropReason,
    recent::{Arrival, Recent},
};
use crate::frame::Frame;

/// Puts the pictures of one sender together; see [the module](crate::rtp).
#[derive(Debug)]
pub struct Depacketizer {
    config: DepacketizerConfig,
    tables: KnownTables,
    recent: Recent,
    ssrc: Option<u32>,
    /// Pictures under way, the oldest first.
    pictures: VecDeque<PartialPicture>,
    /// The last packet of those that were decided.
    decided: Option<u16>,
    /// How long the last whole picture was.
    last_bytes: usize,
    lost_packets: u64,
    /// A packet far off, until the next one shows whether the sender has begun anew.
    stray: Option<Stray>,
}

/// A packet that is kept.
#[derive(Debug)]
struct Stray {
    /// Its header.
    header: Packet<'static>,
    payload: Vec<u8>,
}

/// What packets have become.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reassembled {
    /// A whole picture.
    Frame {
        /// The picture.
        frame: Frame,
        /// The RTP timestamp of its packets.
        timestamp: u32,
    },
    /// Packets that are of no use.
    Dropped {
        /// Why they are not.
        reason: DropReason,
        /// The length of their payloads.
        bytes: u64,
        /// Their RTP timestamp.
        timestamp: u32,
    },
}

impl Depacketizer {
    /// Makes a depacketizer with these limits.
    pub fn new(config: DepacketizerConfig) -> Self {
        Self {
            config,
            tables: KnownTables::default(),
            recent: Recent::default(),
            ssrc: None,
            pictures: VecDeque::new(),
            decided: None,
            last_bytes: 0,
            lost_packets: 0,
            stray: None,
        }
    }

    /// Takes a packet, and returns what it completes or brings to an end, in order.
    ///
    /// Packets that came before are ignored. A new source (SSRC), and two packets in a row whose
    /// sequence numbers are far from those before, end the pictures under way: the sender has begun
    /// anew.
    pub fn push(&mut self, packet: &Packet<'_>) -> Vec<Reassembled> {
        let mut out = Vec::new();
        if self
            .ssrc
            .replace(packet.ssrc)
            .is_some_and(|ssrc| ssrc != packet.ssrc)
        {
            self.give_up(DropReason::Lost, &mut out);
            self.recent = Recent::default();
        }
        let stray = self.stray.take();
        match self.recent.admit(packet.sequence) {
            Arrival::New { missing } => self.lost_packets += u64::from(missing),
            Arrival::Late => self.lost_packets = self.lost_packets.saturating_sub(1),
            Arrival::Repeated => {
                out.extend(stray.map(|stray| late(&stray.packet())));
                return out;
            }
            Arrival::FarOff => {
                out.extend(stray.map(|stray| late(&stray.packet())));
                self.stray = Some(Stray::new(packet));
                return out;
            }
            Arrival::Restarted => {
                self.give_up(DropReason::Lost, &mut out);
                if let Some(stray) = stray {
                    self.place(&stray.packet(), &mut out);
                }
                self.place(packet, &mut out);
                return out;
            }
        }
        out.extend(stray.map(|stray| late(&stray.packet())));
        self.place(packet, &mut out);
        out
    }

    /// Ends the stream: gives up the pictures under way.
    pub fn finish(&mut self) -> Vec<Reassembled> {
        let mut out = Vec::new();
        let stray = self.stray.take();
        out.extend(stray.map(|stray| late(&stray.packet())));
        self.give_up(DropReason::Unfinished, &mut out);
        out
    }

    /// Returns how many packets are missing so far, by their sequence numbers.
    pub fn lost_packets(&self) -> u64 {
        self.lost_packets
    }

    /// Adds a packet to its picture.
    fn place(&mut self, packet: &Packet<'_>, out: &mut Vec<Reassembled>) {
        let is_late = |decided| !is_after(packet.sequence, decided);
        if self.decided.is_some_and(is_late) {
            out.push(late(packet));
            return;
        }
        let fragment = Fragment::parse(packet.payload);
        let Some(at) = self.picture_of(packet, fragment.as_ref().ok(), out) else {
            out.push(late(packet));
            return;
        };
        let added = fragment.and_then(|fragment| self.add(at, &fragment, packet.marker));
        let picture = &mut self.pictures[at];
        picture.came(packet.sequence, packet.payload.len());
        if let Err(reason) = added {
            picture.fail(reason);
        }
        if picture.is_whole() || picture.failure().is_some() && packet.marker {
            self.decide(at, out);
        }
    }

    fn give_up(&mut self, reason: DropReason, out: &mut Vec<Reassembled>) {
        for picture in self.pictures.drain(..) {
            out.push(dropped(&picture, reason));
        }
        self.decided = None;
    }

    /// Finds the picture that a packet belongs to, or begins it. `None` if that would be older than
    /// those under way, of which there are enough.
    fn picture_of(
        &mut self,
        packet: &Packet<'_>,
        fragment: Option<&Fragment<'_>>,
        out: &mut Vec<Reassembled>,
    ) -> Option<usize> {
        let is_first = fragment.is_some_and(|fragment| fragment.offset == 0);
        let of_time = |picture: &PartialPicture| picture.timestamp == packet.timestamp;
        if let Some(at) = self.pictures.iter().rposition(of_time) {
            let picture = &self.pictures[at];
            // A sender without a clock, and the end of the picture was lost.
            let is_another =
                is_first && picture.has_begun() && is_after(packet.sequence, picture.last);
            if !is_another {
                return Some(at);
            }
        }
        let is_older = |picture: &PartialPicture| is_after(packet.sequence, picture.first);
        let mut at = self
            .pictures
            .iter()
            .take_while(|&one| is_older(one))
            .count();
        if at > 0 && is_first && self.pictures[at - 1].last.wrapping_add(1) == packet.sequence {
            // A sender that sets no marker bits.
            self.pictures[at - 1].end();
            if self.pictures[at - 1].is_whole() {
                self.decide(at - 1, out);
                at = 0;
            }
        }
        if self.pictures.len() == MOST_PICTURES {
            if at == 0 {
                return None;
            }
            if let Some(oldest) = self.pictures.pop_front() {
                self.decided = Some(oldest.last);
                out.push(dropped(&oldest, DropReason::Lost));
            }
            at -= 1;
        }
        let picture = PartialPicture::new(packet.timestamp, packet.sequence);
        self.pictures.insert(at, picture);
        Some(at)
    }

    fn add(&mut self, at: usize, fragment: &Fragment<'_>, is_last: bool) -> Result<(), DropReason> {
        let allowed = self.allowed();
        let tables = if fragment.offset == 0 {
            // Whatever becomes of this picture, others may refer to its tables.
            Some(self.tables.of(fragment.header.quality, fragment.tables)?)
        } else {
            None
        };
        self.pictures[at].add(fragment, tables.as_ref(), is_last, allowed)
    }

    /// Lets a picture go that is whole, or cannot be any more, and those before it.
    fn decide(&mut self, at: usize, out: &mut Vec<Reassembled>) {
        for picture in self.pictures.drain(..at) {
            out.push(dropped(&picture, DropReason::Lost));
        }
        let Some(picture) = self.pictures.pop_front() else {
            return;
        };
        self.decided = Some(picture.last);
        if picture.failure().is_some() {
            out.push(dropped(&picture, DropReason::Lost));
            return;
        }
        let (timestamp, bytes) = (picture.timestamp, picture.bytes);
        out.push(match picture.into_frame(self.allowed()) {
            Ok(frame) => {
                self.last_bytes = frame.bytes().len();
                Reassembled::Frame { frame, timestamp }
            }
            Err(reason) => Reassembled::Dropped {
                reason,
                bytes,
                timestamp,
            },
        });
    }

    fn allowed(&self) -> Allowed {
        Allowed {
            max_frame_bytes: self.config.max_frame_bytes(),
            size: self.config.size(),
            expected_bytes: self.last_bytes + self.last_bytes / 8,
        }
    }
}

impl Stray {
    fn new(packet: &Packet<'_>) -> Self {
        Self {
            header: Packet {
                payload: &[],
                ..*packet
            },
            payload: packet.payload.to_vec(),
        }
    }

    fn packet(&self) -> Packet<'_> {
        Packet {
            payload: &self.payload,
            ..self.header
        }
    }
}

fn dropped(picture: &PartialPicture, reason: DropReason) -> Reassembled {
    Reassembled::Dropped {
        reason: picture.failure().unwrap_or(reason),
        bytes: picture.bytes,
        timestamp: picture.timestamp,
    }
}

fn late(packet: &Packet<'_>) -> Reassembled {
    Reassembled::Dropped {
        reason: DropReason::Late,
        bytes: packet.payload.len() as u64,
        timestamp: packet.timestamp,
    }
}

/// How many pictures are under way at once.
const MOST_PICTURES: usize = 2;

//! JPEG pictures as RTP packets (RFC 2435), the plain way.

use bytes::Bytes;

use crate::walk::{SOS, first_scan, segments};

/// A sender of RTP packets: what its next packet has in its header.
#[derive(Debug, Clone)]
pub struct RtpSender {
    /// 26 is JPEG.
    pub payload_type: u8,
    /// The sender's number.
    pub ssrc: u32,
    /// Of the next packet.
    pub sequence: u16,
    /// Of the next picture.
    pub timestamp: u32,
    /// How much of a scan a packet carries at most.
    pub fragment_bytes: usize,
    /// How the receiver learns the tables.
    pub tables: RtpTables,
}

/// How a sender says which quantization tables a picture has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtpTables {
    /// By a quality of 1 to 99, whose tables the receiver computes. The picture must have them.
    Quality(u8),
    /// With the picture, for a quality of 128 to 255.
    Sent(u8),
    /// As `Sent`, with 16 bits.
    Wide(u8),
    /// As `Sent`, the first table alone.
    First(u8),
    /// As `Sent`, but they were sent before.
    Known(u8),
}

impl Default for RtpSender {
    fn default() -> Self {
        Self {
            payload_type: 26,
            ssrc: 0x1234_5678,
            sequence: 65_500,
            timestamp: 0xFFFF_F000,
            fragment_bytes: 1400,
            tables: RtpTables::Sent(255),
        }
    }
}

impl RtpSender {
    /// The packets of a baseline picture, without its headers and its EOI. Sides above 2040 are
    /// written as 0.
    ///
    /// # Panics
    ///
    /// If the picture is none that the format can carry: other sampling than 4:2:2 and 4:2:0.
    pub fn picture(&mut self, jpeg: &[u8]) -> Vec<Bytes> {
        let scan = first_scan(jpeg).expect("a picture has a scan");
        self.scan(jpeg, &jpeg[scan])
    }

    /// As [`picture`](Self::picture), with these bytes in the place of its scan.
    ///
    /// # Panics
    ///
    /// As [`picture`](Self::picture), or if there are none.
    pub fn scan(&mut self, jpeg: &[u8], scan: &[u8]) -> Vec<Bytes> {
        let described = Described::of(jpeg);
        let mut packets: Vec<Bytes> = Vec::new();
        for (nth, data) in scan.chunks(self.fragment_bytes).enumerate() {
            let offset = nth * self.fragment_bytes;
            let is_last = offset + data.len() == scan.len();
            let payload = [&self.headers(&described, offset)[..], data].concat();
            packets.push(self.packet(is_last, &payload));
        }
        assert!(!packets.is_empty(), "a scan is not empty");
        self.timestamp = self.timestamp.wrapping_add(900);
        packets
    }

    /// One packet with this payload.
    pub fn packet(&mut self, marker: bool, payload: &[u8]) -> Bytes {
        let mut packet = vec![0x80, self.payload_type | u8::from(marker) << 7];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        packet.into()
    }

    fn headers(&self, described: &Described, offset: usize) -> Vec<u8> {
        let units = |side: u16| u8::try_from(side.div_ceil(8)).unwrap_or(0);
        let restarts = described.restart_interval;
        let kind = described.kind + if restarts > 0 { 64 } else { 0 };
        let headers = u32::try_from(offset).expect("a scan of 16 MiB at most");
        let mut headers = headers.to_be_bytes().to_vec();
        headers.extend([
            kind,
            self.quality(),
            units(described.width),
            units(described.height),
        ]);
        if restarts > 0 {
            headers.extend(restarts.to_be_bytes());
            headers.extend([0xFF, 0xFF]);
        }
        if offset == 0 && self.quality() >= 128 {
            let (precision, data) = self.table_data(&described.tables);
            headers.extend([0, precision]);
            headers.extend(u16::try_from(data.len()).expect("two tables").to_be_bytes());
            headers.extend(data);
        }
        headers
    }

    fn quality(&self) -> u8 {
        match self.tables {
            RtpTables::Quality(quality)
            | RtpTables::Sent(quality)
            | RtpTables::Wide(quality)
            | RtpTables::First(quality)
            | RtpTables::Known(quality) => quality,
        }
    }

    fn table_data(&self, tables: &[Vec<u8>]) -> (u8, Vec<u8>) {
        match self.tables {
            RtpTables::Quality(_) | RtpTables::Known(_) => (0, Vec::new()),
            RtpTables::Sent(_) => (0, tables.concat()),
            RtpTables::First(_) => (0, tables[0].clone()),
            RtpTables::Wide(_) => {
                let wide = tables.concat().into_iter().flat_map(|byte| [0, byte]);
                (0xFF, wide.collect())
            }
        }
    }
}

/// What the headers of a picture say.
struct Described {
    kind: u8,
    width: u16,
    height: u16,
    restart_interval: u16,
    tables: Vec<Vec<u8>>,
}

impl Described {
    fn of(jpeg: &[u8]) -> Self {
        let mut described = Self {
            kind: u8::MAX,
            width: 0,
            height: 0,
            restart_interval: 0,
            tables: Vec::new(),
        };
        for segment in segments(jpeg).take_while(|segment| segment.marker != SOS) {
            let payload = &jpeg[segment.payload];
            match (segment.marker, payload) {
                (0xC0, &[8, y1, y2, x1, x2, 3, _, sampling, _, _, 0x11, _, _, 0x11, _]) => {
                    described.height = u16::from_be_bytes([y1, y2]);
                    described.width = u16::from_be_bytes([x1, x2]);
                    described.kind = match sampling {
                        0x21 => 0,
                        0x22 => 1,
                        _ => panic!("RTP carries no pictures with a sampling of {sampling:#x}"),
                    };
                }
                (0xDD, &[i1, i2]) => described.restart_interval = u16::from_be_bytes([i1, i2]),
                (0xDB, payload) => {
                    let tables = payload.chunks(65).map(|table| table[1..].to_vec());
                    described.tables.extend(tables);
                }
                _ => {}
            }
        }
        assert_ne!(
            described.kind,
            u8::MAX,
            "RTP carries baseline pictures only"
        );
        described
    }
}

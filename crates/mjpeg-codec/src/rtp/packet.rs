//! The header of an RTP packet (RFC 3550 section 5.1).

/// An RTP packet: what its header says, and its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the RFC, to be made by any receiver"
)]
pub struct Packet<'a> {
    /// The payload type: 26 for JPEG unless the session's description says otherwise.
    pub payload_type: u8,
    /// Of a picture, only the last packet has it.
    pub marker: bool,
    /// One more than that of the packet before it.
    pub sequence: u16,
    /// The same for all packets of a picture.
    pub timestamp: u32,
    /// The sender's random number.
    pub ssrc: u32,
    /// What follows the headers, without padding.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet. Returns `None` if it is none of RTP version 2, or too short for what its
    /// header announces: contributing sources, an extension, padding.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[flags, kind, s1, s2, t1, t2, t3, t4, r1, r2, r3, r4], rest) =
            bytes.split_first_chunk::<12>()?;
        if flags >> 6 != 2 {
            return None;
        }
        let mut payload = rest.get(4 * usize::from(flags & 0x0F)..)?;
        if flags & EXTENSION != 0 {
            let (&[_, _, words1, words2], rest) = payload.split_first_chunk::<4>()?;
            payload = rest.get(4 * usize::from(u16::from_be_bytes([words1, words2]))..)?;
        }
        if flags & PADDING != 0 {
            // The last byte says how many there are, itself included.
            let padding = usize::from(*payload.last()?);
            let length = payload.len().checked_sub(padding).filter(|_| padding > 0)?;
            payload = &payload[..length];
        }
        Some(Self {
            payload_type: kind & 0x7F,
            marker: kind & MARKER != 0,
            sequence: u16::from_be_bytes([s1, s2]),
            timestamp: u32::from_be_bytes([t1, t2, t3, t4]),
            ssrc: u32::from_be_bytes([r1, r2, r3, r4]),
            payload,
        })
    }
}

const PADDING: u8 = 0x20;
const EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;

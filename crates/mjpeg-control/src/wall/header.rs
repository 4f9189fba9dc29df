//! What stands in front of each picture.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The header of a picture's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureHeader {
    pub(crate) kind: PictureKind,
    /// The client had it before, or it is the first of a stream that is idle.
    pub(crate) is_repeat: bool,
    pub(crate) is_placeholder: bool,
    pub(crate) tile: u16,
    /// From the capture to now.
    pub(crate) age: Duration,
    pub(crate) seq: u64,
    pub(crate) captured: SystemTime,
}

/// What the bytes behind the header are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PictureKind {
    /// The picture as the camera sent it.
    Full = 1,
    /// The same at an eighth of its width and height.
    #[cfg_attr(not(feature = "small"), expect(dead_code, reason = "none is made"))]
    Eighth = 2,
}

impl PictureHeader {
    /// The header as it goes over the wire. An age of more than 71 minutes is that.
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let age = u32::try_from(self.age.as_micros()).unwrap_or(u32::MAX);
        let since_epoch = self.captured.duration_since(UNIX_EPOCH);
        let flags = u8::from(self.is_repeat) | u8::from(self.is_placeholder) << 1;
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = self.kind as u8;
        bytes[1] = flags;
        bytes[2..4].copy_from_slice(&self.tile.to_be_bytes());
        bytes[4..8].copy_from_slice(&age.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.seq.to_be_bytes());
        let captured = micros(since_epoch.unwrap_or_default());
        bytes[16..].copy_from_slice(&captured.to_be_bytes());
        bytes
    }
}

pub(crate) const HEADER_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_as_documented() {
        let header = PictureHeader {
            kind: PictureKind::Full,
            is_repeat: true,
            is_placeholder: true,
            tile: 0x0102,
            age: Duration::from_micros(0x0304_0506),
            seq: 0x0708_090A_0B0C_0D0E,
            captured: UNIX_EPOCH + Duration::from_micros(0x1011_1213_1415),
        };
        let bytes = header.to_bytes();
        let tile_and_age = [1, 3, 1, 2, 3, 4, 5, 6];
        assert_eq!(bytes[..8], tile_and_age);
        assert_eq!(bytes[8..16], [7, 8, 9, 10, 11, 12, 13, 14]);
        assert_eq!(bytes[16..], [0, 0, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15]);
        let old = PictureHeader {
            is_repeat: false,
            age: Duration::from_secs(1 << 20),
            captured: UNIX_EPOCH - Duration::from_secs(1),
            ..header
        };
        let bytes = old.to_bytes();
        assert_eq!(bytes[1..8], [2, 1, 2, 255, 255, 255, 255]);
        assert_eq!(bytes[16..], [0; 8]);
    }
}

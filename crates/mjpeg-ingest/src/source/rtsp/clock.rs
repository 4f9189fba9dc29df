//! The camera's clock, as its sender reports tell it (RFC 3550 section 6.4.1).

use std::time::{Duration, SystemTime};

/// A pair of times of one moment: the wall clock's, and that of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SenderReport {
    wall: SystemTime,
    timestamp: u32,
}

impl SenderReport {
    /// Reads a compound RTCP packet, which begins with the report. `None` if it does not, or if the
    /// sender has no wall clock.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[flags, kind, _, _, ..], rest) = bytes.split_first_chunk::<8>()?;
        if flags >> 6 != 2 || kind != SENDER_REPORT {
            return None;
        }
        let (seconds, rest) = rest.split_first_chunk::<4>()?;
        let (fraction, rest) = rest.split_first_chunk::<4>()?;
        let (timestamp, _) = rest.split_first_chunk::<4>()?;
        let seconds = u64::from(u32::from_be_bytes(*seconds));
        let seconds = seconds.checked_sub(FROM_1900_TO_1970)?;
        let nanos = (u64::from(u32::from_be_bytes(*fraction)) * 1_000_000_000) >> 32;
        let since_1970 = Duration::from_secs(seconds) + Duration::from_nanos(nanos);
        Some(Self {
            wall: SystemTime::UNIX_EPOCH + since_1970,
            timestamp: u32::from_be_bytes(*timestamp),
        })
    }

    /// The wall clock's time of a packet with this timestamp.
    pub(super) fn time_of(&self, timestamp: u32, clock_rate: u32) -> Option<SystemTime> {
        // It may be older than the report.
        let ticks = timestamp.wrapping_sub(self.timestamp) as i32;
        let apart = Duration::from_secs(ticks.unsigned_abs().into()) / clock_rate.max(1);
        if ticks < 0 {
            self.wall.checked_sub(apart)
        } else {
            self.wall.checked_add(apart)
        }
    }
}

/// The packet type of a sender report.
const SENDER_REPORT: u8 = 200;

/// NTP counts from 1900, in seconds.
const FROM_1900_TO_1970: u64 = 2_208_988_800;

#[cfg(test)]
mod tests {
    use super::*;

    fn report(seconds: u32, fraction: u32, timestamp: u32) -> Vec<u8> {
        let mut bytes = vec![0x80, 200, 0, 6, 1, 2, 3, 4];
        for number in [seconds, fraction, timestamp, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn packets_before_and_after_a_report_have_times() {
        let bytes = report(2_208_988_800 + 1000, 1 << 31, 10);
        let report = SenderReport::parse(&bytes).unwrap();
        let millis = |timestamp| {
            let time = report.time_of(timestamp, 90_000).unwrap();
            time.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_millis()
        };
        assert_eq!(millis(10), 1_000_500);
        assert_eq!(millis(10 + 90_000), 1_001_500);
        assert_eq!(millis(10u32.wrapping_sub(45_000)), 1_000_000);
    }

    #[test]
    fn camera_without_a_clock_and_other_packets_have_none() {
        assert_eq!(SenderReport::parse(&report(0, 0, 10)), None);
        let whole = report(u32::MAX, 0, 10);
        for length in 0..20 {
            assert_eq!(SenderReport::parse(&whole[..length]), None, "{length}");
        }
        assert!(SenderReport::parse(&whole).is_some());
        let mut other = whole.clone();
        other[1] = 201;
        assert_eq!(SenderReport::parse(&other), None);
    }
}

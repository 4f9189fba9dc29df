//! One viewer's response, byte by byte, without any IO. It says which bytes it wants to see and
//! which may be thrown away unseen.

use std::fmt;

use crate::fanout::{
    picture::{Pictures, STAMP, Stamp},
    wire::{DELIMITER, OPENING},
};

/// Reads a response and checks it.
pub(crate) struct Viewer {
    /// Sets it apart from others, so that not all look closely at the same frames.
    index: u64,
    state: State,
    /// What has come and is not yet understood.
    held: Vec<u8>,
    /// Bytes of the last part's header.
    header_len: usize,
}

enum State {
    Head,
    Opening,
    PartHeader,
    /// In the picture, or in the delimiter after it.
    Picture(Coming),
}

struct Coming {
    stamp: Option<Stamp>,
    /// Counted from the picture's first byte.
    at: usize,
    /// Is every byte compared?
    checked: bool,
    sound: bool,
}

/// What is to be read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Up to so many bytes, for [`Viewer::take`].
    Bytes(usize),
    /// Up to so many bytes, whose number [`Viewer::discarded`] gets.
    Discard(usize),
}

/// A frame that has come, with the delimiter after it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// `None` if it was damaged.
    pub(crate) stamp: Option<Stamp>,
    /// Was every byte compared?
    pub(crate) checked: bool,
    /// Was every byte that was looked at as it must be?
    pub(crate) sound: bool,
    /// How long the part was, from its header to its delimiter.
    pub(crate) part_len: usize,
}

/// Why a response cannot be read on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Status(String),
    Opening(String),
    PartHeader(String),
    Length { told: usize, sent: usize },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(head) => write!(f, "the response is no 200: {head:?}"),
            Self::Opening(bytes) => write!(f, "the body begins with {bytes:?}"),
            Self::PartHeader(bytes) => write!(f, "this is no part's header: {bytes:?}"),
            Self::Length { told, sent } => {
                write!(f, "a part tells {told} bytes, the camera sends {sent}")
            }
        }
    }
}

impl Viewer {
    pub(crate) fn new(index: u64) -> Self {
        Self {
            index,
            state: State::Head,
            held: Vec::new(),
            header_len: 0,
        }
    }

    pub(crate) fn want(&self, pictures: &Pictures) -> Want {
        match &self.state {
            // So few that they end within the first picture at the latest.
            State::Head | State::Opening => Want::Bytes(READ_AT_ONCE),
            State::PartHeader => Want::Bytes(READ_AT_ONCE.saturating_sub(self.held.len()).max(1)),
            State::Picture(coming) => {
                let left = pictures.len() + DELIMITER.len() - coming.at;
                if coming.checked {
                    Want::Bytes(left)
                } else {
                    Want::Discard(left)
                }
            }
        }
    }

    /// Takes bytes, no more than were wanted.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        pictures: &Pictures,
    ) -> Result<Option<Arrival>, Fault> {
        if let State::Picture(coming) = &mut self.state {
            coming.compare(bytes, pictures);
            coming.at += bytes.len();
            return Ok(self.arrival(pictures));
        }
        self.held.extend_from_slice(bytes);
        if matches!(self.state, State::Head)
            && let Some(end) = end_of_header(&self.held)
        {
            if !OK.iter().any(|ok| self.held.starts_with(ok)) {
                return Err(Fault::Status(text(&self.held)));
            }
            self.held.drain(..end);
            self.state = State::Opening;
        }
        if matches!(self.state, State::Opening) && self.held.len() >= OPENING.len() {
            if !self.held.starts_with(OPENING.as_bytes()) {
                return Err(Fault::Opening(text(&self.held)));
            }
            self.held.drain(..OPENING.len());
            self.state = State::PartHeader;
        }
        if matches!(self.state, State::PartHeader) {
            self.part_header(pictures)?;
        }
        if self.held.len() > LONGEST_HEADER {
            return Err(Fault::PartHeader(text(&self.held)));
        }
        Ok(None)
    }

    /// Counts bytes that were not looked at.
    pub(crate) fn discarded(&mut self, count: usize, pictures: &Pictures) -> Option<Arrival> {
        if let State::Picture(coming) = &mut self.state {
            coming.at += count;
        }
        self.arrival(pictures)
    }

    /// Understands a part's header once it has come whole, with the picture up to its stamp.
    fn part_header(&mut self, pictures: &Pictures) -> Result<(), Fault> {
        let Some(end) = end_of_header(&self.held) else {
            return Ok(());
        };
        let (header, begun) = self.held.split_at(end);
        let told = content_length(header).ok_or_else(|| Fault::PartHeader(text(header)))?;
        let sent = pictures.len();
        if told != sent {
            return Err(Fault::Length { told, sent });
        }
        if begun.len() < STAMP.end {
            return Ok(());
        }
        let stamp = Stamp::read(begun);
        let number = stamp.map_or(0, |stamp| stamp.number);
        let mut coming = Coming {
            stamp,
            at: 0,
            checked: (number + self.index).is_multiple_of(CHECKED_ONE_IN),
            sound: stamp.is_some(),
        };
        let (before, after) = (&begun[..STAMP.start], &begun[STAMP.end..]);
        coming.compare(before, pictures);
        coming.at = STAMP.end;
        coming.compare(after, pictures);
        coming.at = begun.len();
        self.header_len = end;
        self.state = State::Picture(coming);
        self.held.clear();
        Ok(())
    }

    fn arrival(&mut self, pictures: &Pictures) -> Option<Arrival> {
        let part_len = self.header_len + pictures.len() + DELIMITER.len();
        let State::Picture(coming) = &self.state else {
            return None;
        };
        if self.header_len + coming.at < part_len {
            return None;
        }
        let arrival = Arrival {
            stamp: coming.stamp,
            checked: coming.checked,
            sound: coming.sound,
            part_len,
        };
        self.state = State::PartHeader;
        Some(arrival)
    }
}

impl Coming {
    /// Compares bytes that come next with those of the picture. Of one whose stamp is damaged,
    /// nothing is known.
    fn compare(&mut self, bytes: &[u8], pictures: &Pictures) {
        if let Some(stamp) = self.stamp {
            let there = pictures.followed(stamp.number).get(self.at..);
            self.sound &= there.is_some_and(|there| there.starts_with(bytes));
        }
    }
}

fn end_of_header(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}

/// The length that a part's header tells, if it is one.
fn content_length(header: &[u8]) -> Option<usize> {
    let header = str::from_utf8(header).ok()?;
    if !header.starts_with("Content-Type: image/jpeg\r\n") {
        return None;
    }
    let mut lines = header.lines();
    lines
        .find_map(|line| line.strip_prefix("Content-Length: "))?
        .parse()
        .ok()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned()
}

/// A part's header and the picture up to its stamp in one read, and little more.
const READ_AT_ONCE: usize = 160;
const LONGEST_HEADER: usize = 2048;
const CHECKED_ONE_IN: u64 = 8;
const OK: [&[u8]; 2] = [b"HTTP/1.0 200 ", b"HTTP/1.1 200 "];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::wire::{HEAD, part_header};

    const LEN: usize = 2000;

    fn pictures() -> Pictures {
        Pictures::new(LEN).unwrap()
    }

    fn start() -> Vec<u8> {
        format!("{HEAD}{OPENING}").into_bytes()
    }

    fn part(number: u64, pictures: &Pictures) -> Vec<u8> {
        let stamp = Stamp {
            number,
            sent_ns: 5000 + number,
        };
        let mut part = part_header(LEN, 1_700_000_000_123_456_789).into_bytes();
        part.extend(pictures.stamped(stamp));
        part.extend_from_slice(DELIMITER);
        part
    }

    /// Plays a socket that gives at most `chunk` bytes at a time.
    fn read(mut wire: &[u8], chunk: usize, pictures: &Pictures) -> Result<Vec<Arrival>, Fault> {
        let mut viewer = Viewer::new(0);
        let mut arrivals = Vec::new();
        while !wire.is_empty() {
            let (Want::Bytes(most) | Want::Discard(most)) = viewer.want(pictures);
            let (bytes, rest) = wire.split_at(most.min(chunk).min(wire.len()));
            arrivals.extend(match viewer.want(pictures) {
                Want::Bytes(_) => viewer.take(bytes, pictures)?,
                Want::Discard(_) => viewer.discarded(bytes.len(), pictures),
            });
            wire = rest;
        }
        Ok(arrivals)
    }

    fn numbers(arrivals: &[Arrival]) -> Vec<u64> {
        let stamps = arrivals.iter().filter_map(|a| a.stamp);
        stamps.map(|stamp| stamp.number).collect()
    }

    #[test]
    fn frames_arrive_however_the_bytes_are_cut() {
        let pictures = pictures();
        let mut wire = start();
        (1..=20).for_each(|n| wire.extend(part(n, &pictures)));
        for chunk in [1, 2, 3, 7, 64, 159, 160, 161, 1000, 100_000] {
            let arrivals = read(&wire, chunk, &pictures).unwrap();
            assert_eq!(numbers(&arrivals), (1..=20).collect::<Vec<_>>());
            assert!(arrivals.iter().all(|a| a.sound), "chunks of {chunk}");
            let checked = arrivals.iter().filter(|a| a.checked);
            assert_eq!(checked.count(), 2, "8 and 16");
            let stamp = arrivals[4].stamp.unwrap();
            assert_eq!((stamp.number, stamp.sent_ns), (5, 5005));
            assert_eq!(arrivals[0].part_len, part(1, &pictures).len());
        }
    }

    #[test]
    fn one_wrong_byte_in_a_checked_frame_is_seen_wherever_it_is() {
        let pictures = pictures();
        let header = part_header(LEN, 1_700_000_000_123_456_789).len();
        for at in (header..header + LEN + DELIMITER.len()).step_by(5) {
            let mut wire = start();
            let mut bad = part(8, &pictures);
            bad[at] ^= 0x01;
            wire.extend(bad);
            wire.extend(part(9, &pictures));
            for chunk in [100, 100_000] {
                let arrivals = read(&wire, chunk, &pictures).unwrap();
                assert!(!arrivals[0].sound, "byte {at}");
                assert!(arrivals[1].sound, "the next is");
            }
        }
    }

    #[test]
    fn another_picture_under_a_sound_stamp_is_seen() {
        let pictures = pictures();
        let mut swapped = part(9, &pictures);
        let header = swapped.len() - LEN - DELIMITER.len();
        Stamp {
            number: 8,
            sent_ns: 1,
        }
        .write(&mut swapped[header..]);
        let arrivals = read(&[start(), swapped].concat(), 500, &pictures).unwrap();
        assert!(!arrivals[0].sound);
    }

    #[test]
    fn what_is_discarded_is_not_compared_but_the_stamp_is() {
        let pictures = pictures();
        let mut unseen = part(1, &pictures);
        let middle = unseen.len() / 2;
        unseen[middle] ^= 1;
        let arrivals = read(&[start(), unseen].concat(), 100_000, &pictures).unwrap();
        assert!(arrivals[0].sound && !arrivals[0].checked);

        let mut stamp = part(1, &pictures);
        let header = stamp.len() - LEN - DELIMITER.len();
        stamp[header + STAMP.start] = b'x';
        let arrivals = read(&[start(), stamp].concat(), 100_000, &pictures).unwrap();
        assert!(!arrivals[0].sound && arrivals[0].stamp.is_none());
    }

    #[test]
    fn what_is_no_stream_is_told() {
        let pictures = pictures();
        let fault = |wire: &[u8]| read(wire, 50, &pictures).unwrap_err();
        let not_found = b"HTTP/1.0 404 Not Found\r\n\r\n";
        assert!(matches!(fault(not_found), Fault::Status(_)));
        let other = [HEAD.as_bytes(), b"--another-boundary\r\n--", &[b'.'; 50]].concat();
        assert!(matches!(fault(&other), Fault::Opening(_)));
        // One byte lost: what comes next is no header.
        let mut short = [start(), part(1, &pictures)].concat();
        short.pop();
        short.extend(part(2, &pictures));
        assert!(matches!(fault(&short), Fault::PartHeader(_)));
        let header = part_header(LEN + 1, 0);
        let longer = [&start()[..], header.as_bytes(), &[b'.'; LEN]].concat();
        let (told, sent) = (LEN + 1, LEN);
        assert_eq!(fault(&longer), Fault::Length { told, sent });
        let endless = [start(), vec![b'.'; 3000]].concat();
        assert!(matches!(fault(&endless), Fault::PartHeader(_)));
    }
}

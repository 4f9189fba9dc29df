//! Parses one viewer's response, without IO. The parser says which bytes it wants, and which may be
//! discarded unread.

use anyhow::{Context as _, Result, bail, ensure};

use crate::fanout::{
    picture::{Pictures, STAMP, Stamp},
    wire::{DELIMITER, OPENING},
};

/// Parses and checks a response.
pub(crate) struct Viewer {
    /// Differs from viewer to viewer, so that they do not all check the same frames.
    index: u64,
    state: State,
    /// Bytes that are not yet parsed.
    held: Vec<u8>,
    /// The length of the last part's header.
    header_len: usize,
}

enum State {
    Head,
    Opening,
    PartHeader,
    /// In the picture, or in the delimiter after it.
    Picture(Partial),
}

/// A picture of which some bytes have arrived.
struct Partial {
    stamp: Option<Stamp>,
    /// How many of its bytes, and of the delimiter's, have arrived.
    at: usize,
    /// Whether every byte is compared.
    checked: bool,
    sound: bool,
}

/// What to read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// At most this many bytes, for [`Viewer::take`].
    Bytes(usize),
    /// At most this many bytes, to discard. Their number goes to [`Viewer::discarded`].
    Discard(usize),
}

/// A frame that has arrived, with the delimiter after it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// `None` if it was damaged.
    pub(crate) stamp: Option<Stamp>,
    /// Whether every byte was compared.
    pub(crate) checked: bool,
    /// Whether all compared bytes were right.
    pub(crate) sound: bool,
    /// The length of the part, from its header to its delimiter.
    pub(crate) part_len: usize,
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
            // Few enough to end within the first picture at the latest.
            State::Head | State::Opening => Want::Bytes(READ_AT_ONCE),
            State::PartHeader => Want::Bytes(READ_AT_ONCE.saturating_sub(self.held.len()).max(1)),
            State::Picture(partial) => {
                let left = pictures.len() + DELIMITER.len() - partial.at;
                if partial.checked {
                    Want::Bytes(left)
                } else {
                    Want::Discard(left)
                }
            }
        }
    }

    /// Parses bytes, at most as many as wanted.
    pub(crate) fn take(&mut self, bytes: &[u8], pictures: &Pictures) -> Result<Option<Arrival>> {
        if let State::Picture(partial) = &mut self.state {
            partial.compare(bytes, pictures);
            partial.at += bytes.len();
            return Ok(self.arrival(pictures));
        }
        self.held.extend_from_slice(bytes);
        if matches!(self.state, State::Head)
            && let Some(end) = end_of_header(&self.held)
        {
            let ok = OK.iter().any(|ok| self.held.starts_with(ok));
            ensure!(ok, "the response is not a 200: {:?}", text(&self.held));
            self.held.drain(..end);
            self.state = State::Opening;
        }
        if matches!(self.state, State::Opening) && self.held.len() >= OPENING.len() {
            let opening = self.held.starts_with(OPENING.as_bytes());
            ensure!(opening, "the body begins with {:?}", text(&self.held));
            self.held.drain(..OPENING.len());
            self.state = State::PartHeader;
        }
        if matches!(self.state, State::PartHeader) {
            self.part_header(pictures)?;
        }
        if self.held.len() > MAX_HEADER_BYTES {
            bail!("not a part's header: {:?}", text(&self.held));
        }
        Ok(None)
    }

    /// Counts bytes that were discarded.
    pub(crate) fn discarded(&mut self, count: usize, pictures: &Pictures) -> Option<Arrival> {
        if let State::Picture(partial) = &mut self.state {
            partial.at += count;
        }
        self.arrival(pictures)
    }

    /// Parses a part's header once it is complete, and the picture up to its stamp.
    fn part_header(&mut self, pictures: &Pictures) -> Result<()> {
        let Some(end) = end_of_header(&self.held) else {
            return Ok(());
        };
        let (header, begun) = self.held.split_at(end);
        let stated = content_length(header);
        let stated = stated.with_context(|| format!("not a part's header: {:?}", text(header)))?;
        let sent = pictures.len();
        ensure!(
            stated == sent,
            "a part states {stated} bytes, the camera sends {sent}"
        );
        if begun.len() < STAMP.end {
            return Ok(());
        }
        let stamp = Stamp::read(begun);
        let number = stamp.map_or(0, |stamp| stamp.number);
        let mut partial = Partial {
            stamp,
            at: 0,
            checked: (number + self.index).is_multiple_of(CHECKED_ONE_IN),
            sound: stamp.is_some(),
        };
        let (before, after) = (&begun[..STAMP.start], &begun[STAMP.end..]);
        partial.compare(before, pictures);
        partial.at = STAMP.end;
        partial.compare(after, pictures);
        partial.at = begun.len();
        self.header_len = end;
        self.state = State::Picture(partial);
        self.held.clear();
        Ok(())
    }

    fn arrival(&mut self, pictures: &Pictures) -> Option<Arrival> {
        let part_len = self.header_len + pictures.len() + DELIMITER.len();
        let State::Picture(partial) = &self.state else {
            return None;
        };
        if self.header_len + partial.at < part_len {
            return None;
        }
        let arrival = Arrival {
            stamp: partial.stamp,
            checked: partial.checked,
            sound: partial.sound,
            part_len,
        };
        self.state = State::PartHeader;
        Some(arrival)
    }
}

impl Partial {
    /// Compares the next bytes with those of the picture, which is unknown if the stamp is damaged.
    fn compare(&mut self, bytes: &[u8], pictures: &Pictures) {
        if let Some(stamp) = self.stamp {
            let expected = pictures.followed(stamp.number).get(self.at..);
            self.sound &= expected.is_some_and(|expected| expected.starts_with(bytes));
        }
    }
}

fn end_of_header(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}

/// The length that a part's header states. `None` if it is not a part's header.
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

/// Enough for a part's header and the picture up to its stamp, and little more.
const READ_AT_ONCE: usize = 160;
const MAX_HEADER_BYTES: usize = 2048;
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

    /// Simulates a socket that returns at most `chunk` bytes at a time.
    fn read(mut wire: &[u8], chunk: usize, pictures: &Pictures) -> Result<Vec<Arrival>> {
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
    fn any_wrong_byte_in_a_checked_frame_is_found() {
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
                assert!(arrivals[1].sound, "the next frame");
            }
        }
    }

    #[test]
    fn a_wrong_picture_with_a_sound_stamp_is_found() {
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
    fn of_a_discarded_picture_only_the_stamp_is_checked() {
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
    fn responses_that_are_not_a_stream_are_faults() {
        let pictures = pictures();
        let fault = |wire: &[u8]| read(wire, 50, &pictures).unwrap_err().to_string();
        let not_found = b"HTTP/1.0 404 Not Found\r\n\r\n";
        assert!(fault(not_found).contains("not a 200"));
        let other = [HEAD.as_bytes(), b"--another-boundary\r\n--", &[b'.'; 50]].concat();
        assert!(fault(&other).contains("the body begins with"));
        // One byte is missing, so the next part is not where it should be.
        let mut short = [start(), part(1, &pictures)].concat();
        short.pop();
        short.extend(part(2, &pictures));
        assert!(fault(&short).contains("not a part's header"));
        let header = part_header(LEN + 1, 0);
        let longer = [&start()[..], header.as_bytes(), &[b'.'; LEN]].concat();
        assert!(fault(&longer).contains("states 2001 bytes"));
        let endless = [start(), vec![b'.'; 3000]].concat();
        assert!(fault(&endless).contains("not a part's header"));
    }
}

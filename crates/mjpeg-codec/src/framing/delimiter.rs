//! The line that separates parts, as cameras write it.

use std::ops::Range;

use memchr::memmem;

/// The latest delimiter of a stream.
#[derive(Debug, Default)]
pub(super) struct Delimiter {
    /// Without its line end and without what closes the last part. Empty if there was none yet.
    text: Vec<u8>,
    /// Finds the delimiter behind a line break.
    finder: Option<memmem::Finder<'static>>,
}

impl Delimiter {
    /// Takes note of a line that is a delimiter, without its line end.
    pub(super) fn take(&mut self, line: &[u8]) {
        let text = trimmed(line);
        if self.text != text {
            self.text = text.to_vec();
            let with_line_break = [b"\n", text].concat();
            self.finder = Some(memmem::Finder::new(&with_line_break).into_owned());
        }
    }

    /// Returns the delimiter, if there was one.
    pub(super) fn text(&self) -> Option<&[u8]> {
        Some(&self.text[..]).filter(|text| !text.is_empty())
    }

    /// Returns whether a line begins as the delimiter does.
    pub(super) fn begins(&self, line: &[u8]) -> bool {
        line.starts_with(&self.text)
    }

    /// Returns whether a line ends as the delimiter does: some cameras leave out the line break
    /// before it.
    pub(super) fn ends(&self, line: &[u8]) -> bool {
        !self.text.is_empty() && trimmed(line).ends_with(&self.text)
    }

    /// Returns where the first delimiter in a range of `data` begins, or something that looks like
    /// one. A known delimiter may lack the line break before it; an unknown one must be a line.
    pub(super) fn find(&self, data: &[u8], within: Range<usize>) -> Option<usize> {
        let end = |len: usize| data.len().min(within.end + len.saturating_sub(1));
        let known = match &self.text[..] {
            [] => None,
            text => memmem::find(&data[within.start..end(text.len())], text),
        };
        let known = known.map(|at| within.start + at);
        let start = within.start.saturating_sub(1);
        let breaks = memmem::find_iter(&data[start..end(2)], b"\n--");
        let mut lines = breaks.map(|at| start + at + 1);
        let line = lines.find(|&at| {
            let longest = data.len().min(at + LONGEST_DELIMITER_BYTES + "\r\n".len());
            let mut lines = data[at..longest].split(|&b| b == b'\n');
            let line = lines.next().unwrap_or_default();
            may_be_delimiter(line.strip_suffix(b"\r").unwrap_or(line))
        });
        known.into_iter().chain(line).min()
    }

    /// Searches `data` from `from` for a whole line that is the known delimiter, so exactly that
    /// no entropy-coded data look like it. Returns where the line ends, or from where to search
    /// when there are more data.
    pub(super) fn line(&self, data: &[u8], from: usize) -> Result<usize, usize> {
        let Some(finder) = &self.finder else {
            return Err(data.len());
        };
        let mut from = from;
        loop {
            let Some(found) = data.get(from..).and_then(|data| finder.find(data)) else {
                let overlap = finder.needle().len() - 1;
                return Err(from.max(data.len().saturating_sub(overlap)));
            };
            let start = from + found;
            let after = &data[start + finder.needle().len()..];
            let most = after.len().min(LONGEST_DELIMITER_BYTES);
            match after[..most].iter().position(|&b| b == b'\n') {
                Some(len) if is_end_of_delimiter(&after[..len]) => {
                    return Ok(data.len() - after.len() + len + 1);
                }
                // It may become one.
                None if is_end_of_delimiter(after) => return Err(start),
                _ => from = start + 1,
            }
        }
    }
}

/// Returns a delimiter without what may follow it on its line.
fn trimmed(line: &[u8]) -> &[u8] {
    let text = line.trim_ascii_end();
    text.strip_suffix(b"--").unwrap_or(text)
}

/// Returns whether the bytes may stand between a delimiter and its line break: two dashes if it
/// closes the last part, blanks, CR.
fn is_end_of_delimiter(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_DELIMITER_BYTES && bytes.iter().all(|b| b"- \t\r".contains(b))
}

/// Returns whether a line can be a delimiter: two dashes and printable text, not too long.
pub(super) fn may_be_delimiter(line: &[u8]) -> bool {
    (3..=LONGEST_DELIMITER_BYTES).contains(&line.len())
        && line.starts_with(b"--")
        && line.iter().all(|b| (b' '..=b'~').contains(b))
}

/// RFC 2046 allows boundaries of 70 characters. Cameras add extra dashes before and after them.
const LONGEST_DELIMITER_BYTES: usize = 128;

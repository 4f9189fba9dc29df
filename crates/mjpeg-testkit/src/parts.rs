//! Cuts a multipart stream into parts.

use std::io;
use std::ops::Range;

use crate::http::{Head, content_length, find, invalid, parse_headers, quoted};

/// How much of a part the buffer holds.
pub(crate) enum PartExtent {
    Complete {
        headers: Vec<(String, String)>,
        body: Range<usize>,
    },
    Partial {
        /// Whether the response may end here.
        may_end: bool,
    },
}

impl PartExtent {
    /// Examines the bytes of a part, which begin after the previous delimiter. `searched` keeps how
    /// far the buffer is known to hold no delimiter.
    pub(crate) fn of(buffer: &[u8], delimiter: &[u8], searched: &mut usize) -> io::Result<Self> {
        let (headers_end, body_start) = if buffer.starts_with(b"\r\n") {
            (0, 2)
        } else if let Some(end) = find(buffer, b"\r\n\r\n") {
            (end, end + 4)
        } else {
            return Ok(Self::Partial {
                may_end: buffer.is_empty(),
            });
        };
        let headers = parse_headers(&buffer[..headers_end])?;
        let length = content_length(&headers)?;
        let body_end = match length {
            Some(length) => body_start + length,
            None => {
                let from = body_start.max(*searched);
                match find(&buffer[from..], delimiter) {
                    Some(offset) => from + offset,
                    None => {
                        *searched = buffer.len().saturating_sub(delimiter.len());
                        return Ok(Self::Partial {
                            may_end: buffer.len() == body_start,
                        });
                    }
                }
            }
        };
        let after = buffer.get(body_end..).unwrap_or_default();
        let shorter = after.len().min(delimiter.len());
        if after[..shorter] != delimiter[..shorter] {
            return Err(invalid(format!(
                "after its body of {} bytes comes {} and not {}",
                body_end - body_start,
                quoted(after),
                quoted(delimiter)
            )));
        }
        if shorter < delimiter.len() {
            return Ok(Self::Partial { may_end: false });
        }
        Ok(Self::Complete {
            headers,
            body: body_start..body_end,
        })
    }
}

/// The boundary that the head of a stream's response declares.
pub(crate) fn boundary(head: &Head) -> io::Result<&str> {
    let wanted = "multipart/x-mixed-replace; boundary=…";
    let content_type = head.header("Content-Type").ok_or_else(|| {
        invalid(format!(
            "no Content-Type under {:?}, wanted {wanted}",
            head.status_line
        ))
    })?;
    let mut fields = content_type.split(';').map(str::trim);
    let is_stream = fields
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/x-mixed-replace"));
    let boundary = fields.find_map(|field| {
        let (name, value) = field.split_once('=')?;
        name.eq_ignore_ascii_case("boundary")
            .then(|| value.trim_matches('"'))
    });
    if let Some(coding) = head.header("Transfer-Encoding") {
        return Err(invalid(format!(
            "a stream with Transfer-Encoding {coding:?}, which this client does not read"
        )));
    }
    boundary
        .filter(|boundary| is_stream && !boundary.is_empty())
        .ok_or_else(|| {
            invalid(format!(
                "Content-Type {content_type:?} under {:?}, wanted {wanted}",
                head.status_line
            ))
        })
}

//! What a request that sends pictures says of its body.

use http::{HeaderMap, header};
use mjpeg_codec::multipart::{PartHeaders, RelayHeaders, VIA, Via};

use super::outcome::PushOutcome;
use crate::{
    source::http::{
        extent::coding,
        polled::answer::{AnswerType, answer_type},
    },
    upstream,
};

/// What a request says of its body.
#[derive(Clone, Debug)]
pub(in crate::source) struct PushHead {
    pub(in crate::source) kind: AnswerType,
    /// The length of the body, if it is announced.
    pub(in crate::source) length: Option<u64>,
    is_encoded: bool,
    /// What is said of the picture: those headers that parts have as well.
    pub(in crate::source) marks: PartHeaders,
}

impl Default for PushHead {
    fn default() -> Self {
        Self {
            kind: AnswerType::Other,
            length: None,
            is_encoded: false,
            marks: PartHeaders::default(),
        }
    }
}

impl PushHead {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            head.field(name.as_str().as_bytes(), value.as_bytes());
        }
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok());
        head.length = length.and_then(|length| length.parse().ok());
        head
    }

    /// Reads a header, whose name is in lower case. The length is read by the caller.
    pub(in crate::source) fn field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"content-type" => {
                let end = value.iter().position(|b| b"; ,\t".contains(b));
                let media_type = &value[..end.unwrap_or(value.len())];
                self.kind = answer_type(&media_type.to_ascii_lowercase());
            }
            b"content-encoding" | b"transfer-encoding" => {
                self.is_encoded |= coding(value).is_some();
            }
            mark if RelayHeaders::NAMES
                .iter()
                .any(|known| known.as_bytes() == mark) =>
            {
                let marks = std::mem::take(&mut self.marks);
                self.marks = marks.with_received(name, value);
            }
            _ => {}
        }
    }

    /// Whether the body is announced as a multipart one.
    pub(in crate::source) fn is_multipart(&self) -> bool {
        self.kind == AnswerType::Multipart
    }

    /// The relays that the pictures come through.
    pub(super) fn via(&self) -> Via {
        let named = self.marks.get(VIA).and_then(|text| text.parse().ok());
        named.unwrap_or_default()
    }

    /// Refuses what need not be read to see that it cannot be taken.
    pub(in crate::source) fn check(&self, max_frame_bytes: usize) -> Result<(), PushOutcome> {
        if self.is_encoded {
            return Err(PushOutcome::Encoded);
        }
        upstream::check(&self.via()).map_err(|_| PushOutcome::Loop)?;
        let limit = max_frame_bytes;
        match self.length {
            Some(0) => Err(PushOutcome::NotAPicture),
            Some(length) if !self.is_multipart() && length > limit as u64 => {
                Err(PushOutcome::TooLarge { limit })
            }
            _ => Ok(()),
        }
    }
}

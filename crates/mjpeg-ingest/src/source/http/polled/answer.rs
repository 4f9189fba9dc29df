//! What is an answer, and which of its pictures is the picture.
//!
//! What an answer holds is decided for each answer, and by its bytes. Its type is only believed
//! where the bytes do not tell.

use crate::framing::Framing;

/// What the type of an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum AnswerType {
    Multipart,
    Image,
    Other,
}

/// What the first bytes of an answer say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Content {
    /// Pictures are in it, framed like this.
    Pictures(Framing),
    /// More bytes are needed.
    Undecided,
    /// A page, a text, or nothing.
    Nothing,
}

/// Reads a media type, which is in lower case and without parameters.
pub(in crate::source) fn answer_type(media_type: &[u8]) -> AnswerType {
    match media_type {
        b"image/jpeg" | b"image/jpg" | b"image/pjpeg" => AnswerType::Image,
        multipart if multipart.starts_with(b"multipart/") => AnswerType::Multipart,
        // Some servers call a stream `application/octet-stream`, or send no type.
        _ => AnswerType::Other,
    }
}

/// Decides what an answer holds, by its type and its first bytes.
pub(in crate::source) fn content(kind: AnswerType, first: &[u8], is_whole: bool) -> Content {
    if kind == AnswerType::Multipart {
        return Content::Pictures(Framing::Multipart);
    }
    let begin = first.iter().position(|b| !b"\r\n\t ".contains(b));
    let blanks = begin.unwrap_or(first.len());
    match &first[blanks..] {
        [b'-', b'-', ..] => Content::Pictures(Framing::Multipart),
        [0xFF, 0xD8, ..] => Content::Pictures(Framing::Concatenated),
        [] | [b'-' | 0xFF] if !is_whole && blanks <= MAX_BLANK_BYTES => Content::Undecided,
        // Bytes before a picture are passed over if it is announced as one, but not a page.
        [byte, ..] if kind == AnswerType::Image && !b"<{".contains(byte) => {
            Content::Pictures(Framing::Concatenated)
        }
        _ => Content::Nothing,
    }
}

/// Follows the pictures of one answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Pictures {
    framing: Framing,
    /// The end of the answer was announced.
    has_length: bool,
    /// The size of the first picture.
    first: Option<(u16, u16)>,
    count: u32,
}

impl Pictures {
    pub(in crate::source) fn new(framing: Framing, has_length: bool) -> Self {
        Self {
            framing,
            has_length,
            first: None,
            count: 0,
        }
    }

    /// Records a whole picture, and decides whether it is one of the camera's.
    ///
    /// The parts of a multipart answer all are. Otherwise the first is the picture, and what
    /// follows belongs to it: a preview, or the second picture of the Multi-Picture Format. Only if
    /// the answer has no announced end and the next picture has the same size, this is a stream of
    /// pictures without framing.
    pub(in crate::source) fn is_wanted(&mut self, size: (u16, u16)) -> bool {
        let is_stream = self.framing == Framing::Multipart || !self.has_length;
        let is_wanted = match self.first {
            None => true,
            Some(first) => is_stream && (self.framing == Framing::Multipart || first == size),
        };
        self.first.get_or_insert(size);
        self.count += u32::from(is_wanted);
        is_wanted
    }

    /// Whether no picture has come.
    pub(in crate::source) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether more than one picture came, so that this is no snapshot.
    pub(in crate::source) fn is_stream(&self) -> bool {
        self.count > 1
    }

    /// Whether the end of the answer was announced, so that it is no stream.
    pub(in crate::source) fn has_length(&self) -> bool {
        self.has_length
    }

    /// Whether the answer may be left before its end: its picture is whole, and it is announced as
    /// no stream.
    pub(in crate::source) fn is_enough(&self) -> bool {
        self.count == 1 && self.framing != Framing::Multipart
    }
}

/// How many blanks may precede the first significant byte.
const MAX_BLANK_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: Content = Content::Pictures(Framing::Multipart);
    const IMAGES: Content = Content::Pictures(Framing::Concatenated);

    #[test]
    fn content_is_decided_by_bytes_before_types() {
        for (media_type, first, found) in [
            ("image/jpeg", &b"\xFF\xD8\xFF"[..], IMAGES),
            ("image/jpeg", b"--frame\r\n", PARTS),
            ("image/jpeg", b"\0\0junk\xFF\xD8", IMAGES),
            ("image/jpeg", b"<html>", Content::Nothing),
            ("image/jpeg", b"{\"error\"", Content::Nothing),
            ("image/jpeg", b"", Content::Undecided),
            ("", b"\xFF\xD8\xFF", IMAGES),
            ("", b"\r\n--frame", PARTS),
            ("", b"\xFF", Content::Undecided),
            ("", b"\r\n-", Content::Undecided),
            ("", b"hello", Content::Nothing),
            ("application/octet-stream", b"\xFF\xD8", IMAGES),
            ("text/html", b"\xFF\xD8", IMAGES),
            ("text/html", b"<html>", Content::Nothing),
            ("multipart/x-mixed-replace", b"", PARTS),
            ("multipart/x-mixed-replace", b"\xFF\xD8", PARTS),
        ] {
            let kind = answer_type(media_type.as_bytes());
            assert_eq!(content(kind, first, false), found, "{media_type} {first:?}");
        }
        for first in [&b""[..], b"\xFF", b"  -"] {
            assert_eq!(content(AnswerType::Other, first, true), Content::Nothing);
        }
        let blanks = [b' '; MAX_BLANK_BYTES + 1];
        assert_eq!(
            content(AnswerType::Other, &blanks[1..], false),
            Content::Undecided
        );
        assert_eq!(content(AnswerType::Other, &blanks, false), Content::Nothing);
    }

    #[test]
    fn first_picture_of_an_answer_is_the_picture() {
        const FULL: (u16, u16) = (1920, 1080);
        const SMALL: (u16, u16) = (160, 120);
        for (framing, has_length, sizes, wanted) in [
            (
                Framing::Concatenated,
                true,
                [FULL, SMALL, FULL],
                [true, false, false],
            ),
            (
                Framing::Concatenated,
                true,
                [FULL, FULL, FULL],
                [true, false, false],
            ),
            (
                Framing::Concatenated,
                false,
                [FULL, SMALL, FULL],
                [true, false, true],
            ),
            (
                Framing::Concatenated,
                false,
                [FULL, FULL, SMALL],
                [true, true, false],
            ),
            (
                Framing::Multipart,
                true,
                [FULL, SMALL, FULL],
                [true, true, true],
            ),
            (
                Framing::Multipart,
                false,
                [FULL, FULL, FULL],
                [true, true, true],
            ),
        ] {
            let mut pictures = Pictures::new(framing, has_length);
            assert!(pictures.is_empty() && !pictures.is_enough());
            let found = sizes.map(|size| pictures.is_wanted(size));
            assert_eq!(found, wanted, "{framing:?} {has_length}");
            let count = wanted.iter().filter(|&&wanted| wanted).count();
            assert_eq!(pictures.is_stream(), count > 1);
            assert_eq!(pictures.is_enough(), count == 1);
        }
    }
}

//! What is odd about the head of a response, although it is read.

use super::{
    extent::coding,
    head::{ResponseHead, lines},
};
use crate::observed::quirk::CameraQuirk;

/// Lists what is odd about a head that was read as this.
pub(super) fn oddities(bytes: &[u8], head: &ResponseHead) -> Vec<CameraQuirk> {
    let mut lines = lines(bytes);
    let status_line = lines.next().unwrap_or_default().to_ascii_uppercase();
    let (mut odd, mut count) = (Oddities::default(), 0);
    for line in lines {
        count += 1;
        let Some(colon) = line.iter().position(|&b| b == b':') else {
            continue;
        };
        let name = line[..colon].trim_ascii().to_ascii_lowercase();
        odd.header(&name, line[colon + 1..].trim_ascii());
    }
    let is_success = (200..300).contains(&head.status);
    let has_one_length = odd.lengths.windows(2).all(|two| two[0] == two[1]);
    let is_number = |length: &Vec<u8>| {
        let text = str::from_utf8(length).unwrap_or_default();
        text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u64>().is_ok()
    };
    let is_useless = !has_one_length || !odd.lengths.iter().all(is_number);
    let is_zero = odd.lengths.iter().any(|length| length == b"0");
    let is_old = status_line.starts_with(b"HTTP/1.0");
    let parameters = head.content_type.as_deref().unwrap_or_default();
    let has_boundary = parameters.to_ascii_lowercase();
    let has_boundary = contains(&has_boundary, b"boundary=");
    let found = [
        (CameraQuirk::IcyStatus, status_line.starts_with(b"ICY")),
        (CameraQuirk::OtherStatus, is_success && head.status != 200),
        (CameraQuirk::LongHead, count > LONG_HEAD),
        (CameraQuirk::UselessLength, is_useless),
        (
            CameraQuirk::LengthOfStream,
            is_success && is_zero && head.is_multipart(),
        ),
        (CameraQuirk::NoCoding, odd.has_no_coding),
        (CameraQuirk::OldChunked, is_old && odd.is_chunked),
        (
            CameraQuirk::NoType,
            is_success && head.content_type.is_none(),
        ),
        (
            CameraQuirk::NoBoundary,
            is_success && head.is_multipart() && !has_boundary,
        ),
        (CameraQuirk::OddLocation, odd.has_odd_location),
        (
            CameraQuirk::NoChallenge,
            head.status == 401 && head.challenges.is_empty(),
        ),
        (CameraQuirk::Cookies, !head.cookies.is_empty()),
    ];
    let found = found.into_iter().filter(|(_, is_so)| *is_so);
    found.map(|(quirk, _)| quirk).collect()
}

/// The boundary that a type declares, without quotes.
pub(super) fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let mut parameters = content_type.split(|&b| b == b';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_at(parameter.iter().position(|&b| b == b'=')?);
        let is_it = name.trim_ascii().eq_ignore_ascii_case(b"boundary");
        is_it.then(|| value[1..].trim_ascii())
    })?;
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let value = value.strip_suffix(b"\"").unwrap_or(value);
    Some(value.to_vec()).filter(|value| !value.is_empty())
}

#[derive(Default)]
struct Oddities {
    lengths: Vec<Vec<u8>>,
    is_chunked: bool,
    has_no_coding: bool,
    has_odd_location: bool,
}

impl Oddities {
    fn header(&mut self, name: &[u8], value: &[u8]) {
        let is_known = |word: &[u8]| {
            let words = [&b"identity"[..], b"chunked", b""];
            words.iter().any(|known| word.eq_ignore_ascii_case(known))
        };
        match name {
            b"content-length" => {
                let values = value.split(|&b| b == b',').take(MOST_LENGTHS);
                self.lengths
                    .extend(values.map(|one| one.trim_ascii().to_vec()));
                self.lengths.truncate(MOST_LENGTHS);
            }
            b"content-encoding" => {
                self.has_no_coding |= coding(value).is_none() && !is_known(value);
            }
            b"transfer-encoding" => {
                self.is_chunked |= contains(&value.to_ascii_lowercase(), b"chunked");
            }
            b"location" => {
                self.has_odd_location |= value.iter().any(|b| !b.is_ascii_graphic());
            }
            _ => {}
        }
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

/// Real heads have 5 to 20 lines.
const LONG_HEAD: usize = 64;

/// How many lengths of one head are compared.
const MOST_LENGTHS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<CameraQuirk> {
        let head = ResponseHead::parse(text.as_bytes()).expect("a status");
        oddities(text.as_bytes(), &head)
    }

    #[test]
    fn sound_heads_have_none_and_each_oddity_is_found() {
        const SOUND: &str = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b";
        assert_eq!(of(SOUND), []);
        assert_eq!(
            of("HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 7"),
            []
        );
        for (line, quirk) in [
            ("Content-Length: -1", CameraQuirk::UselessLength),
            ("Content-Length:", CameraQuirk::UselessLength),
            (
                "Content-Length: 7\r\nContent-Length: 8",
                CameraQuirk::UselessLength,
            ),
            (
                "Content-Length: 99999999999999999999",
                CameraQuirk::UselessLength,
            ),
            ("Content-Length: 0", CameraQuirk::LengthOfStream),
            ("Content-Encoding: binary", CameraQuirk::NoCoding),
            ("Set-Cookie: a=b", CameraQuirk::Cookies),
            ("Location: /a b", CameraQuirk::OddLocation),
        ] {
            assert_eq!(of(&format!("{SOUND}\r\n{line}")), [quirk], "{line}");
        }
        let long = "X-A: b\r\n".repeat(65);
        assert_eq!(of(&format!("{SOUND}\r\n{long}")), [CameraQuirk::LongHead]);
        for (head, quirk) in [
            (
                "HTTP/1.1 206 Partial\r\nContent-Type: image/jpeg",
                CameraQuirk::OtherStatus,
            ),
            (
                "ICY 200 OK\r\nContent-Type: image/jpeg",
                CameraQuirk::IcyStatus,
            ),
            ("HTTP/1.1 200 OK", CameraQuirk::NoType),
            (
                "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked",
                CameraQuirk::OldChunked,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace",
                CameraQuirk::NoBoundary,
            ),
            ("HTTP/1.1 401 No", CameraQuirk::NoChallenge),
        ] {
            assert_eq!(of(head), [quirk], "{head}");
        }
    }

    #[test]
    fn declared_boundary_is_read_without_its_quotes() {
        let declared = |text: &str| boundary(text.as_bytes());
        let b = declared("multipart/x-mixed-replace; Boundary=\"a b\"");
        assert_eq!(b.as_deref(), Some(&b"a b"[..]));
        assert_eq!(declared("multipart/x-mixed-replace; boundary="), None);
    }
}

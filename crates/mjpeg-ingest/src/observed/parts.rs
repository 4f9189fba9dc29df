//! What the parts of a stream are like.

use mjpeg_codec::{Frame, multipart::PartHeaders};

use super::{observer::Observer, quirk::CameraQuirk};

/// Takes notes of the parts of one answer.
pub(crate) struct PartWatch {
    observer: Observer,
    /// The boundary that is declared.
    boundary: Option<Vec<u8>>,
    /// The parts that were looked at.
    parts: u8,
}

impl PartWatch {
    pub(crate) fn new(observer: Observer, boundary: Option<Vec<u8>>) -> Self {
        Self {
            observer,
            boundary,
            parts: 0,
        }
    }

    /// Takes notes of a part with a picture, if it is one of the first: the others are alike.
    pub(crate) fn part(&mut self, headers: &PartHeaders, frame: &Frame, delimiter: Option<&[u8]>) {
        if self.parts >= LOOKED_AT {
            return;
        }
        self.parts += 1;
        if self.parts == 1 {
            // The first boundary is another one in some streams: that of the second counts.
            return;
        }
        let quirks = [
            boundary_quirk(self.boundary.as_deref(), delimiter),
            length_quirk(headers, frame),
            type_quirk(headers),
        ];
        let quirks: Vec<_> = quirks.into_iter().flatten().collect();
        self.observer.quirks(&quirks);
    }
}

/// Compares the line that separates parts with the boundary that is declared.
fn boundary_quirk(declared: Option<&[u8]>, delimiter: Option<&[u8]>) -> Option<CameraQuirk> {
    let Some(delimiter) = delimiter else {
        return Some(CameraQuirk::UnseparatedParts);
    };
    let declared = declared?;
    match delimiter.strip_prefix(b"--") {
        Some(used) if used == declared => None,
        _ if delimiter == declared => Some(CameraQuirk::DashedBoundary),
        _ => Some(CameraQuirk::OtherBoundary),
    }
}

fn length_quirk(headers: &PartHeaders, frame: &Frame) -> Option<CameraQuirk> {
    let length = headers.get("Content-Length")?.trim();
    let is_right = length.parse() == Ok(frame.bytes().len());
    (!is_right).then_some(CameraQuirk::OtherPartLength)
}

fn type_quirk(headers: &PartHeaders) -> Option<CameraQuirk> {
    let given = headers.content_type().unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    let is_right = ["image/jpeg", "image/jpg", "image/pjpeg"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(given));
    (!is_right).then_some(CameraQuirk::OtherPartType)
}

/// How many parts of an answer are looked at.
const LOOKED_AT: u8 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_compared_as_they_stand_on_the_wire() {
        let quirk = |declared: &str, used: &str| {
            boundary_quirk(Some(declared.as_bytes()), Some(used.as_bytes()))
        };
        assert_eq!(quirk("b", "--b"), None);
        assert_eq!(quirk("--b", "----b"), None);
        assert_eq!(quirk("--b", "--b"), Some(CameraQuirk::DashedBoundary));
        assert_eq!(quirk("b", "--c"), Some(CameraQuirk::OtherBoundary));
        let none = boundary_quirk(Some(b"b"), None);
        assert_eq!(none, Some(CameraQuirk::UnseparatedParts));
        assert_eq!(boundary_quirk(None, Some(b"--b")), None);
    }
}

//! Which of the findings in a message are pictures of the camera.

use mjpeg_codec::DiscardReason;

use super::polled::answer::Pictures;
use crate::parsed::Parsed;

/// Turns pictures that are none of the camera's, such as a preview behind the picture, into
/// discarded bytes.
pub(in crate::source) fn wanted(found: Parsed, pictures: &mut Pictures) -> Parsed {
    match found {
        Parsed::Frame { captured, relay } => {
            let frame = &captured.frame;
            if pictures.is_wanted((frame.width(), frame.height())) {
                Parsed::Frame { captured, relay }
            } else {
                behind(frame.bytes().len() as u64)
            }
        }
        // Bytes behind the picture are not a lost picture, even if they are cut off.
        Parsed::Discarded { bytes, .. } if pictures.is_enough() => behind(bytes),
        discarded => discarded,
    }
}

/// Bytes behind the picture of a message.
fn behind(bytes: u64) -> Parsed {
    Parsed::Discarded {
        reason: DiscardReason::ExtraImage,
        bytes,
    }
}

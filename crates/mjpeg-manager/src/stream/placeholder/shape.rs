//! Which size a placeholder has.
//!
//! That of the camera's pictures, so that a page does not jump. But the size in a frame's header is
//! only what the camera claims: a broken frame, or one made to do harm, may claim 65535x65535. So
//! the size is that of a frame which was found whole, and the area has a limit whatever it is. The
//! caller passes in the clock.

use std::time::Duration;

use mjpeg_codec::Frame;
use mjpeg_picture::TestPicture;
use tokio::time::Instant;

/// The size of the last frame that was found whole.
#[derive(Debug, Default)]
pub(super) struct Shape {
    known: Option<(u16, u16)>,
    /// The size of the frame that is being looked at.
    in_hand: Option<(u16, u16)>,
    /// How many frames were found broken since the last whole one.
    refused: u32,
    checked_at: Option<Instant>,
}

impl Shape {
    /// The size of a placeholder.
    pub(super) fn size(&self) -> (u16, u16) {
        bounded(self.known.unwrap_or(BEFORE_THE_FIRST))
    }

    /// Whether to look at this frame now. Then [`checked`](Self::checked) must follow.
    pub(super) fn is_to_be_checked(&mut self, frame: &Frame, now: Instant) -> bool {
        let size = (frame.width(), frame.height());
        if self.known == Some(size) || frame.bytes().len() > MOST_BYTES {
            return false;
        }
        let rest = BETWEEN_CHECKS.saturating_mul(1 << self.refused.min(MOST_DOUBLINGS));
        if self.checked_at.is_some_and(|at| at + rest > now) {
            return false;
        }
        self.checked_at = Some(now);
        self.in_hand = Some(size);
        true
    }

    /// Records whether the frame was whole.
    pub(super) fn checked(&mut self, is_whole: bool) {
        let size = self.in_hand.take();
        if is_whole {
            self.known = size;
            self.refused = 0;
        } else {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// The frame in hand is not looked at any more.
    pub(super) fn forget_check(&mut self) {
        self.in_hand = None;
        self.checked_at = None;
    }
}

/// Scales a size down until its area and its sides are within their limits. Keeps its shape as far
/// as they allow.
fn bounded((width, height): (u16, u16)) -> (u16, u16) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let by_area = (MOST_PIXELS / (width * height)).sqrt();
    let by_side = f64::from(TestPicture::MAX_SIDE) / width.max(height);
    let scale = by_area.min(by_side).min(1.0);
    let side = |pixels: f64| {
        let scaled = (pixels * scale) as u16;
        scaled.clamp(TestPicture::MIN_SIDE, TestPicture::MAX_SIDE)
    };
    (side(width), side(height))
}

/// The size before the first frame.
const BEFORE_THE_FIRST: (u16, u16) = (640, 480);

/// The largest area of a placeholder: 1920x1088. A drawing takes 3 bytes per pixel.
const MOST_PIXELS: f64 = 1920.0 * 1088.0;

/// Larger frames are not looked at: it takes up to 60 ms per MiB.
const MOST_BYTES: usize = 4 << 20;

/// The least time from one look to the next. It doubles with each frame that was found broken.
const BETWEEN_CHECKS: Duration = Duration::from_secs(2);

/// How often it doubles: up to four minutes.
const MOST_DOUBLINGS: u32 = 7;

#[cfg(test)]
mod tests {
    use mjpeg_testkit::jpeg;

    use super::*;

    #[test]
    fn size_keeps_its_shape_within_the_limits() {
        for (of, size) in [
            ((640, 480), (640, 480)),
            ((1920, 1080), (1920, 1080)),
            ((3840, 2160), (1927, 1083)),
            ((65535, 65535), (1445, 1445)),
            ((65535, 16), (8192, 16)),
            ((1, 1), (16, 16)),
            ((0, 0), (16, 16)),
            ((16, 65535), (16, 8192)),
        ] {
            assert_eq!(bounded(of), size, "{of:?}");
        }
    }

    #[test]
    fn size_is_that_of_the_last_whole_frame() {
        let start = Instant::now();
        let frame = |width, height| Frame::parse(jpeg::sized(1, width, height)).unwrap();
        let mut shape = Shape::default();
        assert_eq!(shape.size(), (640, 480));
        assert!(shape.is_to_be_checked(&frame(320, 240), start));
        shape.checked(true);
        assert_eq!(shape.size(), (320, 240));
        assert!(!shape.is_to_be_checked(&frame(320, 240), start + BETWEEN_CHECKS));
        let (mut looks, other) = (0, frame(400, 300));
        for second in 1..=600 {
            if shape.is_to_be_checked(&other, start + Duration::from_secs(second)) {
                looks += 1;
                shape.checked(false);
            }
        }
        assert_eq!((shape.size(), looks), ((320, 240), 8), "rarer and rarer");
    }
}

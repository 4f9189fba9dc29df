//! The colours that pictures share.

use embedded_graphics::pixelcolor::Rgb888;

pub(crate) const GROUND: Rgb888 = Rgb888::new(24, 28, 36);
pub(crate) const TEXT: Rgb888 = Rgb888::new(245, 245, 240);
pub(crate) const QUIET_TEXT: Rgb888 = Rgb888::new(170, 178, 190);

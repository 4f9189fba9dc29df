//! One line of text, as large as its place allows.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::mono_font::iso_8859_1::{
    FONT_4X6, FONT_5X8, FONT_6X10, FONT_7X13_BOLD, FONT_8X13_BOLD, FONT_9X15_BOLD, FONT_9X18_BOLD,
    FONT_10X20,
};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Dimensions, DrawTarget, Drawable, Point, Size};
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

use crate::canvas::Canvas;

/// A font and the whole number its pixels are enlarged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lettering {
    font: &'static MonoFont<'static>,
    scale: u32,
}

impl Lettering {
    /// Finds the largest lettering with which `chars` characters fit into `area`.
    ///
    /// Where even the smallest is too wide, that one is returned and the caller cuts the text or
    /// lets it be clipped. Returns nothing where `area` is too low for any.
    pub(crate) fn fitting(chars: usize, area: Size) -> Option<Self> {
        let chars = u32::try_from(chars.max(1)).unwrap_or(u32::MAX);
        let fits = |font: &'static MonoFont<'static>| {
            let glyph = font.character_size;
            let scale =
                (area.width / glyph.width.saturating_mul(chars)).min(area.height / glyph.height);
            // Small fonts look coarse when enlarged; the large ones cover every bigger size.
            let scale = if glyph.height < SCALABLE_HEIGHT {
                scale.min(1)
            } else {
                scale
            };
            (scale > 0).then_some(Self { font, scale })
        };
        let largest = FONTS
            .into_iter()
            .filter_map(fits)
            .max_by_key(|lettering| lettering.glyph().height);
        let smallest = Self {
            font: FONTS[0],
            scale: 1,
        };
        largest.or_else(|| (smallest.glyph().height <= area.height).then_some(smallest))
    }

    /// Says how much room a line of `chars` characters takes.
    pub(crate) fn measure(self, chars: usize) -> Size {
        let chars = u32::try_from(chars).unwrap_or(u32::MAX);
        Size::new(
            self.glyph().width.saturating_mul(chars),
            self.glyph().height,
        )
    }

    /// Says how many characters fit into `width`.
    pub(crate) fn capacity(self, width: u32) -> usize {
        (width / self.glyph().width) as usize
    }

    /// How high a line is.
    pub(crate) fn height(self) -> u32 {
        self.glyph().height
    }

    /// Draws `text` in the middle of `area`; what is wider than `area` starts at its left edge and
    /// is clipped.
    pub(crate) fn draw(self, canvas: &mut Canvas, text: &str, area: Rectangle, color: Rgb888) {
        let size = self.measure(text.chars().count());
        let margin = area.size.saturating_sub(size) / 2;
        let mut enlarged = Enlarged {
            canvas,
            origin: area.top_left + margin,
            scale: self.scale,
            clip: area,
        };
        let style = MonoTextStyle::new(self.font, color);
        // Nothing to report: drawing on a canvas cannot fail.
        let Ok(_) =
            Text::with_baseline(text, Point::zero(), style, Baseline::Top).draw(&mut enlarged);
    }

    fn glyph(self) -> Size {
        self.font.character_size * self.scale
    }
}

/// Cuts `text` to `max_chars` characters, marking the cut with two dots.
pub(crate) fn shorten(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let dots = max_chars.min(2);
    text.chars()
        .take(max_chars - dots)
        .chain(std::iter::repeat_n('.', dots))
        .collect()
}

/// A view of the canvas in which every pixel is a square of `scale` canvas pixels.
struct Enlarged<'a> {
    canvas: &'a mut Canvas,
    origin: Point,
    scale: u32,
    clip: Rectangle,
}

impl Dimensions for Enlarged<'_> {
    fn bounding_box(&self) -> Rectangle {
        let room =
            self.clip.bottom_right().unwrap_or(self.clip.top_left) - self.origin + Point::new(1, 1);
        Rectangle::new(
            Point::zero(),
            Size::new(room.x.max(0) as u32, room.y.max(0) as u32) / self.scale,
        )
    }
}

impl DrawTarget for Enlarged<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(point, color) in pixels {
            let square = Rectangle::new(
                self.origin + point * self.scale as i32,
                Size::new_equal(self.scale),
            );
            self.canvas
                .fill_solid(&square.intersection(&self.clip), color)?;
        }
        Ok(())
    }
}

/// Smallest first. Latin-1 fonts: a character outside that set is drawn as a question mark.
const FONTS: [&MonoFont<'static>; 8] = [
    &FONT_4X6,
    &FONT_5X8,
    &FONT_6X10,
    &FONT_7X13_BOLD,
    &FONT_8X13_BOLD,
    &FONT_9X15_BOLD,
    &FONT_9X18_BOLD,
    &FONT_10X20,
];

/// Fonts at least this high, in pixels, may be enlarged.
const SCALABLE_HEIGHT: u32 = 15;

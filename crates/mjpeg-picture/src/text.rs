//! A line of text, as large as its place allows.

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

/// A font and the factor by which its pixels are enlarged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lettering {
    font: &'static MonoFont<'static>,
    scale: u32,
}

impl Lettering {
    /// The height of the smallest letters, in pixels.
    pub(crate) const MIN_HEIGHT: u16 = 6;

    /// Returns the largest lettering with which `chars` characters fit into `area`.
    ///
    /// If even the smallest is too wide, returns that one; the caller cuts the text or lets it be
    /// clipped. Returns `None` if `area` is too low for any.
    pub(crate) fn fitting(chars: usize, area: Size) -> Option<Self> {
        let chars = u32::try_from(chars.max(1)).unwrap_or(u32::MAX);
        let fits = |font: &'static MonoFont<'static>| {
            let glyph = font.character_size;
            let scale =
                (area.width / glyph.width.saturating_mul(chars)).min(area.height / glyph.height);
            // Small fonts look coarse when enlarged. The large ones cover all larger sizes.
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

    /// Returns the room that a line of `chars` characters takes.
    pub(crate) fn measure(self, chars: usize) -> Size {
        let chars = u32::try_from(chars).unwrap_or(u32::MAX);
        Size::new(
            self.glyph().width.saturating_mul(chars),
            self.glyph().height,
        )
    }

    /// Returns how many characters fit into `width`.
    pub(crate) fn capacity(self, width: u32) -> usize {
        (width / self.glyph().width) as usize
    }

    /// Returns the height of a line.
    pub(crate) fn height(self) -> u32 {
        self.glyph().height
    }

    /// Draws `text` in the middle of `area`. A text wider than `area` starts at its left edge and
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
        // Drawing on a canvas cannot fail.
        let Ok(_) =
            Text::with_baseline(text, Point::zero(), style, Baseline::Top).draw(&mut enlarged);
    }

    fn glyph(self) -> Size {
        self.font.character_size * self.scale
    }
}

/// Replaces the characters that the fonts lack by their nearest equivalents: typographic dashes,
/// quotation marks, ellipses, bullets and spaces. Replaces control characters by `control`.
///
/// The fonts draw other characters outside Latin-1 as question marks.
pub(crate) fn to_font(text: &str, control: char) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2018}'..='\u{201B}' | '\u{2032}' => '\'',
            '\u{201C}'..='\u{201F}' | '\u{2033}' => '"',
            '\u{2039}' => '<',
            '\u{203A}' => '>',
            '\u{2022}' => '\u{B7}',
            '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => ' ',
            '\u{2026}' => {
                plain.push_str("..");
                '.'
            }
            c if c.is_control() => control,
            c => c,
        };
        plain.push(c);
    }
    plain
}

/// Cuts `text` to `max_chars` characters, and marks the cut with two dots.
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

/// A view of the canvas whose pixels are squares of `scale` by `scale` canvas pixels.
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

/// From small to large. The fonts cover Latin-1, and draw any other character as a question mark.
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

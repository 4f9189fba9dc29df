//! A still picture that shows a message.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics::primitives::Rectangle;

use crate::canvas::Canvas;
use crate::encoder::Encoder;
use crate::error::Error;
use crate::palette::{GROUND, QUIET_TEXT, TEXT};
use crate::text::{Lettering, shorten, to_font};

/// A picture that shows a message, such as a placeholder for a camera that is offline: a title, a
/// text of up to four lines, and a footer.
///
/// Each text is as large as its place allows, and cut if it is too long. Any text is valid: dashes,
/// quotation marks and ellipses are replaced by the font's nearest characters; control characters
/// show as spaces; other characters outside Latin-1 show as question marks. In pictures below
/// 160x90 pixels some of the text may be missing.
///
/// ```
/// use std::time::SystemTime;
///
/// use mjpeg_picture::Notice;
///
/// let jpeg = Notice::new("garage")
///     .with_text("cannot connect to 192.168.1.100:6001: connection refused")
///     .with_since(SystemTime::now())
///     .with_size(1280, 720)?
///     .render();
/// assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
/// # Ok::<(), mjpeg_picture::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    title: String,
    text: String,
    footer: String,
    width: u16,
    height: u16,
    max_text_height: Option<u16>,
    encoder: Encoder,
}

impl Notice {
    /// Creates a notice with a title and nothing else, 640x480 pixels, of JPEG quality 85.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            text: String::new(),
            footer: String::new(),
            width: 640,
            height: 480,
            max_text_height: None,
            encoder: Encoder { quality: QUALITY },
        }
    }

    /// Sets the text below the title. The default is none.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Sets the line at the bottom. The default is none.
    #[must_use]
    pub fn with_footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = footer.into();
        self
    }

    /// Sets the line at the bottom to "since" and a date in UTC, from 1970 to the year 9999. Other
    /// times show as the nearest of these.
    #[must_use]
    pub fn with_since(self, since: SystemTime) -> Self {
        let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
        // HTTP's format says GMT where it means UTC (RFC 9110 section 5.6.7).
        let date = httpdate::fmt_http_date(UNIX_EPOCH + since.min(LATEST_DATE));
        let date = date.strip_suffix("GMT").unwrap_or(&date);
        self.with_footer(format!("since {date}UTC"))
    }

    /// Sets the size of the picture in pixels. The default is 640x480.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Size`] if a side is outside 16 to 8192.
    pub fn with_size(mut self, width: u16, height: u16) -> Result<Self, Error> {
        Error::check_size(width, height)?;
        (self.width, self.height) = (width, height);
        Ok(self)
    }

    /// Limits the height of a line of text, in pixels. The default is no limit: each text is as
    /// large as its place allows.
    ///
    /// The smallest letters are 6 pixels high, so less has the effect of 6.
    #[must_use]
    pub fn with_max_text_height(mut self, pixels: u16) -> Self {
        self.max_text_height = Some(pixels.max(Lettering::MIN_HEIGHT));
        self
    }

    /// Sets the JPEG quality, from 1 (small and coarse) to 100. The default is 85, because sharp
    /// letters on a plain ground cost little.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Quality`] if the quality is out of bounds.
    pub fn with_quality(mut self, quality: u8) -> Result<Self, Error> {
        self.encoder = self.encoder.with_quality(quality)?;
        Ok(self)
    }

    /// Draws the picture and encodes it: a whole baseline JPEG.
    pub fn render(&self) -> Bytes {
        let mut canvas = Canvas::new(self.width, self.height, GROUND);
        let (width, height) = (u32::from(self.width), u32::from(self.height));
        let margin = width / 16;
        let strip = |from: u32, to: u32| {
            let top = Point::new(margin as i32, (height * from / 100) as i32);
            let size = Size::new(width - 2 * margin, height * (to - from) / 100);
            Rectangle::new(top, size)
        };
        self.paragraph(&mut canvas, &self.title, strip(12, 34), 1, TEXT);
        canvas.fill(strip(38, 40), SIGNAL);
        self.paragraph(&mut canvas, &self.text, strip(46, 76), MOST_LINES, TEXT);
        self.paragraph(&mut canvas, &self.footer, strip(82, 92), 1, QUIET_TEXT);
        self.encoder.encode_image(&canvas)
    }

    /// Draws text in as many lines as let it be largest.
    fn paragraph(
        &self,
        canvas: &mut Canvas,
        text: &str,
        area: Rectangle,
        most_lines: u32,
        color: Rgb888,
    ) {
        let text = to_font(text, ' ');
        let words: Vec<&str> = text.split_whitespace().collect();
        let layouts = (1..=most_lines).filter_map(|count| self.layout(&words, area.size, count));
        // If none fits, the one with the most lines holds the most text.
        let best = layouts.max_by_key(|layout| {
            let height = if layout.fits {
                layout.lettering.height()
            } else {
                0
            };
            (layout.fits, height, usize::MAX - layout.lines.len())
        });
        let Some(layout) = best else {
            return;
        };
        let room = (area.size.height / layout.line_height) as usize;
        let shown = layout.lines.len().min(room);
        for (index, line) in (0..).zip(&layout.lines[..shown]) {
            let is_cut = index as usize + 1 == shown && shown < layout.lines.len();
            let line = if is_cut {
                format!("{line}..")
            } else {
                line.clone()
            };
            let top = area.top_left + Point::new(0, (layout.line_height * index) as i32);
            let place = Rectangle::new(top, Size::new(area.size.width, layout.line_height));
            let line = shorten(&line, layout.lettering.capacity(area.size.width));
            layout.lettering.draw(canvas, &line, place, color);
        }
    }

    /// Breaks the words into `count` lines, if letters of any size have room.
    fn layout(&self, words: &[&str], area: Size, count: u32) -> Option<TextLayout> {
        let line_height = area.height / count;
        let most_height = self.max_text_height.map_or(u32::MAX, u32::from);
        let room = Size::new(area.width, line_height.min(most_height));
        let length: usize = words.iter().map(|word| word.chars().count() + 1).sum();
        let share = length.div_ceil(count as usize);
        // A little wider than an even share, because words do not break evenly.
        let wider = if count == 1 { 0 } else { share / 4 };
        let lettering = Lettering::fitting(share.saturating_sub(1) + wider, room)?;
        let lines = wrapped(words, lettering.capacity(room.width).max(1));
        Some(TextLayout {
            fits: lines.len() <= count as usize,
            lettering,
            lines,
            line_height,
        })
    }
}

/// A text broken into lines.
struct TextLayout {
    /// There are as many lines as intended.
    fits: bool,
    lettering: Lettering,
    lines: Vec<String>,
    line_height: u32,
}

/// Breaks words into lines of at most `width` characters. Also breaks words that are longer.
fn wrapped(words: &[&str], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words {
        let mut word: Vec<char> = word.chars().collect();
        let used = line.chars().count();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.iter().collect());
            word = rest;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

const SIGNAL: Rgb888 = Rgb888::new(224, 120, 40);

const MOST_LINES: u32 = 4;

const QUALITY: u8 = 85;

/// The end of the year 9999, the last that the date's format can express.
const LATEST_DATE: Duration = Duration::from_secs(253_402_300_799);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_long_words_within() {
        let words = ["cannot", "connect", "to", "camera.example.org:6001"];
        assert_eq!(
            wrapped(&words, 10),
            ["cannot", "connect to", "camera.exa", "mple.org:6", "001"]
        );
        assert_eq!(wrapped(&words, 100).len(), 1);
        assert!(wrapped(&[], 10).is_empty());
    }
}

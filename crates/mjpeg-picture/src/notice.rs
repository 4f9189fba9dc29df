//! A still picture that says something.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics::primitives::Rectangle;

use crate::canvas::Canvas;
use crate::pattern::{GROUND, QUIET_TEXT, TEXT, fill};
use crate::text::{Lettering, shorten};
use crate::{Error, TestPicture};

/// Draws a picture that stands in for one that is missing: a name, the reason, and since when, as a date in UTC. Gives a whole baseline JPEG.
///
/// Any text will do. Characters outside Latin-1 and control characters show as question marks. The reason takes up to four lines; what is longer
/// is cut. In pictures below 160x90 pixels some of it may be left out.
///
/// ```
/// use std::time::SystemTime;
///
/// let reason = "cannot connect to 192.168.1.100:6001: connection refused";
/// let jpeg = mjpeg_picture::notice("garage", reason, SystemTime::now(), 640, 480)?;
/// assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
/// # Ok::<(), mjpeg_picture::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Size`] as for a [`TestPicture`].
pub fn notice(
    name: &str,
    reason: &str,
    since: SystemTime,
    width: u16,
    height: u16,
) -> Result<Bytes, Error> {
    let allowed = TestPicture::MIN_SIDE..=TestPicture::MAX_SIDE;
    if !allowed.contains(&width) || !allowed.contains(&height) {
        return Err(Error::Size { width, height });
    }
    let mut canvas = Canvas::new(width, height, GROUND);
    let (width, height) = (u32::from(width), u32::from(height));
    let margin = width / 16;
    let strip = |from: u32, to: u32| {
        let top = Point::new(margin as i32, (height * from / 100) as i32);
        Rectangle::new(
            top,
            Size::new(width - 2 * margin, height * (to - from) / 100),
        )
    };
    paragraph(&mut canvas, name, strip(12, 34), 1, TEXT);
    fill(&mut canvas, strip(38, 40), SIGNAL);
    paragraph(&mut canvas, reason, strip(46, 76), MOST_LINES, TEXT);
    let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = httpdate::fmt_http_date(UNIX_EPOCH + since.min(LATEST_DATE));
    paragraph(
        &mut canvas,
        &format!("since {since}"),
        strip(82, 92),
        1,
        QUIET_TEXT,
    );
    Ok(canvas.encode(QUALITY))
}

/// Draws text in as many lines as let it be largest.
fn paragraph(canvas: &mut Canvas, text: &str, area: Rectangle, most_lines: u32, color: Rgb888) {
    let words: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    let length = words
        .iter()
        .map(|word| word.chars().count() + 1)
        .sum::<usize>();
    let layouts = (1..=most_lines).filter_map(|count| {
        let room = Size::new(area.size.width, area.size.height / count);
        // A little wider than an even share, for words do not break evenly.
        let share = length.div_ceil(count as usize);
        let wider = if count == 1 { 0 } else { share / 4 };
        let lettering = Lettering::fitting(share.saturating_sub(1) + wider, room)?;
        let lines = wrapped(&words, lettering.capacity(room.width).max(1));
        let fits = lines.len() <= count as usize;
        Some((fits, lettering, lines, room.height))
    });
    // If nothing fits, the most lines hold the most of it.
    let best = layouts.max_by_key(|(fits, lettering, lines, _)| {
        let lines = lines.len();
        (
            *fits,
            if *fits { lettering.height() } else { 0 },
            usize::MAX - lines,
        )
    });
    let Some((_, lettering, lines, line_height)) = best else {
        return;
    };
    let shown = lines.len().min((area.size.height / line_height) as usize);
    for (index, line) in (0..).zip(&lines[..shown]) {
        let is_cut = index as usize + 1 == shown && shown < lines.len();
        let line = if is_cut {
            format!("{line}..")
        } else {
            line.clone()
        };
        let top = area.top_left + Point::new(0, (line_height * index) as i32);
        let place = Rectangle::new(top, Size::new(area.size.width, line_height));
        let line = shorten(&line, lettering.capacity(area.size.width));
        lettering.draw(canvas, &line, place, color);
    }
}

/// Breaks words into lines of at most so many characters; a word that is longer than a line is broken too.
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

/// Sharp letters on plain ground: more costs little.
const QUALITY: u8 = 85;

/// What the form of the date can tell ends with the year 9999.
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

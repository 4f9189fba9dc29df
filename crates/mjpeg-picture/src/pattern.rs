//! The layout, colours and motion of the test picture.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Drawable, Point, Primitive, RgbColor, Size};
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle};

use crate::canvas::Canvas;
use crate::palette::{GROUND, QUIET_TEXT, TEXT};
use crate::text::{Lettering, shorten, to_font};

/// The layout for one picture size, from top to bottom: colour bars with the name on them, the
/// track of the ball, a panel with the clock and the frame number.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    bars: Rectangle,
    track: Rectangle,
    clock: Rectangle,
    counter: Rectangle,
    accent: Rgb888,
}

impl Pattern {
    /// Lays out a picture of this size. The name selects the colour of the ball, so that cameras
    /// differ at a glance.
    pub(crate) fn new(name: &str, width: u16, height: u16) -> Self {
        let (width, height) = (u32::from(width), u32::from(height));
        let track_height = (height / 12).max(4);
        let panel_height = height * 3 / 10;
        let bars_height = height - track_height - panel_height;
        let margin = width.min(height) / 40;
        let clock_height = panel_height * 3 / 5;
        let line = |y, height: u32| {
            Rectangle::new(
                at(margin, y),
                Size::new(width - 2 * margin, height.saturating_sub(margin)),
            )
        };
        Self {
            bars: Rectangle::new(Point::zero(), Size::new(width, bars_height)),
            track: Rectangle::new(at(0, bars_height), Size::new(width, track_height)),
            clock: line(bars_height + track_height + margin, clock_height),
            counter: line(
                bars_height + track_height + clock_height,
                panel_height - clock_height,
            ),
            accent: ACCENTS[(fnv1a(name) % ACCENTS.len() as u64) as usize],
        }
    }

    /// Draws what stays the same from frame to frame.
    pub(crate) fn draw_background(&self, canvas: &mut Canvas, name: &str) {
        let count = BARS.len() as u32;
        for (i, color) in (0..).zip(BARS) {
            let (left, right) = (
                self.bars.size.width * i / count,
                self.bars.size.width * (i + 1) / count,
            );
            canvas.fill(
                Rectangle::new(at(left, 0), Size::new(right - left, self.bars.size.height)),
                color,
            );
        }
        canvas.fill(self.track, TRACK);
        self.draw_name(canvas, name);
    }

    /// Draws what changes onto a copy of the background.
    pub(crate) fn draw_frame(&self, canvas: &mut Canvas, frame_number: u64, clock: &str) {
        self.draw_ball(canvas, frame_number);
        line(canvas, clock, self.clock, TEXT);
        line(
            canvas,
            &format!("frame {frame_number}"),
            self.counter,
            QUIET_TEXT,
        );
    }

    fn draw_name(&self, canvas: &mut Canvas, name: &str) {
        let bars = self.bars.size;
        let padding = bars.width.min(bars.height) / 16;
        let room = Size::new(
            bars.width * 9 / 10 - 2 * padding,
            bars.height / 2 - 2 * padding,
        );
        // Control characters would break the line or vanish.
        let name = shorten(&to_font(name, '?'), MAX_NAME_CHARS);
        let Some(lettering) = Lettering::fitting(name.chars().count(), room) else {
            return;
        };
        let name = shorten(&name, lettering.capacity(room.width));
        if name.is_empty() {
            return;
        }
        let plate = lettering.measure(name.chars().count()) + Size::new_equal(2 * padding);
        let plate = Rectangle::with_center(self.bars.center(), plate);
        canvas.fill(plate, GROUND);
        let underline = Size::new(plate.size.width, padding / 2);
        canvas.fill(
            Rectangle::new(plate.top_left + plate.size.y_axis(), underline),
            self.accent,
        );
        lettering.draw(canvas, &name, plate, TEXT);
    }

    fn draw_ball(&self, canvas: &mut Canvas, frame_number: u64) {
        let track = self.track.size;
        let diameter = (track.height * 7 / 8).min(track.width / 4).max(2);
        let travel = track.width - diameter;
        let top = self.track.top_left.y + (track.height - diameter) as i32 / 2;
        // The oldest position first, so that the ball covers its own tail.
        for age in (0..=TAIL).rev() {
            let left = position(frame_number, age, travel);
            let color = blend(self.accent, TRACK, age, TAIL + 1);
            let ball = Circle::new(Point::new(left as i32, top), diameter);
            // Drawing on a canvas cannot fail.
            let Ok(()) = ball
                .into_styled(PrimitiveStyle::with_fill(color))
                .draw(canvas);
        }
    }
}

/// Returns the ball's position `age` frames before `frame_number`. It rolls to and fro at an even
/// pace.
///
/// The pace is at least one pixel per frame, so that two successive frames always differ.
fn position(frame_number: u64, age: u32, travel: u32) -> u32 {
    let crossing = travel.clamp(1, CROSSING_FRAMES);
    let period = 2 * crossing;
    let now = (frame_number % u64::from(period)) as u32;
    let then = (now + period - age % period) % period;
    let step = if then < crossing { then } else { period - then };
    travel * step / crossing
}

/// Draws a line whose length may change from frame to frame without changing its text size.
fn line(canvas: &mut Canvas, text: &str, area: Rectangle, color: Rgb888) {
    let chars = text.chars().count().max(STEADY_CHARS);
    if let Some(lettering) = Lettering::fitting(chars, area.size) {
        lettering.draw(canvas, text, area, color);
    }
}

/// Makes a point. Neither coordinate exceeds a picture's side, so the casts are lossless.
fn at(x: u32, y: u32) -> Point {
    Point::new(x as i32, y as i32)
}

/// Blends from `from` at `step` 0 to `to` at `step` = `steps`.
fn blend(from: Rgb888, to: Rgb888, step: u32, steps: u32) -> Rgb888 {
    let mix = |a: u8, b: u8| ((u32::from(a) * (steps - step) + u32::from(b) * step) / steps) as u8;
    Rgb888::new(
        mix(from.r(), to.r()),
        mix(from.g(), to.g()),
        mix(from.b(), to.b()),
    )
}

/// FNV-1a. The standard library's hasher may change; the picture must not.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const TRACK: Rgb888 = Rgb888::new(40, 46, 58);

/// The classic order (white, yellow, cyan, green, magenta, red, blue), muted.
const BARS: [Rgb888; 7] = [
    Rgb888::new(206, 206, 200),
    Rgb888::new(214, 190, 82),
    Rgb888::new(84, 176, 190),
    Rgb888::new(98, 168, 104),
    Rgb888::new(170, 104, 164),
    Rgb888::new(196, 86, 78),
    Rgb888::new(72, 104, 168),
];

const ACCENTS: [Rgb888; 6] = [
    Rgb888::new(255, 150, 60),
    Rgb888::new(90, 200, 250),
    Rgb888::new(120, 220, 120),
    Rgb888::new(250, 210, 70),
    Rgb888::new(240, 120, 170),
    Rgb888::new(170, 150, 250),
];

/// Longer names are cut, to keep the letters legible.
const MAX_NAME_CHARS: usize = 64;

/// The clock and a counter below ten billion need no more.
const STEADY_CHARS: usize = 16;

/// The frames in which the ball crosses the picture: three seconds at 15 frames per second.
const CROSSING_FRAMES: u32 = 45;

/// How many earlier positions of the ball are drawn.
const TAIL: u32 = 4;

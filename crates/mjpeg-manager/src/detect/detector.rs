//! Looks at one stream's pictures.

use std::time::Duration;

use tokio::time::Instant;

use crate::detect::{
    config::DetectConfig, grid::Grid, kind::Detection, latch::Latch, motion::Background,
};

/// What was seen in a stream's pictures so far.
#[derive(Debug)]
pub(crate) struct Detector {
    config: DetectConfig,
    last: Grid,
    /// For each cell whether it counts.
    counted: Vec<bool>,
    last_at: Option<Instant>,
    /// How far apart the pictures usually are.
    usual: Option<Duration>,
    /// Since when nothing has changed.
    still_since: Instant,
    background: Background,
    dark: Latch,
    covered: Latch,
    motion: Latch,
}

impl Detector {
    pub(crate) fn new(config: DetectConfig, now: Instant) -> Self {
        Self {
            config,
            last: Grid::default(),
            counted: Vec::new(),
            last_at: None,
            usual: None,
            still_since: now,
            background: Background::default(),
            dark: Latch::default(),
            covered: Latch::default(),
            motion: Latch::default(),
        }
    }

    pub(crate) fn config(&self) -> &DetectConfig {
        &self.config
    }

    /// Looks at rows of samples of this width. Returns what is detected now.
    pub(crate) fn look(&mut self, width: usize, samples: &[u8], now: Instant) -> Vec<Detection> {
        let grid = Grid::new(width, samples);
        let elapsed = self.last_at.map(|at| now.saturating_duration_since(at));
        let is_other_size = (grid.columns, grid.rows) != (self.last.columns, self.last.rows);
        let is_gap = elapsed.is_none_or(|elapsed| self.is_gap(elapsed));
        if is_other_size || is_gap {
            // Nothing is known of the time between.
            *self = Self {
                counted: grid.counted(self.config.mask()),
                usual: self.usual,
                ..Self::new(self.config.clone(), now)
            };
        }
        let found = [
            (Detection::Dark, self.is_dark(&grid, now)),
            (Detection::Covered, self.is_covered(&grid, now)),
            (Detection::Still, self.is_still(&grid, now)),
            (Detection::Motion, self.is_moving(&grid, now, elapsed)),
        ];
        (self.last, self.last_at) = (grid, Some(now));
        let found = found.into_iter().filter(|(_, is_so)| *is_so);
        found.map(|(kind, _)| kind).collect()
    }

    /// Whether so long without a picture is too long. Learns how long is usual.
    fn is_gap(&mut self, elapsed: Duration) -> bool {
        let usual = self.usual.unwrap_or_default();
        let longest = LEAST_GAP.max(usual.saturating_mul(GAP_FACTOR));
        // One long gap alone changes little.
        let counted = elapsed.min(longest.saturating_mul(2));
        self.usual = Some(match self.usual {
            Some(usual) => usual.mul_f64(1.0 - USUAL_WEIGHT) + counted.mul_f64(USUAL_WEIGHT),
            None => counted,
        });
        elapsed > longest
    }

    fn is_dark(&mut self, grid: &Grid, now: Instant) -> bool {
        let Some((below, mean)) = self.config.dark().zip(grid.mean(&self.counted)) else {
            return false;
        };
        let percent = mean * 100.0 / 255.0;
        let sides = (percent < below, percent > below * DARK_HYSTERESIS);
        self.dark.look(sides, self.holds(), now)
    }

    fn is_covered(&mut self, grid: &Grid, now: Instant) -> bool {
        let Some(below) = self.config.covered() else {
            return false;
        };
        let blank = grid.blank_part(&self.counted, below * 255.0 / 100.0);
        let sides = (blank > COVERED_ABOVE, blank < UNCOVERED_BELOW);
        self.covered.look(sides, self.holds(), now)
    }

    fn is_still(&mut self, grid: &Grid, now: Instant) -> bool {
        let Some(after) = self.config.still() else {
            return false;
        };
        let cells = grid.cells.iter().zip(&self.last.cells).zip(&self.counted);
        let mut counted = cells.filter(|(_, counts)| **counts);
        let is_same = !self.last.cells.is_empty() && counted.all(|((cell, last), _)| cell == last);
        if !is_same {
            self.still_since = now;
        }
        now.saturating_duration_since(self.still_since) >= after && is_same
    }

    fn is_moving(&mut self, grid: &Grid, now: Instant, elapsed: Option<Duration>) -> bool {
        let Some(above) = self.config.motion() else {
            return false;
        };
        let elapsed = elapsed.unwrap_or_default();
        let percent = 100.0 * self.background.look(grid, &self.counted, elapsed);
        let sides = (percent >= above, percent < above * MOTION_HYSTERESIS);
        let holds = (MOTION_AFTER, self.config.hold());
        self.motion.look(sides, holds, now)
    }

    fn holds(&self) -> (Duration, Duration) {
        (self.config.hold(), self.config.hold())
    }
}

/// How long a caller may pause between two looks, at most.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After so long without a picture, or after so many times what is usual if that is longer,
/// everything begins anew. A caller's pauses alone are no gap.
const LEAST_GAP: Duration = LONGEST_PAUSE.saturating_mul(2);
const GAP_FACTOR: u32 = 3;

/// How much the last interval counts for what is usual.
const USUAL_WEIGHT: f64 = 0.125;

/// A dark picture must become so much brighter to be dark no more.
const DARK_HYSTERESIS: f64 = 1.25;

/// Which part of the picture is blank if the camera is covered, and if it no longer is.
const COVERED_ABOVE: f64 = 0.95;
const UNCOVERED_BELOW: f64 = 0.85;

/// Motion ends if so much less changes.
const MOTION_HYSTERESIS: f64 = 0.5;

/// One torn picture is no motion: the next one must show it too.
const MOTION_AFTER: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 40;
    const HEIGHT: usize = 30;

    /// A textured scene of this brightness, with fresh noise in each picture.
    fn scene(brightness: i32, look: u32) -> Vec<u8> {
        let mut noise = look.wrapping_mul(2_654_435_761).wrapping_add(1);
        let sample = |at: usize| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let texture = ((at % WIDTH * 7 + at / WIDTH * 13) % 50) as i32 * brightness / 100;
            (brightness + texture + (noise >> 30) as i32).clamp(0, 255) as u8
        };
        (0..WIDTH * HEIGHT).map(sample).collect()
    }

    /// The scene with a bright square at this column.
    fn with_walker(look: u32, column: usize) -> Vec<u8> {
        let mut samples = scene(100, look);
        for row in 10..18 {
            samples[row * WIDTH + column..][..4].fill(250);
        }
        samples
    }

    fn all() -> DetectConfig {
        DetectConfig::default()
            .with_dark(Some(8.0))
            .with_covered(Some(4.0))
            .with_still(Some(Duration::from_secs(5)))
            .with_motion(Some(2.0))
            .with_hold(Duration::from_secs(2))
    }

    /// Looks five times a second at what `picture` makes for each look. Returns when each detection
    /// began and ended, in looks.
    fn changes(
        config: DetectConfig,
        looks: u32,
        picture: impl Fn(u32) -> Vec<u8>,
    ) -> Vec<(u32, &'static str, bool)> {
        let start = Instant::now();
        let mut detector = Detector::new(config, start);
        let mut before = Vec::new();
        let mut changes = Vec::new();
        for look in 0..looks {
            let now = start + look * Duration::from_millis(200);
            let found = detector.look(WIDTH, &picture(look), now);
            for &kind in Detection::ALL {
                if found.contains(&kind) != before.contains(&kind) {
                    changes.push((look, kind.as_str(), found.contains(&kind)));
                }
            }
            before = found;
        }
        changes
    }

    #[test]
    fn ordinary_scene_shows_nothing() {
        assert_eq!(changes(all(), 200, |look| scene(100, look)), []);
    }

    #[test]
    fn night_is_dark_after_the_hold_time_and_until_it_is_clearly_lighter() {
        // 9 % is above the threshold, but not clearly.
        let night = |look| match look {
            20..60 => scene(10, look),
            60..90 => scene(18, look),
            _ => scene(60, look),
        };
        let config = DetectConfig::default().with_dark(Some(8.0));
        let config = config.with_hold(Duration::from_secs(2));
        let expected = [(30, "dark", true), (100, "dark", false)];
        assert_eq!(changes(config, 150, night), expected);
        // A short one is none.
        let blink = |look| scene(if (20..29).contains(&look) { 10 } else { 60 }, look);
        let config = DetectConfig::default().with_dark(Some(8.0));
        assert_eq!(changes(config, 60, blink), []);
    }

    #[test]
    fn cloth_before_the_camera_covers_it() {
        let cloth = |look: u32| match look {
            20..60 => {
                let noise = scene(0, look).into_iter();
                noise.map(|noise| 120 + noise).collect()
            }
            _ => scene(100, look),
        };
        let config = DetectConfig::default().with_covered(Some(4.0));
        let config = config.with_hold(Duration::from_secs(2));
        let expected = [(30, "covered", true), (70, "covered", false)];
        assert_eq!(changes(config, 100, cloth), expected);
    }

    #[test]
    fn picture_that_hangs_is_still_at_once_moving_again() {
        let hangs = |look: u32| match look {
            20..60 => scene(100, 20),
            _ => scene(100, look),
        };
        let config = DetectConfig::default().with_still(Some(Duration::from_secs(5)));
        let expected = [(45, "still", true), (60, "still", false)];
        assert_eq!(changes(config.clone(), 100, hangs), expected);
        // A clock that goes on is masked, or it is a change.
        let with_clock = |look: u32| {
            let mut samples = hangs(look);
            samples[..WIDTH].fill(look as u8);
            samples
        };
        assert_eq!(changes(config.clone(), 100, with_clock), []);
        let mask = "0,0,100,10".parse().expect("a rectangle");
        assert_eq!(changes(config.with_mask([mask]), 100, with_clock), expected);
    }

    #[test]
    fn somebody_who_walks_by_is_motion() {
        let walks = |look: u32| match look {
            50..70 => with_walker(look, look as usize - 50),
            _ => scene(100, look),
        };
        let config = DetectConfig::default().with_motion(Some(2.0));
        let config = config.with_hold(Duration::from_secs(2));
        // It begins with the second picture, and ends 2 s after the last.
        let expected = [(51, "motion", true), (80, "motion", false)];
        assert_eq!(changes(config.clone(), 120, walks), expected);
        // Where nobody looks, nobody walks.
        let mask = "0,30,100,32".parse().expect("a rectangle");
        assert_eq!(changes(config.clone().with_mask([mask]), 120, walks), []);
        // One torn picture is none.
        let torn = |look| match look {
            50 => with_walker(look, 10),
            _ => scene(100, look),
        };
        assert_eq!(changes(config.clone(), 100, torn), []);
        // Nor is a lamp that is switched on.
        let lamp = |look| scene(if look < 50 { 100 } else { 130 }, look);
        assert_eq!(changes(config.clone(), 100, lamp), []);
        // Who stays becomes part of the scene.
        let stays = |look| match look {
            0..50 => scene(100, look),
            _ => with_walker(look, 10),
        };
        let changes = changes(config, 400, stays);
        assert_eq!((changes.len(), changes[0]), (2, (51, "motion", true)));
        assert!(changes[1].0 < 250, "{changes:?}");
    }

    #[test]
    fn night_is_seen_however_rarely_pictures_come() {
        for (interval, hold, dark_at) in [(1, 2, 2), (4, 20, 20), (15, 2, 45), (15, 40, 75)] {
            let config = DetectConfig::default().with_dark(Some(8.0));
            let config = config.with_hold(Duration::from_secs(hold));
            let start = Instant::now();
            let mut detector = Detector::new(config, start);
            let mut is_dark_at = |second, brightness| {
                let now = start + Duration::from_secs(second);
                let found = detector.look(WIDTH, &scene(brightness, 1), now);
                found.contains(&Detection::Dark)
            };
            let mut second = 0;
            while second < 150 {
                // How often they come must be known first.
                let is_day = second < 30 && interval == 15;
                let is_dark = is_dark_at(second, if is_day { 60 } else { 0 });
                assert_eq!(is_dark, second >= dark_at, "{interval} {hold}: {second}");
                second += interval;
            }
            // A gap that is not much longer than usual ends nothing.
            second += interval;
            assert!(is_dark_at(second, 0), "{interval} {hold}");
            // A long one does, and what comes after it is as usual again.
            second += 600;
            assert!(!is_dark_at(second, 0), "{interval} {hold}");
        }
    }

    #[test]
    fn pictures_that_come_more_rarely_than_before_are_looked_at_soon() {
        let config = DetectConfig::default().with_dark(Some(8.0));
        let mut now = Instant::now();
        let mut detector = Detector::new(config, now);
        let mut look = |after| {
            now += Duration::from_millis(after);
            let found = detector.look(WIDTH, &scene(0, 1), now);
            found.contains(&Detection::Dark)
        };
        let often = (0..100).map(|_| look(200)).last();
        assert_eq!(often, Some(true));
        let rarely: Vec<bool> = (0..10).map(|_| look(15_000)).collect();
        assert!(
            !rarely[0] && rarely[5..].iter().all(|is_dark| *is_dark),
            "{rarely:?}"
        );
    }

    #[test]
    fn gap_and_other_size_begin_anew() {
        let start = Instant::now();
        let mut detector = Detector::new(all(), start);
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..8 {
            let found = detector.look(WIDTH, &scene(0, 1), at(second));
            assert_eq!(found.contains(&Detection::Dark), second >= 2, "{second}");
            assert_eq!(found.contains(&Detection::Still), second >= 5, "{second}");
        }
        assert_eq!(detector.look(WIDTH, &scene(0, 1), at(30)), []);
        assert_eq!(
            detector.look(WIDTH, &scene(0, 1), at(32)),
            [Detection::Dark, Detection::Covered]
        );
        let (half, other) = (WIDTH / 2, &scene(0, 1)[..WIDTH / 2 * 10]);
        assert_eq!(detector.look(half, other, at(34)), []);
        // What is masked as a whole shows nothing.
        let all_masked = all().with_mask(["0,0,100,100".parse().expect("a rectangle")]);
        let mut blind = Detector::new(all_masked.with_still(None), start);
        for second in 0..20 {
            let brightness = 5 * second as i32;
            assert_eq!(blind.look(WIDTH, &scene(brightness, 1), at(second)), []);
        }
    }
}

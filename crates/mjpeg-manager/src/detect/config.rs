//! What is to be detected.

use std::time::Duration;

use crate::{config::LONGEST, detect::mask::MaskRect, error::InvalidSpec};

/// What is to be detected in a stream's pictures. By default, nothing is.
///
/// Each detection begins when its threshold is crossed for a while, and ends when the picture has
/// been clearly on the other side for the [hold time](Self::with_hold).
#[derive(Clone, Debug, PartialEq)]
pub struct DetectConfig {
    dark: Option<f64>,
    covered: Option<f64>,
    still: Option<Duration>,
    motion: Option<f64>,
    mask: Vec<MaskRect>,
    hold: Duration,
}

impl Default for DetectConfig {
    fn default() -> Self {
        Self {
            dark: None,
            covered: None,
            still: None,
            motion: None,
            mask: Vec::new(),
            hold: Duration::from_secs(3),
        }
    }
}

impl DetectConfig {
    /// Sets below which mean brightness, in percent of white, a picture is dark. Default `None`:
    /// not detected. Above 0, at most 100; 8 is a night without light.
    pub fn with_dark(mut self, below_percent: Option<f64>) -> Self {
        self.dark = below_percent;
        self
    }

    /// Sets below which contrast, in percent of that between black and white, a part of the picture
    /// is blank; if nearly all parts are, the camera counts as covered. Default `None`: not
    /// detected. Above 0, at most 100; 4 is a hand, a cloth or fog.
    pub fn with_covered(mut self, below_percent: Option<f64>) -> Self {
        self.covered = below_percent;
        self
    }

    /// Sets after how long without any change a picture counts as still. Default `None`: not
    /// detected. Unlike [frozen](crate::StreamInfo::frozen_since), the frames may differ in their
    /// bytes, and in parts that are [masked](Self::with_mask), such as a clock. A camera with a
    /// sensor always has some noise; without, it hangs.
    pub fn with_still(mut self, after: Option<Duration>) -> Self {
        self.still = after.map(|after| after.min(LONGEST));
        self
    }

    /// Sets which part of the picture, in percent, must change to count as motion. Default `None`:
    /// not detected. Above 0, at most 100; 1 is a person at some distance.
    ///
    /// The picture is compared with a background that adapts to it within seconds. A change of the
    /// brightness as a whole does not count.
    pub fn with_motion(mut self, above_percent: Option<f64>) -> Self {
        self.motion = above_percent;
        self
    }

    /// Sets the parts of the picture that do not count, at most 32. Default none.
    pub fn with_mask(mut self, mask: impl IntoIterator<Item = MaskRect>) -> Self {
        self.mask = mask.into_iter().collect();
        self
    }

    /// Sets how long the picture must be dark or covered before that is detected, and how long the
    /// opposite must hold before any detection ends. Default 3 s. Motion is detected at once.
    pub fn with_hold(mut self, hold: Duration) -> Self {
        self.hold = hold.min(LONGEST);
        self
    }

    /// Checks the bounds.
    pub(crate) fn validate(&self) -> Result<(), InvalidSpec> {
        for (setting, percent) in [
            ("dark", self.dark),
            ("covered", self.covered),
            ("motion", self.motion),
        ] {
            // Not a number is out of bounds, too.
            if percent.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
                return Err(InvalidSpec::Detect { setting });
            }
        }
        if self.mask.len() > MOST_RECTS {
            return Err(InvalidSpec::Mask);
        }
        Ok(())
    }

    /// Returns whether anything is to be detected.
    pub fn is_on(&self) -> bool {
        let thresholds = [self.dark, self.covered, self.motion];
        thresholds.iter().any(Option::is_some) || self.still.is_some()
    }

    /// Returns below which brightness, in percent, a picture is dark.
    pub fn dark(&self) -> Option<f64> {
        self.dark
    }

    /// Returns below which contrast, in percent, a part of a picture is blank.
    pub fn covered(&self) -> Option<f64> {
        self.covered
    }

    /// Returns after how long without any change a picture is still.
    pub fn still(&self) -> Option<Duration> {
        self.still
    }

    /// Returns which part of the picture, in percent, must change to count as motion.
    pub fn motion(&self) -> Option<f64> {
        self.motion
    }

    /// Returns the parts of the picture that do not count.
    pub fn mask(&self) -> &[MaskRect] {
        &self.mask
    }

    /// Returns the hold time.
    pub fn hold(&self) -> Duration {
        self.hold
    }
}

/// The most rectangles of a mask.
const MOST_RECTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked() {
        let nothing = DetectConfig::default();
        assert!(nothing.validate().is_ok() && !nothing.is_on());
        for (percent, is_valid) in [
            (0.0, false),
            (0.1, true),
            (100.0, true),
            (100.1, false),
            (f64::NAN, false),
            (-1.0, false),
        ] {
            for config in [
                nothing.clone().with_dark(Some(percent)),
                nothing.clone().with_covered(Some(percent)),
                nothing.clone().with_motion(Some(percent)),
            ] {
                assert!(config.is_on());
                assert_eq!(config.validate().is_ok(), is_valid, "{percent}");
            }
        }
        let rect = MaskRect::new(0, 0, 1, 1).expect("a rectangle");
        let mask = |count| nothing.clone().with_mask(vec![rect; count]);
        assert!(mask(32).validate().is_ok() && mask(33).validate().is_err());
    }
}

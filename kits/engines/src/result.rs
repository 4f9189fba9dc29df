//! The measurements, their requirements, and their rows in the table.

use std::fmt::Write as _;

use crate::{engine::Engine, how::How};

/// One rate's delays, in milliseconds.
pub(crate) struct Rate {
    fps: u32,
    sent: usize,
    delays: Vec<f64>,
}

impl Rate {
    pub(crate) fn new(fps: u32, sent: usize, mut delays: Vec<f64>) -> Self {
        delays.sort_by(f64::total_cmp);
        Self { fps, sent, delays }
    }

    fn p50(&self) -> Option<f64> {
        self.delays.get(self.delays.len() / 2).copied()
    }
}

/// One way to show the stream in one engine.
pub(crate) struct Row {
    pub(crate) how: How,
    /// From sending the first picture, with none after it, until it is shown.
    pub(crate) alone: Option<f64>,
    /// From opening the page, while the camera is silent, until the last picture is shown.
    pub(crate) new_viewer: Option<f64>,
    pub(crate) rates: Vec<Rate>,
    pub(crate) error: String,
}

impl Row {
    /// The requirements that do not hold, one sentence each.
    pub(crate) fn failures(&self, engine: Engine) -> Vec<String> {
        let mut failures = Vec::new();
        if !self.how.works_in(engine) {
            return failures;
        }
        let mut fail =
            |what: String| failures.push(format!("{}, {}: {what}", engine.name(), self.how.name()));
        if self.alone.is_none() {
            fail("the first picture, with none after it, is not shown within a second".to_owned());
        }
        if self.new_viewer.is_none() {
            fail(
                "a new viewer of a silent camera does not see its last picture within a second"
                    .to_owned(),
            );
        }
        for rate in &self.rates {
            let (fps, sent, shown) = (rate.fps, rate.sent, rate.delays.len());
            match rate.p50() {
                Some(p50) if p50 <= MAX_P50_MS => {}
                Some(p50) => fail(format!(
                    "{fps} fps: shown after {p50:.0} ms (p50), at most {MAX_P50_MS:.0}"
                )),
                None => fail(format!("{fps} fps: nothing is shown")),
            }
            // The address bar is sampled from outside, which misses pictures on a busy machine.
            let all = fps <= MAX_FPS_OF_ALL && self.how != How::AddressBar;
            if all && shown < sent {
                fail(format!("{fps} fps: {shown} of {sent} pictures are shown"));
            }
        }
        failures
    }

    /// The row as a line of the table.
    pub(crate) fn line(&self) -> String {
        let ms = |delay: Option<f64>| delay.map_or("never".to_owned(), |ms| format!("{ms:.0}"));
        let (alone, new_viewer) = (ms(self.alone), ms(self.new_viewer));
        let mut line = format!("| {} | {alone} | {new_viewer} |", self.how.name());
        for rate in &self.rates {
            let (p50, max) = (ms(rate.p50()), ms(rate.delays.last().copied()));
            let (shown, sent) = (rate.delays.len(), rate.sent);
            let _ = write!(line, " {p50} / {max}, {shown} of {sent} |");
        }
        let _ = write!(line, " {} |", self.error.replace('|', "/"));
        line
    }
}

/// The table's head, for these rates.
pub(crate) fn head(rates: impl Iterator<Item = u32>) -> String {
    let mut head = "| ms | first picture alone | newcomer, camera silent |".to_owned();
    let mut rule = "|---|---|---|".to_owned();
    for fps in rates {
        let _ = write!(head, " {fps} fps: p50 / max, shown |");
        rule.push_str("---|");
    }
    format!("{head} what the page says |\n{rule}---|")
}

const MAX_P50_MS: f64 = 100.0;
/// Up to this rate all pictures must be seen, because none can fall between two samples.
const MAX_FPS_OF_ALL: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(how: How, delays: Vec<f64>, sent: usize) -> Row {
        Row {
            how,
            alone: Some(20.0),
            new_viewer: Some(30.0),
            rates: vec![Rate::new(5, sent, delays)],
            error: String::new(),
        }
    }

    #[test]
    fn late_or_missing_pictures_are_failures() {
        let of = |how, delays: &[f64]| row(how, delays.to_vec(), 3).failures(Engine::Chromium);
        let in_time = [100.0, 10.0, 400.0];
        assert!(of(How::SameOrigin, &in_time).is_empty());
        let late = [101.0, 10.0, 400.0];
        assert_eq!(of(How::SameOrigin, &late).len(), 1);
        assert_eq!(of(How::SameOrigin, &in_time[..2]).len(), 1);
        // Sampled from outside.
        assert!(of(How::AddressBar, &in_time[..2]).is_empty());
        assert_eq!(of(How::AddressBar, &[]).len(), 1);
    }

    #[test]
    fn a_first_picture_and_a_new_viewer_must_be_served() {
        let mut row = row(How::Crossorigin, vec![10.0], 1);
        (row.alone, row.new_viewer) = (None, None);
        assert_eq!(row.failures(Engine::Firefox).len(), 2);
        assert!(row.line().contains("| never | never |"));
    }

    #[test]
    fn only_webkit_may_fail_to_fetch() {
        let nothing = || row(How::Fetch, vec![], 3);
        assert!(nothing().failures(Engine::WebKitGtk).is_empty());
        assert!(!nothing().failures(Engine::Chromium).is_empty());
    }
}

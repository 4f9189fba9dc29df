//! The results, and what must hold of them.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// A figure, and the bounds within which it must be.
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) figure: &'static str,
    pub(crate) value: f64,
    /// Digits after the decimal point.
    pub(crate) digits: usize,
    /// `None` if it is only shown.
    pub(crate) bounds: Option<RangeInclusive<f64>>,
}

impl Row {
    pub(crate) fn holds(&self) -> bool {
        let bounds = self.bounds.as_ref();
        bounds.is_none_or(|bounds| bounds.contains(&self.value))
    }

    fn bounds(&self) -> String {
        let digits = self.digits;
        match self
            .bounds
            .as_ref()
            .map(|bounds| (*bounds.start(), *bounds.end()))
        {
            None => String::new(),
            Some((least, most)) if least == most => format!("{most:.digits$}"),
            Some((least, f64::INFINITY)) => format!(">= {least:.digits$}"),
            Some((0.0, most)) => format!("<= {most:.digits$}"),
            Some((least, most)) => format!("{least:.digits$} to {most:.digits$}"),
        }
    }
}

/// The table, in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = "| case | figure | value | required | |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let Row {
            case,
            figure,
            value,
            digits,
            ..
        } = row;
        let holds = match (&row.bounds, row.holds()) {
            (None, _) => "",
            (_, true) => "ok",
            (_, false) => "**MISSED**",
        };
        let bounds = row.bounds();
        let _ = writeln!(
            text,
            "| `{case}` | {figure} | **{value:.digits$}** | {bounds} | {holds} |"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_shown_and_checked() {
        let row = |value, bounds| Row {
            case: "case",
            figure: "figure",
            value,
            digits: 2,
            bounds,
        };
        assert!(row(1.05, Some(0.95..=1.05)).holds() && !row(1.06, Some(0.95..=1.05)).holds());
        assert!(row(9.0, None).holds() && !row(f64::NAN, Some(0.0..=1.0)).holds());
        let text = table(&[
            row(1.0, Some(0.0..=0.0)),
            row(2.0, Some(0.5..=f64::INFINITY)),
        ]);
        assert!(text.contains("| **1.00** | 0.00 | **MISSED** |"), "{text}");
        assert!(text.contains("| **2.00** | >= 0.50 | ok |"), "{text}");
    }
}

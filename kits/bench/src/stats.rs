//! Medians and quartiles.

/// The median of some values, and the quartiles, between which the middle half of them lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    /// `None` for a sum, which has no spread.
    pub(crate) quartiles: Option<(f64, f64)>,
}

impl Spread {
    /// The median and the quartiles of some values: NaN if there are none.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let quantile = |share| quantile(&sorted, share).unwrap_or(f64::NAN);
        Self {
            median: quantile(0.5),
            quartiles: Some((quantile(0.25), quantile(0.75))),
        }
    }
}

/// The value below which this share of the sorted values lies, interpolated between two of them.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_values() {
        for (values, lower, median, upper) in [
            (&[5.0, 1.0, 3.0, 2.0, 4.0][..], 2.0, 3.0, 4.0),
            (&[1.0, 2.0, 3.0, 4.0], 1.75, 2.5, 3.25),
            (&[7.0], 7.0, 7.0, 7.0),
        ] {
            let quartiles = Some((lower, upper));
            let spread = Spread::of(values.iter().copied());
            assert_eq!(spread, Spread { median, quartiles });
        }
        assert!(Spread::of([].into_iter()).median.is_nan());
    }
}

//! The parameters of a URL, after the `?`.

use std::{borrow::Cow, time::Duration};

/// The parameters of a request. Unknown ones, keys without a value and nonsense are not errors:
/// pages append cache busters of every form.
#[derive(Debug, Default)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(crate) fn parse(query: Option<&'a str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.take(MOST_PARAMETERS).collect())
    }

    /// The value of a parameter; if it occurs several times, the last one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().rev().filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value.as_ref())
    }

    /// A switch: on without a value or with `1`, `true`, `yes` or `on`; off with `0`, `false`, `no`
    /// or `off`.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        let value = self.text(name)?;
        let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        if is(&["", "1", "true", "yes", "on"]) {
            Some(true)
        } else if is(&["0", "false", "no", "off"]) {
            Some(false)
        } else {
            None
        }
    }

    /// A number above 0.
    pub(crate) fn positive(&self, name: &str) -> Option<f64> {
        let number: f64 = self.text(name)?.parse().ok()?;
        (number.is_finite() && number > 0.0).then_some(number)
    }

    /// A time of 0 or more, in units of `unit`, decimals allowed.
    pub(crate) fn time(&self, name: &str, unit: Duration) -> Option<Duration> {
        let number: f64 = self.text(name)?.parse().ok()?;
        Duration::try_from_secs_f64(number * unit.as_secs_f64()).ok()
    }
}

/// Far more than any page sends; the request head is limited besides.
const MOST_PARAMETERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_form_are_read() {
        let query = Query::parse(Some(
            "a=1&b&=x&c=%41+b&a=2&%zz&1608856928650&d=1.5&e=-1&f=inf",
        ));
        assert_eq!(query.text("a"), Some("2"));
        assert_eq!(query.text("b"), Some(""));
        assert_eq!(query.text("c"), Some("A b"));
        assert_eq!(query.text("1608856928650"), Some(""));
        assert_eq!(query.text("none"), None);
        assert_eq!(query.positive("d"), Some(1.5));
        assert_eq!(query.positive("e"), None);
        assert_eq!(query.positive("f"), None);
        let time = |name| query.time(name, Duration::from_secs(1));
        assert_eq!(time("d"), Some(Duration::from_millis(1500)));
        assert_eq!((time("e"), time("f"), time("b")), (None, None, None));
        assert!(Query::parse(None).text("").is_none());
    }

    #[test]
    fn switches_are_read() {
        let query = Query::parse(Some("a&b=1&c=TRUE&d=0&e=no&f=2"));
        let read = ["a", "b", "c", "d", "e", "f", "g"].map(|name| query.switch(name));
        let (on, off) = (Some(true), Some(false));
        assert_eq!(read, [on, on, on, off, off, None, None]);
    }
}

//! Bounds of values.

use serde_json::Value;

use super::key::Key;
use crate::config::value::{size::Size, time::Time};

impl Key {
    /// Writes the bounds of the key, if it has any.
    pub(crate) fn bounds(&self) -> Option<String> {
        let bound = |name| self.schema.get(name);
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), Into::into);
        let value = match (bound("x-above"), bound("x-least"), bound("x-most")) {
            (Some(above), _, Some(most)) => {
                let (above, most) = (shown(above), shown(most));
                Some(format!("above {above} and at most {most}"))
            }
            (Some(above), ..) => Some(format!("above {}", shown(above))),
            (_, Some(least), Some(most)) => Some(format!("{} to {}", shown(least), shown(most))),
            (_, Some(least), None) => Some(format!("{} or more", shown(least))),
            (_, None, Some(most)) => Some(format!("at most {}", shown(most))),
            (None, None, None) => None,
        };
        let items = match (bound("minItems"), bound("maxItems")) {
            (Some(least), Some(most)) => Some(format!("{least} to {most} items")),
            (None, Some(most)) => Some(format!("at most {most} items")),
            _ => None,
        };
        value.or(items)
    }

    /// Whether a value of the key's type is within its bounds.
    pub(crate) fn is_within_bounds(&self, value: &toml::Value) -> bool {
        let bound = |name| self.schema.get(name);
        if let toml::Value::Array(items) = value {
            let count = items.len() as u64;
            let count_of = |name| bound(name).and_then(Value::as_u64);
            return count_of("minItems").is_none_or(|least| count >= least)
                && count_of("maxItems").is_none_or(|most| count <= most);
        }
        let Some(value) = measure(value) else {
            // A word such as "none".
            return true;
        };
        if !value.is_finite() {
            return false;
        }
        let bound =
            |name| bound(name).and_then(|bound| measure(&toml::Value::try_from(bound).ok()?));
        bound("x-above").is_none_or(|above| value > above)
            && bound("x-least").is_none_or(|least| value >= least)
            && bound("x-most").is_none_or(|most| value <= most)
    }
}

/// A number for a value that is one: itself, seconds or bytes.
#[allow(clippy::cast_precision_loss, reason = "bounds are small or round")]
fn measure(value: &toml::Value) -> Option<f64> {
    match value {
        toml::Value::Integer(number) => Some(*number as f64),
        toml::Value::Float(number) => Some(*number),
        toml::Value::String(text) => {
            let size = || text.parse::<Size>().ok().map(|size| size.0 as f64);
            size().or_else(|| text.parse::<Time>().ok().map(|time| time.0.as_secs_f64()))
        }
        _ => None,
    }
}

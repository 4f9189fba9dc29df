//! Which past pictures are kept: `"30s"`, or a list of tiers.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use mjpeg_manager::mjpeg_fanout::{RingConfig, RingTier};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::config::value::time::Time;

/// Which past pictures are kept; `"none"` for none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplayChoice(Vec<ReplayTier>);

/// Pictures of a certain age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayTier {
    /// The least time between two pictures that are kept; each is kept without it.
    #[serde(default, skip_serializing_if = "is_zero")]
    every: Time,
    /// How long they are kept, from the end of the tier before.
    keep: Time,
}

fn is_zero(time: &Time) -> bool {
    time.0.is_zero()
}

impl ReplayChoice {
    /// What a ring is to keep; `None` for nothing.
    pub(crate) fn ring(&self) -> Option<RingConfig> {
        let tiers = self.0.iter();
        let tiers = tiers.map(|tier| RingTier::new(tier.every.0, tier.keep.0));
        (!self.0.is_empty()).then(|| RingConfig::default().with_tiers(tiers))
    }

    /// How far back they reach; `None` for nothing.
    pub(crate) fn span(&self) -> Option<Duration> {
        let tiers = self.0.iter().map(|tier| tier.keep.0);
        (!self.0.is_empty()).then(|| tiers.sum())
    }

    fn checked(tiers: Vec<ReplayTier>) -> Result<Self, String> {
        if tiers.is_empty() || tiers.len() > RingConfig::MAX_TIERS {
            let most = RingConfig::MAX_TIERS;
            return Err(format!("expected 1 to {most} tiers, or \"{NONE}\""));
        }
        for ReplayTier { every, keep } in &tiers {
            if !(SHORTEST..=LONGEST).contains(&keep.0) {
                return Err("expected a time from 100ms to 31d for which pictures are kept".into());
            }
            if every > keep {
                return Err(format!(
                    "no picture would be kept: `every` ({every}) is longer than `keep` ({keep})"
                ));
            }
        }
        let all = tiers.iter().map(|tier| tier.keep.0);
        if all.fold(Duration::ZERO, Duration::saturating_add) > LONGEST {
            return Err("all tiers together keep pictures for 31d at most".into());
        }
        Ok(Self(tiers))
    }
}

impl FromStr for ReplayChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(Self::default());
        }
        let keep = text.parse().map_err(|_| format!("expected {EXPECTED}"))?;
        let every = Time::default();
        Self::checked(vec![ReplayTier { every, keep }])
    }
}

impl fmt::Display for ReplayChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => f.write_str(NONE),
            [ReplayTier { every, keep }] if is_zero(every) => write!(f, "{keep}"),
            tiers => write!(f, "{} tiers", tiers.len()),
        }
    }
}

impl Serialize for ReplayChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [] => serializer.serialize_str(NONE),
            [ReplayTier { every, keep }] if is_zero(every) => keep.serialize(serializer),
            tiers => tiers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ReplayChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let choice = match &value {
            // As for other times, a file names the unit.
            toml::Value::String(text) if text.parse::<f64>().is_err() => text.parse(),
            toml::Value::Array(_) => {
                let tiers = Vec::<ReplayTier>::deserialize(value);
                let tiers = tiers.map_err(|error| D::Error::custom(error.message()))?;
                Self::checked(tiers)
            }
            _ => Err(format!("expected {EXPECTED}")),
        };
        choice.map_err(D::Error::custom)
    }
}

impl JsonSchema for ReplayChoice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ReplayChoice".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let time = Time::json_schema(generator);
        let tier = ReplayTier::json_schema(generator);
        json_schema!({
            "anyOf": [
                time,
                { "const": NONE },
                {
                    "type": "array",
                    "items": tier,
                    "minItems": 1,
                    "maxItems": RingConfig::MAX_TIERS,
                },
            ],
            "x-type": "time, list of tiers, or `\"none\"`",
        })
    }
}

const NONE: &str = "none";
const EXPECTED: &str = "a time such as \"30s\", a list of tiers such as \
                        [{ keep = \"60s\" }, { every = \"1s\", keep = \"10m\" }], or \"none\"";
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Keys {
        replay: ReplayChoice,
    }

    #[test]
    fn time_and_tiers_are_read_and_written_back() {
        for (text, tiers) in [
            ("\"none\"", &[][..]),
            ("\"30s\"", &[(0, 30)]),
            ("\"31d\"", &[(0, 31 * 86_400)]),
            ("[{ keep = \"1m\" }]", &[(0, 60)]),
            (
                "[{ keep = \"1m\" }, { every = \"1s\", keep = \"10m\" }]",
                &[(0, 60), (1, 600)],
            ),
        ] {
            let keys: Keys = toml::from_str(&format!("replay = {text}\n")).expect(text);
            let ring = keys.replay.ring();
            let seconds = |tier: &RingTier| (tier.every().as_secs(), tier.keep().as_secs());
            let read = ring
                .iter()
                .flat_map(|ring| ring.tiers().iter().map(seconds));
            assert_eq!(read.collect::<Vec<_>>(), tiers, "{text}");
            let written = toml::to_string(&keys).unwrap();
            assert_eq!(toml::from_str::<Keys>(&written), Ok(keys), "{written}");
        }
        assert_eq!("30".parse::<ReplayChoice>(), "30s".parse());
        assert_eq!("none".parse(), Ok(ReplayChoice::default()));
    }

    #[test]
    fn what_keeps_nothing_or_too_much_is_refused() {
        let tier = "{ every = \"1s\", keep = \"1s\" },";
        let (most, too_many) = (tier.repeat(8), tier.repeat(9));
        assert!(toml::from_str::<Keys>(&format!("replay = [{most}]")).is_ok());
        for (text, reason) in [
            ("30", "a time such as"),
            ("\"30\"", "a time such as"),
            ("\"soon\"", "a time such as"),
            ("true", "a time such as"),
            ("[]", "1 to 8 tiers"),
            (&format!("[{too_many}]"), "1 to 8 tiers"),
            ("\"99ms\"", "from 100ms to 31d"),
            ("\"32d\"", "from 100ms to 31d"),
            ("[{ keep = \"20d\" }, { keep = \"20d\" }]", "31d at most"),
            (
                "[{ every = \"2s\", keep = \"1s\" }]",
                "no picture would be kept",
            ),
            ("[{ every = \"2s\" }]", "keep"),
            ("[{ keep = \"2s\", each = 1 }]", "each"),
        ] {
            let error = toml::from_str::<Keys>(&format!("replay = {text}")).expect_err(text);
            assert!(
                error.message().contains(reason),
                "{text}: {}",
                error.message()
            );
        }
    }
}

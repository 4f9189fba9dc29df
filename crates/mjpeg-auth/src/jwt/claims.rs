//! What a signed token says, and whether it is for us.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    auth::who::{Claimed, Means, Who},
    config::{
        jwt::JwtConfig,
        rights::{Right, Rights},
        streams::StreamSet,
    },
    jwt::compact::RefusedToken,
};

/// The claims of a token that was signed by whom we trust.
pub(crate) struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// Checks that the token is for us and for now. Returns whose it is.
    pub(crate) fn check(
        &self,
        config: &JwtConfig,
        (now, instant): (SystemTime, Instant),
    ) -> Result<Who, RefusedToken> {
        if self.0.get("iss").and_then(Value::as_str) != Some(config.issuer()) {
            return Err(RefusedToken::Because("of another issuer"));
        }
        if !self.is_for(config.audience()) {
            return Err(RefusedToken::Because("for another audience"));
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires = self
            .time("exp")?
            .ok_or(RefusedToken::Because("without exp"))?;
        let left = (expires + config.leeway()).checked_sub(now);
        let left = left.filter(|left| !left.is_zero());
        let left = left.ok_or(RefusedToken::Because("expired"))?;
        if self
            .time("nbf")?
            .is_some_and(|nbf| nbf > now + config.leeway())
        {
            return Err(RefusedToken::Because("not valid yet"));
        }
        let subject = self.0.get("sub").and_then(Value::as_str);
        let is_name = |name: &&str| {
            !name.is_empty() && name.len() <= LONGEST_SUBJECT && !name.contains(char::is_control)
        };
        let subject = subject
            .filter(is_name)
            .ok_or(RefusedToken::Because("without sub"))?;
        let claimed = Claimed {
            rights: self.rights(config.rights_claim())?,
            streams: self.streams(config.streams_claim())?,
        };
        let who = Who::new(format!("jwt:{subject}"), Means::Jwt).with_claimed(Arc::new(claimed));
        let until = instant.checked_add(left);
        Ok(until.map_or(who.clone(), |until| who.until(until)))
    }

    fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience),
            _ => false,
        }
    }

    /// A time, since 1970. Something else in its place is no time that was left out.
    fn time(&self, claim: &str) -> Result<Option<Duration>, RefusedToken> {
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        let seconds = value.as_f64().filter(|seconds| *seconds <= LATEST);
        let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        time.map(Some)
            .ok_or(RefusedToken::Because("a time that is none"))
    }

    fn rights(&self, claim: &str) -> Result<Rights, RefusedToken> {
        let words = self.words(claim)?.unwrap_or_default();
        Ok(Rights::of(
            words.iter().filter_map(|word| word.parse::<Right>().ok()),
        ))
    }

    fn streams(&self, claim: &str) -> Result<StreamSet, RefusedToken> {
        Ok(match self.words(claim)? {
            None => StreamSet::ALL,
            Some(names) => StreamSet::of(names),
        })
    }

    /// A list of texts, or a text of words between spaces.
    fn words(&self, claim: &str) -> Result<Option<Vec<&str>>, RefusedToken> {
        let no_list = RefusedToken::Because("rights or streams that are no list of texts");
        match self.0.get(claim) {
            None => Ok(None),
            Some(Value::String(words)) => Ok(Some(words.split_whitespace().collect())),
            Some(Value::Array(words)) => {
                let words = words.iter().map(|word| word.as_str().ok_or(no_list));
                words.collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(no_list),
        }
    }
}

/// In bytes, as OpenID Connect has it.
const LONGEST_SUBJECT: usize = 255;
/// The year 9999.
const LATEST: f64 = 253_402_300_799.0;

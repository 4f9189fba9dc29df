//! Which JSON Web Tokens prove who somebody is.

use std::{sync::Arc, time::Duration};

use crate::config::invalid::InvalidAuth;

/// Which JSON Web Tokens (RFC 7519) prove who somebody is: those of one identity provider, made for
/// one audience.
///
/// A token must be signed by RS256, ES256 or EdDSA (Ed25519) with one of the
/// [keys](crate::Auth::set_jwt_keys), and have `iss`, `aud`, `sub` and `exp`. `sub` is who it is:
/// the name is `jwt:` and the subject, so that no token speaks for a [`User`](crate::User) of the
/// same name.
///
/// ```
/// use mjpeg_auth::{AuthConfig, JwtConfig};
///
/// let jwt = JwtConfig::new("https://login.example.com/", "cameras")?;
/// let config = AuthConfig::default().with_jwt(jwt);
/// # Ok::<(), mjpeg_auth::InvalidAuth>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtConfig {
    issuer: Arc<str>,
    audience: Arc<str>,
    rights_claim: Arc<str>,
    streams_claim: Arc<str>,
    leeway: Duration,
}

impl JwtConfig {
    /// Accepts tokens of this issuer (`iss`) for this audience (`aud`, or one of several).
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::JwtText`] unless both have 1 to 1024 bytes and no control character.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audience: impl Into<Arc<str>>,
    ) -> Result<Self, InvalidAuth> {
        Ok(Self {
            issuer: text("issuer", issuer.into())?,
            audience: text("audience", audience.into())?,
            rights_claim: "may".into(),
            streams_claim: "streams".into(),
            leeway: Duration::from_secs(30),
        })
    }

    /// Sets which claim names the [rights](crate::Right) of its bearer: a list of words, or a text
    /// of words between spaces, such as `scope`. Words that name no right are ignored. Default:
    /// `may`. A token without it gives no more than strangers have.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::JwtText`] unless it has 1 to 1024 bytes and no control character.
    pub fn with_rights_claim(mut self, claim: impl Into<Arc<str>>) -> Result<Self, InvalidAuth> {
        self.rights_claim = text("rights_claim", claim.into())?;
        Ok(self)
    }

    /// Sets which claim names the streams that the rights are for, in the same forms; `*` is all.
    /// Default: `streams`. A token without it is for all streams.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::JwtText`] unless it has 1 to 1024 bytes and no control character.
    pub fn with_streams_claim(mut self, claim: impl Into<Arc<str>>) -> Result<Self, InvalidAuth> {
        self.streams_claim = text("streams_claim", claim.into())?;
        Ok(self)
    }

    /// Sets by how much clocks may differ: a token is valid for so long before `nbf` and after
    /// `exp`. Default 30 s.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Time`] above five minutes.
    pub fn with_leeway(mut self, leeway: Duration) -> Result<Self, InvalidAuth> {
        if leeway > LONGEST_LEEWAY {
            return Err(InvalidAuth::Time {
                setting: "leeway",
                least: Duration::ZERO,
                most: LONGEST_LEEWAY,
            });
        }
        self.leeway = leeway;
        Ok(self)
    }

    /// Who issues the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// For whom they are.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Which claim names rights.
    pub fn rights_claim(&self) -> &str {
        &self.rights_claim
    }

    /// Which claim names streams.
    pub fn streams_claim(&self) -> &str {
        &self.streams_claim
    }

    /// By how much clocks may differ.
    pub fn leeway(&self) -> Duration {
        self.leeway
    }
}

fn text(setting: &'static str, text: Arc<str>) -> Result<Arc<str>, InvalidAuth> {
    let is_bad = text.is_empty() || text.len() > LONGEST_BYTES || text.contains(char::is_control);
    match is_bad {
        true => Err(InvalidAuth::JwtText { setting }),
        false => Ok(text),
    }
}

const LONGEST_BYTES: usize = 1024;
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

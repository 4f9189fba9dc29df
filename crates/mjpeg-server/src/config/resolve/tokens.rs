//! JSON Web Tokens: which ones are accepted, and where their keys are.

use mjpeg_auth::{InvalidAuth, JwtConfig};

use crate::{
    config::{
        keys::auth::{AuthKeys, JwtSection},
        layer::Layer,
        report::{Finding, Report},
        settings::TokenSettings,
    },
    jwks::place::{KeyPlace, KeySource},
    outbound::url::OutboundUrl,
};

/// Makes the settings of tokens, if any are accepted. What is wrong is reported.
pub(super) fn tokens(auth: &Layer, report: &mut Report) -> Option<TokenSettings> {
    let keys = auth.read::<AuthKeys>().jwt?;
    let place = place(&keys).and_then(|place| Ok((place, config(&keys).map_err(said)?)));
    match place {
        Ok((place, config)) => Some(TokenSettings {
            config,
            keys: KeySource {
                issuer: keys.issuer,
                place,
            },
        }),
        Err((message, help)) => {
            let finding = Finding::error(format!("`jwt`: {message}"));
            let finding = match help {
                "" => finding,
                help => finding.with_help(help),
            };
            report.add(finding.about(auth, "jwt"));
            None
        }
    }
}

/// What is wrong, and what to do about it.
type Wrong = (String, &'static str);

fn place(keys: &JwtSection) -> Result<KeyPlace, Wrong> {
    let url: &str = match (&keys.jwks, &keys.jwks_file) {
        (Some(url), None) => url,
        (None, Some(file)) => return Ok(KeyPlace::File(file.clone())),
        _ => {
            let message = "exactly one of `jwks` and `jwks_file` says where the keys are";
            return Err((message.into(), ""));
        }
    };
    let has_login = url
        .split('/')
        .nth(2)
        .is_some_and(|authority| authority.contains('@'));
    let url: OutboundUrl = url
        .parse()
        .map_err(|error| (format!("`jwks`: {error}"), ""))?;
    if has_login {
        let help = "keys are public; the URL is shown where the configuration is";
        return Err(("`jwks`: the URL has a login".into(), help));
    }
    if url.is_overheard() {
        let message = "`jwks`: whoever is on the way could put keys of their own in place of these";
        return Err((message.into(), "use https://"));
    }
    Ok(KeyPlace::Url(url))
}

fn config(keys: &JwtSection) -> Result<JwtConfig, InvalidAuth> {
    JwtConfig::new(&*keys.issuer, &*keys.audience)?
        .with_rights_claim(&*keys.rights_claim)?
        .with_streams_claim(&*keys.streams_claim)?
        .with_leeway(keys.leeway.0)
}

fn said(error: InvalidAuth) -> Wrong {
    (error.to_string(), "")
}

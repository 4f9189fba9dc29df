//! Users and rights as the gate takes them.

use mjpeg_auth::{Auth, AuthConfig, InvalidAuth, Right, Rights, StreamSet, User};

use super::unusable::{Unusable, Whose};
use crate::config::{
    keys::auth::{EVERY_STREAM, UserKeys},
    settings::Settings,
    value::choice::RightWord,
};

/// Makes the settings of the gate.
///
/// # Errors
///
/// All that cannot be used.
pub(super) fn auth(settings: &Settings) -> Result<AuthConfig, Vec<Unusable>> {
    let mut unusable = Vec::new();
    let mut auth = AuthConfig::default()
        .with_anonymous(rights(&settings.auth.anonymous))
        .with_remote_user(settings.auth.remote_user)
        .with_jwt(settings.tokens.as_ref().map(|tokens| tokens.config.clone()));
    for (at, keys) in settings.users.iter().enumerate() {
        match user(keys) {
            Ok(Some(user)) => auth = auth.with_user(user),
            // It has no name, which was reported.
            Ok(None) => {}
            Err((key, error)) => unusable.push(Unusable {
                whose: Whose::User(at),
                key,
                message: error.to_string(),
            }),
        }
    }
    for stream in &settings.streams {
        if let Some(view) = &stream.keys.view {
            let users = view.iter().map(|name| name.0.0.as_str());
            auth = auth.with_view(stream.name.as_str(), users);
        }
    }
    if let Err(error) = Auth::new(auth.clone())
        && unusable.is_empty()
        && !settings.users.is_empty()
    {
        // The error names the user; the last one is as good a place as any.
        unusable.push(Unusable {
            whose: Whose::User(settings.users.len() - 1),
            key: "name",
            message: error.to_string(),
        });
    }
    match unusable.is_empty() {
        true => Ok(auth),
        false => Err(unusable),
    }
}

fn user(keys: &UserKeys) -> Result<Option<User>, (&'static str, InvalidAuth)> {
    let failed = |key| move |error: InvalidAuth| (key, error);
    let Some(name) = &keys.name else {
        return Ok(None);
    };
    let streams = match keys.streams.iter().any(|stream| stream == EVERY_STREAM) {
        true => StreamSet::ALL,
        false => StreamSet::of(keys.streams.iter().map(String::as_str)),
    };
    let mut user = User::new(&*name.0.0)
        .map_err(failed("name"))?
        .with_rights(rights(&keys.may))
        .with_streams(streams);
    if let Some(hash) = &keys.password_hash {
        let with_password = user.with_password_hash(&hash.0);
        user = with_password.map_err(failed("password_hash"))?;
    }
    if let Some(hash) = &keys.token_hash {
        user = user
            .with_token_hash(&hash.0)
            .map_err(failed("token_hash"))?;
    }
    if let Some(fingerprint) = &keys.certificate {
        user = user
            .with_certificate(fingerprint)
            .map_err(failed("certificate"))?;
    }
    Ok(Some(user))
}

fn rights(words: &[RightWord]) -> Rights {
    Rights::of(words.iter().map(|word| match word {
        RightWord::View => Right::View,
        RightWord::Push => Right::Push,
        RightWord::Replay => Right::Replay,
        RightWord::Control => Right::Control,
        RightWord::Metrics => Right::Metrics,
    }))
}

//! Who asks: a token, or a user with a password. Neither is ever an argument.

use std::{
    env,
    fs::File,
    io::{self, Read},
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use http::HeaderValue;

use super::failure::CtlFailure;
use crate::cli::ctl::CtlConnection;
use crate::prompt;

/// The value of `Authorization`, if somebody is to be named.
pub(super) fn authorization(args: &CtlConnection) -> Result<Option<HeaderValue>, CtlFailure> {
    let text = match (&args.user, &args.token_file) {
        (Some(user), _) => basic(user, args.password_file.as_deref())?,
        (None, _) if args.password_file.is_some() => {
            return Err(usage("--password-file needs --user NAME"));
        }
        (None, Some(path)) => format!("Bearer {}", secret(path)?),
        (None, None) => match env::var(TOKEN_VARIABLE) {
            Ok(token) if !token.is_empty() => format!("Bearer {token}"),
            Ok(_) | Err(env::VarError::NotPresent) => return Ok(None),
            Err(env::VarError::NotUnicode(_)) => return Err(not_a_token()),
        },
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| not_a_token())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn basic(user: &str, password_file: Option<&Path>) -> Result<String, CtlFailure> {
    if user.contains(':') {
        return Err(usage(
            "a user's name has no colon; the password is no argument",
        ));
    }
    let password = match password_file {
        Some(path) => secret(path)?,
        None => prompt::ask(&format!("Password of {user}")).map_err(not_asked)?,
    };
    Ok(format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{password}"))
    ))
}

fn not_asked(error: io::Error) -> CtlFailure {
    match error.kind() {
        io::ErrorKind::Interrupted => usage("no password was given"),
        _ => usage(&format!(
            "cannot ask for a password ({error}): use --password-file FILE"
        )),
    }
}

/// Reads a file, or standard input, but its last line end.
pub(super) fn secret(path: &Path) -> Result<String, CtlFailure> {
    let text = match path.to_str() {
        Some("-") => bounded(io::stdin().lock()),
        _ => File::open(path).and_then(bounded),
    };
    let text = text.map_err(|error| usage(&format!("cannot read {}: {error}", path.display())))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.is_empty() {
        true => Err(usage(&format!("{} is empty", path.display()))),
        false => Ok(text.into()),
    }
}

fn bounded(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST_BYTES {
        true => Err(io::Error::other(format!(
            "it has more than {MOST_BYTES} bytes"
        ))),
        false => Ok(text),
    }
}

fn not_a_token() -> CtlFailure {
    usage("the token holds a character that no token has")
}

fn usage(text: &str) -> CtlFailure {
    CtlFailure::Usage(text.into())
}

const TOKEN_VARIABLE: &str = "MJPEG_CTL_TOKEN";
/// A source is as long as that at most, too.
const MOST_BYTES: u64 = 64 * 1024;

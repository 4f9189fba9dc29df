//! Secrets from the environment and from files.
//!
//! The command line of a process can be read by everybody on the machine, and ends up in the
//! shell's history.

use std::{
    cell::RefCell,
    cmp::Reverse,
    env,
    fs::File,
    io::Read,
    iter,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};
use mjpeg_manager::mjpeg_ingest::escaped;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Replaces each `${env:NAME}` by the value of that variable, each `${file:PATH}` by the content of
/// that file, and each `${credential:NAME}` by that of a credential that systemd passes
/// (`LoadCredential=`); of the latter two, without the line end at its end.
///
/// Where it stands in the user name or password of a URL, the value is percent-encoded; elsewhere
/// it is taken as it is. Within `exec:`, it is a word, or a part of one, whatever characters it
/// has.
///
/// # Errors
///
/// If there is no such variable, file or credential, or it is too large. They name it, and never
/// repeat its value.
pub(crate) fn expanded(url: &str) -> Result<String> {
    expand(url, &looked_up)
}

/// The same for a text that is no URL, such as a secret: values are taken as they are.
///
/// # Errors
///
/// As [`expanded`].
pub(crate) fn expanded_text(text: &str) -> Result<String> {
    let parts = parts(text, &looked_up)?;
    Ok(parts.concat())
}

/// The files whose contents [`expanded`] puts into this URL.
pub(crate) fn secret_files(url: &str) -> Vec<PathBuf> {
    let files = RefCell::new(Vec::new());
    // An error is one of `expanded` too, which says so.
    let _ = expand(url, &|source| {
        let file = match source {
            SecretSource::Env(_) => None,
            SecretSource::File(path) => Some(path.into()),
            SecretSource::Credential(name) => credential_file(name).ok(),
        };
        files.borrow_mut().extend(file);
        Ok(String::new())
    });
    files.into_inner()
}

/// Replaces each value that was taken from the environment or a file by `***`, wherever it stands:
/// in a path, in what a camera answers, in what a program says.
pub(crate) fn masked(mut text: String) -> String {
    for value in known().iter() {
        if text.contains(&**value) {
            text = text.replace(&**value, "***");
        }
    }
    text
}

/// The same in the texts of some JSON, but for names and words that programs read. `None` if there
/// is nothing to replace.
pub(crate) fn masked_json(json: &[u8]) -> Option<String> {
    let text = str::from_utf8(json).ok()?;
    if !known().iter().any(|value| text.contains(&**value)) {
        return None;
    }
    let mut value = serde_json::from_str(text).ok()?;
    mask_texts(&mut value);
    Some(value.to_string())
}

fn mask_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = masked(std::mem::take(text)),
        Value::Array(items) => items.iter_mut().for_each(mask_texts),
        Value::Object(members) => {
            let texts = members
                .iter_mut()
                .filter(|(key, _)| !WORDS.contains(&&***key));
            texts.for_each(|(_, value)| mask_texts(value));
        }
        _ => {}
    }
}

/// Remembers a value as it is, and as it stands in a URL, in quotes and in JSON. Of one with
/// several lines, also each line: programs are quoted line by line.
pub(crate) fn remember(value: &str) {
    let mut known = known();
    for value in iter::once(value).chain(value.lines()) {
        let within = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
        for text in [
            value.to_owned(),
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
            within(format!("{value:?}")),
            within(Value::from(value).to_string()),
            escaped(value).into_owned(),
        ] {
            if text.len() >= SHORTEST && !known.contains(&text) {
                known.push(text);
            }
        }
    }
    // One may be a part of another, of which nothing may be left.
    known.sort_by_key(|text| Reverse(text.len()));
}

fn known() -> MutexGuard<'static, Vec<String>> {
    static KNOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    // Held for a look; each step leaves the list whole.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks a value up, and remembers it.
fn looked_up(source: SecretSource<'_>) -> Result<String> {
    let value = match source {
        SecretSource::Env(name) => from_env(name),
        SecretSource::File(path) => from_file(path),
        SecretSource::Credential(name) => from_credential(name),
    }?;
    remember(&value);
    Ok(value)
}

/// Where a value is.
enum SecretSource<'a> {
    Env(&'a str),
    File(&'a str),
    Credential(&'a str),
}

type Lookup<'a> = &'a dyn Fn(SecretSource<'_>) -> Result<String>;

fn expand(url: &str, value_of: Lookup<'_>) -> Result<String> {
    if !BEGINS.iter().any(|(begin, _)| url.contains(begin)) {
        return Ok(url.into());
    }
    if let Some(command_line) = url.strip_prefix("exec:") {
        let words = shlex::split(command_line);
        let words = words.context("a quotation mark in the command line is never closed")?;
        let expanded = words.iter().map(|word| Ok(parts(word, value_of)?.concat()));
        let expanded = expanded.collect::<Result<Vec<_>>>()?;
        let line = shlex::try_join(expanded.iter().map(String::as_str));
        return Ok(format!(
            "exec:{}",
            line.context("a NUL byte is in the command line")?
        ));
    }
    let mut out = String::new();
    let parts = parts(url, value_of)?;
    for (at, part) in parts.0.iter().enumerate() {
        match part {
            ExpandedPart::Text(text) => out += text,
            ExpandedPart::Value(value) if parts.is_login(at) => {
                out.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
            }
            ExpandedPart::Value(value) => out += value,
        }
    }
    Ok(out)
}

/// A text in parts.
struct Parts<'a>(Vec<ExpandedPart<'a>>);

enum ExpandedPart<'a> {
    /// As it was written.
    Text(&'a str),
    Value(String),
}

impl Parts<'_> {
    fn concat(&self) -> String {
        let texts = self.0.iter().map(|part| match part {
            ExpandedPart::Text(text) => text,
            ExpandedPart::Value(value) => value.as_str(),
        });
        texts.collect()
    }

    /// Whether this part is in the user name or password of a URL: between `//` and an `@`, with
    /// nothing in between that ends an authority (RFC 3986 section 3.2).
    fn is_login(&self, at: usize) -> bool {
        let texts = |parts: &[ExpandedPart<'_>]| -> String {
            let text = |part: &ExpandedPart<'_>| match part {
                ExpandedPart::Text(text) => (*text).to_owned(),
                ExpandedPart::Value(_) => String::new(),
            };
            parts.iter().map(text).collect()
        };
        let (before, after) = (texts(&self.0[..at]), texts(&self.0[at + 1..]));
        let Some((_, authority)) = before.split_once("//") else {
            return false;
        };
        let ends = ['/', '?', '#'];
        let rest = after.split(ends).next().unwrap_or_default();
        !authority.contains(ends) && rest.contains('@')
    }
}

/// Finds the values in a text.
fn parts<'a>(mut text: &'a str, value_of: Lookup<'_>) -> Result<Parts<'a>> {
    let mut parts = Vec::new();
    while let Some((at, begin, place)) = BEGINS
        .iter()
        .filter_map(|(begin, place)| Some((text.find(begin)?, *begin, *place)))
        .min_by_key(|(at, ..)| *at)
    {
        let named = &text[at + begin.len()..];
        let (name, rest) = named
            .split_once('}')
            .with_context(|| format!("the '}}' after \"{begin}\" is missing"))?;
        parts.push(ExpandedPart::Text(&text[..at]));
        parts.push(ExpandedPart::Value(value_of(place(name))?));
        text = rest;
    }
    parts.push(ExpandedPart::Text(text));
    Ok(Parts(parts))
}

fn from_env(name: &str) -> Result<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        bail!("${{env:NAME}} takes the name of an environment variable");
    }
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => bail!("the environment variable {name} is not set"),
        Err(env::VarError::NotUnicode(_)) => bail!("the environment variable {name} is not UTF-8"),
    }
}

fn from_file(path: &str) -> Result<String> {
    read(Path::new(path), &format!("${{file:{path}}}"))
}

fn from_credential(name: &str) -> Result<String> {
    read(&credential_file(name)?, &format!("${{credential:{name}}}"))
}

fn credential_file(name: &str) -> Result<PathBuf> {
    let is_name = !matches!(name, "" | "." | "..") && !name.contains('/');
    ensure!(
        is_name,
        "${{credential:NAME}} takes the name of a credential"
    );
    let folder = env::var_os("CREDENTIALS_DIRECTORY").with_context(|| {
        format!("${{credential:{name}}}: there are none; start with LoadCredential={name}:…")
    })?;
    Ok(Path::new(&folder).join(name))
}

/// Reads a value from a file, which errors call by this name.
fn read(path: &Path, shown: &str) -> Result<String> {
    let failed = || shown.to_owned();
    let file = File::open(path).with_context(failed)?;
    let mut text = String::new();
    // It may be a pipe of the shell: <(pass show camera).
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    read.with_context(failed)?;
    ensure!(
        text.len() as u64 <= MOST_BYTES,
        "{shown} is larger than {MOST_BYTES} bytes"
    );
    let bare = text.strip_suffix('\n').unwrap_or(&text);
    Ok(bare.strip_suffix('\r').unwrap_or(bare).into())
}

type MakePlace = fn(&str) -> SecretSource<'_>;

/// How a value begins, and where it is then.
const BEGINS: [(&str, MakePlace); 3] = [
    ("${env:", |name| SecretSource::Env(name)),
    ("${file:", |path| SecretSource::File(path)),
    ("${credential:", |name| SecretSource::Credential(name)),
];

/// Keys whose values are no texts, but what programs go by. A value may happen to be the same.
const WORDS: [&str; 9] = [
    "name", "stream", "id", "state", "change", "code", "origin", "version", "at",
];

/// Shorter values are not masked: they are parts of other words.
const SHORTEST: usize = 4;

/// The largest file.
const MOST_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded_with(url: &str, value: &str) -> String {
        let lookup = |place: SecretSource<'_>| match place {
            SecretSource::Env("NAME") | SecretSource::File("/run/a@b") => Ok(value.to_owned()),
            SecretSource::Env(other)
            | SecretSource::File(other)
            | SecretSource::Credential(other) => {
                bail!("no {other}")
            }
        };
        expand(url, &lookup).unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn value_is_encoded_in_a_login_and_taken_as_it_is_elsewhere() {
        for (url, value, expected) in [
            (
                "http://me:${env:NAME}@cam/",
                "p@ss:/w",
                "http://me:p%40ss%3A%2Fw@cam/",
            ),
            (
                "http://${file:/run/a@b}:x@cam/",
                "m e",
                "http://m%20e:x@cam/",
            ),
            (
                "http://${env:NAME}:${env:NAME}@cam/?t=${env:NAME}",
                "a:b",
                "http://a%3Ab:a%3Ab@cam/?t=a:b",
            ),
            ("http://${env:NAME}/a@b", "cam:80", "http://cam:80/a@b"),
            (
                "http://cam/#header=X:${env:NAME}",
                "k%20",
                "http://cam/#header=X:k%20",
            ),
            ("${env:NAME}", "tcp://cam:1", "tcp://cam:1"),
            (
                "exec:a -t ${env:NAME} 'x ${env:NAME}'",
                "p w'",
                "exec:a -t \"p w'\" \"x p w'\"",
            ),
            ("exec:sh -c 'echo ${HOME}'", "", "exec:sh -c 'echo ${HOME}'"),
            ("http://cam/${x}", "", "http://cam/${x}"),
            ("http://me:${env:OTHER}@cam/", "", "no OTHER"),
            (
                "http://me:${env:NAME@cam/",
                "",
                "the '}' after \"${env:\" is missing",
            ),
        ] {
            assert_eq!(expanded_with(url, value), expected, "{url}");
        }
    }

    #[test]
    fn value_that_was_taken_is_masked_wherever_it_stands() {
        remember("hunter2/é");
        remember("abc");
        let text = "GET /hunter2/é?x=hunter2%2F%C3%A9 abc".to_owned();
        assert_eq!(masked(text), "GET /***?x=*** abc");
    }

    #[test]
    fn value_is_masked_in_the_texts_of_json_and_in_nothing_that_programs_go_by() {
        remember("garage-of-json");
        remember("q\"of json");
        let json = r#"{"name":"garage-of-json","garage-of-json":[{"source":"tcp://garage-of-json"}],
            "text":"q\"of json, said","fps":1.5,"online":true}"#;
        let masked = masked_json(json.as_bytes()).unwrap();
        let expected = r#"{"name":"garage-of-json","garage-of-json":[{"source":"tcp://***"}],
            "text":"***, said","fps":1.5,"online":true}"#;
        let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(value(&masked), value(expected));
        assert_eq!(masked_json(b"{\"text\":\"nothing\"}"), None);
    }

    #[test]
    fn value_is_masked_in_quotes_and_line_by_line() {
        let value = "q\"uo\\te\u{1b}\nnext-line";
        remember(value);
        remember("next-line, longer");
        let json = Value::from(format!("{{{value}}}")).to_string();
        for (text, shown) in [
            (value.to_owned(), "***"),
            (format!("{value:?}"), "\"***\""),
            (json, "\"{***}\""),
            (escaped(value).into_owned(), "***"),
            (format!("{:?}", Some(value)), "Some(\"***\")"),
            ("said next-line / q\"uo\\te\u{1b}".into(), "said *** / ***"),
            ("next-line, longer".into(), "***"),
        ] {
            assert_eq!(masked(text.clone()), shown, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = |url: &str| format!("{:#}", expanded(url).unwrap_err());
        let missing = error("tcp://${env:MJPEG_NO_SUCH_VARIABLE}:1");
        assert_eq!(
            missing,
            "the environment variable MJPEG_NO_SUCH_VARIABLE is not set"
        );
        assert!(error("tcp://${file:/no/such/file}:1").contains("/no/such/file"));
        assert!(error("tcp://${file:/dev/zero}:1").contains("/dev/zero"));
        assert!(error("tcp://${env:}:1").contains("takes the name"));
        for name in ["", "..", "a/b"] {
            let error = error(&format!("tcp://${{credential:{name}}}:1"));
            assert!(error.contains("takes the name"), "{error}");
        }
    }
}

//! Texts of sources as they are written: with references in place of passwords.

use std::collections::{BTreeSet, HashSet};

use mjpeg_manager::mjpeg_ingest::redacted;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{found::ForeignSource, marks::Marks};

/// Environment variables that hold what must not be in a file.
pub(super) struct Secrets<'m> {
    marks: &'m Marks,
    /// Names, and what each is for.
    pub(super) named: Vec<(String, String)>,
    /// The names of all of them.
    taken: HashSet<String>,
    /// How many the present source has.
    of_source: usize,
    /// Variables that the other configuration names.
    pub(super) variables: BTreeSet<String>,
}

/// A source as it is written, and as it is checked.
#[derive(Default)]
pub(super) struct WrittenSource {
    pub(super) text: String,
    /// With the values of secrets.
    pub(super) plain: String,
    /// What stands in `text` as it was in the other configuration, since the last reference.
    run: String,
}

/// Where a value stands, which decides how it is inserted.
#[derive(Clone, Copy, PartialEq)]
enum Insertion {
    /// The user name or password of a URL, where values are encoded.
    Login,
    /// Elsewhere: values are inserted unchanged.
    Other,
}

impl<'m> Secrets<'m> {
    pub(super) fn new(marks: &'m Marks) -> Self {
        Self {
            marks,
            named: Vec::new(),
            taken: HashSet::new(),
            of_source: 0,
            variables: BTreeSet::new(),
        }
    }

    /// Forgets secrets but the first so many: their source is not carried over.
    pub(super) fn forget(&mut self, but: usize) {
        for (name, _) in self.named.drain(but..) {
            self.taken.remove(&name);
        }
    }

    /// Writes a source of this stream.
    ///
    /// # Errors
    ///
    /// If it has references of ours, which would be replaced, or cannot be written.
    pub(super) fn write(
        &mut self,
        source: &ForeignSource,
        stream: &str,
    ) -> Result<WrittenSource, String> {
        let length = match source {
            ForeignSource::Url(url) => url.len(),
            ForeignSource::Command(words) => words.iter().map(|word| word.len() + 1).sum(),
        };
        if length > MOST_SOURCE_BYTES {
            return Err(TOO_LONG.into());
        }
        self.of_source = 0;
        match source {
            ForeignSource::Url(url) => {
                let mut out = WrittenSource::default();
                self.url(url, stream, &mut out)?;
                Ok(out)
            }
            ForeignSource::Command(words) => self.command(words, stream),
        }
    }

    fn url(&mut self, url: &str, stream: &str, out: &mut WrittenSource) -> Result<(), String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return self.text(url, out);
        };
        self.text(&format!("{scheme}://"), out)?;
        let (rest, options) = rest
            .split_once('#')
            .map_or((rest, None), |(a, b)| (a, Some(b)));
        let ends = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(ends);
        if let Some((login, host)) = authority.rsplit_once('@') {
            match login.split_once(':') {
                Some((user, password)) => {
                    self.text(user, out)?;
                    self.text(":", out)?;
                    self.secret(password, "PASSWORD", stream, Insertion::Login, out)?;
                }
                None => self.secret(login, "LOGIN", stream, Insertion::Login, out)?,
            }
            self.text("@", out)?;
            self.text(host, out)?;
        } else {
            self.text(authority, out)?;
        }
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(a, b)| (a, Some(b)));
        self.text(path, out)?;
        if let Some(query) = query {
            self.pairs("?", query, '=', stream, out)?;
        }
        match options {
            Some(options) => self.pairs("#", options, ':', stream, out),
            None => Ok(()),
        }
    }

    /// Writes `name=value&…`, in which some values are secret.
    fn pairs(
        &mut self,
        begin: &str,
        text: &str,
        between: char,
        stream: &str,
        out: &mut WrittenSource,
    ) -> Result<(), String> {
        let mut before = begin;
        for pair in text.split('&') {
            self.text(before, out)?;
            before = "&";
            match pair.split_once(between) {
                Some((name, value)) if is_secret_name(name) => {
                    self.text(&format!("{name}{between}"), out)?;
                    self.secret(value, "SECRET", stream, Insertion::Other, out)?;
                }
                _ => self.text(pair, out)?,
            }
        }
        Ok(())
    }

    fn command(&mut self, words: &[String], stream: &str) -> Result<WrittenSource, String> {
        let mut out = WrittenSource {
            text: "exec:".into(),
            plain: "exec:".into(),
            run: String::new(),
        };
        let is_curl = words.first().is_some_and(|program| {
            let name = program.rsplit('/').next().unwrap_or_default();
            ["curl", "wget"].contains(&name)
        });
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |before| &words[before]);
            let mut one = WrittenSource::default();
            self.word(before, word, is_curl, stream, &mut one)?;
            for (whole, part) in [(&mut out.text, one.text), (&mut out.plain, one.plain)] {
                if at > 0 {
                    whole.push(' ');
                }
                let quoted = shlex::try_quote(&part);
                *whole += &quoted.map_err(|_| "a NUL byte is in its command")?;
            }
        }
        Ok(out)
    }

    fn word(
        &mut self,
        before: &str,
        word: &str,
        is_curl: bool,
        stream: &str,
        out: &mut WrittenSource,
    ) -> Result<(), String> {
        let is_login = is_curl && ["-u", "--user"].contains(&before);
        let is_option = before.starts_with("--") && is_secret_name(before.trim_start_matches('-'));
        if is_login || is_option {
            return self.secret(word, "SECRET", stream, Insertion::Other, out);
        }
        if word.contains("://") {
            return self.url_of_word(word, stream, out);
        }
        match word.find(['=', ':']) {
            Some(at) if is_secret_name(&word[..at]) => {
                self.text(&word[..=at], out)?;
                self.secret(&word[at + 1..], "SECRET", stream, Insertion::Other, out)
            }
            _ => self.text(word, out),
        }
    }

    /// Writes a URL that is an argument: values are not encoded there, so they are kept as they
    /// are.
    fn url_of_word(
        &mut self,
        word: &str,
        stream: &str,
        out: &mut WrittenSource,
    ) -> Result<(), String> {
        let mut inner = WrittenSource::default();
        let (before, rest) = word.split_once("://").unwrap_or(("", word));
        let ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(ends);
        self.text(&format!("{before}://"), &mut inner)?;
        match authority.rsplit_once('@') {
            Some((login, host)) => {
                let (user, password) = login.split_at(login.find(':').map_or(0, |at| at + 1));
                self.text(user, &mut inner)?;
                self.secret(password, "PASSWORD", stream, Insertion::Other, &mut inner)?;
                self.text(&format!("@{host}"), &mut inner)?;
            }
            None => self.text(authority, &mut inner)?,
        }
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(a, b)| (a, Some(b)));
        self.text(path, &mut inner)?;
        if let Some(query) = query {
            self.pairs("?", query, '=', stream, &mut inner)?;
        }
        out.text += &inner.text;
        out.plain += &inner.plain;
        Ok(())
    }

    /// Writes what is no secret, with its variables.
    fn text(&mut self, text: &str, out: &mut WrittenSource) -> Result<(), String> {
        for c in text.chars() {
            match self.marks.variable(c) {
                Some(name) => {
                    out.reference(name, STAND_IN);
                    self.variables.insert(name.into());
                }
                None => {
                    out.text.push(c);
                    out.plain.push(c);
                    out.run.push(c);
                }
            }
        }
        match BEGINS.iter().find(|begin| out.run.contains(**begin)) {
            Some(begin) => Err(format!(
                "it has \"{begin}\", which stands for something else in our configuration"
            )),
            None => Ok(()),
        }
    }

    /// Writes a reference in place of a secret; what is a variable already stays one.
    fn secret(
        &mut self,
        value: &str,
        what: &str,
        stream: &str,
        within: Insertion,
        out: &mut WrittenSource,
    ) -> Result<(), String> {
        let is_variable = |c: char| self.marks.variable(c).is_some();
        if value.is_empty() || value.chars().all(is_variable) {
            return self.text(value, out);
        }
        if value.contains(is_variable) {
            return Err("a secret of it is made of variables and text; put it into one".into());
        }
        self.of_source += 1;
        if self.of_source > MOST_SECRETS {
            return Err("it has more than 16 secrets".into());
        }
        let decoded = match within {
            Insertion::Login => percent_decode_str(value).decode_utf8(),
            Insertion::Other => Ok(value.into()),
        };
        let decoded = decoded.map_err(|_| "its password is no UTF-8")?;
        let name = self.name(stream, what);
        let how = match decoded == value {
            true => "",
            false => ", decoded: a % with two digits is the character that it stands for",
        };
        let thing = what.to_ascii_lowercase();
        self.taken.insert(name.clone());
        self.named.push((
            name.clone(),
            format!("the {thing} of the stream {stream}{how}"),
        ));
        let plain = match within {
            Insertion::Login => utf8_percent_encode(&decoded, NON_ALPHANUMERIC).to_string(),
            Insertion::Other => decoded.into_owned(),
        };
        out.reference(&name, &plain);
        Ok(())
    }

    /// A name for a variable that is free.
    fn name(&self, stream: &str, what: &str) -> String {
        let stream = stream.to_ascii_uppercase().replace('-', "_");
        let begin = match stream.starts_with(|c: char| c.is_ascii_digit()) {
            true => "CAMERA_",
            false => "",
        };
        let base = format!("{begin}{stream}_{what}");
        let is_taken = |name: &str| self.variables.contains(name) || self.taken.contains(name);
        let mut name = base.clone();
        let mut number = 1_usize;
        while is_taken(&name) {
            number += 1;
            name = format!("{base}_{number}");
        }
        name
    }
}

impl WrittenSource {
    fn reference(&mut self, name: &str, value: &str) {
        self.text += &format!("${{env:{name}}}");
        self.plain += value;
        self.run.clear();
    }
}

/// Whether a value of this name is a secret.
fn is_secret_name(name: &str) -> bool {
    let is_short = ["p", "psw", "pswd"].contains(&&*name.to_ascii_lowercase());
    is_short || (!name.is_empty() && redacted(&format!("{name}=x")) == format!("{name}=***"))
}

/// What a variable may hold whose value is not known: it can be a host, a port or a part of a path.
const STAND_IN: &str = "1";

/// The longest source, in bytes.
pub(super) const MOST_SOURCE_BYTES: usize = 8192;

pub(super) const TOO_LONG: &str = "its source is longer than 8 KiB";

/// The most secrets of one source.
const MOST_SECRETS: usize = 16;

/// How references begin.
const BEGINS: [&str; 3] = ["${env:", "${file:", "${credential:"];

//! Command lines in scripts, in units of systemd, and alone.

use std::collections::BTreeMap;

/// Finds each call of one of these programs, and returns its arguments. Variables that the text
/// sets are replaced; those that it does not are left as they are.
pub(super) fn calls(text: &str, programs: &[&str]) -> Vec<Vec<String>> {
    let mut script = ShellScript {
        is_unit: text.lines().any(|line| line.trim() == "[Service]"),
        variables: BTreeMap::new(),
        programs,
        calls: Vec::new(),
    };
    for line in joined(text) {
        script.line(&line);
    }
    script.calls
}

/// The variables of a shell that a text sets.
pub(super) fn variables(text: &str) -> BTreeMap<String, String> {
    let mut script = ShellScript {
        is_unit: false,
        variables: BTreeMap::new(),
        programs: &[],
        calls: Vec::new(),
    };
    for line in joined(text) {
        script.line(&line);
    }
    script.variables
}

/// The words of a command line, whose quotes may not match.
pub(super) fn words(line: &str) -> Vec<String> {
    let split = shlex::split(line);
    split.unwrap_or_else(|| line.split_whitespace().map(Into::into).collect())
}

struct ShellScript<'a> {
    is_unit: bool,
    variables: BTreeMap<String, String>,
    programs: &'a [&'a str],
    calls: Vec<Vec<String>>,
}

impl ShellScript<'_> {
    fn line(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return;
        }
        if self.is_unit {
            match line.split_once('=') {
                Some(("Environment", assignments)) => {
                    words(assignments)
                        .iter()
                        .for_each(|word| _ = self.assign(word));
                }
                Some((key, "")) if key.trim() == "ExecStart" => self.calls.clear(),
                Some((key, command)) if key.trim() == "ExecStart" => self.command(command),
                _ => {}
            }
            return;
        }
        let line = self.expanded(line);
        let split = words(&line);
        let settings = match split.first().map(String::as_str) {
            Some("export") => &split[1..],
            _ => &split[..],
        };
        if !settings.iter().all(|word| self.assign(word)) {
            self.split_command(&split);
        }
    }

    /// Sets a variable. Returns whether the word says so.
    fn assign(&mut self, word: &str) -> bool {
        let Some((name, value)) = word.split_once('=') else {
            return false;
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return false;
        }
        if value.len() <= MOST_BYTES && self.variables.len() < MOST_VARIABLES {
            self.variables.insert(name.into(), value.into());
        }
        true
    }

    fn command(&mut self, line: &str) {
        let bare = line
            .trim_start()
            .trim_start_matches(['-', '@', ':', '+', '!']);
        let line = self.expanded(bare);
        self.split_command(&words(&line));
    }

    fn split_command(&mut self, split: &[String]) {
        let is_it = |word: &String| {
            let name = word.rsplit('/').next().unwrap_or_default();
            self.programs.contains(&name)
        };
        if self.calls.len() >= MOST_CALLS {
            return;
        }
        if let Some(at) = split.iter().position(is_it) {
            let ends = |word: &&String| {
                let first = word.trim_start_matches(|c: char| c.is_ascii_digit());
                !first.starts_with(['&', ';', '|', '>', '<'])
            };
            let args = split[at + 1..].iter().take_while(ends);
            let args = args.map(|word| word.trim_end_matches([';', '&']).to_owned());
            self.calls.push(args.collect());
            return;
        }
        // sh -c "program …"
        let is_shell =
            |word: &String| ["sh", "bash"].contains(&word.rsplit('/').next().unwrap_or(""));
        let inner = split.iter().skip_while(|word| !is_shell(word)).skip(1);
        let mut inner = inner.filter(|word| word.contains(char::is_whitespace));
        if let Some(line) = inner
            .next()
            .filter(|line| line.len() < split.concat().len())
        {
            self.split_command(&words(line));
        }
    }

    /// Replaces variables, but not within single quotes of a shell.
    fn expanded(&self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        let (mut rest, mut quote) = (line, None);
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match (c, quote) {
                ('\\', None | Some('"')) => {
                    let next = rest.chars().next();
                    out.push(c);
                    out.extend(next);
                    rest = &rest[next.map_or(0, char::len_utf8)..];
                    continue;
                }
                ('"' | '\'', None) => quote = Some(c),
                (_, Some(open)) if c == open => quote = None,
                ('$', open) if open != Some('\'') || self.is_unit => {
                    if let Some((value, after)) = self.variable(rest)
                        && out.len() + value.len() <= MOST_BYTES
                    {
                        push_value(&mut out, value, open);
                        rest = after;
                        continue;
                    }
                }
                _ => {}
            }
            out.push(c);
        }
        out
    }

    /// The value of the variable that a text begins with, and what follows.
    fn variable<'a>(&'a self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let (name, after) = match text.strip_prefix('{') {
            Some(braced) => {
                let end = braced
                    .bytes()
                    .take(MOST_REFERENCE)
                    .position(|b| b == b'}')?;
                (&braced[..end], &braced[end + 1..])
            }
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()))
            }
        };
        let (name, default) = match name.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (name, None),
        };
        let value = self.variables.get(name).map(String::as_str);
        Some((value.or(default)?, after))
    }
}

/// Inserts a value so that quotes in it stay what they are. Without quotes, blanks split it.
fn push_value(out: &mut String, value: &str, quote: Option<char>) {
    for c in value.chars() {
        let is_special = match quote {
            None => "\"'\\$`#&;|<>()".contains(c),
            Some('"') => "\"\\$`".contains(c),
            Some(_) => false,
        };
        match (c, quote) {
            // A single quote cannot stand within single quotes.
            ('\'', Some('\'')) => *out += "'\\''",
            _ if is_special => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
}

/// The lines of a text, in which a backslash at the end joins the next one.
fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        if open.is_some() && is_comment {
            continue;
        }
        let (line, goes_on) = match line.trim_end().strip_suffix('\\') {
            Some(begin) if !is_comment => (begin, true),
            _ => (line, false),
        };
        let whole = open.take().map_or_else(String::new, |open| open + " ") + line;
        match goes_on {
            true => open = Some(whole),
            false => lines.push(whole),
        }
    }
    lines.extend(open);
    lines
}

/// The longest value, and the longest line with its variables replaced.
const MOST_BYTES: usize = 64 << 10;

/// The longest `${NAME:-default}`.
const MOST_REFERENCE: usize = 128;

const MOST_VARIABLES: usize = 1000;

/// The most calls of one file.
const MOST_CALLS: usize = 1000;

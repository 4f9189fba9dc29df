//! Names of files that something else proposes, which may propose anything.

use percent_encoding::percent_decode_str;

/// The name that a `Content-Disposition` proposes, as a plain one that ends like this. `None` if it
/// proposes none.
pub(super) fn proposed(disposition: &str, ending: &str) -> Option<String> {
    let (mut usual, mut extended) = (None, None);
    for (key, value) in parameters(disposition) {
        match key.to_ascii_lowercase().as_str() {
            "filename" => usual = usual.or(Some(value)),
            // RFC 8187: UTF-8''NAME
            "filename*" => {
                let encoded = value.splitn(3, '\'').nth(2);
                let decoded = encoded.map(|text| percent_decode_str(text).decode_utf8_lossy());
                extended = extended.or(decoded.map(|name| name.into_owned()));
            }
            _ => {}
        }
    }
    let name = extended.or(usual)?;
    (!name.is_empty()).then(|| plain(&name, ending))
}

/// The same name without what leads elsewhere, hides a file, steers a terminal, or looks like an
/// option. It ends with a dot and this.
pub(super) fn plain(name: &str, ending: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = last.trim().chars().map(|c| match c {
        '.' | '-' | '_' => c,
        c if c.is_alphanumeric() => c,
        _ => '_',
    });
    let kept: String = kept.take(LONGEST).collect();
    let kept = kept.trim_start_matches(['.', '-']);
    let suffix = format!(".{ending}");
    let stem = kept.strip_suffix(&suffix).unwrap_or(kept);
    let stem = if stem.is_empty() { "movie" } else { stem };
    format!("{stem}{suffix}")
}

/// The parameters behind the first word, in which a quoted value may hold anything.
fn parameters(text: &str) -> Vec<(String, String)> {
    let (mut found, mut part) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut parts = Vec::new();
    for c in text.chars() {
        match c {
            _ if is_escaped => {
                is_escaped = false;
                part.push(c);
            }
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(c),
        }
    }
    parts.push(part);
    for part in parts.iter().skip(1) {
        if let Some((key, value)) = part.split_once('=') {
            found.push((key.trim().into(), value.trim().into()));
        }
    }
    found
}

/// Characters: of four bytes each, they fit where names have at most 255 bytes.
const LONGEST: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_read_from_each_form() {
        for (disposition, expected) in [
            ("attachment; filename=\"door-1.mov\"", Some("door-1.mov")),
            ("attachment; filename=door-1.mov", Some("door-1.mov")),
            ("attachment;FileName = door", Some("door.mov")),
            (
                "attachment; filename=\"a.mov\"; filename*=UTF-8''T%C3%BCr.mov",
                Some("Tür.mov"),
            ),
            ("attachment; filename=\"a;b\\\"c.mov\"", Some("a_b_c.mov")),
            ("attachment", None),
            ("attachment; filename=\"\"", None),
            ("filename=no.mov", None),
        ] {
            let name = proposed(disposition, "mov");
            assert_eq!(name.as_deref(), expected, "{disposition}");
        }
    }

    #[test]
    fn name_leads_nowhere_else_and_steers_nothing() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd.mov"),
            ("..\\..\\boot.ini", "boot.ini.mov"),
            ("..", "movie.mov"),
            ("/", "movie.mov"),
            (".bashrc", "bashrc.mov"),
            (".mov", "mov.mov"),
            ("--force", "force.mov"),
            ("a\u{1b}[2J\nb\u{202e}\0.mov", "a__2J_b__.mov"),
            ("C:evil.mov", "C_evil.mov"),
            ("two words.mov", "two_words.mov"),
            ("", "movie.mov"),
        ] {
            assert_eq!(plain(name, "mov"), expected, "{name:?}");
        }
        let long = plain(&"é".repeat(300), "mov");
        assert_eq!(long, format!("{}.mov", "é".repeat(60)));
    }
}

//! Comments and texts of TOML, in which nothing steers a terminal.

use mjpeg_manager::mjpeg_ingest::escaped;

/// Writes a comment in lines of at most 100 columns, the first of which begins with `begin`.
pub(super) fn comment(out: &mut String, begin: &str, text: &str) {
    let text = escaped(text);
    let mut line = begin.to_owned();
    let mut is_empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = line.chars().count() + word.chars().count() + 1;
        if !is_empty && width > COLUMNS {
            *out += line.trim_end();
            out.push('\n');
            line = format!("#{}", " ".repeat(begin.len() - 1));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += word;
        is_empty = false;
    }
    *out += line.trim_end();
    out.push('\n');
}

/// Writes remarks.
pub(super) fn bullets(out: &mut String, notes: &[String]) {
    for note in notes.iter().take(MOST_NOTES) {
        comment(out, "# * ", note);
    }
    if notes.len() > MOST_NOTES {
        comment(
            out,
            "# * ",
            &format!("and {} more", notes.len() - MOST_NOTES),
        );
    }
}

/// Writes a text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let is_safe = escaped(c.encode_utf8(&mut [0; 4])).chars().eq([c]);
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if is_safe => out.push(c),
            _ => out += &format!("\\U{:08X}", u32::from(c)),
        }
    }
    out.push('"');
    out
}

const COLUMNS: usize = 100;

/// The most remarks about one camera, and about all settings.
pub(super) const MOST_NOTES: usize = 50;

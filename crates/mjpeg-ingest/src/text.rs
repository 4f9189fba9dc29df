//! Texts that somebody else wrote, made fit to be shown.

use std::borrow::Cow;

/// Escapes what would make a terminal, a log or a page show something other than the characters of
/// the text: control characters, such as ESC, BEL and line ends; characters that change the
/// direction of the text around them (UAX #9); and characters that are invisible.
///
/// A camera, a program or a file's name may contain any of them. They are written as in Rust:
/// `\n`, `\u{1b}`. To escape a text twice changes nothing more.
///
/// ```
/// use mjpeg_ingest::escaped;
///
/// assert_eq!(escaped("front door"), "front door");
/// assert_eq!(escaped("\u{1b}[2J\u{202e}rood"), "\\u{1b}[2J\\u{202e}rood");
/// ```
pub fn escaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else {
        return text.into();
    };
    let (plain, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out += plain;
    for c in rest.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.into()
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{61C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_hides_is_escaped_and_nothing_else() {
        for (text, shown) in [
            ("a\u{1b}[31mb\u{7}\0", "a\\u{1b}[31mb\\u{7}\\u{0}"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}2J\u{85}", "\\u{9b}2J\\u{85}"),
            (
                "\u{202e}gpj.\u{2066}\u{200f}",
                "\\u{202e}gpj.\\u{2066}\\u{200f}",
            ),
            ("\u{feff}a\u{2028}", "\\u{feff}a\\u{2028}"),
            ("Straße 門 🚪 \\u{1b}", "Straße 門 🚪 \\u{1b}"),
            ("", ""),
        ] {
            assert_eq!(escaped(text), shown);
            assert_eq!(escaped(&escaped(text)), shown, "once is enough");
        }
    }
}

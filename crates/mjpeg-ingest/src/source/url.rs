//! Writing paths as parts of URLs.

use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

/// Writes a path as the part of a URL after `scheme://`.
pub(super) fn path_text(path: &Path) -> String {
    percent_encode(path.as_os_str().as_encoded_bytes(), PATH).to_string()
}

/// The characters to encode in a path, besides those that are not ASCII.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_encoded_where_it_must_be() {
        let text = path_text(Path::new("/a b/c?d#e%20\u{e4}.mjpeg"));
        assert_eq!(text, "/a%20b/c%3Fd%23e%2520%C3%A4.mjpeg");
    }
}

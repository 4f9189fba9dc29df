//! The names of formats.

use mjpeg_mux::{ClipFormat, Error};

#[test]
fn format_is_read_from_the_extension_that_it_shows() {
    for format in ClipFormat::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let extensions = ClipFormat::ALL.map(ClipFormat::extension);
    assert_eq!(extensions, ["mov", "avi", "zip", "mjpeg"]);
}

#[test]
fn other_texts_are_no_format() {
    for text in ["", "MOV", ".mov", "mp4", "mov "] {
        assert_eq!(text.parse::<ClipFormat>(), Err(Error::UnknownFormat));
    }
}

#[test]
fn media_types_differ() {
    for format in ClipFormat::ALL {
        let same = ClipFormat::ALL
            .iter()
            .filter(|f| f.media_type() == format.media_type());
        assert_eq!(same.count(), 1);
    }
}

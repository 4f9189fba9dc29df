//! Unsafe code is in the rooms that need it, and nowhere else.

/// The files that may allow it, and why.
const ROOMS: &[(&str, &str)] = &[(
    "crates/mjpeg-ingest/src/source/v4l2/ioctl.rs",
    "ioctl and mmap have no safe form",
)];

/// A problem for a file that allows unsafe code without being one of those rooms. The lint
/// `unsafe_code` of the workspace denies it everywhere else.
pub(super) fn check(file: &str, text: &str) -> Option<String> {
    let is_room = ROOMS.iter().any(|(room, _)| *room == file);
    let plain: String = text.split_whitespace().collect();
    let names = ["allow(", "expect(", "warn("].map(|level| format!("{level}unsafe_code"));
    let allows = names.iter().any(|name| plain.contains(name));
    match (allows, is_room) {
        (true, false) => Some(format!(
            "{file}: it allows unsafe code; use a library, or name the room in \
             xtask/src/tidy/unsafe_code.rs, with its reason"
        )),
        (false, true) => Some(format!(
            "{file}: it allows no unsafe code; it is no room for it"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_allowed_in_its_room_only() {
        let room = ROOMS[0].0;
        let level = "allow";
        let text = format!("#![{level}(\n    unsafe_code,\n    reason = \"…\"\n)]");
        assert_eq!(check(room, &text), None);
        assert!(check("crates/mjpeg-http/src/lib.rs", &text).is_some());
        assert!(check(room, "").is_some());
        assert_eq!(check("crates/mjpeg-http/src/lib.rs", "fn main() {}"), None);
    }
}

//! Figures of a process, from `/proc`.

use std::fs;

use anyhow::{Context as _, Result};

/// The first number after a key such as `VmRSS:` in the status of a process.
pub fn status(id: u32, key: &str) -> Result<u64> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.with_context(|| format!("no {key} in {path}; has the process ended?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_holds_numbers_by_their_keys() {
        let own = std::process::id();
        assert_eq!(status(own, "Pid:").unwrap(), u64::from(own));
        assert!(status(own, "VmRSS:").unwrap() > 0);
        assert!(status(own, "None:").is_err());
        assert!(status(u32::MAX, "VmRSS:").is_err());
    }
}

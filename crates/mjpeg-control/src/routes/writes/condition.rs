//! Conditions of requests (RFC 9110, 13.1).

use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_NONE_MATCH},
};

use crate::{code::ErrorCode, configurator::Condition, error::Error};

/// Reads what must hold for a change to be made.
pub(super) fn condition(headers: &HeaderMap) -> Result<Condition, Error> {
    let (matching, other) = (text(headers, &IF_MATCH)?, text(headers, &IF_NONE_MATCH)?);
    match (matching.as_deref(), other.as_deref()) {
        (None, None) => Ok(Condition::None),
        (Some("*"), None) => Ok(Condition::Exists),
        (Some(tags), None) => strong(tags)
            .map(Condition::Version)
            .ok_or_else(|| not_understood("If-Match is * or a list of quoted versions")),
        (None, Some("*")) => Ok(Condition::Absent),
        (None, Some(_)) => Err(not_understood("If-None-Match is * here, or not there")),
        (Some(_), Some(_)) => Err(not_understood(
            "If-Match and If-None-Match exclude each other",
        )),
    }
}

/// All values of a header, as one.
fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Error> {
    let values = headers.get_all(name).iter();
    let values: Result<Vec<&str>, _> = values.map(|value| value.to_str()).collect();
    let values = values.map_err(|_| not_understood("a condition is not plain text"))?;
    let is_there = !values.is_empty();
    Ok(is_there.then(|| values.join(",").trim().to_owned()))
}

/// The versions in a list of entity tags. Weak ones match nothing (RFC 9110, 13.1.1).
fn strong(mut list: &str) -> Option<Vec<String>> {
    let mut versions = Vec::new();
    loop {
        list = list.trim_start_matches([' ', '\t', ',']);
        if list.is_empty() {
            return Some(versions);
        }
        let (is_weak, quoted) = match list.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, list),
        };
        let (version, rest) = quoted.strip_prefix('"')?.split_once('"')?;
        if !is_weak {
            versions.push(version.to_owned());
        }
        list = rest;
    }
}

fn not_understood(detail: &str) -> Error {
    Error::new(ErrorCode::BadRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(HeaderName, &str)]) -> Result<Condition, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        condition(&headers)
    }

    #[test]
    fn conditions_are_read_as_http_writes_them() {
        let versions = |all: &[&str]| {
            let all = all.iter().map(ToString::to_string);
            Condition::Version(all.collect())
        };
        for (lines, expected) in [
            (&[][..], Condition::None),
            (&[(IF_MATCH, "*")], Condition::Exists),
            (&[(IF_NONE_MATCH, "*")], Condition::Absent),
            (&[(IF_MATCH, "\"a\"")], versions(&["a"])),
            (&[(IF_MATCH, "\"a, b\" ,\"c\"")], versions(&["a, b", "c"])),
            (
                &[(IF_MATCH, "\"a\""), (IF_MATCH, "\"b\"")],
                versions(&["a", "b"]),
            ),
            (&[(IF_MATCH, "W/\"a\"")], versions(&[])),
            (&[(IF_MATCH, "")], versions(&[])),
        ] {
            assert_eq!(read(lines).unwrap(), expected, "{lines:?}");
        }
        for lines in [
            &[(IF_MATCH, "a")][..],
            &[(IF_MATCH, "\"a")],
            &[(IF_MATCH, "*, \"a\"")],
            &[(IF_NONE_MATCH, "\"a\"")],
            &[(IF_MATCH, "*"), (IF_NONE_MATCH, "*")],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn weak_versions_and_others_do_not_match() {
        assert!(!read(&[(IF_MATCH, "W/\"a\"")]).unwrap().holds(Some("a")));
        let one = read(&[(IF_MATCH, "\"a\"")]).unwrap();
        assert!(one.holds(Some("a")) && !one.holds(Some("b")) && !one.holds(None));
        assert!(Condition::Absent.holds(None) && !Condition::Absent.holds(Some("a")));
        assert!(Condition::Exists.holds(Some("a")) && !Condition::Exists.holds(None));
    }
}

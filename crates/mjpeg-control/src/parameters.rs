//! Parameters in a request's URL, and pages of lists.

use std::borrow::Cow;

use http::Uri;

use crate::{error::Error, words::nearest};

/// The parameters of a request.
pub(crate) struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    /// Reads the parameters of a read. Unknown ones are ignored: monitors and pages add some
    /// against caches.
    pub(crate) fn of_read(uri: &'a Uri, known: &[&str]) -> Result<Self, Error> {
        Self::new(uri, known, |_| Ok(()))
    }

    /// Reads the parameters of a change. Each of them must be known, so that no wish is overlooked.
    pub(crate) fn of(uri: &'a Uri, known: &[&str]) -> Result<Self, Error> {
        Self::new(uri, known, |name| Err(nearest(name, "parameter", known)))
    }

    /// Reads the known parameters, each of which may be there once.
    fn new(
        uri: &'a Uri,
        known: &[&str],
        unknown: impl Fn(&str) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let text = uri.query().unwrap_or_default();
        let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !known.contains(&&*name) {
                unknown(&name)?;
                continue;
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(Error::invalid(format!("{name} is given twice")));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }

    /// A truth value.
    pub(crate) fn is(&self, name: &str, default: bool) -> Result<bool, Error> {
        match self.get(name) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(_) => Err(Error::invalid(format!("{name} is true or false"))),
        }
    }

    /// How many items a page has.
    pub(crate) fn limit(&self) -> Result<usize, Error> {
        let Some(text) = self.get("limit") else {
            return Ok(DEFAULT_LIMIT);
        };
        let limit = text.parse().ok();
        let limit = limit.filter(|limit| (1..=MOST_ITEMS).contains(limit));
        limit.ok_or_else(|| Error::invalid(format!("limit is a number from 1 to {MOST_ITEMS}")))
    }

    /// Cuts a page from the items of a list that follow the cursor. Returns the cursor of the next
    /// page, if there is one: that of the last item.
    pub(crate) fn page<T>(
        &self,
        mut following: Vec<T>,
        cursor: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let limit = self.limit()?;
        let is_more = following.len() > limit;
        following.truncate(limit);
        let next = following.last().filter(|_| is_more).map(cursor);
        Ok((following, next))
    }

    /// Where a page begins.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.get("cursor")
    }
}

/// Says that a cursor is none of ours.
pub(crate) fn invalid_cursor() -> Error {
    Error::invalid("the cursor is not one that a page named as its next")
}

/// The parameters of a list.
pub(crate) const PAGE: &[&str] = &["limit", "cursor"];

const DEFAULT_LIMIT: usize = 100;
const MOST_ITEMS: usize = 1000;

//! All cases.

mod cost;
mod cuts;
mod demand;
mod engine;
mod frozen;
mod kill;
mod many;
mod orderly;
mod slow;
mod unplugged;

use crate::case::Case;

/// All cases, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [
        kill::CASES,
        cuts::CASES,
        orderly::CASES,
        engine::CASES,
        frozen::CASES,
        slow::CASES,
        unplugged::CASES,
        demand::CASES,
        many::CASES,
        cost::CASES,
    ]
    .into_iter()
    .flatten()
}

//! A row of the table, ready to be measured.

use anyhow::Result;

use crate::picture::Judge;
use crate::rows::{FRAMES, Row, Shot};

pub(crate) struct Prepared {
    pub(crate) row: &'static Row,
    pub(crate) judge: Judge,
    pub(crate) shots: Vec<Shot>,
    /// Why this relay cannot serve the row, if so.
    pub(crate) unavailable: Option<String>,
}

impl Prepared {
    /// Makes the pictures of a row.
    pub(crate) fn new(row: &'static Row) -> Result<Self> {
        let mut shots = Vec::new();
        for number in 0..FRAMES {
            shots.extend(row.shots(number)?);
        }
        Ok(Self {
            row,
            judge: Judge::new(row.look, FRAMES)?,
            shots,
            unavailable: None,
        })
    }
}

//! Compares pictures with a background that adapts to them.

use std::time::Duration;

use crate::detect::grid::Grid;

/// What a camera usually sees.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// 256 times the brightness of each cell. Empty before the first picture.
    cells: Vec<u16>,
}

impl Background {
    /// Returns which part of the cells that count differs from the background, from 0 to 1; 0 for
    /// the first picture. Then adapts the background to the picture, which came `elapsed` after the
    /// one before.
    pub(crate) fn look(&mut self, grid: &Grid, counted: &[bool], elapsed: Duration) -> f64 {
        if self.cells.len() != grid.cells.len() {
            self.cells = grid
                .cells
                .iter()
                .map(|&cell| u16::from(cell) << 8)
                .collect();
            return 0.0;
        }
        let pairs = || {
            let cells = grid.cells.iter().zip(&self.cells).zip(counted);
            let counted = cells.filter(|(_, counts)| **counts);
            counted.map(|((&cell, &usual), _)| (i64::from(cell) << 8) - i64::from(usual))
        };
        let count = pairs().count().max(1) as i64;
        // Clouds, lamps and the camera's exposure change all cells alike.
        let shift = pairs().sum::<i64>() / count;
        let differs = |difference: &i64| (difference - shift).abs() > NOISE << 8;
        let part = pairs().filter(differs).count() as f64 / count as f64;
        let weight = (elapsed.as_secs_f64() / ADAPTS_IN.as_secs_f64()).min(0.5);
        let weight = (weight * 65536.0) as i64;
        for (usual, &cell) in self.cells.iter_mut().zip(&grid.cells) {
            let difference = (i64::from(cell) << 8) - i64::from(*usual);
            let adapted = i64::from(*usual) + ((difference * weight) >> 16);
            *usual = adapted.clamp(0, i64::from(u16::MAX)) as u16;
        }
        part
    }
}

/// By how much a cell must differ, of 255. The noise of a sensor hardly shows in means of blocks.
const NOISE: i64 = 12;

/// About how long a change takes to become part of the background.
const ADAPTS_IN: Duration = Duration::from_secs(10);

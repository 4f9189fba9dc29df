//! The samples that are looked at.

use crate::detect::mask::MaskRect;

/// A picture of at most [`MOST_CELLS`] in each direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) cells: Vec<u8>,
}

impl Grid {
    /// Takes over rows of samples of this width, or means of squares of them if there are too many.
    pub(crate) fn new(width: usize, samples: &[u8]) -> Self {
        let height = samples.len() / width.max(1);
        let side = width.max(height).div_ceil(MOST_CELLS).max(1);
        let (columns, rows) = (width.div_ceil(side), height.div_ceil(side));
        if side == 1 {
            return Self {
                columns,
                rows,
                cells: samples.to_vec(),
            };
        }
        let mut cells = Vec::with_capacity(columns * rows);
        for lines in samples.chunks(side * width).take(rows) {
            for left in (0..width).step_by(side) {
                let right = (left + side).min(width);
                let lines = lines.chunks_exact(width);
                let square = lines.flat_map(|line| &line[left..right]);
                let (sum, count) = square.fold((0, 0), |(sum, count), &sample| {
                    (sum + u32::from(sample), count + 1)
                });
                cells.push((sum / count.max(1)) as u8);
            }
        }
        Self {
            columns,
            rows,
            cells,
        }
    }

    /// Returns for each cell whether it counts.
    pub(crate) fn counted(&self, mask: &[MaskRect]) -> Vec<bool> {
        let size = (self.columns, self.rows);
        let cells = (0..self.cells.len()).map(|at| (at % self.columns, at / self.columns));
        let is_masked = |cell| mask.iter().any(|rect| rect.holds(cell, size));
        cells.map(|cell| !is_masked(cell)).collect()
    }

    /// Returns the mean of the cells that count, from 0 to 255, if there are any.
    pub(crate) fn mean(&self, counted: &[bool]) -> Option<f64> {
        let cells = self
            .cells
            .iter()
            .zip(counted)
            .filter(|(_, counts)| **counts);
        let (sum, count) = cells.fold((0, 0), |(sum, count), (&cell, _)| {
            (sum + u64::from(cell), count + 1u32)
        });
        (count > 0).then(|| sum as f64 / f64::from(count))
    }

    /// Returns which part of the picture has less contrast than this, from 0 to 1. It is judged
    /// tile by tile; tiles in which no cell counts are left out.
    pub(crate) fn blank_part(&self, counted: &[bool], contrast: f64) -> f64 {
        let (mut tiles, mut blank) = (0u32, 0u32);
        for top in (0..self.rows).step_by(TILE_CELLS) {
            for left in (0..self.columns).step_by(TILE_CELLS) {
                let bottom = (top + TILE_CELLS).min(self.rows);
                let right = (left + TILE_CELLS).min(self.columns);
                let (mut least, mut most) = (u8::MAX, 0);
                for row in top..bottom {
                    let line = row * self.columns + left..row * self.columns + right;
                    let cells = self.cells[line.clone()].iter().zip(&counted[line]);
                    for (&cell, _) in cells.filter(|(_, counts)| **counts) {
                        least = least.min(cell);
                        most = most.max(cell);
                    }
                }
                if least <= most {
                    tiles += 1;
                    blank += u32::from(f64::from(most - least) < contrast);
                }
            }
        }
        f64::from(blank) / f64::from(tiles.max(1))
    }
}

/// The most columns, and the most rows: memory and time have a bound whatever the picture's size.
const MOST_CELLS: usize = 256;

/// How many cells a tile has in each direction: of 32 pixels, if a cell is a block of 8.
const TILE_CELLS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_become_means_of_squares() {
        let grid = Grid::new(256, &[7; 256 * 3]);
        assert_eq!((grid.columns, grid.rows), (256, 3));
        // 257 columns need squares of 2 by 2; the last column and row are narrower.
        let samples: Vec<u8> = (0..257 * 3).map(|at| (at % 257 / 2 % 256) as u8).collect();
        let grid = Grid::new(257, &samples);
        assert_eq!((grid.columns, grid.rows), (129, 2));
        let row: Vec<u8> = (0..129).map(|at| at as u8).collect();
        assert_eq!(grid.cells, [&row[..], &row].concat());
    }

    #[test]
    fn what_is_masked_does_not_count() {
        let grid = Grid::new(4, &[200, 200, 0, 0, 200, 200, 0, 0]);
        let left = "0,0,50,100".parse().expect("a rectangle");
        let counted = grid.counted(&[left]);
        assert_eq!(
            counted,
            [false, false, true, true, false, false, true, true]
        );
        assert_eq!(grid.mean(&counted), Some(0.0));
        assert_eq!(grid.mean(&grid.counted(&[])), Some(100.0));
        assert_eq!(grid.blank_part(&counted, 1.0), 1.0);
        assert_eq!(grid.blank_part(&grid.counted(&[]), 1.0), 0.0);
        let all = grid.counted(&["0,0,100,100".parse().expect("a rectangle")]);
        assert_eq!((grid.mean(&all), grid.blank_part(&all, 1.0)), (None, 0.0));
    }
}

//! Parts of a picture that do not count.

use std::{fmt, str::FromStr};

use crate::error::InvalidSpec;

/// A rectangle of a picture, in percent of its width and height.
///
/// As text it is `left,top,width,height`: `0,0,100,10` is the upper tenth, where a camera may show
/// its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskRect {
    left: u8,
    top: u8,
    width: u8,
    height: u8,
}

impl MaskRect {
    /// Makes a rectangle from its left and upper edge, its width and its height, in percent.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec::Mask`] if it is empty or not within the picture.
    pub fn new(left: u8, top: u8, width: u8, height: u8) -> Result<Self, InvalidSpec> {
        let fits = |from: u8, length: u8| length > 0 && from <= 100 && length <= 100 - from;
        if !fits(left, width) || !fits(top, height) {
            return Err(InvalidSpec::Mask);
        }
        Ok(Self {
            left,
            top,
            width,
            height,
        })
    }

    /// Whether it holds the middle of this cell of a grid.
    #[cfg(feature = "detect")]
    pub(crate) fn holds(
        &self,
        (column, row): (usize, usize),
        (columns, rows): (usize, usize),
    ) -> bool {
        let within = |at: usize, of: usize, from: u8, length: u8| {
            // Of the cell's middle, in percent times `2 * of`.
            let middle = 100 * (2 * at + 1);
            let (from, length) = (usize::from(from), usize::from(length));
            (2 * of * from..2 * of * (from + length)).contains(&middle)
        };
        within(column, columns, self.left, self.width) && within(row, rows, self.top, self.height)
    }
}

impl FromStr for MaskRect {
    type Err = InvalidSpec;

    fn from_str(text: &str) -> Result<Self, InvalidSpec> {
        let mut numbers = text.split(',').map(|number| number.trim().parse().ok());
        let mut number = || numbers.next().flatten().ok_or(InvalidSpec::Mask);
        let (left, top, width, height) = (number()?, number()?, number()?, number()?);
        match numbers.next() {
            None => Self::new(left, top, width, height),
            Some(_) => Err(InvalidSpec::Mask),
        }
    }
}

impl fmt::Display for MaskRect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            left,
            top,
            width,
            height,
        } = self;
        write!(f, "{left},{top},{width},{height}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_read_and_written() {
        for text in ["0,0,100,100", "90,5,10,95", "0,0,1,1"] {
            let rect: MaskRect = text.parse().expect("a rectangle");
            assert_eq!(rect.to_string(), text);
        }
        assert_eq!(" 1, 2 ,3,4".parse().ok(), MaskRect::new(1, 2, 3, 4).ok());
        for text in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "0,0,0,1",
            "0,0,1,0",
            "1,0,100,1",
            "101,0,1,1",
            "0,-1,1,1",
            "a,b,c,d",
            "0,0,300,1",
        ] {
            assert!(text.parse::<MaskRect>().is_err(), "{text}");
        }
    }

    #[cfg(feature = "detect")]
    #[test]
    fn cells_count_by_their_middle() {
        let upper_left = MaskRect::new(0, 0, 50, 50).expect("a rectangle");
        let held = |columns, rows| {
            let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
            let held = cells.filter(|&cell| upper_left.holds(cell, (columns, rows)));
            held.count()
        };
        assert_eq!(
            (held(4, 4), held(3, 3), held(1, 1), held(2, 1)),
            (4, 1, 0, 0)
        );
        let all = MaskRect::new(0, 0, 100, 100).expect("a rectangle");
        assert!(all.holds((6, 6), (7, 7)) && all.holds((0, 0), (7, 7)));
    }
}

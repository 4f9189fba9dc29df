//! How a picture is to be turned and mirrored.

/// One of the eight ways to turn and mirror a picture, as Exif's orientation tag counts them
/// (Exif 2.32, 4.6.4.A: 0x0112, values 1 to 8).
///
/// [`Default`] is [`UPRIGHT`](Self::UPRIGHT).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Orientation {
    /// By how many quarters the picture is turned clockwise, 0 to 3.
    quarters: u8,
    /// Whether left and right are swapped after that.
    is_mirrored: bool,
}

impl Orientation {
    /// The picture is shown as it is stored: value 1.
    pub const UPRIGHT: Self = Self {
        quarters: 0,
        is_mirrored: false,
    };

    /// Turns the picture clockwise by 0, 90, 180 or 270 degrees, then swaps left and right if
    /// `mirror`. Returns `None` for any other angle.
    pub fn new(degrees: u16, mirror: bool) -> Option<Self> {
        let quarters = match degrees {
            0 => 0,
            90 => 1,
            180 => 2,
            270 => 3,
            _ => return None,
        };
        Some(Self {
            quarters,
            is_mirrored: mirror,
        })
    }

    /// Reads a value of the tag. Returns `None` unless it is 1 to 8.
    pub fn from_exif(value: u16) -> Option<Self> {
        let at = BY_EXIF.iter().position(|&known| known == value)?;
        Some(Self {
            quarters: (at / 2) as u8,
            is_mirrored: at % 2 == 1,
        })
    }

    /// Returns the value of the tag, 1 to 8.
    pub fn exif(self) -> u16 {
        BY_EXIF[usize::from(self.quarters) * 2 + usize::from(self.is_mirrored)]
    }

    /// Returns the orientation that has the effect of this one and then of `next`.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        // A picture that is mirrored first is turned the other way.
        let turned = match self.is_mirrored {
            true => 4 - next.quarters,
            false => next.quarters,
        };
        Self {
            quarters: (self.quarters + turned) % 4,
            is_mirrored: self.is_mirrored != next.is_mirrored,
        }
    }

    /// Returns whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        self.quarters % 2 == 1
    }
}

/// The values of the tag, by quarters and then by whether the picture is mirrored.
const BY_EXIF: [u16; 8] = [1, 2, 6, 5, 3, 4, 8, 7];

#[cfg(test)]
mod tests {
    use super::*;

    /// The corners of a picture, row by row, as they are shown.
    fn shown(orientation: Orientation, [a, b, c, d]: [u8; 4]) -> [u8; 4] {
        // From the definition of the tag: where the stored first row and first column are shown.
        match orientation.exif() {
            1 => [a, b, c, d],
            2 => [b, a, d, c],
            3 => [d, c, b, a],
            4 => [c, d, a, b],
            5 => [a, c, b, d],
            6 => [c, a, d, b],
            7 => [d, b, c, a],
            8 => [b, d, a, c],
            other => panic!("{other}"),
        }
    }

    fn all() -> impl Iterator<Item = Orientation> {
        (1..=8).map(|value| Orientation::from_exif(value).expect("1 to 8"))
    }

    #[test]
    fn values_of_the_tag_are_those_of_exif() {
        let corners = [1, 2, 3, 4];
        for (degrees, mirror, expected) in [
            (0, false, [1, 2, 3, 4]),
            (90, false, [3, 1, 4, 2]),
            (180, false, [4, 3, 2, 1]),
            (270, false, [2, 4, 1, 3]),
            (0, true, [2, 1, 4, 3]),
            (90, true, [1, 3, 2, 4]),
            (180, true, [3, 4, 1, 2]),
            (270, true, [4, 2, 3, 1]),
        ] {
            let orientation = Orientation::new(degrees, mirror).expect("a quarter");
            assert_eq!(shown(orientation, corners), expected, "{degrees} {mirror}");
            assert_eq!(
                Orientation::from_exif(orientation.exif()),
                Some(orientation)
            );
        }
        for value in [0, 9, 256, u16::MAX] {
            assert_eq!(Orientation::from_exif(value), None);
        }
        assert_eq!(Orientation::new(45, false), None);
        assert_eq!(Orientation::default().exif(), 1);
    }

    #[test]
    fn one_after_the_other_is_what_is_shown() {
        for (first, next) in all().flat_map(|first| all().map(move |next| (first, next))) {
            let expected = shown(next, shown(first, [1, 2, 3, 4]));
            assert_eq!(shown(first.then(next), [1, 2, 3, 4]), expected);
        }
    }

    #[test]
    fn sides_change_places_with_a_quarter_turn() {
        let swapping: Vec<u16> = all()
            .filter(|o| o.swaps_sides())
            .map(|o| o.exif())
            .collect();
        assert_eq!(swapping, [5, 6, 7, 8]);
    }
}

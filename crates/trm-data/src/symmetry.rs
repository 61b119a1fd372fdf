//! The eight orientations of a square, with the reference's numbers.

/// The eight ways to turn and mirror a square, numbered as the reference numbers its dihedral transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Symmetry {
    /// 0: nothing moves.
    Identity = 0,
    /// 1: a quarter turn counter-clockwise.
    Rot90 = 1,
    /// 2: a half turn.
    Rot180 = 2,
    /// 3: three quarter turns counter-clockwise.
    Rot270 = 3,
    /// 4: left and right swapped.
    FlipLr = 4,
    /// 5: top and bottom swapped.
    FlipUd = 5,
    /// 6: mirrored along the main diagonal, rows become columns.
    Transpose = 6,
    /// 7: mirrored along the other diagonal.
    AntiTranspose = 7,
}

impl Symmetry {
    /// All eight, in the order of their ids.
    pub const ALL: [Symmetry; 8] = [
        Symmetry::Identity,
        Symmetry::Rot90,
        Symmetry::Rot180,
        Symmetry::Rot270,
        Symmetry::FlipLr,
        Symmetry::FlipUd,
        Symmetry::Transpose,
        Symmetry::AntiTranspose,
    ];

    /// The reference's number of this transform, 0 to 7.
    #[must_use]
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The transform that undoes this one.
    #[must_use]
    pub const fn inverse(self) -> Symmetry {
        match self {
            Symmetry::Rot90 => Symmetry::Rot270,
            Symmetry::Rot270 => Symmetry::Rot90,
            own_inverse => own_inverse,
        }
    }

    /// Transforms `side * side` elements that lie row by row.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn apply<T: Copy>(self, side: usize, from: &[T]) -> Vec<T> {
        let last = side.saturating_sub(1);
        let mut to = Vec::with_capacity(from.len());
        for row in 0..side {
            for column in 0..side {
                let (r, c) = match self {
                    Symmetry::Identity => (row, column),
                    Symmetry::Rot90 => (column, last - row),
                    Symmetry::Rot180 => (last - row, last - column),
                    Symmetry::Rot270 => (last - column, row),
                    Symmetry::FlipLr => (row, last - column),
                    Symmetry::FlipUd => (last - row, column),
                    Symmetry::Transpose => (column, row),
                    Symmetry::AntiTranspose => (last - column, last - row),
                };
                to.push(from[r * side + c]);
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids are a file format (the reference's `dihedral_transform`); here on a 2 x 2 square 1 2 / 3 4.
    #[test]
    fn transforms_are_numbered_as_in_the_reference() {
        let wanted = [
            [1, 2, 3, 4],
            [2, 4, 1, 3],
            [4, 3, 2, 1],
            [3, 1, 4, 2],
            [2, 1, 4, 3],
            [3, 4, 1, 2],
            [1, 3, 2, 4],
            [4, 2, 3, 1],
        ];
        for (id, (symmetry, wanted)) in Symmetry::ALL.into_iter().zip(wanted).enumerate() {
            assert_eq!(usize::from(symmetry.id()), id);
            assert_eq!(symmetry.apply(2, &[1, 2, 3, 4]), wanted, "{symmetry:?}");
        }
    }
}

//! Vectors of numbers that begin at a line of the cache.

/// Numbers that begin at a line of the cache, so that no vector and no row of a tile lies in two of them.
#[derive(Clone, Debug, Default)]
pub struct Aligned<T>(Vec<T>);

const LINE: usize = 64;

impl<T: Copy + Default> Aligned<T> {
    /// Makes room for so many numbers, whatever they are.
    pub fn make_room(&mut self, len: usize) {
        let room = if len == 0 { 0 } else { len + LINE / size_of::<T>() };
        if self.0.len() < room {
            self.0 = vec![T::default(); room];
        }
    }

    fn start(&self) -> usize {
        self.0.as_ptr().align_offset(LINE).min(self.0.len())
    }

    /// All numbers that there is room for.
    #[inline(always)]
    pub fn numbers(&self) -> &[T] {
        &self.0[self.start()..]
    }

    /// All numbers that there is room for.
    #[inline(always)]
    pub fn numbers_mut(&mut self) -> &mut [T] {
        let start = self.start();
        &mut self.0[start..]
    }
}

//! A table that only grows, so that a look-up takes no lock.

use once_cell::sync::OnceCell;

/// Elements in the first chunk; each further chunk has twice as many. (Models look at one.)
const FIRST: usize = if cfg!(limit_loom) { 1 } else { 16 };
/// Room for 2²⁸ elements.
const CHUNKS: usize = 24;

/// Elements by index. A chunk of them is made when one of it is first used.
#[derive(Debug)]
pub(super) struct Table<T> {
    chunks: [OnceCell<Box<[T]>>; CHUNKS],
}

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: [const { OnceCell::new() }; CHUNKS] }
    }

    /// The element with that index, made with its whole chunk if it is not there yet.
    #[inline]
    pub(super) fn get_or_make(&self, index: usize, make: fn() -> T) -> &T {
        let (chunk, offset) = place(index);
        match self.chunks[chunk].get() {
            Some(elements) => &elements[offset],
            None => &self.grow(chunk, make)[offset],
        }
    }

    /// The element with that index, if its chunk has been made.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let (chunk, offset) = place(index);
        self.chunks.get(chunk)?.get().map(|elements| &elements[offset])
    }

    /// All that have been made, with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let made = self
            .chunks
            .iter()
            .enumerate()
            .filter_map(|(chunk, elements)| Some((first_of(chunk), elements.get()?)));
        made.flat_map(|(first, elements)| {
            elements.iter().enumerate().map(move |(offset, element)| (first + offset, element))
        })
    }

    #[cold]
    #[inline(never)]
    fn grow(&self, chunk: usize, make: fn() -> T) -> &[T] {
        self.chunks[chunk].get_or_init(|| (0..FIRST << chunk).map(|_| make()).collect())
    }
}

/// Chunk, and offset in it.
#[inline]
fn place(index: usize) -> (usize, usize) {
    let chunk = ((index / FIRST) + 1).ilog2() as usize;
    (chunk, index - first_of(chunk))
}

/// The index of a chunk's first element.
#[inline]
fn first_of(chunk: usize) -> usize {
    (FIRST << chunk) - FIRST
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_index_has_an_element_of_its_own() {
        let table = Table::<usize>::new();
        assert_eq!(table.get(1000), None);
        assert_eq!(table.iter().count(), 0);
        // In the third chunk, of 64, before which the first two are not made.
        assert_eq!(*table.get_or_make(50, || 7), 7);
        let made: Vec<_> = table.iter().map(|(index, _)| index).collect();
        assert_eq!(made, (48..112).collect::<Vec<_>>());
        assert!(table.get(0).is_none() && table.get(111).is_some() && table.get(112).is_none());
        let mut seen: Vec<_> = (0..112).map(|index| table.get_or_make(index, || 0)).collect();
        seen.sort_by_key(|element| std::ptr::from_ref(*element).addr());
        seen.dedup_by_key(|element| std::ptr::from_ref(*element).addr());
        assert_eq!(seen.len(), 112);
    }
}

//! A table that only grows, so that a look-up takes no lock.

use once_cell::sync::OnceCell;

/// The elements in the first chunk. Each further chunk has twice as many. (Models use one element.)
const FIRST: usize = if cfg!(limit_loom) { 1 } else { 16 };
/// The number of chunks: room for 2²⁸ elements.
const CHUNKS: usize = 24;

/// Elements by index. The first use of an element makes its whole chunk.
#[derive(Debug)]
pub(super) struct Table<T> {
    chunks: [OnceCell<Box<[T]>>; CHUNKS],
}

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: [const { OnceCell::new() }; CHUNKS] }
    }

    /// Returns the element with this index. Makes its chunk if that does not exist.
    #[inline]
    pub(super) fn get_or_make(&self, index: usize, make: fn() -> T) -> &T {
        let (chunk, offset) = locate(index);
        match self.chunks[chunk].get() {
            Some(elements) => &elements[offset],
            None => &self.grow(chunk, make)[offset],
        }
    }

    /// Returns the element with this index, if its chunk exists.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let (chunk, offset) = locate(index);
        self.chunks.get(chunk)?.get().map(|elements| &elements[offset])
    }

    /// Returns all elements that exist, with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let made = self
            .chunks
            .iter()
            .enumerate()
            .filter_map(|(chunk, elements)| Some((first_index(chunk), elements.get()?)));
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

/// Returns the chunk of an index, and the offset in the chunk.
#[inline]
fn locate(index: usize) -> (usize, usize) {
    let chunk = ((index / FIRST) + 1).ilog2() as usize;
    (chunk, index - first_index(chunk))
}

/// Returns the index of a chunk's first element.
#[inline]
fn first_index(chunk: usize) -> usize {
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
        // The third chunk has 64 elements. The first two chunks are not made for it.
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

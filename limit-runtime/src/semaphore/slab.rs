//! Values by number, in chunks: a chunk is made when all others are full, and goes when it is empty.
//!
//! No call pays for more than a chunk and the table of its group, however many numbers are or were in
//! use. Chunks stand in groups of 64, so that no table of all is ever copied. The chunks with a free
//! number are a linked list, so that none is searched for. The chunk that has had a free number for
//! the shortest time is filled first, so that those that are nearly empty become empty. A number
//! never changes while it is in use, so a number that is kept for long keeps its chunk.

use std::mem;

/// Chunks in a group.
const GROUP: u32 = 64;
/// No chunk.
const NONE: u32 = u32::MAX;

/// A slab. A chunk has `N` numbers, at most 64, and one `C` for all of them. It has a `T` besides,
/// whose type need not be known.
#[derive(Debug)]
pub(super) struct Slab<C, const N: u32, T: ?Sized = ()> {
    /// The first group. It stands apart, so that a slab with few chunks needs no further table.
    first: Group<C, T>,
    others: Vec<Group<C, T>>,
    /// For each kind of chunks, the first chunk with a free number. The others are linked by `next`.
    open: Vec<u32>,
    /// The chunk that became empty last. It is kept, so that a number that is taken and given back
    /// again and again does not make a chunk each time.
    spare: u32,
}

#[derive(Debug)]
struct Group<C, T: ?Sized> {
    /// A bit for each chunk that is there.
    there: u64,
    /// `None` if no chunk is there.
    chunks: Option<Table<C, T>>,
}

type Table<C, T> = Box<[Option<Box<Chunk<C, T>>>; GROUP as usize]>;

#[derive(Debug)]
pub(super) struct Chunk<C, T: ?Sized = ()> {
    /// A bit for each number that is free.
    free: u64,
    /// Links of the list of chunks of one kind with a free number. In the first chunk of the list
    /// `previous` is stale, and in a full chunk both are.
    previous: u32,
    next: u32,
    kind: usize,
    pub(super) content: C,
    pub(super) besides: T,
}

/// A chunk that is no longer needed, and perhaps the table of its group. It is to be dropped after
/// unlocking.
#[derive(Debug)]
pub(super) struct Emptied<C, T: ?Sized = ()> {
    _chunk: Box<Chunk<C, T>>,
    _table: Option<Table<C, T>>,
}

impl<C, T: ?Sized> Group<C, T> {
    const NEW: Self = Self { there: 0, chunks: None };
}

impl<C, T> Chunk<C, T> {
    #[expect(clippy::unnecessary_box_returns, reason = "it is never anywhere else")]
    pub(super) fn new(content: C, besides: T) -> Box<Self> {
        Box::new(Self { free: 0, previous: NONE, next: NONE, kind: 0, content, besides })
    }
}

impl<C, const N: u32, T: ?Sized> Slab<C, N, T> {
    /// The bits of a chunk whose numbers are all free.
    const FREE: u64 = u64::MAX >> (64 - N);

    pub(super) const fn new() -> Self {
        Self { first: Group::NEW, others: Vec::new(), open: Vec::new(), spare: NONE }
    }

    /// Takes a number that is free in a chunk of this kind. Makes a chunk if there is none.
    pub(super) fn take(&mut self, kind: usize, make: impl FnOnce() -> Box<Chunk<C, T>>) -> u32 {
        let mut index = self.open.get(kind).copied().unwrap_or(NONE);
        if index == NONE {
            index = self.add(kind, make());
        }
        let chunk = self.chunk_mut(index);
        let offset = chunk.free.trailing_zeros();
        chunk.free &= chunk.free - 1;
        if chunk.free == 0 {
            self.open[kind] = chunk.next;
        }
        index * N + offset
    }

    /// Gives a number back. If that leaves two chunks empty, one of them is removed.
    pub(super) fn give_back(&mut self, number: u32) -> Option<Emptied<C, T>> {
        let (index, spare) = (number / N, self.spare);
        let chunk = self.chunk_mut(index);
        let was_full = chunk.free == 0;
        chunk.free |= 1 << (number % N);
        let (kind, is_empty) = (chunk.kind, chunk.free == Self::FREE);
        if was_full {
            let next = mem::replace(&mut self.open[kind], index);
            self.chunk_mut(index).next = next;
            if next != NONE {
                self.chunk_mut(next).previous = index;
            }
        }
        if !is_empty || spare == index {
            return None;
        }
        if spare == NONE || self.chunk_mut(spare).free != Self::FREE {
            self.spare = index;
            return None;
        }
        // The one with the higher number goes, because it may be the last of its group.
        self.spare = index.min(spare);
        Some(self.remove(index.max(spare)))
    }

    /// Returns the chunk of a number that is in use, and the number's offset in it.
    #[inline]
    pub(super) fn get(&self, number: u32) -> (&Chunk<C, T>, usize) {
        let (group, offset) = position(number / N);
        let group = if group == 0 { &self.first } else { &self.others[group - 1] };
        let chunk = group.chunks.as_ref().and_then(|chunks| chunks[offset].as_ref());
        (chunk.expect(THERE), (number % N) as usize)
    }

    /// Returns the same, to be changed.
    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> (&mut Chunk<C, T>, usize) {
        (self.chunk_mut(number / N), (number % N) as usize)
    }

    /// Returns all chunks.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk<C, T>> {
        (0..=self.others.len()).filter_map(|group| self.part(group)).flatten()
    }

    /// Returns the chunks of one group, so that a caller need not look at all of them under one lock.
    /// `None` after the last group.
    pub(super) fn part(&self, group: usize) -> Option<impl Iterator<Item = &Chunk<C, T>>> {
        let group = if group == 0 { &self.first } else { self.others.get(group - 1)? };
        Some(group.chunks.iter().flat_map(|all| all.iter().flatten()).map(|chunk| &**chunk))
    }

    /// Returns the index of the first chunk that is there, from `index` on.
    pub(super) fn chunk_from(&self, index: u32) -> Option<u32> {
        let (first, offset) = position(index);
        let groups = (0_u32..).zip([&self.first].into_iter().chain(&self.others)).skip(first);
        // In the first group, the chunks before `index` do not count.
        let masks = [u64::MAX << offset].into_iter().chain(std::iter::repeat(u64::MAX));
        let mut there = groups.zip(masks).map(|((group, all), mask)| (group, all.there & mask));
        let (group, there) = there.find(|(_, there)| *there != 0)?;
        Some(group * GROUP + there.trailing_zeros())
    }

    /// Adds a chunk, when no chunk of its kind has a free number.
    #[cold]
    fn add(&mut self, kind: usize, mut chunk: Box<Chunk<C, T>>) -> u32 {
        let groups = [&self.first].into_iter().chain(&self.others);
        let vacant = groups.into_iter().position(|group| group.there != u64::MAX);
        let vacant = vacant.unwrap_or_else(|| {
            self.others.push(Group::NEW);
            self.others.len()
        });
        let group = self.group_mut(vacant);
        let offset = group.there.trailing_ones() as usize;
        let index = u32::try_from(vacant * GROUP as usize + offset);
        let index = index.ok().filter(|&index| index < u32::MAX / N);
        let index = index.expect("fewer than 2^32 numbers are in use");
        group.there |= 1 << offset;
        (chunk.free, chunk.next, chunk.kind) = (Self::FREE, NONE, kind);
        let table = || Box::new([const { None }; GROUP as usize]);
        group.chunks.get_or_insert_with(table)[offset] = Some(chunk);
        if self.open.len() <= kind {
            self.open.resize(kind + 1, NONE);
        }
        self.open[kind] = index;
        index
    }

    /// Removes an empty chunk.
    #[cold]
    fn remove(&mut self, index: u32) -> Emptied<C, T> {
        let (group, offset) = position(index);
        let group = self.group_mut(group);
        group.there &= !(1 << offset);
        let chunk = group.chunks.as_mut().and_then(|chunks| chunks[offset].take()).expect(THERE);
        let table = if group.there == 0 { group.chunks.take() } else { None };
        let Chunk { previous, next, kind, .. } = *chunk;
        if self.open[kind] == index {
            self.open[kind] = next;
        } else {
            self.chunk_mut(previous).next = next;
            if next != NONE {
                self.chunk_mut(next).previous = previous;
            }
        }
        // A group is a few bytes for thousands of numbers: these may be freed under the lock.
        while self.others.last().is_some_and(|group| group.there == 0) {
            self.others.pop();
        }
        if self.others.capacity() > 4 * self.others.len() {
            self.others.shrink_to(2 * self.others.len());
        }
        Emptied { _chunk: chunk, _table: table }
    }

    #[inline]
    fn group_mut(&mut self, group: usize) -> &mut Group<C, T> {
        if group == 0 { &mut self.first } else { &mut self.others[group - 1] }
    }

    #[inline]
    fn chunk_mut(&mut self, index: u32) -> &mut Chunk<C, T> {
        let (group, offset) = position(index);
        let chunk = self.group_mut(group).chunks.as_mut();
        let chunk = chunk.and_then(|chunks| chunks[offset].as_mut());
        chunk.expect(THERE)
    }
}

const THERE: &str = "a chunk is there while its numbers are in use";

/// Returns the group of a chunk, and the offset in it.
#[inline]
fn position(index: u32) -> (usize, usize) {
    ((index / GROUP) as usize, (index % GROUP) as usize)
}

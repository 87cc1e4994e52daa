//! Numbers in chunks: a chunk is made when all others are full, and given back when it is empty.
//!
//! No call pays for more than a chunk and the table of its group, however many numbers there are or have
//! been: chunks stand in groups of 64, so that no table of all is ever copied, and the chunks with a free
//! number are a linked list, so that none is searched for. The one that has had a free number for the
//! shortest time is filled first, so that those that are nearly empty become so. A number that is in use
//! never changes: one that is kept for long keeps its chunk.

use std::mem;

/// Chunks in a group.
const GROUP: u32 = 64;
/// No chunk.
const NONE: u32 = u32::MAX;

/// See the module's documentation. A chunk has `N` numbers, 64 at most, and holds a `C` for them; and
/// besides, a `T`, which may be of a type that is not known.
#[derive(Debug)]
pub(super) struct Slab<C, const N: u32, T: ?Sized = ()> {
    /// Apart, so that a look at one of few is not one at a further table.
    first: Group<C, T>,
    others: Vec<Group<C, T>>,
    /// Of each kind of chunks, the first of those with a free number, linked by `next`.
    open: Vec<u32>,
    /// The chunk that became empty last. It is kept, so that one call more and one less, again and
    /// again, do not make a chunk each time.
    spare: u32,
}

#[derive(Debug)]
struct Group<C, T: ?Sized> {
    /// Which chunks are there, a bit for each.
    there: u64,
    /// None if none is.
    chunks: Option<Table<C, T>>,
}

type Table<C, T> = Box<[Option<Box<Chunk<C, T>>>; GROUP as usize]>;

#[derive(Debug)]
pub(super) struct Chunk<C, T: ?Sized = ()> {
    /// Which numbers are free, a bit for each.
    free: u64,
    /// In the list of those of its kind with a free number. Whatever for its first, and for those that
    /// are full.
    previous: u32,
    next: u32,
    kind: usize,
    pub(super) content: C,
    pub(super) besides: T,
}

/// A chunk that is not needed any more, and perhaps the table of its group: to be dropped after
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
    /// All of a chunk's numbers are free.
    const FREE: u64 = u64::MAX >> (64 - N);

    pub(super) const fn new() -> Self {
        Self { first: Group::NEW, others: Vec::new(), open: Vec::new(), spare: NONE }
    }

    /// Takes a number that is free in a chunk of this kind. If there is none, makes a chunk.
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

    /// Gives a number back. If that leaves two chunks empty, one of them goes.
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
        // Of one kind, the higher: it may be the last of its group.
        self.spare = index.min(spare);
        Some(self.remove(index.max(spare)))
    }

    /// The chunk of a number that is in use, and which of it is the number's.
    #[inline]
    pub(super) fn get(&self, number: u32) -> (&Chunk<C, T>, usize) {
        let (group, offset) = place(number / N);
        let group = if group == 0 { &self.first } else { &self.others[group - 1] };
        let chunk = group.chunks.as_ref().and_then(|chunks| chunks[offset].as_ref());
        (chunk.expect(THERE), (number % N) as usize)
    }

    /// The same, to be changed.
    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> (&mut Chunk<C, T>, usize) {
        (self.chunk_mut(number / N), (number % N) as usize)
    }

    /// All chunks.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk<C, T>> {
        (0..=self.others.len()).filter_map(|group| self.part(group)).flatten()
    }

    /// The chunks of one group, for who does not look at all of them under one lock; `None` after the last
    /// group.
    pub(super) fn part(&self, group: usize) -> Option<impl Iterator<Item = &Chunk<C, T>>> {
        let group = if group == 0 { &self.first } else { self.others.get(group - 1)? };
        Some(group.chunks.iter().flat_map(|all| all.iter().flatten()).map(|chunk| &**chunk))
    }

    /// The first chunk that is there, from that one on.
    pub(super) fn chunk_from(&self, index: u32) -> Option<u32> {
        let (first, offset) = place(index);
        let groups = (0_u32..).zip([&self.first].into_iter().chain(&self.others)).skip(first);
        // Of the first group, not those before it.
        let masks = [u64::MAX << offset].into_iter().chain(std::iter::repeat(u64::MAX));
        let mut there = groups.zip(masks).map(|((group, all), mask)| (group, all.there & mask));
        let (group, there) = there.find(|(_, there)| *there != 0)?;
        Some(group * GROUP + there.trailing_zeros())
    }

    /// Adds a chunk, when none of its kind has a free number.
    #[cold]
    fn add(&mut self, kind: usize, mut chunk: Box<Chunk<C, T>>) -> u32 {
        let groups = [&self.first].into_iter().chain(&self.others);
        let vacant = groups.into_iter().position(|group| group.there != u64::MAX);
        let place = vacant.unwrap_or_else(|| {
            self.others.push(Group::NEW);
            self.others.len()
        });
        let group = self.group_mut(place);
        let offset = group.there.trailing_ones() as usize;
        let index = u32::try_from(place * GROUP as usize + offset);
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

    /// Takes an empty chunk out.
    #[cold]
    fn remove(&mut self, index: u32) -> Emptied<C, T> {
        let (place, offset) = place(index);
        let group = self.group_mut(place);
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
        // A group is a few bytes for thousands of numbers: these may go at once.
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
        let (group, offset) = place(index);
        let chunk = self.group_mut(group).chunks.as_mut();
        let chunk = chunk.and_then(|chunks| chunks[offset].as_mut());
        chunk.expect(THERE)
    }
}

const THERE: &str = "a chunk is there while its numbers are in use";

/// Group, and offset in it.
#[inline]
fn place(index: u32) -> (usize, usize) {
    ((index / GROUP) as usize, (index % GROUP) as usize)
}

//! Which keys have a hash: a table that grows and shrinks by one bucket at a time.
//!
//! This is *linear hashing* (W. Litwin, *Linear hashing: a new tool for file and table addressing*, VLDB
//! 1980). There are two to four times as many buckets as keys. A further bucket takes from one other what belongs to it, and gives it back there when it goes:
//! so no call moves more than the keys of one bucket, or two, which as a rule are one or none. A bucket
//! is the number of its first key, and each leads to the next.

use super::super::slots::NO_KEY;
use super::states::KeyStates;

/// Buckets in a page: no table of all is ever copied.
const PAGE: usize = 4096;
/// So few are not taken away.
const KEPT: usize = 64;

#[derive(Debug)]
pub(super) struct Buckets {
    /// Apart, so that a look at one of few is not one at a further table.
    first: Vec<u32>,
    pages: Vec<Vec<u32>>,
    /// At least one.
    length: usize,
    /// The bits of a hash that count: as many as it takes for the number of any bucket.
    mask: usize,
}

impl Buckets {
    pub(super) fn new() -> Self {
        // Small: nearly always it is all there is.
        Self { first: vec![NO_KEY], pages: Vec::new(), length: 1, mask: 0 }
    }

    /// The first key in the bucket of a hash.
    #[inline]
    pub(super) fn first(&self, hash: u32) -> u32 {
        self.bucket(self.place(hash))
    }

    /// Adds a key that was added to the others.
    #[inline]
    pub(super) fn add(&mut self, states: &mut KeyStates, number: u32) {
        for _ in 0..2 {
            if self.length < 2 * states.len() {
                self.split(states);
            }
        }
        self.push(states, number);
    }

    /// Takes a key out that is to be removed from the others. Memory that is not needed any more comes
    /// back.
    #[inline]
    pub(super) fn remove(&mut self, states: &mut KeyStates, number: u32) -> Option<Vec<u32>> {
        let link = states.link(number);
        let place = self.place(link.hash);
        let mut before = self.bucket(place);
        if before == number {
            *self.bucket_mut(place) = link.next;
        } else {
            while states.link(before).next != number {
                before = states.link(before).next;
            }
            states.link_mut(before).next = link.next;
        }
        // So many, that there are never more than four times as many buckets as keys.
        let mut emptied = None;
        for _ in 0..4 {
            if self.length > KEPT.max(4 * states.len()) {
                emptied = self.merge(states).or(emptied);
            }
        }
        emptied
    }

    /// Adds a bucket: it takes what is its own from the one that had it.
    fn split(&mut self, states: &mut KeyStates) {
        let from = parent(self.length);
        if self.length % PAGE == 0 {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        self.pages.last_mut().unwrap_or(&mut self.first).push(NO_KEY);
        self.set_length(self.length + 1);
        let mut number = std::mem::replace(self.bucket_mut(from), NO_KEY);
        while number != NO_KEY {
            let next = states.link(number).next;
            self.push(states, number);
            number = next;
        }
    }

    /// Takes the last bucket away: what was in it goes to the one that had it before.
    fn merge(&mut self, states: &mut KeyStates) -> Option<Vec<u32>> {
        self.set_length(self.length - 1);
        let page = self.pages.last_mut().unwrap_or(&mut self.first);
        let first = page.pop()?;
        let emptied = if page.is_empty() { self.pages.pop() } else { None };
        if emptied.is_some() && self.pages.capacity() > 4 * self.pages.len() {
            // As few bytes as there are pages.
            self.pages.shrink_to(2 * self.pages.len());
        }
        if first != NO_KEY {
            let mut last = first;
            while states.link(last).next != NO_KEY {
                last = states.link(last).next;
            }
            let to = self.bucket_mut(parent(self.length));
            states.link_mut(last).next = std::mem::replace(to, first);
        }
        emptied
    }

    /// Puts a key into its bucket.
    fn push(&mut self, states: &mut KeyStates, number: u32) {
        let link = states.link_mut(number);
        let place = self.place(link.hash);
        link.next = std::mem::replace(self.bucket_mut(place), number);
    }

    fn set_length(&mut self, length: usize) {
        self.length = length;
        self.mask = length.next_power_of_two() - 1;
    }

    /// The bucket of a hash: that of those of its bits that count, or if it is not there, of one bit less.
    #[inline]
    fn place(&self, hash: u32) -> usize {
        let place = hash as usize & self.mask;
        if place < self.length { place } else { place & (self.mask >> 1) }
    }

    #[inline]
    fn bucket(&self, place: usize) -> u32 {
        if place < PAGE { self.first[place] } else { self.pages[place / PAGE - 1][place % PAGE] }
    }

    #[inline]
    fn bucket_mut(&mut self, place: usize) -> &mut u32 {
        if place < PAGE {
            &mut self.first[place]
        } else {
            &mut self.pages[place / PAGE - 1][place % PAGE]
        }
    }
}

/// The bucket that has what belongs to another, not the first, while that is not there: that without its
/// highest bit.
fn parent(bucket: usize) -> usize {
    bucket ^ (1 << bucket.ilog2())
}

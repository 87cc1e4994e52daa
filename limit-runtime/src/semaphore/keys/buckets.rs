//! The keys by their hashes, in a table that grows and shrinks by one bucket at a time.
//!
//! This is *linear hashing* (W. Litwin, *Linear hashing: a new tool for file and table addressing*,
//! VLDB 1980). There are two to four times as many buckets as keys. A new bucket takes the keys that
//! belong to it from one other bucket, and gives them back there when it goes. So no call moves more
//! than the keys of a few buckets, of which each has one key or none as a rule. A bucket is the
//! number of its first key, and each key leads to the next.

use super::super::slots::NO_KEY;
use super::states::KeyStates;

/// Buckets in a page. There are pages so that no table of all buckets is ever copied.
const PAGE: usize = 4096;
/// The table does not shrink below so many buckets.
const KEPT: usize = 64;

#[derive(Debug)]
pub(super) struct Buckets {
    /// The first page. It stands apart, so that a table of one page needs no table of pages.
    first: Vec<u32>,
    pages: Vec<Vec<u32>>,
    /// The number of buckets, at least one.
    length: usize,
    /// The bits of a hash that count: enough for the number of any bucket.
    mask: usize,
}

impl Buckets {
    pub(super) fn new() -> Self {
        // Small, because nearly always this bucket is the only one.
        Self { first: vec![NO_KEY], pages: Vec::new(), length: 1, mask: 0 }
    }

    /// Returns the first key in the bucket of a hash.
    #[inline]
    pub(super) fn first(&self, hash: u32) -> u32 {
        self.bucket(self.index(hash))
    }

    /// Adds a key that was added to the states.
    #[inline]
    pub(super) fn add(&mut self, states: &mut KeyStates, number: u32) {
        for _ in 0..2 {
            if self.length < 2 * states.len() {
                self.split(states);
            }
        }
        self.push(states, number);
    }

    /// Removes a key that is to be removed from the states. Returns memory that is no longer needed.
    #[inline]
    pub(super) fn remove(&mut self, states: &mut KeyStates, number: u32) -> Option<Vec<u32>> {
        let link = states.link(number);
        let index = self.index(link.hash);
        let mut before = self.bucket(index);
        if before == number {
            *self.bucket_mut(index) = link.next;
        } else {
            while states.link(before).next != number {
                before = states.link(before).next;
            }
            states.link_mut(before).next = link.next;
        }
        // Four, so that there are never more than four times as many buckets as keys.
        let mut emptied = None;
        for _ in 0..4 {
            if self.length > KEPT.max(4 * states.len()) {
                emptied = self.merge(states).or(emptied);
            }
        }
        emptied
    }

    /// Adds a bucket, which takes its keys from the bucket that had them.
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

    /// Removes the last bucket, whose keys go to the bucket that had them before.
    fn merge(&mut self, states: &mut KeyStates) -> Option<Vec<u32>> {
        self.set_length(self.length - 1);
        let page = self.pages.last_mut().unwrap_or(&mut self.first);
        let first = page.pop()?;
        let emptied = if page.is_empty() { self.pages.pop() } else { None };
        if emptied.is_some() && self.pages.capacity() > 4 * self.pages.len() {
            // A few bytes for each page: they may be copied under the lock.
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
        let index = self.index(link.hash);
        link.next = std::mem::replace(self.bucket_mut(index), number);
    }

    fn set_length(&mut self, length: usize) {
        self.length = length;
        self.mask = length.next_power_of_two() - 1;
    }

    /// Returns the bucket of a hash: the number in those of its bits that count, or if that bucket is
    /// not there, in one bit less.
    #[inline]
    fn index(&self, hash: u32) -> usize {
        let index = hash as usize & self.mask;
        if index < self.length { index } else { index & (self.mask >> 1) }
    }

    #[expect(clippy::inline_always, reason = "measured: it is not inlined otherwise")]
    #[inline(always)]
    fn bucket(&self, index: usize) -> u32 {
        if index < PAGE { self.first[index] } else { self.pages[index / PAGE - 1][index % PAGE] }
    }

    #[inline]
    fn bucket_mut(&mut self, index: usize) -> &mut u32 {
        if index < PAGE {
            &mut self.first[index]
        } else {
            &mut self.pages[index / PAGE - 1][index % PAGE]
        }
    }
}

/// Returns the bucket that has the keys of another one while that is not there: its number without
/// the highest bit. The other is not the first.
fn parent(bucket: usize) -> usize {
    bucket ^ (1 << bucket.ilog2())
}

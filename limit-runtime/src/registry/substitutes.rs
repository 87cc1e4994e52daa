//! Semaphores that are in another place than the one they were made for, and those that take their
//! places.

use super::epoch::{Numbered, Registry};
use crate::semaphore::Semaphore;
use once_cell::sync::OnceCell;
use std::collections::HashMap;

/// What is known of the semaphores that have a number. Under the lock of the list of runtimes.
#[derive(Debug)]
pub(super) struct Substitutes {
    numbered: &'static Numbered,
    all: Vec<Numbering>,
    /// Those that were made to be substitutes, by the limiter's index.
    made: HashMap<usize, Made>,
}

/// A semaphore that has a number. It is always the same limiter's.
#[derive(Debug)]
struct Numbering {
    semaphore: &'static Semaphore,
    index: usize,
    /// Whether it was made to be a substitute. If not, it has a place of its own in a registry.
    is_made: bool,
    /// The registry in which it takes another's place.
    at: Option<&'static Registry>,
    /// Whether it is nobody's.
    is_idle: bool,
}

#[derive(Debug, Default)]
struct Made {
    all: Vec<u32>,
    idle: Vec<u32>,
}

impl Substitutes {
    pub(super) fn new(numbered: &'static Numbered) -> Self {
        Self { numbered, all: Vec::new(), made: HashMap::new() }
    }

    /// A number for a semaphore that has a place of its own and is to be found by others than that.
    pub(super) fn number(&mut self, semaphore: &'static Semaphore, index: usize) -> u32 {
        self.add(semaphore, index, false)
    }

    /// A semaphore that is nobody's, to take a place in a registry.
    pub(super) fn take(&mut self, index: usize, at: &'static Registry) -> u32 {
        let idle = self.made.get_mut(&index).and_then(|made| made.idle.pop());
        let number = idle.unwrap_or_else(|| {
            let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
            let number = self.add(semaphore, index, true);
            self.made.entry(index).or_default().all.push(number);
            number
        });
        self.put(number, Some(at));
        number
    }

    /// Takes a semaphore that is to be back in its own place, if it is nobody's.
    pub(super) fn take_back(&mut self, number: u32) -> bool {
        std::mem::replace(&mut self.of(number).is_idle, false)
    }

    /// A semaphore takes a place in a registry, or leaves it but is still in use.
    pub(super) fn put(&mut self, number: u32, at: Option<&'static Registry>) {
        let numbering = self.of(number);
        numbering.at = at;
        numbering.is_idle = false;
    }

    /// A semaphore has left its place and is nobody's.
    pub(super) fn give_back(&mut self, number: u32) {
        let numbering = self.of(number);
        numbering.at = None;
        numbering.is_idle = true;
        let (index, is_made) = (numbering.index, numbering.is_made);
        if is_made {
            self.made.entry(index).or_default().idle.push(number);
        }
    }

    pub(super) fn semaphore(&self, number: u32) -> &'static Semaphore {
        self.all[number as usize].semaphore
    }

    /// The registry in which it takes another's place, if it does.
    pub(super) fn at(&self, number: u32) -> Option<&'static Registry> {
        self.all[number as usize].at
    }

    /// Those of a limiter that were made to be substitutes.
    pub(super) fn made(&self, index: usize) -> &[u32] {
        self.made.get(&index).map_or(&[], |made| &made.all)
    }

    fn of(&mut self, number: u32) -> &mut Numbering {
        &mut self.all[number as usize]
    }

    fn add(&mut self, semaphore: &'static Semaphore, index: usize, is_made: bool) -> u32 {
        let number = u32::try_from(self.all.len()).expect("fewer than 2^32 semaphores");
        let cell = self.numbered.get_or_make(number as usize, OnceCell::new);
        cell.set(semaphore).expect("a number is given once");
        self.all.push(Numbering { semaphore, index, is_made, at: None, is_idle: false });
        number
    }
}

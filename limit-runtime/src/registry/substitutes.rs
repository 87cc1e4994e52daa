//! Semaphores that are at another position than their own, and the substitutes at those positions.

use super::epoch::{Numbered, Registry};
use crate::semaphore::Semaphore;
use once_cell::sync::OnceCell;
use std::collections::HashMap;

/// The semaphores that have a number. Used under the lock of the list of runtimes.
#[derive(Debug)]
pub(super) struct Substitutes {
    numbered: &'static Numbered,
    all: Vec<Numbering>,
    /// The semaphores that were made as substitutes, by the limiter's index.
    made: HashMap<usize, SubstituteNumbers>,
}

/// A semaphore that has a number. It always belongs to the same limiter.
#[derive(Debug)]
struct Numbering {
    semaphore: &'static Semaphore,
    index: usize,
    /// `true` if the semaphore was made as a substitute. Otherwise it has a position of its own in
    /// a registry.
    is_substitute: bool,
    /// The registry in which it is at another semaphore's position.
    at: Option<&'static Registry>,
    /// `true` if no runtime has it.
    is_idle: bool,
}

/// The numbers of the semaphores that were made as substitutes for one limiter.
#[derive(Debug, Default)]
struct SubstituteNumbers {
    all: Vec<u32>,
    idle: Vec<u32>,
}

impl Substitutes {
    pub(super) fn new(numbered: &'static Numbered) -> Self {
        Self { numbered, all: Vec::new(), made: HashMap::new() }
    }

    /// Gives a number to a semaphore with a position of its own, because it may be looked up
    /// elsewhere from now on.
    pub(super) fn add_number(&mut self, semaphore: &'static Semaphore, index: usize) -> u32 {
        self.add(semaphore, index, false)
    }

    /// Takes a free semaphore of the limiter, and puts it at a position in a registry. Returns its
    /// number.
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

    /// Takes a free semaphore, to put it back at its own position. Returns whether it was free.
    pub(super) fn take_back(&mut self, number: u32) -> bool {
        std::mem::replace(&mut self.numbering(number).is_idle, false)
    }

    /// Puts a semaphore at a position in a registry, or detaches it from all registries while it is
    /// in use.
    pub(super) fn put(&mut self, number: u32, at: Option<&'static Registry>) {
        let numbering = self.numbering(number);
        numbering.at = at;
        numbering.is_idle = false;
    }

    /// Frees a semaphore that has left its position.
    pub(super) fn give_back(&mut self, number: u32) {
        let numbering = self.numbering(number);
        numbering.at = None;
        numbering.is_idle = true;
        let (index, is_substitute) = (numbering.index, numbering.is_substitute);
        if is_substitute {
            self.made.entry(index).or_default().idle.push(number);
        }
    }

    pub(super) fn semaphore(&self, number: u32) -> &'static Semaphore {
        self.all[number as usize].semaphore
    }

    /// Returns the registry in which the semaphore is at another semaphore's position, if any.
    pub(super) fn at(&self, number: u32) -> Option<&'static Registry> {
        self.all[number as usize].at
    }

    /// Returns the numbers of a limiter's semaphores that were made as substitutes.
    pub(super) fn numbers(&self, index: usize) -> &[u32] {
        self.made.get(&index).map_or(&[], |made| &made.all)
    }

    fn numbering(&mut self, number: u32) -> &mut Numbering {
        &mut self.all[number as usize]
    }

    fn add(&mut self, semaphore: &'static Semaphore, index: usize, is_substitute: bool) -> u32 {
        let number = u32::try_from(self.all.len()).expect("fewer than 2^32 semaphores");
        let cell = self.numbered.get_or_make(number as usize, OnceCell::new);
        cell.set(semaphore).expect("a number is given once");
        self.all.push(Numbering { semaphore, index, is_substitute, at: None, is_idle: false });
        number
    }
}

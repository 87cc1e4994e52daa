//! The mode in which drainers wait until no permit is out and no call waits.

use super::wake_list::WakeList;
use std::mem;
use std::task::Waker;

/// The wakers of those who drain a semaphore, by the drainer's number.
#[derive(Debug, Default)]
pub(super) struct Drainers(Vec<(u64, Waker)>);

impl Drainers {
    /// Returns whether nobody drains.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps a drainer's waker. Returns the one that it had, to be dropped after unlocking.
    pub(super) fn set(&mut self, drainer: u64, waker: Waker) -> Option<Waker> {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == drainer) {
            return Some(mem::replace(known, waker));
        }
        self.0.push((drainer, waker));
        None
    }

    /// Forgets a drainer. Returns its waker, to be dropped after unlocking.
    pub(super) fn remove(&mut self, drainer: u64) -> Option<Waker> {
        let position = self.0.iter().position(|(known, _)| *known == drainer)?;
        Some(self.0.swap_remove(position).1)
    }

    /// Forgets all drainers, and adds their wakers to those to be woken after unlocking.
    pub(super) fn wake_all(&mut self, wakers: &mut WakeList) {
        for (_, waker) in mem::take(&mut self.0) {
            wakers.push(Some(waker));
        }
    }
}

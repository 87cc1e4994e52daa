//! Orders that tokio's semaphore does not have, written as one would by hand.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;

use tokio::sync::oneshot;

/// A queue of waiters.
pub(crate) trait Waiters: Send {
    fn push(&mut self, priority: u8, waiter: oneshot::Sender<()>);
    fn pop(&mut self) -> Option<oneshot::Sender<()>>;
}

/// The permits and the waiters of a semaphore.
pub(crate) struct HandMade<W: Waiters> {
    state: Mutex<(usize, W)>,
}

pub(crate) struct Permit<'a, W: Waiters>(&'a HandMade<W>);

pub(crate) type NewestFirst = HandMade<Vec<oneshot::Sender<()>>>;
pub(crate) type ByPriority = HandMade<Heap>;

impl NewestFirst {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { state: Mutex::new((limit, Vec::new())) }
    }
}

impl ByPriority {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { state: Mutex::new((limit, Heap { heap: BinaryHeap::new(), came: 0 })) }
    }
}

impl<W: Waiters> HandMade<W> {
    pub(crate) async fn acquire(&self, priority: u8) -> Permit<'_, W> {
        let granted = {
            let mut state = self.state.lock().expect("nobody panics");
            if state.0 > 0 {
                state.0 -= 1;
                return Permit(self);
            }
            let (waiter, granted) = oneshot::channel();
            state.1.push(priority, waiter);
            granted
        };
        granted.await.expect("whoever is taken out of the queue is granted a permit");
        Permit(self)
    }
}

impl<W: Waiters> Drop for Permit<'_, W> {
    fn drop(&mut self) {
        loop {
            let next = {
                let mut state = self.0.state.lock().expect("nobody panics");
                match state.1.pop() {
                    Some(next) => next,
                    None => return state.0 += 1,
                }
            };
            // The error means that the waiter has gone.
            if next.send(()).is_ok() {
                return;
            }
        }
    }
}

impl Waiters for Vec<oneshot::Sender<()>> {
    fn push(&mut self, _: u8, waiter: oneshot::Sender<()>) {
        self.push(waiter);
    }

    fn pop(&mut self) -> Option<oneshot::Sender<()>> {
        self.pop()
    }
}

#[derive(Default)]
pub(crate) struct Heap {
    heap: BinaryHeap<Entry>,
    came: u64,
}

struct Entry {
    rank: (u8, Reverse<u64>),
    waiter: oneshot::Sender<()>,
}

impl Waiters for Heap {
    fn push(&mut self, priority: u8, waiter: oneshot::Sender<()>) {
        self.came += 1;
        self.heap.push(Entry { rank: (priority, Reverse(self.came)), waiter });
    }

    fn pop(&mut self) -> Option<oneshot::Sender<()>> {
        self.heap.pop().map(|entry| entry.waiter)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

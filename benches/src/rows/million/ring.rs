//! One holder and the queue behind it, polled by hand.

use std::cell::Cell;
use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::AllocationInfo;

thread_local! {
    static ADMITTED: Cell<u64> = const { Cell::new(0) };
}

/// The body of every limited function of these rows: it counts its start and never ends.
pub(super) async fn hold() {
    ADMITTED.set(ADMITTED.get() + 1);
    pending::<()>().await;
}

/// Calls of one function with one permit. The call at `head` is inside, and the others wait in the
/// order of the ring. Futures are boxed once and replaced inside their boxes, so no turn allocates
/// one.
pub(super) struct Ring<F, M> {
    calls: Vec<Pin<Box<F>>>,
    make: M,
    head: usize,
    /// The distance from the head to the next call to be cancelled.
    middle: usize,
    random: u64,
}

impl<F: Future, M: Fn() -> F> Ring<F, M> {
    /// Makes a holder and this many waiters. Returns them with the memory that was allocated while
    /// they queued, or `None` if the calls do not queue as they should.
    pub(super) fn build(waiters: usize, make: M) -> Option<(Self, AllocationInfo)> {
        let calls: Vec<_> = (0..=waiters).map(|_| Box::pin(make())).collect();
        let mut ring =
            Self { calls, make, head: 0, middle: waiters / 2, random: 0x9E37_79B9_7F4A_7C15 };
        let before = ADMITTED.get();
        ring.poll(0);
        let memory = allocation_counter::measure(|| {
            for index in 1..=waiters {
                ring.poll(index);
            }
        });
        (ADMITTED.get() == before + 1).then_some((ring, memory))
    }

    fn poll(&mut self, index: usize) {
        let call = self.calls[index].as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(call, Poll::Pending), "a body that never ends has ended");
    }

    /// Replaces a call with a new one, which joins the queue as its last.
    fn replace(&mut self, index: usize) {
        self.calls[index].set((self.make)());
        self.poll(index);
    }

    /// Repeats this: the holder leaves, the first waiter runs, a new call joins at the end.
    pub(super) fn serve(&mut self, times: u32) {
        let before = ADMITTED.get();
        for _ in 0..times {
            let holder = self.head;
            self.calls[holder].set((self.make)());
            self.head = if holder + 1 == self.calls.len() { 0 } else { holder + 1 };
            self.poll(self.head);
            self.poll(holder);
        }
        assert_eq!(ADMITTED.get() - before, u64::from(times), "each turn serves one waiter");
    }

    /// Repeats this: the waiter in the middle of the queue is cancelled, a new call joins at the
    /// end.
    ///
    /// The rear half of the queue moves up by one each time, so its first waiter is the middle
    /// again.
    pub(super) fn cancel(&mut self, times: u32) {
        for _ in 0..times {
            self.replace(self.behind_head(self.middle));
            self.middle += 1;
            if self.middle == self.calls.len() {
                self.middle = self.calls.len() / 2;
            }
        }
    }

    /// Does the same with a waiter picked at random. The ring is out of order afterwards.
    pub(super) fn cancel_at_random(&mut self, times: u32) {
        for _ in 0..times {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let waiters = self.calls.len() as u64 - 1;
            let picked = usize::try_from(self.random % waiters).expect("an index");
            self.replace(self.behind_head(1 + picked));
        }
    }

    fn behind_head(&self, distance: usize) -> usize {
        (self.head + distance) % self.calls.len()
    }
}

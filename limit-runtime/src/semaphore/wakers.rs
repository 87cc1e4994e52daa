//! Waking, and the clock by which waits are measured.

use once_cell::sync::OnceCell;
use std::task::Waker;
use tokio::time::Instant;

/// Wakers to wake after unlocking. Nearly always it is one, which takes no allocation.
#[derive(Default)]
pub(super) struct Wakers {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Wakers {
    /// So many are woken for one lock.
    const MOST: usize = 64;

    #[inline]
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.rest.extend(waker);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.rest.len() + 1 >= Self::MOST
    }

    #[inline]
    pub(super) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
        }
        if !self.rest.is_empty() {
            self.rest.into_iter().for_each(Waker::wake);
        }
    }
}

/// Nanoseconds since this was asked first, on tokio's clock.
pub(super) fn now() -> u64 {
    static ORIGIN: OnceCell<Instant> = OnceCell::new();
    let now = Instant::now();
    let since = now.saturating_duration_since(*ORIGIN.get_or_init(|| now));
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

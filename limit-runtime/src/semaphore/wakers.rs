//! Waking, and the clock by which waits are measured.

use once_cell::sync::OnceCell;
use std::task::Waker;
use std::time::Duration;
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

/// Nanoseconds on tokio's clock since this was asked first, before which a clock may be that stands
/// still or goes its own way (`tokio::time::pause`).
pub(super) fn now() -> i64 {
    static ORIGIN: OnceCell<Instant> = OnceCell::new();
    let now = Instant::now();
    let origin = *ORIGIN.get_or_init(|| now);
    match now.checked_duration_since(origin) {
        Some(since) => nanoseconds(since),
        None => -nanoseconds(origin.saturating_duration_since(now)),
    }
}

/// Good for 292 years.
fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

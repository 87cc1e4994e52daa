//! Waking, and the clock by which waits are measured.

use once_cell::sync::OnceCell;
use std::task::Waker;
use std::time::Duration;
use tokio::runtime::Handle;
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
        let Self { first, rest } = self;
        if rest.is_empty() {
            if let Some(first) = first {
                first.wake();
            }
        } else {
            let _rest = Rest(rest.into_iter());
            first.into_iter().for_each(Waker::wake);
        }
    }
}

/// Wakes when dropped: also if a waker before it panics, for the others have been served.
struct Rest(std::vec::IntoIter<Waker>);

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}

thread_local! {
    /// Whether tokio's clock can be asked. With tokio's feature `test-util` it panics while the
    /// thread's locals are dropped. This is dropped before tokio's own, as it is made after them.
    static TOKIO_CLOCK: TokioClock = TokioClock {
        gone: Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed()),
    };
}

struct TokioClock {
    gone: bool,
}

impl Drop for TokioClock {
    fn drop(&mut self) {
        self.gone = true;
    }
}

/// Nanoseconds on tokio's clock since this was asked first, before which a clock may be that stands
/// still or goes its own way (`tokio::time::pause`).
pub(super) fn now() -> i64 {
    static ORIGIN: OnceCell<Instant> = OnceCell::new();
    let now = match TOKIO_CLOCK.try_with(|clock| clock.gone) {
        Ok(false) => Instant::now(),
        _ => Instant::from_std(std::time::Instant::now()),
    };
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

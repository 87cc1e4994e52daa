//! Assertions about the figures of a limiter.

use limit_runtime::{Admission, Figures, Limiter};

/// Returns the figures of all runtimes together.
pub fn total<E: Admission, K>(limiter: &Limiter<E, K>) -> Figures {
    limiter.snapshot().total
}

/// Asserts how many permits are out and how many calls wait.
#[track_caller]
pub fn assert_figures<E: Admission, K>(limiter: &Limiter<E, K>, in_use: usize, waiting: usize) {
    let total = total(limiter);
    assert_eq!((total.in_use, total.waiting), (in_use, waiting), "in use and waiting, in {total}");
}

/// Asserts that no call waits and that exactly the limit's number of permits is free: takes them
/// all and gives them back.
///
/// Looks at the current scope; no other scope may have permits out. The limiter's calls weigh 1, and
/// its permits are free as soon as they are back.
#[track_caller]
pub fn assert_all_free<E: Admission>(limiter: &Limiter<E>) {
    assert_figures(limiter, 0, 0);
    let limit = limiter.snapshot().total.limit;
    let permits: Vec<_> = (0..limit)
        .map(|taken| {
            limiter.try_acquire().unwrap_or_else(|_| panic!("{taken} of {limit} permits are free"))
        })
        .collect();
    limiter.try_acquire().expect_err("no more permits than the limit are free");
    drop(permits);
    assert_figures(limiter, 0, 0);
}

//! Parts of the permits are guaranteed to shares of the calls.

mod at_hand;
mod oracle;
mod random;
mod threads;

use limit_runtime::{Admission, Limiter, Permit, Share};

const SHARES: &[Share] = &[
    Share::new("live", 60),
    Share::new("batch", 20).at_most(50),
    Share::new("probe", 10).reserved(),
];

/// Takes as many permits of a share as it can have at once.
fn take_all(limiter: &Limiter, share: &str) -> Vec<Permit> {
    std::iter::from_fn(|| limiter.share(share).try_acquire().ok()).collect()
}

/// Returns in use and waiting of each share, and of the rest.
fn uses<E: Admission>(limiter: &Limiter<E>) -> Vec<(usize, usize)> {
    limiter.snapshot().shares.iter().map(|share| (share.in_use, share.waiting)).collect()
}

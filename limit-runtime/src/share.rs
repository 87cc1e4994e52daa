//! Shares of a limit: what a user writes, and how many permits each comes to.

/// The most shares of a limiter.
const MOST: usize = 16;

/// The name of the calls that have no share.
pub(crate) const REST: &str = "rest";

/// A share of a limiter's permits: a name, and a part in per cent. See [`Limiter::shares`](crate::Limiter::shares).
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Share};
///
/// const SHARES: &[Share] = &[
///     Share::new("live", 60),
///     Share::new("batch", 20).at_most(50),
///     Share::new("probe", 10).reserved(),
/// ];
/// static API: Limiter = Limiter::new("share-example", 20).shares(SHARES);
///
/// let _permit = API.share("live").try_acquire()?;
/// let shares = API.snapshot().shares;
/// assert_eq!((&*shares[0].name, shares[0].guaranteed, shares[0].in_use), ("live", 12, 1));
/// assert_eq!((&*shares[1].name, shares[1].guaranteed, shares[1].at_most), ("batch", 4, 10));
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub(crate) name: &'static str,
    /// Per cent of the limit, from 0 to 100.
    pub(crate) percent: u32,
    /// Per cent of the limit, from `percent` to 100.
    at_most: u32,
    is_reserved: bool,
}

impl Share {
    /// Makes a share of so many per cent of the limit, from 0 to 100. Its calls are guaranteed that many permits.
    ///
    /// A share of 0 per cent gets permits that no other share wants.
    ///
    /// # Panics
    ///
    /// If `percent` is above 100, or the name is empty, or `rest`, which is that of the calls without a share. In a `const` or a `static` that is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str, percent: u32) -> Self {
        assert!(!name.is_empty(), "a share has a name, such as \"batch\"");
        assert!(
            !is_equal(name, REST),
            "the share `rest` is that of the calls without a share: choose another name"
        );
        assert!(percent <= 100, "a share is 0 to 100 per cent of the limit");
        Self { name, percent, at_most: 100, is_reserved: false }
    }

    /// Sets how many per cent of the limit the calls of the share have at most, also while nobody else wants the
    /// permits. Without this they may have all that are free.
    ///
    /// # Panics
    ///
    /// If `percent` is below the share itself, or above 100.
    #[must_use]
    #[track_caller]
    pub const fn at_most(mut self, percent: u32) -> Self {
        assert!(
            self.percent <= percent && percent <= 100,
            "`Share::at_most` takes per cent of the limit, from the share itself to 100"
        );
        self.at_most = percent;
        self
    }

    /// Keeps the whole permits of the share's part free for its calls, also while they have none running: no other call
    /// gets them.
    ///
    /// A call of a reserved share need not wait for one of another share to end. In return the permits are idle while
    /// the share is.
    #[must_use]
    pub const fn reserved(mut self) -> Self {
        self.is_reserved = true;
        self
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Checks the shares of a limiter.
///
/// # Panics
///
/// If they come to more than 100 per cent, are too many, or two have the same name.
#[track_caller]
pub(crate) const fn check(shares: &[Share]) {
    assert!(!shares.is_empty(), "`Limiter::shares` takes at least one share");
    assert!(shares.len() <= MOST, "a limiter has at most 16 shares");
    let (mut sum, mut index) = (0, 0);
    while index < shares.len() {
        sum += shares[index].percent;
        let mut other = 0;
        while other < index {
            assert!(
                !is_equal(shares[index].name, shares[other].name),
                "two shares of a limiter have the same name"
            );
            other += 1;
        }
        index += 1;
    }
    assert!(sum <= 100, "the shares of a limiter come to more than 100 per cent");
}

/// Returns whether two strings are equal, in a `const`.
const fn is_equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// The permits of a share under some limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Portion {
    /// The permits that are guaranteed. Those of all shares add up to the limit.
    pub(crate) guaranteed: u32,
    /// The most permits that its calls may have.
    pub(crate) at_most: u32,
    /// The permits that are kept free for it.
    pub(crate) reserved: u32,
}

/// Returns the permits of each share under a limit, and last of the *rest*: of the calls that have no share.
///
/// The guaranteed numbers are those of the largest remainder (Hamilton's method): each share gets the whole permits
/// of its part, and those that are left go one each to the shares with the largest fractions, of equal ones to the
/// first.
pub(crate) fn portions(shares: &[Share], limit: u32) -> Vec<Portion> {
    let rest =
        Share { name: REST, percent: percent_of_rest(shares), at_most: 100, is_reserved: false };
    let all: Vec<_> = shares.iter().copied().chain([rest]).collect();
    let part = |percent: u32| u64::from(limit) * u64::from(percent);
    let whole = |percent: u32| u32::try_from(part(percent) / 100).unwrap_or(limit);
    let mut guaranteed: Vec<_> = all.iter().map(|share| whole(share.percent)).collect();
    let left = limit - guaranteed.iter().sum::<u32>();
    let mut by_fraction: Vec<_> = (0..all.len()).collect();
    // Stable: of equal fractions the first share comes first.
    by_fraction.sort_by_key(|&index| std::cmp::Reverse(part(all[index].percent) % 100));
    for &index in by_fraction.iter().take(left as usize) {
        guaranteed[index] += 1;
    }
    let portion = |(share, guaranteed): (&Share, u32)| Portion {
        guaranteed,
        // A call of one permit can run under any limit.
        at_most: whole(share.at_most).max(guaranteed).max(limit.min(1)),
        // Only the whole permits of its part: what others are guaranteed in time must not wait for it.
        reserved: if share.is_reserved { whole(share.percent) } else { 0 },
    };
    all.iter().zip(guaranteed).map(portion).collect()
}

/// Returns the per cent of the limit that no share has.
pub(crate) fn percent_of_rest(shares: &[Share]) -> u32 {
    100 - shares.iter().map(|share| share.percent).sum::<u32>()
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::{Share, portions};

    const SHARES: &[Share] = &[
        Share::new("live", 60),
        Share::new("batch", 20).at_most(50),
        Share::new("probe", 10).reserved(),
    ];

    fn guaranteed(limit: u32) -> Vec<u32> {
        portions(SHARES, limit).iter().map(|portion| portion.guaranteed).collect()
    }

    #[test]
    fn whole_permits_add_up_to_the_limit() {
        for limit in (0..1000).chain([u32::MAX >> 1]) {
            assert_eq!(guaranteed(limit).iter().sum::<u32>(), limit);
        }
    }

    #[test]
    fn the_largest_fractions_get_the_permits_that_are_left() {
        assert_eq!(guaranteed(20), [12, 4, 2, 2]);
        assert_eq!(guaranteed(1), [1, 0, 0, 0]);
        // 1.2, 0.4, 0.2, 0.2
        assert_eq!(guaranteed(2), [1, 1, 0, 0]);
        // 4.2, 1.4, 0.7, 0.7
        assert_eq!(guaranteed(7), [4, 1, 1, 1]);
    }

    #[test]
    fn each_share_may_have_at_least_what_it_is_guaranteed_and_one_permit() {
        let at_most = |limit| portions(SHARES, limit)[1].at_most;
        assert_eq!([0, 1, 2, 20, 21].map(at_most), [0, 1, 1, 10, 10]);
        assert_eq!(portions(SHARES, 20)[2].reserved, 2);
    }
}

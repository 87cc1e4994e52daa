//! Limits that find themselves.

use super::{KeyedLimiter, Limiter};
use crate::adaptive::{Adaptation, Favor};
use crate::admission::Admission;
use crate::engine::core::Core;
use crate::engine::definition::{Definition, LimitSource};
use crate::policy::MAX_LIMIT;
use std::borrow::Cow;
use std::ops::RangeInclusive;

impl Limiter {
    /// Creates a limiter whose limit finds itself within a range, for each runtime.
    ///
    /// The limit becomes the number of calls that the backend works on at a time, and a few more that keep it busy.
    /// The limiter learns that number from the times of the calls that waited: see the
    /// [guide](crate::guide::adaptive).
    ///
    /// A call weighs at most the lower end of the range, so that it can always be admitted. The limit begins at
    /// [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// If the range begins with 0, is empty, or ends above [`MAX_LIMIT`](Self::MAX_LIMIT). In a `static` that is a
    /// compile error.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::adaptive("adaptive-example", 4..=200);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let _permit = DB.acquire().await;
    /// assert!((4..=200).contains(&DB.limit().unwrap()));
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn adaptive(name: &'static str, range: RangeInclusive<usize>) -> Self {
        let adaptation = Adaptation::new(&range, MAX_LIMIT);
        let limit = LimitSource::Fixed(adaptation.first() as usize);
        let mut limiter = Self::from_core(Core::new(Cow::Borrowed(name), limit));
        limiter.core.definition.adaptation = Some(adaptation);
        limiter
    }
}

impl<E: Admission, K> Limiter<E, K> {
    /// Sets the limit with which a limit that [adapts](Limiter::adaptive) begins. Without this setter it begins with
    /// twice the lower end of the range.
    ///
    /// # Panics
    ///
    /// If the limiter has been used, does not adapt, or `limit` is outside its range.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::adaptive("start-example", 4..=200).start(50);
    /// assert_eq!(DB.limit(), Some(50));
    /// ```
    #[must_use]
    #[track_caller]
    #[expect(clippy::cast_possible_truncation, reason = "it is at most the end of the range")]
    pub const fn start(mut self, limit: usize) -> Self {
        let definition =
            self.configure("`Limiter::start` must be called before the limiter is used");
        let Some(adaptation) = &mut definition.adaptation else {
            panic!(
                "`Limiter::start` is about a limit that adapts: call `Limiter::adaptive` before"
            );
        };
        assert!(
            adaptation.low as usize <= limit && limit <= adaptation.high as usize,
            "`Limiter::start` is outside the range of the limit"
        );
        adaptation.start = Some(limit as u32);
        definition.begin_with(limit);
        self
    }

    /// Leaves the limit at [`start`](Self::start). Figures and the page say which limit the limiter would choose. It
    /// makes no experiments, so its advice has a wider error than the limit that it would find: see the
    /// [guide](crate::guide::adaptive).
    ///
    /// # Panics
    ///
    /// If the limiter has been used, or does not adapt.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::adaptive("advise-example", 4..=200).start(50).advise();
    /// # let _ = DB.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn advise(mut self) -> Self {
        let definition =
            self.configure("`Limiter::advise` must be called before the limiter is used");
        let Some(adaptation) = &mut definition.adaptation else {
            panic!(
                "`Limiter::advise` is about a limit that adapts: call `Limiter::adaptive` before"
            );
        };
        adaptation.advises = true;
        self
    }

    /// Sets what a limit that [adapts](Limiter::adaptive) favors: calls that are soon done, or a backend that is never
    /// idle. Without this setter it is in between: see the [guide](crate::guide::adaptive#choose-what-it-favors).
    ///
    /// # Panics
    ///
    /// If the limiter has been used, or does not adapt.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Favor, Limiter};
    ///
    /// static DB: Limiter = Limiter::adaptive("latency-example", 1..=200).favor(Favor::Latency);
    /// # let _ = DB.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn favor(mut self, favor: Favor) -> Self {
        let definition =
            self.configure("`Limiter::favor` must be called before the limiter is used");
        let Some(adaptation) = &mut definition.adaptation else {
            panic!(
                "`Limiter::favor` is about a limit that adapts: call `Limiter::adaptive` before"
            );
        };
        adaptation.favor = Some(favor);
        self
    }
}

impl<E: Admission> KeyedLimiter<E> {
    /// Sets a cap over all keys that finds itself within a range, in place of a [`total`](Self::total) that stays.
    /// The limit of each key stays as it is.
    ///
    /// # Panics
    ///
    /// If the limiter has been used, or the range is wrong: see [`adaptive`](Limiter::adaptive).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{KeyedLimiter, Limiter};
    ///
    /// static TENANTS: KeyedLimiter =
    ///     Limiter::new("adaptive-total-example", 3).keyed().adaptive_total(4..=200);
    /// # let _ = TENANTS.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn adaptive_total(mut self, range: RangeInclusive<usize>) -> Self {
        let adaptation = Adaptation::new(&range, MAX_LIMIT);
        let definition =
            self.configure("`Limiter::adaptive_total` must be called before the limiter is used");
        definition.adaptation = Some(adaptation);
        definition.policy.total = adaptation.first();
        definition.check();
        self
    }
}

impl Definition {
    /// Sets the limit, or with keys the total, with which a limit that adapts begins.
    const fn begin_with(&mut self, limit: usize) {
        if self.policy.keyed {
            self.policy.total = super::settings::clamp(limit, MAX_LIMIT);
        } else {
            self.limit = LimitSource::Fixed(limit);
        }
    }
}

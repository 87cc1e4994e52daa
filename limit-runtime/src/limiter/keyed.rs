//! A limiter for one key.

use super::settings::{calls_value, clamp, supported};
use super::{KeyedLimiter, LimiterHandle};
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::engine::core::Core;
use crate::keying::{Key, Keying};
use crate::permit::Permit;
use crate::policy::MAX_LIMIT;
use crate::recorder::CallSite;
use crate::rejected::Rejected;
use crate::scope::Scope;
use crate::semaphore::text_of_key;
use crate::setting::{SettingKind, Unsupported};
use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

/// A [`KeyedLimiter`] with a key. [`KeyedLimiter::key`] returns it.
#[must_use = "it takes no permit before one of its methods is called"]
pub struct ForKey<'a, T, E: Admission = Infallible> {
    core: &'a Core,
    key: Key<T>,
    kind: PhantomData<fn() -> E>,
}

/// Returns the text by which a fleet knows a key.
#[track_caller]
fn text_of<T: 'static>(key: &T, limiter: &str) -> String {
    text_of_key(key).unwrap_or_else(|| {
        let type_name = type_name::<T>();
        panic!(
            "a fleet knows the keys of concurrency limiter `{limiter}` by their text, and `{type_name}` \
             has none here: write `.key(key.to_string())`"
        )
    })
}

impl<E: Admission> KeyedLimiter<E> {
    /// Returns the limiter for calls with this key.
    ///
    /// Keys differ by type and by value: `key(7_u32)` and `key(7_u64)` are two keys. A key's `Eq`
    /// and `Clone` run under a lock. They must not use the limiter, and should be quick.
    ///
    /// With [`Scope::Fleet`] the text of the key counts, because all processes of the fleet know the key by
    /// it: `key(7_u32)` and `key("7")` are one key.
    ///
    /// # Panics
    ///
    /// With [`Scope::Fleet`], if the key is no text (`String`, `&'static str`, `Arc<str>`, `Box<str>`,
    /// `Cow<'static, str>`), number, `bool`, `char` or address ([`std::net`]): write
    /// `.key(key.to_string())`.
    ///
    /// # Examples
    ///
    /// See [`keyed`](super::Limiter::keyed).
    #[inline]
    #[track_caller]
    pub fn key<T: Hash + Eq + Clone + Send + 'static>(&self, key: T) -> ForKey<'_, T, E> {
        let key = if self.core.definition.scope == Scope::Fleet {
            Key::from_text(text_of(&key, self.name()))
        } else {
            Key::new(key)
        };
        ForKey { core: &self.core, key, kind: PhantomData }
    }

    /// Sets a cap over all keys. While the cap is reached, the keys whose calls wait are served in
    /// turn, one call each. So a busy key cannot starve the others. With [weights](ForKey::key_weight) the keys share the
    /// cap in proportion to them.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// See [`keyed`](super::Limiter::keyed).
    #[must_use]
    #[track_caller]
    pub const fn total(mut self, total: usize) -> Self {
        self.configure("`Limiter::total` must be called before the limiter is used").policy.total =
            clamp(total, MAX_LIMIT);
        self
    }

    /// Changes the cap over all keys, as [`set_limit`](Self::set_limit) changes the limit of each
    /// key.
    pub fn set_total(&self, total: usize) {
        let set = self.core.engine().set_total(total);
        debug_assert_eq!(set, Ok(()), "its type says that it has keys");
    }

    /// Sets how many calls of all keys together may wait. A further call is refused at once, as
    /// [`QueueFull`](crate::RejectedKind::QueueFull). With 0 no call ever waits.
    ///
    /// [`max_waiting`](crate::Limiter::max_waiting) holds for each key. If clients choose the keys, they choose as well
    /// how many keys wait: each brings a queue of its own. This bounds the memory that they can take.
    ///
    /// With [`Order::Lifo`](crate::Order::Lifo) a call takes the place of the oldest one of its own key. If no call of its
    /// key waits, it is refused.
    ///
    /// Each runtime has a queue of its own with [`Scope::Runtime`], so the bound is that of each runtime. A
    /// [`shadow`](crate::Limiter::shadow) keeps account of each key by itself, and leaves this bound out.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind};
    ///
    /// static TENANTS: KeyedLimiter<Rejected> =
    ///     Limiter::new("max-waiting-total-example", 1).keyed().total(1).max_waiting_total(100);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Rejected> {
    /// let permit = TENANTS.key("acme").acquire().await?;
    /// TENANTS.set_max_waiting_total(0);
    /// let rejected = TENANTS.key("another").acquire().await.unwrap_err();
    /// assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn max_waiting_total(mut self, calls: usize) -> KeyedLimiter<Rejected> {
        self.configure("`Limiter::max_waiting_total` must be called before the limiter is used")
            .policy
            .max_waiting_total = clamp(calls, u32::MAX);
        self.into_kind()
    }
}

impl KeyedLimiter<Rejected> {
    /// Sets how many calls of all keys together may wait, from now on. Calls that wait already go on waiting.
    pub fn set_max_waiting_total(&self, calls: usize) {
        supported(&self.core.engine().set(SettingKind::MaxWaitingTotal, calls_value(calls)));
    }
}

impl LimiterHandle {
    /// Does the same as [`KeyedLimiter::set_max_waiting_total`].
    ///
    /// # Errors
    ///
    /// If the limiter has no keys, cannot refuse calls, or was made a shadow. Nothing is changed then.
    pub fn set_max_waiting_total(&self, calls: usize) -> Result<(), Unsupported> {
        self.engine.set(SettingKind::MaxWaitingTotal, calls_value(calls))
    }
}

impl<T, E: Admission> ForKey<'_, T, E> {
    /// Gives the key a weight, for its part of the [`total`](KeyedLimiter::total). 0 counts as 1.
    ///
    /// While the total is reached, it is shared among the keys whose calls wait in proportion to their weights, however long
    /// their calls take: next is the key with the least `(permits in use + 1) / weight`, and of equals the one that has
    /// waited for its turn for the longest time. A key whose part is less than a permit has its part in time: a key of weight
    /// 1 beside others with weights of 19 together, which always wait, gets every twentieth permit. It is next, before all
    /// others, once it has earned a permit while it waited and held none.
    ///
    /// No permit is kept free for a key. A heavy call (of several permits) at the head of the key that is next keeps others
    /// waiting until there are enough.
    ///
    /// The weight of a key is the one that a call has given last, when it was first polled. A call that gives none leaves it
    /// as it is. A key has the weight 1 until a call gives it another, and again when it has neither holders nor waiters.
    /// While all weights are 1, the keys are served in turn.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{KeyedLimiter, Limiter};
    ///
    /// static TENANTS: KeyedLimiter = Limiter::new("key-weight-example", 10).keyed().total(4);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let held: Vec<_> = (0..4).map(|_| TENANTS.key("old").try_acquire().unwrap()).collect();
    /// let call = |key, weight| tokio::spawn(TENANTS.key(key).key_weight(weight).acquire());
    /// let large: Vec<_> = (0..4).map(|_| call("large", 3)).collect();
    /// let small: Vec<_> = (0..4).map(|_| call("small", 1)).collect();
    /// tokio::task::yield_now().await;
    /// drop(held);
    /// tokio::task::yield_now().await;
    /// // Three of the four permits are those of the key with the weight 3.
    /// assert_eq!(large.iter().filter(|call| call.is_finished()).count(), 3);
    /// assert_eq!(small.iter().filter(|call| call.is_finished()).count(), 1);
    /// # }
    /// ```
    pub fn key_weight(mut self, weight: u32) -> Self {
        self.key.set_weight(weight);
        self
    }
}

impl<'a, T: Eq + Clone + Send + 'static, E: Admission> ForKey<'a, T, E>
where
    Key<T>: Keying,
{
    /// Takes a permit of this key. Waits if none is free.
    ///
    /// Cancel safe, see [`Acquire`].
    #[track_caller]
    pub fn acquire(self) -> Acquire<'a, E, Key<T>> {
        Acquire::new(self.core, self.key, CallSite::caller())
    }

    /// Takes a permit of this key on a thread that may block, as
    /// [`Limiter::blocking_acquire`](crate::Limiter::blocking_acquire).
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime.
    #[track_caller]
    pub fn blocking_acquire(self) -> E::Outcome<Permit> {
        self.acquire().block()
    }

    /// Takes a permit of this key, if one is free and no call waits for it.
    ///
    /// # Errors
    ///
    /// [`RejectedKind::NoPermits`](crate::RejectedKind::NoPermits) if too few permits are free;
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy) and [`Closed`](crate::RejectedKind::Closed) as
    /// for other calls.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        self.try_acquire_many(self.core.definition.request.weight)
    }

    /// Takes `weight` permits of this key at once, if they are free and no call waits for them.
    ///
    /// # Errors
    ///
    /// The same as [`try_acquire`](Self::try_acquire).
    #[track_caller]
    pub fn try_acquire_many(&self, weight: u32) -> Result<Permit, Rejected> {
        self.core.try_acquire(weight, &self.key, CallSite::caller())
    }
}

impl<T, E: Admission> fmt::Debug for ForKey<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForKey").field("limiter", self.core).finish_non_exhaustive()
    }
}

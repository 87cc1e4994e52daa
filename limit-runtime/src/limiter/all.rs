//! Taking the permits of several limiters as one.

use super::{ForKey, ForShare, Limiter, SharedLimiter};
use crate::acquire::Acquire;
use crate::acquire::all::{AcquireAll, Members, member::Member};
use crate::admission::{Admission, sealed as sealed_admission};
use crate::keying::{InShare, Key, Keying, Unkeyed};
use crate::permit::AllPermits;
use crate::recorder::CallSite;
use std::sync::Arc;

/// Takes the permits of several limits as one: all of them, or none. Waits until it has them.
///
/// The limits are a tuple or an array of 1 to 8 [`OneLimit`]: `&LIMITER`, `TENANTS.key(tenant)`, or a call with
/// options, such as `DB.acquire().weight(2)`. The output is one guard, [`AllPermits`](crate::AllPermits). If one of the
/// limiters can refuse calls, it is a `Result` with the guard.
///
/// # Waiting
///
/// - The call looks whether all limits have permits for it. If not, it waits in the queue of one that has none, like any
///   other call, and holds nothing. When it is handed those permits, it takes the others if they are free. If they are not,
///   it gives back what it has, and waits for the one that it lacks.
/// - After three such rounds it takes the limits one after the other, and holds what it has. It does so in one order that
///   all calls of the process have. So such calls never wait for each other, in whatever order they name the
///   limits.
/// - Calls for one limit do not starve it: a call for *n* limits waits at most 3 + *n* times as a call for one of them
///   does. (A rule that never lets a permit idle could not say so: of two busy limits with one permit each, there is never
///   a moment at which both are free.)
///
/// This holds among calls of this kind, and calls for one limit. A call that *has* a permit and then asks for others, by
/// this function or not, can wait in a circle as ever: see [`guide::hazards`](crate::guide::hazards).
///
/// # Options
///
/// - The call is refused by the first limiter that refuses it, whose name is in the refusal. It holds nothing then.
/// - `max_wait`: the time begins when the call first waits, for whichever limit. The `max_wait` of each limiter holds
///   while the call waits there. [`AcquireAll::max_wait`] sets one for all.
/// - `max_waiting`, weights and priorities hold at their own limiter, while the call waits there. A call that waits for
///   one limit is not in the queue of another.
/// - A shadow and a limiter that is off admit the call as they admit any other.
/// - A limiter that is named twice counts once: the call takes its permits once, as many as the larger of the weights.
///   All other options, and the share, are those of the first naming.
///
/// # Two keys of one limiter
///
/// A call cannot have them: it panics, and says so. The keys of one limiter may share a
/// [`total`](crate::KeyedLimiter::total). Then two calls could each hold one of its last permits, and wait for one more: an order of
/// the limits says nothing about that. In its place:
///
/// - If the keys have different roles, each role has a limiter: `(READERS.key(from), WRITERS.key(to))`.
/// - If they have the same role, such as two accounts of a transfer, and the limiter has no total: take one permit after the
///   other with [`ForKey::acquire`](crate::ForKey::acquire), the smaller key first. If all calls do so, none waits in a circle.
///
/// ```
/// use limit_runtime::{KeyedLimiter, Limiter, Permit};
///
/// static ACCOUNTS: KeyedLimiter = Limiter::new("all-accounts", 1).keyed(); // without a total
///
/// async fn both(one: u64, other: u64) -> (Permit, Option<Permit>) {
///     let first = ACCOUNTS.key(one.min(other)).acquire().await;
///     if one == other {
///         return (first, None); // A second permit of the same key would never come.
///     }
///     (first, Some(ACCOUNTS.key(one.max(other)).acquire().await))
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let accounts = both(7, 3).await;
/// assert_eq!(ACCOUNTS.snapshot().total.in_use, 2);
/// # drop((accounts, both(5, 5).await));
/// # }
/// ```
///
/// # Figures
///
/// A call is counted where it waits, while it waits there. It is admitted where it has taken permits to run. A limiter whose
/// permits it gave back in a round counts neither an admission nor a cancelled call, and a start of [`per`](Limiter::per)
/// is not used up. After three rounds the call is in use where it holds permits, though it waits for another limit.
///
/// # Cancel safety
///
/// Dropping the future at any time is safe: it leaves the queue in which it waits, and gives all permits back.
///
/// # Panics
///
/// On the first poll, if it names [two keys of one limiter](#two-keys-of-one-limiter), or one key twice. See also
/// [`Acquire`].
///
/// # Examples
///
/// ```
/// use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind, acquire_all};
///
/// static TENANTS: KeyedLimiter = Limiter::new("all-tenants", 2).keyed();
/// static DB: Limiter = Limiter::new("all-db", 10);
/// static MEMORY: Limiter<Rejected> = Limiter::new("all-memory", 512).max_waiting(0);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// let both = acquire_all((TENANTS.key("acme"), &DB)).await; // No limiter can refuse the call.
///
/// let all = acquire_all((&DB, MEMORY.acquire().weight(400))).await?;
/// let refused = acquire_all((&DB, MEMORY.acquire().weight(200))).await.unwrap_err();
/// assert_eq!(refused.kind(), RejectedKind::QueueFull);
/// assert_eq!(refused.limiter(), "all-memory");
/// assert_eq!(DB.snapshot().total.in_use, 2); // The refused call holds none.
/// # drop((both, all));
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn acquire_all<'a, L: AllOf<'a>>(limits: L) -> AcquireAll<L::Refusal, L::Members> {
    AcquireAll::new(limits.members(CallSite::caller()))
}

/// Does the same as [`acquire_all`] on a thread that may block, such as one of [`std::thread`] or of `spawn_blocking`. The
/// thread sleeps until it has all permits. Use this when blocking code needs several limits at the same time, and they are
/// shared with async code or with other threads.
///
/// The call is one like the others. Threads and tasks wait in the same queues, under the same rules, so they do not wait for
/// each other in a circle. A thread has the permits that it has with [`Limiter::blocking_acquire`], and needs no runtime for
/// `max_wait` and `per` either. To bound the wait for all limits together, give each of them the same moment, as below.
///
/// # Errors
///
/// The refusal by the first limiter that refuses the call, if one of them can. The thread holds nothing then.
///
/// # Panics
///
/// In async code, where it would block the runtime: there, write `acquire_all(…).await`, or call it inside
/// `spawn_blocking`. And if it names two keys of one limiter, as [`acquire_all`].
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Rejected, RejectedKind, blocking_acquire_all};
/// use std::thread;
/// use std::time::{Duration, Instant};
///
/// static SCANNER: Limiter = Limiter::new("blocking-all-scanner", 1);
/// static DISK: Limiter = Limiter::new("blocking-all-disk", 2);
/// # fn main() -> Result<(), Rejected> {
/// thread::scope(|scope| {
///     scope.spawn(|| drop(blocking_acquire_all((&SCANNER, &DISK))));
///     scope.spawn(|| drop(blocking_acquire_all((&DISK, &SCANNER)))); // The order makes no difference.
/// });
///
/// let until = Instant::now() + Duration::from_millis(1);
/// let calls = || (SCANNER.acquire().max_wait(until), DISK.acquire().max_wait(until));
/// let both = blocking_acquire_all(calls())?;
/// let refused = blocking_acquire_all(calls()).unwrap_err();
/// assert!(matches!(refused.kind(), RejectedKind::TimedOut | RejectedKind::NoPermits));
/// # drop(both);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn blocking_acquire_all<'a, L: AllOf<'a>>(
    limits: L,
) -> <L::Refusal as Admission>::Outcome<L::Guard> {
    acquire_all(limits).block()
}

/// Does the same as [`acquire_all`], for a body that has no name for the permits.
#[track_caller]
pub fn acquire_all_of_body<'a, L: AllOf<'a>>(limits: L) -> AcquireAll<L::Refusal, L::Members> {
    acquire_all(limits).of_body()
}

/// One of the limits that [`acquire_all`] takes as one. Sealed.
///
/// It is a reference to a [`Limiter`], an [`Arc`] or a `Box` of one, or a [`SharedLimiter`]; a limiter
/// [with a key](crate::KeyedLimiter::key) or [of a share](Limiter::share); or an [`Acquire`] that has not been polled, for its options.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no limit that can be taken with others",
    label = "no limit",
    note = "write `&LIMITER`, `LIMITER.key(…)`, or `LIMITER.acquire()` with options"
)]
pub trait OneLimit<'a>: sealed::OneLimit<'a> {
    /// The type of the refusals: see [`Admission`].
    type Refusal: Admission;
}

/// A tuple or an array of 1 to 8 [`OneLimit`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of limits that can be taken as one",
    label = "no list of limits",
    note = "write a tuple or an array of 1 to 8 limits: `acquire_all((&A, &B, C.key(k)))`"
)]
pub trait AllOf<'a>: sealed::AllOf<'a> {
    /// The type of the refusals: [`Rejected`](crate::Rejected) if one of the limiters can refuse calls.
    type Refusal: Admission;
}

pub(crate) mod sealed {
    use super::{CallSite, Keying, Member, Members};

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    pub trait OneLimit<'a> {
        type Key: Keying;

        fn member(self, site: CallSite) -> Member<'a, Self::Key>;
    }

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    pub trait AllOf<'a> {
        type Guard;
        type Members: Members<Guard = Self::Guard>;

        fn members(self, site: CallSite) -> Self::Members;
    }
}

impl<'a, E: Admission, K: Keying> OneLimit<'a> for Acquire<'a, E, K> {
    type Refusal = E;
}

#[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
impl<'a, E: Admission, K: Keying> sealed::OneLimit<'a> for Acquire<'a, E, K> {
    type Key = K;

    #[inline]
    fn member(self, site: CallSite) -> Member<'a, K> {
        Member::new(self, site)
    }
}

impl<'a, T: Eq + Clone + Send + 'static, E: Admission> OneLimit<'a> for ForKey<'a, T, E> {
    type Refusal = E;
}

#[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
impl<'a, T: Eq + Clone + Send + 'static, E: Admission> sealed::OneLimit<'a> for ForKey<'a, T, E> {
    type Key = Key<T>;

    #[inline]
    fn member(self, site: CallSite) -> Member<'a, Key<T>> {
        Member::new(self.acquire(), site)
    }
}

impl<'a, E: Admission> OneLimit<'a> for ForShare<'a, E> {
    type Refusal = E;
}

#[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
impl<'a, E: Admission> sealed::OneLimit<'a> for ForShare<'a, E> {
    type Key = InShare;

    #[inline]
    fn member(self, site: CallSite) -> Member<'a, InShare> {
        Member::new(self.acquire(), site)
    }
}

macro_rules! implement_for_references {
    ($($owner:ty),+) => {$(
        impl<'a, E: Admission> OneLimit<'a> for &'a $owner {
            type Refusal = E;
        }

        #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
        impl<'a, E: Admission> sealed::OneLimit<'a> for &'a $owner {
            type Key = Unkeyed;

            #[inline]
            fn member(self, site: CallSite) -> Member<'a, Unkeyed> {
                Member::new(self.acquire_at(site), site)
            }
        }
    )+};
}

implement_for_references!(Limiter<E>, Arc<Limiter<E>>, Box<Limiter<E>>, SharedLimiter<E>);

/// The refusals of a call that the limiters of all types can refuse.
macro_rules! refusal_of {
    ($one:ident) => { $one::Refusal };
    ($one:ident $($other:ident)+) => {
        <$one::Refusal as sealed_admission::Admission>::With<refusal_of!($($other)+)>
    };
}

macro_rules! implement_for_tuples {
    ($($count:literal: $($limit:ident $number:tt),+;)+) => {$(
        impl<'a, $($limit: OneLimit<'a>),+> AllOf<'a> for ($($limit,)+) {
            type Refusal = refusal_of!($($limit)+);
        }

        #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
        impl<'a, $($limit: OneLimit<'a>),+> sealed::AllOf<'a> for ($($limit,)+) {
            type Guard = AllPermits<$count>;
            type Members = ($(Member<'a, $limit::Key>,)+);

            #[inline]
            fn members(self, site: CallSite) -> ($(Member<'a, $limit::Key>,)+) {
                ($(self.$number.member(site),)+)
            }
        }

        impl<'a, L: OneLimit<'a>> AllOf<'a> for [L; $count] {
            type Refusal = L::Refusal;
        }

        #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
        impl<'a, L: OneLimit<'a>> sealed::AllOf<'a> for [L; $count] {
            type Guard = AllPermits<$count>;
            type Members = [Member<'a, L::Key>; $count];

            #[inline]
            fn members(self, site: CallSite) -> [Member<'a, L::Key>; $count] {
                self.map(|limit| limit.member(site))
            }
        }
    )+};
}

implement_for_tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, F 4;
    6: A 0, B 1, C 2, D 3, F 4, G 5;
    7: A 0, B 1, C 2, D 3, F 4, G 5, H 6;
    8: A 0, B 1, C 2, D 3, F 4, G 5, H 6, I 7;
}

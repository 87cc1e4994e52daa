//! Refusals: why a limiter did not admit a call.

mod kind;
mod refusal;

use crate::duration_text::duration_text;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use kind::RejectedKind;
pub(crate) use refusal::{Awaited, Estimate, Estimates, Reason, Refusal, Window};

/// The reason why a call was refused: its kind, the limiter's name, and the figures at that moment.
///
/// A handler of axum that returns `Result<_, Rejected>` needs the feature `axum-08`. Without the
/// feature the compiler says that the trait `Handler` is not implemented for the function, or that
/// `IntoResponse` is not implemented for `Rejected`. In the same way, `?` in a function that returns
/// a `tonic::Status` needs the feature `tonic-014`.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, RejectedKind};
///
/// let uploads = Limiter::new("uploads", 1);
/// let _permit = uploads.try_acquire()?;
/// let rejected = uploads.try_acquire().unwrap_err();
/// assert_eq!(rejected.kind(), RejectedKind::NoPermits);
/// assert_eq!(
///     rejected.to_string(),
///     "concurrency limit `uploads` reached: 1 of 1 permits in use, 0 waiting",
/// );
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[derive(Clone)]
pub struct Rejected {
    limiter: Arc<str>,
    refusal: Refusal,
}

// A `Result<_, Rejected>` may be in many of a user's futures.
const _: () = assert!(cfg!(limit_loom) || size_of::<Rejected>() <= 64, "see `Rejected`");

impl Rejected {
    /// Makes the error of a call that has not waited.
    #[inline]
    pub(crate) fn at_once(limiter: Arc<str>, weight: u32, mut refusal: Refusal) -> Self {
        refusal.weight = weight;
        Self { limiter, refusal }
    }

    pub(crate) fn new(
        limiter: Arc<str>,
        weight: u32,
        waited: Duration,
        mut refusal: Refusal,
    ) -> Self {
        if !waited.is_zero() {
            refusal.set_details(|details| details.waited = waited);
        }
        Self::at_once(limiter, weight, refusal)
    }

    /// Returns the kind of the refusal.
    #[must_use]
    pub fn kind(&self) -> RejectedKind {
        self.refusal.kind
    }

    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the number of permits that the call wanted.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.refusal.weight
    }

    /// Returns the limit at that moment. With keys, the limit of the call's key. If the call was too heavy, the number is the
    /// most permits that such a call may want: less than the limit for a call of a [share](crate::Limiter::shares) that may
    /// not have all permits, and the lower end of the range if the limit [adapts](crate::Limiter::adaptive).
    #[must_use]
    pub fn limit(&self) -> usize {
        self.refusal.limit as usize
    }

    /// Returns the number of permits in use at that moment. With keys, those of the call's key.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.refusal.in_use as usize
    }

    /// Returns the number of calls that waited at that moment. With keys, those of the call's key. With shares, those of the
    /// call's share.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.refusal.waiting as usize
    }

    /// Returns the time that the call had waited. It is zero if the call was refused at once.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.refusal.details().map_or(Duration::ZERO, |details| details.waited)
    }

    /// Returns the number of spent permits of a limit with a rate ([`per`](crate::Limiter::per)).
    /// Their calls are done, but they are not free before their window is over.
    ///
    /// With keys, the number is for the call's key. It is for all keys if the limit over all keys
    /// is the reason. The number is 0 without a rate, and if the rate is not the reason (too heavy,
    /// closed, evicted, unavailable, deadlock).
    ///
    /// The first of them is free after [`retry_after`](Self::retry_after), if no other call waits
    /// and this call wants one permit.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.refusal.window().map_or(0, |window| window.starts as usize)
    }

    /// Returns an estimate of the time after which another attempt may succeed. In that time, the
    /// calls that waited and then this call would be served, at the rate at which permits have come
    /// back lately. It knows nothing of how long the calls that run now have been running.
    ///
    /// A holder that wants more permits ([`Permit::resize`](crate::Permit::resize)) goes before all calls that hold nothing,
    /// so the queue does not count. The estimate is then the time until the missing permits come back, and
    /// those that other holders want before it. Other calls are taken to hold as many permits as this one.
    ///
    /// The estimate is worked out when this is called for the first time, or the refusal is formatted with `{:?}`. It
    /// is the same from then on, for clones that are made later as well. It takes the queue from the refusal, and the
    /// rate from the limiter as it is then. So call this soon, not when the error is old. A refusal that nobody asks
    /// costs neither time nor memory.
    ///
    /// The rate comes from the calls that were admitted over the last seconds, since somebody asked a
    /// refusal before. Calls that take no permits count, too. If nobody asked in the last ten seconds,
    /// it comes from all calls since then, or since the limiter was first used in this runtime. That
    /// average is too low if calls were few. So it counts only if it promises a permit within a second.
    ///
    /// While a [ramp](crate::Limiter::ramp) withholds permits, the estimate is the time at which it lets enough of them in,
    /// or the one above if that is shorter.
    ///
    /// With keys, only calls of the same key count, and the first refusal of a key has no estimate. A key without
    /// holders and waiters is forgotten, and its next refusal is the first again. With
    /// [`per`](crate::Limiter::per) the ends of the windows are known, and the estimate is better. With
    /// [shares](crate::Limiter::shares) it is too short where other shares wait, too.
    ///
    /// The result is `None` if there is no basis for an estimate: if nothing has come back, or if
    /// calls were few for long. It is also `None` while the limiter is closed or its limit is 0, and when the limiter or its
    /// runtime has gone with all its permits. Some kinds never have an estimate:
    ///
    /// | kind | because |
    /// |---|---|
    /// | `TooHeavy` | another attempt with this weight does not help |
    /// | `Closed` | nobody knows when the limiter opens |
    /// | `Evicted` | another attempt may help, but newer calls went before this one, and may do so again: its time depends on the calls that come |
    /// | `Deadlock` | another attempt helps once the caller has given up what it holds |
    /// | `Unavailable` | nobody knows when the fleet can be reached |
    ///
    /// The features `axum-08` and `tonic-014` answer with 1 second if there is no estimate and
    /// another attempt may help: for all kinds but `TooHeavy` and `Closed`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal.retry_after()
    }
}

impl Refusal {
    /// Writes the permits in use, without regard to a window.
    fn fmt_permits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { limit, in_use, waiting, of_share: true, .. } => write!(
                f,
                "{in_use} of the {limit} permits in use that this process has of its fleet, {waiting} \
                 waiting"
            ),
            Self { limit: 0, in_use, waiting, reason, .. } => {
                f.write_str("the limit ")?;
                if *reason == Reason::OfKey {
                    f.write_str("of this key ")?;
                }
                f.write_str("is 0 (paused)")?;
                if *in_use > 0 {
                    write!(f, ", {in_use} still in use")?;
                }
                write!(f, ", {waiting} waiting")
            }
            Self { limit, in_use, waiting, .. } => {
                write!(f, "{in_use} of {limit} permits in use")?;
                match self.details().and_then(|details| details.reached_total) {
                    Some(0) => f.write_str(", the total is 0 (paused)")?,
                    Some(total) => write!(f, ", the total of {total} is reached")?,
                    None => {}
                }
                if let Some(let_in) = self.details().and_then(|details| details.let_in) {
                    write!(f, ", {let_in} let in so far")?;
                }
                write!(f, ", {waiting} waiting")
            }
        }
    }

    /// Writes the figures of a call for which no permit was free.
    fn fmt_figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, in_use, waiting, .. } = self;
        if *limit == 0 {
            return self.fmt_permits(f);
        }
        let Some(Window { starts, limit: of, of_all_keys, next }) = self.window() else {
            return self.fmt_permits(f);
        };
        write!(f, "{starts} of {of} starts of this window spent")?;
        if of_all_keys {
            f.write_str(" by all keys")?;
        }
        write!(f, ", the next in {:?}", whole_milliseconds(next))?;
        if *in_use > 0 {
            write!(f, ", {in_use} in use")?;
        }
        write!(f, ", {waiting} waiting")
    }
}

/// Rounds up, so that a caller does not try again too early.
fn whole_milliseconds(time: Duration) -> Duration {
    const MILLISECOND: u128 = 1_000_000;
    let milliseconds = time.as_nanos().div_ceil(MILLISECOND);
    u64::try_from(milliseconds).map_or(time, Duration::from_millis)
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, refusal } = self;
        let (limit, weight, waited) = (refusal.limit, refusal.weight, duration_text(self.waited()));
        match refusal.kind {
            RejectedKind::NoPermits | RejectedKind::QueueFull => {
                write!(f, "concurrency limit `{limiter}` reached: ")?;
                refusal.fmt_figures(f)?;
                match refusal.details().and_then(|details| details.waiting_of_all_keys) {
                    Some((waiting, most)) => {
                        write!(
                            f,
                            ", {waiting} of all keys together (`max_waiting_total` is {most})"
                        )
                    }
                    None => Ok(()),
                }
            }
            RejectedKind::TimedOut => {
                write!(f, "no permit of concurrency limit `{limiter}` within {waited}: ")?;
                refusal.fmt_figures(f)
            }
            RejectedKind::WouldTimeOut => {
                write!(
                    f,
                    "concurrency limit `{limiter}` reached, and the wait would be too long: "
                )?;
                refusal.fmt_figures(f)
            }
            RejectedKind::TooHeavy => {
                write!(
                    f,
                    "call too heavy for concurrency limit `{limiter}`: {weight} permits wanted, "
                )?;
                match refusal.reason {
                    Reason::OfShare => write!(f, "a call of its share may have at most {limit}"),
                    Reason::OfRange => write!(
                        f,
                        "a call may have at most {limit}, the lower end of the limit's range"
                    ),
                    Reason::OfKey => write!(f, "the limit of this key is {limit}"),
                    Reason::Limit | Reason::Growth => write!(f, "the limit is {limit}"),
                }
            }
            RejectedKind::Closed => {
                write!(f, "concurrency limit `{limiter}` is closed: ")?;
                refusal.fmt_permits(f)
            }
            RejectedKind::Evicted => {
                write!(
                    f,
                    "evicted from the queue of concurrency limit `{limiter}` by a newer call after \
                     {waited}: "
                )?;
                refusal.fmt_permits(f)
            }
            RejectedKind::Unavailable if refusal.lost_lease => write!(
                f,
                "the lease of concurrency limit `{limiter}` ended while the call ran: it was not \
                 renewed in time, or the fleet was stopped"
            ),
            RejectedKind::Deadlock if refusal.reason == Reason::Growth => {
                write!(
                    f,
                    "`resize` to {weight} permits of concurrency limit `{limiter}` refused, because it would wait in \
                     a deadlock: finish the call or shrink it, so that others go on; "
                )?;
                refusal.fmt_permits(f)
            }
            RejectedKind::Deadlock => {
                write!(
                    f,
                    "gave way in a deadlock at concurrency limit `{limiter}` after {waited}: "
                )?;
                refusal.fmt_permits(f)
            }
            RejectedKind::Unavailable => write!(
                f,
                "concurrency limit `{limiter}` has no permits from its fleet, which cannot be \
                 reached, refuses this process, or was stopped: {} in use, {} waiting",
                refusal.in_use, refusal.waiting
            ),
        }
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("kind", &self.kind())
            .field("limiter", &self.limiter())
            .field("weight", &self.weight())
            .field("limit", &self.limit())
            .field("in_use", &self.in_use())
            .field("waiting", &self.waiting())
            .field("spent", &self.spent())
            .field("waited", &self.waited())
            .field("retry_after", &self.retry_after())
            .finish()
    }
}

impl std::error::Error for Rejected {}

/// Converts a refusal to an I/O error, for functions that return [`io::Result`].
///
/// The error's text is the refusal's. The error contains the refusal: [`io::Error::get_ref`] and
/// [`io::Error::downcast`] return it.
///
/// | refusal | [`io::ErrorKind`] | because |
/// |---|---|---|
/// | `NoPermits`, `QueueFull`, `WouldTimeOut`, `Evicted` | `ResourceBusy` | permits are in use, and will be free again: another attempt may help |
/// | `TimedOut` | `TimedOut` | the wait took too long |
/// | `TooHeavy` | `InvalidInput` | no later call with this weight can be served either |
/// | `Closed` | `Other` | no kind stands for it: `BrokenPipe` is an error that programs pass over in silence |
/// | `Unavailable` | `NotConnected` | the process is cut off from the fleet's permits |
/// | `Deadlock` | `Deadlock` | the call gave way so that others go on |
///
/// No kind is `WouldBlock`: a driver of I/O takes that for "not ready yet", and waits for a
/// readiness event that never comes. No kind is `Interrupted`: callers try such an operation again
/// at once.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Rejected, concurrency_limit};
/// use std::io;
///
/// static DISK: Limiter<Rejected> = Limiter::new("disk", 1).max_waiting(0);
///
/// #[concurrency_limit(limiter = DISK)]
/// async fn append(line: &str) -> io::Result<usize> { Ok(line.len()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> io::Result<()> {
/// assert_eq!(append("a line").await?, 6);
///
/// let permit = DISK.try_acquire()?;
/// let error = append("another").await.unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
/// assert_eq!(error.downcast::<Rejected>()?.limiter(), "disk");
/// # drop(permit);
/// # Ok(())
/// # }
/// ```
impl From<Rejected> for io::Error {
    fn from(rejected: Rejected) -> Self {
        let kind = match rejected.kind() {
            RejectedKind::NoPermits
            | RejectedKind::QueueFull
            | RejectedKind::WouldTimeOut
            | RejectedKind::Evicted => io::ErrorKind::ResourceBusy,
            RejectedKind::TimedOut => io::ErrorKind::TimedOut,
            RejectedKind::TooHeavy => io::ErrorKind::InvalidInput,
            RejectedKind::Closed => io::ErrorKind::Other,
            RejectedKind::Unavailable => io::ErrorKind::NotConnected,
            RejectedKind::Deadlock => io::ErrorKind::Deadlock,
        };
        Self::new(kind, rejected)
    }
}

#[cfg(all(test, not(limit_loom)))]
pub(crate) mod tests {
    use super::*;

    /// Returns the refusal of a call that gave way in a deadlock after two seconds.
    pub(crate) fn deadlock() -> Rejected {
        let refusal = Refusal::new(RejectedKind::Deadlock, 2, 2, 3);
        Rejected::new("accounts".into(), 1, Duration::from_secs(2), refusal)
    }

    #[test]
    fn a_call_that_gave_way_in_a_deadlock_says_so_and_how_long_it_waited() {
        let rejected = deadlock();
        assert_eq!(
            rejected.to_string(),
            "gave way in a deadlock at concurrency limit `accounts` after 2s: 2 of 2 permits in use, \
             3 waiting"
        );
        assert!(!rejected.kind().is_transient());
        assert_eq!(io::Error::from(rejected).kind(), io::ErrorKind::Deadlock);
    }

    #[test]
    fn the_table_of_io_errors_has_every_kind() {
        let table = include_str!("rejected.rs").lines();
        let kinds = table.filter_map(|line| line.strip_prefix("/// | ")?.split_once(" |"));
        let listed: Vec<_> = kinds.flat_map(|(kinds, _)| kinds.split(", ")).collect();
        for kind in RejectedKind::ALL {
            assert!(
                listed.contains(&&*format!("`{kind:?}`")),
                "{kind:?} in the table of io errors"
            );
        }
    }
}

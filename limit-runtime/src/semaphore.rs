//! The permits of one limiter in one scope: an atomic word, and a wait list behind a lock.
//!
//! # Implementation details
//!
//! ```text
//! 63                32   31   30                0
//! | acquired (u32)  | SLOW |  available (u31)    |
//! ```
//!
//! On the fast path only the word counts. A call takes its permits by one compare-exchange, which
//! takes `weight` from `available` and adds one to `acquired`. So it costs nothing to count admitted
//! calls. A permit comes back by one `fetch_add`.
//!
//! Four things set SLOW:
//!
//! * a call waits;
//! * the limit was lowered below the permits that are out (*debt*);
//! * the semaphore is not bound to a limit yet;
//! * a *mode* is on: the semaphore is closed or disabled, its limit is a shadow, it has keys, shares, a rate, a ramp or
//!   subscribers, a holder waits for more permits, or somebody drains it.
//!
//! So a limiter pays for a mode only while the mode is on. A call that may not wait, and finds too few
//! permits while SLOW is clear, is refused by a load of the word (see [`refusing`]). SLOW sends calls and permits to the lock.
//! While it is set, only the lock's holder takes from `available`, so no call overtakes the wait list.
//! SLOW is set and cleared under the lock only. Permits that come back while it is set do not touch the
//! word: they go to the `bank` under the lock, and from there to the head of the wait list.
//!
//! A semaphore knows no limiters and no names. It knows runtimes only where a rate or a ramp needs a ticker on
//! each (see [`tickers`]). A semaphore is *bound* to a limit on first use. It is unbound when its registry
//! passes to the next runtime, or when its limiter is dropped. It is never freed, so a permit is a plain
//! reference and needs no reference count.
//!
//! # Files
//!
//! From the bottom up, each file uses only those before it:
//!
//! * `word`: the layout of the word; `moment`: time; `slab`: numbered values in chunks;
//! * `status`, `fresh_grants`, `rank`, `slots`, `chain`, `levels`, `deadlines`, `wait_list`, `wake_list`,
//!   `recent_waits`, `queue`: who waits, in which order, how waiters are woken, and which waits are measured;
//! * `growers`, `tickers`, `rate`, `ramp`, `keys`, `shares`, `shadow`, `subscribers`, `drainers`: the data of each mode, which `modes` puts
//!   together; `adapting`, `sampled`: the controller of a limit that adapts, and the mark of the calls that it learns
//!   from; `lease`: the lease of permits that are a fleet's; `deferred`: work for after unlocking; `release_rate`: an
//!   estimate for refused calls; `pace`: one for calls that are refused early;
//! * `hint`, `refused`: what a call may know without the lock, and how many it has refused;
//! * `state`: all that the lock guards, with one file of methods for each mode;
//! * `permits`: the [`Semaphore`], with its fast path;
//! * `refusing`: refusals without the lock;
//! * `held`: the permits that a call is handed; `waiter`: a call's place in the wait list;
//! * `enter`, `binding`, `control`, `leasing`, `ticker`, `reading`, `watch`, `sampling`, `due`, `together`, `growing`: the other methods of the semaphore.
//!
//! # What a queued call costs
//!
//! Under load a call joins the wait list ([`Semaphore::join`]) and hands its permit to the next one
//! ([`State::hand_over`](state::State::hand_over)) by ways that have one lock each and ask nothing about modes,
//! weights, or grants that the watcher is to be told of: [`can_join`](state::State::can_join) and
//! [`can_hand_over`](state::State::can_hand_over) have asked before. A call on these ways takes 1,764 instructions,
//! where all calls took 2,255 (callgrind, one thread, tokio's scheduling of some 1,060 included; tokio's own semaphore
//! 1,597). What made the difference: the two ways, and the clock that is read for one wait in sixteen (see
//! [`recent_waits`]; 313 instructions together); the functions below them in one piece, where `inline_always` says so
//! (106); a poll that finds its permits granted apart from all other polls (32); no result that has room for every
//! outcome (67).
//!
//! # Memory ordering
//!
//! * A permit given back through the word (`fetch_add`, `Release`) is taken through the word
//!   (compare-exchange, `Acquire`): the former holder's writes happen before the next holder's reads.
//!   Between the two only read-modify-writes touch the word, which continue the release sequence.
//! * Through the wait list the lock makes the same edge, and so do the `Release` store and the `Acquire`
//!   load of the waiter's status.
//! * A release that loads the word, sees SLOW clear and then adds, may be overtaken by a call that sets
//!   SLOW. Both are read-modify-writes of one word, so one comes first. If the add comes first, the call
//!   finds the permit when it looks again after setting SLOW. If the call comes first, the add returns
//!   SLOW, and the releaser takes the lock and serves the wait list. No wake-up is lost either way.
//! * A refusal by the word changes nothing. It is as if the call had come at the moment of its load, so it
//!   needs no edge with later releases. `still_ours` comes after that load, for the same reason as below.
//! * The load before the compare-exchange is `Acquire` because the caller's check that the semaphore is
//!   still its own (`still_ours`) must come after it. An unbinding changes the owner's mark first and
//!   the word second, and always changes the word (it adds one to `acquired`). So a compare-exchange
//!   that succeeds took its permits before the word was changed. Then the unbinding sees the permits
//!   out, and gives up.

mod adapting;
mod binding;
mod chain;
mod control;
mod deadlines;
mod deferred;
mod drainers;
mod due;
mod enter;
mod fresh_grants;
mod growers;
mod growing;
mod held;
mod hint;
mod keys;
#[cfg(feature = "diagnostics")]
mod knots;
#[cfg(feature = "fleet")]
mod lease;
#[cfg(not(feature = "fleet"))]
#[path = "semaphore/lease/off.rs"]
mod lease;
#[cfg(feature = "fleet")]
mod leasing;
#[cfg(not(feature = "fleet"))]
#[path = "semaphore/leasing/off.rs"]
mod leasing;
mod levels;
mod modes;
mod moment;
mod pace;
mod permits;
mod queue;
#[cfg(feature = "diagnostics")]
mod queue_reading;
mod ramp;
mod rank;
mod rate;
mod reading;
mod recent_waits;
mod refused;
mod refusing;
mod release_rate;
mod sampled;
mod sampling;
mod shadow;
mod shares;
mod slab;
mod slots;
mod state;
mod status;
mod subscribers;
mod ticker;
mod tickers;
mod together;
mod wait_list;
mod waiter;
mod wake_list;
mod watch;
mod word;

#[cfg(all(test, limit_loom))]
mod loom_tests;
#[cfg(all(test, not(limit_loom)))]
mod tests;

pub(crate) use binding::{Claim, NewBinding};
pub(crate) use deferred::Deferred;
pub(crate) use enter::Entered;
pub(crate) use held::{Held, Permits};
pub(crate) use keys::{
    Hashed, KeyName, KeySource, OwnLimits, ShareNumber, can_be_key, text_of_key,
};
#[cfg(feature = "fleet")]
pub(crate) use lease::LeasingStart;
#[cfg(feature = "fleet")]
pub use lease::Load;
#[cfg(feature = "fleet")]
pub(crate) use leasing::Watcher;
pub(crate) use permits::Semaphore;
#[cfg(feature = "inspect")]
pub(crate) use queue::ReadingMoment;
pub(crate) use queue::WaitsFor;
#[cfg(feature = "diagnostics")]
pub(crate) use queue_reading::QueueReading;
pub(crate) use state::Came;
pub(crate) use ticker::TickerRef;
pub(crate) use tickers::Tick;
pub(crate) use waiter::{Unserved, Waiter};
pub(crate) use wake_list::WakeList;

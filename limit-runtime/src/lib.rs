//! Never runs more than a given number of calls of an async function at once. The attribute
//! [`concurrency_limit`](macro@concurrency_limit) limits a function, and a [`Limiter`] limits any
//! other code. Each tokio runtime has its own permits.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3)]
//! async fn download(url: &str) -> Result<String, std::io::Error> {
//!     // ... never more than three of these at once ...
//!     # tokio::task::yield_now().await;
//!     Ok(format!("what is at {url}"))
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), std::io::Error> {
//! # assert_eq!(download("/").await?, "what is at /");
//! # Ok(())
//! # }
//! ```
//!
//! A call over the limit waits, first come, first served, until a running call ends. Nothing else
//! about the function changes: neither its signature, nor whether its future is `Send`, nor the
//! order in which values are dropped. The permit comes back on return, on `?`, on panic, and when
//! the future is dropped half way.
//!
//! | look here | for |
//! |---|---|
//! | [`guide`] | recipes, from the first limited function to a whole service |
//! | [`guide::adaptive`] | limits that find themselves: `#[concurrency_limit(1..=200)]` |
//! | [`concurrency_limit`](macro@concurrency_limit) | the attribute and the table of its options |
//! | [`Limiter`], [`KeyedLimiter`] | limits without the attribute; the latter for each key |
//! | [`acquire_all`], [`blocking_acquire_all`] | the permits of several limiters as one: all or none |
//! | [`Permit::resize`], [`Permit::blocking_resize`] | a call whose weight changes while it runs |
//! | [`limiters`], [`find`], [`Snapshot`] | the figures of each limiter, and handles to change it |
//! | [`task`] | many futures, a few at a time (feature `task`) |
//! | [`tower`] | a limiter as a layer of a service (feature `tower`) |
//! | [`diagnostics`] | the calls that hold permits and those that wait (feature `diagnostics`) |
//! | [`settings`], [`inspect`] | crates that set and read limiters, such as [`limit-config`], [`limit-console`] and [`limit-exporters`] |
//!
//! # Why not a static semaphore
//!
//! `static S: Semaphore = Semaphore::const_new(3)` beside the function looks the same, and has the
//! *wrong-loop* bug: a permit belongs to the runtime that took it first. A runtime can be alive and
//! idle: its thread blocks, or it is single-threaded and its `block_on` has returned.
//! Such a runtime keeps the permits that its tasks hold, and each permit that is handed to one of
//! its waiters. When it has all of them, every other runtime waits for ever.
//!
//! Here each runtime has its own permits. A call finds them on its first poll, and they are gone
//! when the runtime is gone. Besides, a limit has a name and figures, can be changed while the
//! program runs, and costs less than the semaphore.
//!
//! # Runtimes
//!
//! A call belongs to the runtime that polls it first, also inside `block_in_place`,
//! `spawn_blocking` and nested `block_on`s. Calls outside any tokio runtime share one set of
//! permits. The first call on a runtime spawns one task there. The task does nothing, and counts in
//! tokio's metrics. Tokio drops it when the runtime ends. A call that still waits then, and goes on
//! in another runtime, asks for a permit of the other runtime.
//!
//! Known limit: a task's runtime is remembered. Two kinds of tasks may be counted on the wrong
//! runtime. One is a task of a `LocalSet` that one runtime has driven and another drives on, on the
//! same thread while the first still lives. The other is a task that makes its first call under a
//! [`Handle::enter`](tokio::runtime::Handle::enter) of another runtime.
//!
//! # Features
//!
//! All are off by default.
//!
//! * `axum-08`: [`Rejected`] is a response of axum 0.8: 503, or 504 if the call timed out, with
//!   `Retry-After`. A handler may return `Result<_, Rejected>`. `?` also turns the refusal into a
//!   `StatusCode` or a `Response`.
//! * `diagnostics`: the module [`diagnostics`] lists the calls that hold permits and those that wait,
//!   once the program has called `diagnostics::record(true)`. Depends on crossbeam-utils, and turns
//!   `tracing` on.
//! * `fleet`: the module [`fleet`], for a crate that leases permits from a fleet. Depends on rustix. Programs
//!   depend on [`limit-fleet`], which turns it on.
//! * `http-body`: with `tower`, the permit of a call can stay with the body of its HTTP response.
//! * `inspect`: the module [`inspect`] reads all limiters, for exporters and pages. Without it the
//!   counters of a dropped limiter are not kept for the next one of its name.
//! * `serde`: [`Snapshot`] and its parts can be serialised and deserialised.
//! * `task`: the module [`task`] runs futures in bulk (with futures-util).
//! * `tonic-014`: `?` turns [`Rejected`] into a `Status` of tonic 0.14: `RESOURCE_EXHAUSTED`,
//!   `DEADLINE_EXCEEDED` if the call timed out, or `UNAVAILABLE` without its fleet, with gRPC's counterpart of `Retry-After`.
//! * `tower`: the module [`tower`] makes a limiter a layer of tower 0.5.
//! * `tracing`: debug events when a call starts to wait and when it is admitted (fields `limiter`,
//!   `waited`). Warnings and errors about faults in a configuration; without the feature, only the
//!   [`Snapshot`] shows them. The target of all events is `limit_runtime`. A subscriber that makes
//!   limited calls while it handles such an event causes no further event.
//!
//! # Minimum supported Rust version
//!
//! The minimum is 1.85. Users may be on any edition from 2018 on.
//!
//! [`limit-config`]: https://docs.rs/limit-config
//! [`limit-console`]: https://docs.rs/limit-console
//! [`limit-fleet`]: https://docs.rs/limit-fleet
//! [`limit-exporters`]: https://docs.rs/limit-exporters
// Links to modules of features lead to docs.rs where the feature is off.
#![cfg_attr(feature = "diagnostics", doc = "[`diagnostics`]: mod@diagnostics")]
#![cfg_attr(
    not(feature = "diagnostics"),
    doc = "[`diagnostics`]: https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/"
)]
#![cfg_attr(feature = "fleet", doc = "[`fleet`]: mod@fleet")]
#![cfg_attr(
    not(feature = "fleet"),
    doc = "[`fleet`]: https://docs.rs/limit-runtime/latest/limit_runtime/fleet/"
)]
#![cfg_attr(feature = "inspect", doc = "[`inspect`]: mod@inspect")]
#![cfg_attr(
    not(feature = "inspect"),
    doc = "[`inspect`]: https://docs.rs/limit-runtime/latest/limit_runtime/inspect/"
)]
#![cfg_attr(feature = "task", doc = "[`task`]: mod@task")]
#![cfg_attr(
    not(feature = "task"),
    doc = "[`task`]: https://docs.rs/limit-runtime/latest/limit_runtime/task/"
)]
#![cfg_attr(feature = "tower", doc = "[`tower`]: mod@tower")]
#![cfg_attr(
    not(feature = "tower"),
    doc = "[`tower`]: https://docs.rs/limit-runtime/latest/limit_runtime/tower/"
)]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acquire;
mod adaptive;
mod admission;
mod blocking;
#[cfg(feature = "fleet")]
mod boot_clock;
mod deadline;
mod duration_text;
mod engine;
mod events;
#[cfg(feature = "fleet")]
#[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
pub mod fleet;
pub mod guide;
#[cfg(feature = "inspect")]
#[cfg_attr(docsrs, doc(cfg(feature = "inspect")))]
pub mod inspect;
mod keying;
#[cfg(feature = "tracing")]
mod logging;
#[cfg(not(feature = "tracing"))]
#[path = "logging/off.rs"]
mod logging;
mod metrics;
mod permit;
mod policy;
mod private;
#[cfg(all(test, not(limit_loom)))]
mod random;
#[cfg(feature = "diagnostics")]
mod recorder;
#[cfg(not(feature = "diagnostics"))]
#[path = "recorder/off.rs"]
mod recorder;
mod registry;
mod rejected;
#[cfg(any(feature = "axum-08", feature = "tonic-014"))]
mod responses;
mod runtime_id;
mod scope;
mod semaphore;
mod setting;
pub mod settings;
mod share;
mod sync;
#[cfg(feature = "task")]
#[cfg_attr(docsrs, doc(cfg(feature = "task")))]
pub mod task;
mod tokio_context;
mod tokio_id;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub mod tower;
mod unwind;
mod variants;
mod watcher;

// These come last because a type's page shows its methods in the order of the modules: `Permit`'s
// own come before `Permit::limiter`, and those of `diagnostics` after all others.
mod limiter;

#[cfg(feature = "diagnostics")]
#[cfg_attr(docsrs, doc(cfg(feature = "diagnostics")))]
pub mod diagnostics;

pub use acquire::Acquire;
pub use acquire::all::{AcquireAll, Members};
pub use acquire::resize::Resize;
pub use adaptive::{Favor, Overload};
pub use admission::Admission;
pub use events::{Event, EventKind};
pub use keying::{InShare, Key, Keyed, Keying, Unkeyed};
/// [option-limit]: guide::options#limit
/// [option-name]: guide::options#name
/// [option-scope]: guide::options#scope
/// [option-limiter]: guide::options#limiter
/// [option-env]: guide::options#env
/// [option-max_waiting]: guide::options#max_waiting
/// [option-max_wait]: guide::options#max_wait
/// [option-early]: guide::options#early
/// [option-on_unavailable]: guide::options#on_unavailable
/// [option-on_lease_lost]: guide::options#on_lease_lost
/// [option-on_deadlock]: guide::options#on_deadlock
/// [option-claim_within]: guide::options#claim_within
/// [option-order]: guide::options#order
/// [option-priority]: guide::options#priority
/// [option-weight]: guide::options#weight
/// [option-key]: guide::options#key
/// [option-total]: guide::options#total
/// [option-key_weight]: guide::options#key_weight
/// [option-max_waiting_total]: guide::options#max_waiting_total
/// [option-shares]: guide::options#shares
/// [option-share]: guide::options#share
/// [option-start]: guide::options#start
/// [option-adapt]: guide::options#adapt
/// [option-favor]: guide::options#favor
/// [option-per]: guide::options#per
/// [option-ramp]: guide::options#ramp
/// [option-on_reject]: guide::options#on_reject
/// [option-overload]: guide::options#overload
/// [option-permit]: guide::options#permit
/// [option-blocking]: guide::options#blocking
/// [option-enabled]: guide::options#enabled
/// [option-shadow]: guide::options#shadow
/// [option-crate]: guide::options#crate
///
pub use limit_macros::concurrency_limit;
pub use limiter::{
    AllOf, Drain, ForKey, ForShare, KeyedLimiter, Limiter, LimiterHandle, OneLimit, SharedLimiter,
    Undrained, acquire_all, blocking_acquire_all, find, limiters,
};
pub use metrics::{
    AdaptedCounts, AdaptiveCause, AdaptiveFigures, Figures, FleetFigures, KeyLimit, LedgerFigures,
    LimitChanges, Member, RejectedCounts, RenewalCounts, RuntimeSnapshot, ShadowedCounts,
    ShareFigures, Snapshot, WaitTimes,
};
pub use permit::{AllPermits, Permit};
pub use policy::{MaxWait, OnDeadlock, Order};
pub use rejected::{Rejected, RejectedKind};
pub use scope::{OnUnavailable, Scope};
pub use setting::{LimitRange, Setting, Settings, Source, Unsupported};
pub use share::Share;

/// Items that the attribute's code names. They are not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::v1;
}

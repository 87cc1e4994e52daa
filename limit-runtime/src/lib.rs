//! Concurrency limits for async functions: one line, and one set of permits for each tokio runtime.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3)]
//! async fn download(url: &str) -> Result<String, std::io::Error> {
//!     // ... never more than three of these at the same time ...
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
//! A call over the limit waits, first come, first served, until a running call ends. Nothing else about the
//! function changes: not its signature, not whether its future is `Send`, not the order in which values are
//! dropped. The permit comes back on return, on `?`, on panic, and when the future is dropped half way.
//!
//! * [`guide`]: recipes for common tasks, and an example of each option.
//! * [`concurrency_limit`](macro@concurrency_limit): the attribute and its options.
//! * [`Limiter`]: a limit without the attribute; [`KeyedLimiter`]: one for each key.
//! * [`Snapshot`], [`limiters`], [`find`]: figures of each limiter, and handles to change it.
//! * [`settings`] and [`inspect`]: for crates that set and read limiters, such as `limit-config`,
//!   `limit-console` and `limit-exporters`.
//!
//! # Why not a static semaphore
//!
//! `static S: Semaphore = Semaphore::const_new(3)` beside the function looks the same, and has the
//! *wrong-loop* bug: its permits belong to whichever runtime took them first. A runtime that is alive but does not
//! run (its `block_on` has returned, or it is a test's, or one of several for each core) can hold a permit, or
//! be the first in the queue, and every other runtime waits for ever. Here each runtime has its own
//! permits. A call finds them on its first poll, and they are gone when the runtime is gone. Besides, a limit has
//! a name and figures, can be changed while the program runs, and costs less than the semaphore.
//!
//! # Runtimes
//!
//! A call belongs to the runtime that polls it first, also inside `block_in_place`, `spawn_blocking` and nested
//! `block_on`s. Calls outside any tokio runtime share one set of permits. When a runtime is seen for the first
//! time, one task that does nothing is spawned on it (it counts in tokio's metrics). Tokio drops that task when
//! the runtime ends. A call that still waits then, and goes on in another runtime, asks for a permit of
//! that one.
//!
//! Known limit: a task's runtime is remembered. A task of a `LocalSet` that one runtime has driven and another
//! one drives on, on the same thread and while the first still lives, may be counted on the first. So may a
//! task that was first polled under a [`Handle::enter`](tokio::runtime::Handle::enter) of another runtime
//! inside its own poll.
//!
//! # Features
//!
//! All are off by default.
//!
//! * `axum-08`: [`Rejected`] is a response of axum 0.8: 503, or 504 if the call timed out, with `Retry-After`. A
//!   handler may return `Result<_, Rejected>`; `?` turns it into a `StatusCode` or a `Response` as well.
//! * `diagnostics`: the module `diagnostics` lists the calls that hold permits and those that wait (with
//!   crossbeam-utils; brings `tracing`).
//! * `http-body`: with `tower`, the permit of a call can stay with the body of its HTTP response.
//! * `serde`: [`Snapshot`] and its parts can be serialised and deserialised.
//! * `task`: the module `task` runs futures in bulk (with futures-util).
//! * `tonic-014`: `?` turns [`Rejected`] into a `Status` of tonic 0.14: `RESOURCE_EXHAUSTED`, or
//!   `DEADLINE_EXCEEDED` if the call timed out, with gRPC's counterpart of `Retry-After`.
//! * `tower`: the module `tower` has a limiter as a layer of tower 0.5.
//! * `tracing`: a debug event when a call starts to wait and when it is admitted (fields `limiter`, `waited`), and a
//!   warning or an error about configuration that was worked around. Without it such warnings show in the
//!   [`Snapshot`] only. Calls that a subscriber makes while it handles one of these events cause no event.
//!
//! # Minimum supported Rust version
//!
//! 1.85. Users may be on any edition from 2018 on.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acquire;
mod admission;
mod blocking;
mod deadline;
#[cfg(feature = "diagnostics")]
#[cfg_attr(docsrs, doc(cfg(feature = "diagnostics")))]
pub mod diagnostics;
mod engine;
mod events;
pub mod guide;
pub mod inspect;
mod keying;
mod limiter;
#[cfg(feature = "tracing")]
mod logging;
mod metrics;
mod permit;
mod policy;
mod private;
#[cfg(feature = "diagnostics")]
mod recorder;
#[cfg(not(feature = "diagnostics"))]
#[path = "recorder/off.rs"]
mod recorder;
mod registry;
mod rejected;
mod responses;
mod runtime_id;
mod scope;
mod semaphore;
mod setting;
pub mod settings;
mod sync;
#[cfg(feature = "task")]
#[cfg_attr(docsrs, doc(cfg(feature = "task")))]
pub mod task;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub mod tower;
mod unwind;

pub use acquire::Acquire;
pub use admission::Admission;
pub use events::{Event, EventKind};
pub use keying::{Key, Keyed, Keying, Unkeyed};
/// [`guide`] has an example of each option.
///
pub use limit_macros::concurrency_limit;
pub use limiter::{
    Drain, ForKey, KeyedLimiter, Limiter, LimiterHandle, SharedLimiter, Undrained, find, limiters,
};
pub use metrics::{
    Figures, LimitChanges, RejectedCounts, RuntimeSnapshot, ShadowedCounts, Snapshot, WaitTimes,
};
pub use permit::Permit;
pub use policy::{MaxWait, Order};
pub use rejected::{Rejected, RejectedKind};
pub use scope::Scope;
pub use setting::{Setting, Settings, Source, Unsupported};

/// Items that the code of the attribute names. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::v1;
}

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
//! A call over the limit waits, first come, first served, until a running call ends. Nothing else
//! about the function changes: neither its signature, nor whether its future is `Send`, nor the
//! order in which values are dropped. The permit comes back on return, on `?`, on panic, and when
//! the future is dropped half way.
//!
//! * [`guide`]: recipes for common tasks, and an example of each option.
//! * [`concurrency_limit`](macro@concurrency_limit): the attribute and its options.
//! * [`Limiter`]: a limit without the attribute; [`KeyedLimiter`]: one for each key.
//! * [`Snapshot`], [`limiters`], [`find`]: figures of each limiter, and handles to change it.
//! * [`settings`] and `inspect`: for crates that set and read limiters, such as `limit-config`,
//!   `limit-console` and `limit-exporters`.
//!
//! # Why not a static semaphore
//!
//! `static S: Semaphore = Semaphore::const_new(3)` beside the function looks the same, and has the
//! *wrong-loop* bug: a permit belongs to the runtime that took it first. A runtime can be alive and
//! not run: its `block_on` has returned, it is a test's, or it is one of several for each core.
//! Such a runtime can hold a permit, or be the first in the queue. Then every other runtime waits
//! for ever.
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
//! * `diagnostics`: the module `diagnostics` lists the calls that hold permits and those that wait.
//!   Depends on crossbeam-utils, and turns `tracing` on.
//! * `http-body`: with `tower`, the permit of a call can stay with the body of its HTTP response.
//! * `inspect`: the module `inspect` reads all limiters, for exporters and pages. Without it the
//!   counters of a dropped limiter are not kept for the next one of its name.
//! * `serde`: [`Snapshot`] and its parts can be serialised and deserialised.
//! * `task`: the module `task` runs futures in bulk (with futures-util).
//! * `tonic-014`: `?` turns [`Rejected`] into a `Status` of tonic 0.14: `RESOURCE_EXHAUSTED`, or
//!   `DEADLINE_EXCEEDED` if the call timed out, with gRPC's counterpart of `Retry-After`.
//! * `tower`: the module `tower` makes a limiter a layer of tower 0.5.
//! * `tracing`: debug events when a call starts to wait and when it is admitted (fields `limiter`,
//!   `waited`). Warnings and errors about faults in a configuration; without the feature, only the
//!   [`Snapshot`] shows them. A subscriber that makes limited calls while it handles such an event
//!   causes no further event.
//!
//! # Minimum supported Rust version
//!
//! The minimum is 1.85. Users may be on any edition from 2018 on.
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
#[cfg(feature = "inspect")]
#[cfg_attr(docsrs, doc(cfg(feature = "inspect")))]
pub mod inspect;
mod keying;
mod limiter;
#[cfg(feature = "tracing")]
mod logging;
#[cfg(not(feature = "tracing"))]
#[path = "logging/off.rs"]
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
#[cfg(any(feature = "axum-08", feature = "tonic-014"))]
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
mod variants;

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

/// Items that the attribute's code names. They are not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::v1;
}

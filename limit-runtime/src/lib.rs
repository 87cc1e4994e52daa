//! Concurrency limits for async functions: one line, one set of permits for each tokio runtime.
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
//! A call over the limit waits, first come, first served, until one that runs is done. Nothing else
//! about the function changes: not its signature, not whether its future is `Send`, not the order in
//! which things are dropped. The permit comes back on return, on `?`, on panic, and when the future
//! is dropped half way.
//!
//! # Why not a static semaphore
//!
//! `static S: Semaphore = Semaphore::const_new(3)` beside the function looks the same, and has the
//! *wrong-loop* bug: its permits belong to whatever runtime took them first. A runtime that is alive
//! but does not run (one whose `block_on` has returned, a test's, one of several for each core) can
//! hold a permit, or be handed one as the first in the queue, and every other runtime waits for
//! ever. Here each runtime has its own permits, found on a call's first poll and gone when the
//! runtime is gone. Beyond that a limit has a name and figures, can be changed while the program
//! runs, and costs less than the semaphore.
//!
//! # Recipes
//!
//! **Several functions, one limit.** Name a [`Limiter`]:
//!
//! ```
//! use limit_runtime::{Limiter, concurrency_limit};
//!
//! static DB: Limiter = Limiter::new("db", 10);
//!
//! #[concurrency_limit(limiter = DB)]
//! async fn load(id: u64) -> u64 { id }
//!
//! #[concurrency_limit(limiter = DB)]
//! async fn store(id: u64) {}
//! ```
//!
//! **One limit for each instance.** Keep the limiter in the struct:
//!
//! ```
//! use limit_runtime::{Limiter, concurrency_limit};
//!
//! struct Upstream { limiter: Limiter }
//!
//! impl Upstream {
//!     #[concurrency_limit(limiter = self.limiter)]
//!     async fn call(&self, request: String) -> String { request }
//! }
//! ```
//!
//! **A limit from the environment, or found out when first used.**
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(8, env = "MAX_RENDERS")]
//! async fn render() {}
//!
//! #[concurrency_limit(std::thread::available_parallelism().map_or(1, usize::from))]
//! async fn hash() {}
//! ```
//!
//! **One limit for the whole process,** for what there is one of, such as a licence or a device:
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1, scope = process)]
//! async fn print_label() {}
//! ```
//!
//! **See what goes on, and change it.** Every limiter that has been used is on the list:
//!
//! ```
//! # use limit_runtime::concurrency_limit;
//! # #[concurrency_limit(3, name = "download")]
//! # async fn download() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # download().await;
//! for limiter in limit_runtime::limiters() {
//!     println!("{}", limiter.snapshot());
//! }
//! if let Some(download) = limit_runtime::find("download") {
//!     download.set_limit(6);
//! }
//! # }
//! ```
//!
//! **Give up after a while.** A call that waits is cancelled by dropping it:
//!
//! ```
//! # use limit_runtime::concurrency_limit;
//! # use std::time::Duration;
//! # #[concurrency_limit(3)]
//! # async fn download() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # #[allow(unused)]
//! let result = tokio::time::timeout(Duration::from_secs(5), download()).await;
//! # }
//! ```
//!
//! **Hold the permit longer than the function runs.** Take it by hand and move it to where the work
//! goes on: a [`Permit`] is `Send` and `'static`.
//!
//! ```
//! use limit_runtime::Limiter;
//!
//! static CPU: Limiter = Limiter::new("cpu", 2);
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//!
//! let permit = CPU.acquire().await;
//! let work = tokio::task::spawn_blocking(move || {
//!     let _permit = permit; // until the work is done, also if nobody waits for it any more
//!     6 * 7
//! });
//! # assert_eq!(work.await.unwrap(), 42);
//! # }
//! ```
//!
//! # Runtimes
//!
//! A call belongs to the runtime by which it is polled first, also inside `block_in_place`,
//! `spawn_blocking` and nested `block_on`s. Calls outside any tokio runtime share one set of permits
//! for the process. When a runtime is seen for the first time, one task that does nothing is spawned
//! on it (it counts in tokio's metrics); that it is dropped tells when the runtime ends. A call that
//! still waits then, and goes on in another runtime, asks for a permit of that one.
//!
//! Known limit: a task's runtime is remembered. A task of a `LocalSet` that was driven by one
//! runtime and is driven on by another, on the same thread and while the first still lives, may be
//! counted on the first; and so may a task that was first polled under a
//! [`Handle::enter`](tokio::runtime::Handle::enter) of another runtime inside its own poll.
//!
//! # Features
//!
//! All are off by default.
//!
//! * `axum`: [`Rejected`] is a response of axum 0.8: 503, or 504 if the call timed out, with
//!   `Retry-After`. A handler may return `Result<_, Rejected>`.
//! * `serde`: [`Snapshot`] and what it consists of can be serialised and deserialised.
//! * `tonic`: [`Rejected`] becomes a `Status` of tonic 0.14 by `?`: `RESOURCE_EXHAUSTED`, or
//!   `DEADLINE_EXCEEDED` if the call timed out, with what gRPC has in place of `Retry-After`.
//! * `tracing`: a debug event when a call starts to wait and when it is let in (fields `limiter`,
//!   `waited`), a warning or an error about configuration that was worked around. Without it such
//!   warnings show in the [`Snapshot`] only.
//!
//! # Minimum supported Rust version
//!
//! 1.85; users may be on any edition from 2018 on.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acquire;
mod admission;
mod blocking;
mod events;
mod integrations;
mod keying;
mod limiter;
mod metrics;
mod permit;
mod policy;
mod registry;
mod rejected;
mod runtime_id;
mod scope;
mod semaphore;
mod sync;

pub use acquire::Acquire;
pub use admission::Admission;
pub use events::{Event, EventKind};
pub use keying::{Key, Keyed, Keying, Unkeyed};
/// Examples, before the details:
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// const MAX_UPLOADS: usize = 4;
///
/// #[concurrency_limit(MAX_UPLOADS, name = "uploads", env = "MAX_UPLOADS")]
/// async fn upload(bytes: Vec<u8>) -> usize { bytes.len() }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(upload(vec![1, 2, 3]).await, 3);
/// assert_eq!(limit_runtime::find("uploads").unwrap().limit(), 4);
/// # }
/// ```
///
/// A function that returns a future: what stands before the block at its end runs at once.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(2)]
/// fn describe(id: u64) -> impl Future<Output = String> {
///     let path = format!("/items/{id}"); // when the function is called
///     async move { path }                // under the limit
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(describe(7).await, "/items/7");
/// # }
/// ```
pub use limit_macros::concurrency_limit;
pub use limiter::{Drain, ForKey, KeyedLimiter, Limiter, LimiterHandle, Undrained, find, limiters};
pub use metrics::{Figures, RejectedCounts, RuntimeSnapshot, ShadowedCounts, Snapshot, WaitTimes};
pub use permit::Permit;
pub use policy::{MaxWait, Order};
pub use rejected::{Rejected, RejectedKind};
pub use scope::Scope;

/// For what the attribute writes. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::admission::{Admitted, Refuse};
    pub use crate::blocking::run;
}

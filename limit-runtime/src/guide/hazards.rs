//! Programs that hang, how that looks, and what to do.
//!
//! * [A grant that nobody polls](#a-grant-that-nobody-polls)
//!
//! The example package `hazards` of the project runs all of these programs beside a hand-written semaphore, which
//! hangs: `cargo run -p hazards`.
//!
//! # A grant that nobody polls
//!
//! A *grant* is a permit that a waiting call was handed. The call claims it when its task polls it. If the task
//! does not, the permit is of no use to anybody, and the calls behind wait for it. With tokio's `Semaphore` they
//! wait for ever.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use limit_runtime::Limiter;
//! use std::pin::pin;
//! use tokio::{select, task::yield_now};
//!
//! static DB: Limiter = Limiter::new("unpolled", 1);
//!
//! let held = DB.acquire().await;
//! let mut call = pin!(DB.acquire());
//! select! {
//!     biased;
//!     _ = &mut call => {}
//!     () = yield_now() => { // something else comes first: a tick, a message
//!         drop(held); // the permit goes to `call`, which this arm does not poll
//!         DB.acquire().await; // this call waits behind it
//!     }
//! }
//! assert_eq!(DB.snapshot().total.taken_back, 1);
//! # }
//! ```
//!
//! Here the last call waits for a second. Then the limiter takes the grant back and hands the permit to the next
//! call that waits. The call that did not claim its grant keeps its place in the queue, and is handed a permit
//! again when its task has polled it. A permit that was claimed is never taken back.
//!
//! The same happens to:
//!
//! * a call that is polled once and then left, as by `timeout(time, &mut call)`;
//! * the calls in a `FuturesUnordered`, or in a stream with `buffered` or `buffer_unordered`, while the loop that
//!   takes their results waits for a permit itself;
//! * the calls of a runtime that nobody drives, with `scope = process`.
//!
//! How it looks:
//!
//! * The figure [`taken_back`](crate::Figures::taken_back) counts these grants, and a snapshot prints `taken back 1`.
//!   The metric of the exporters is `concurrency_limit_grants_taken_back_total`. The page shows the figure at the
//!   limiter, as "Grants taken back". Subscribers get an [`EventKind::TakenBack`](crate::EventKind::TakenBack).
//! * Some waits last for a second, though permits come back sooner: see `p99` and `max`.
//! * With the feature `diagnostics`, `LimiterHandle::waiters` and the page list the calls that wait, the longest wait
//!   first. A call that does not claim its grants is at the top: its place says which future is not polled.
//!
//! What to do:
//!
//! * Spawn the future. A task of its own polls it, whatever the others do: `let call = tokio::spawn(work());`.
//! * Or drop the future before its task waits for something else: give `select!` and `timeout` the future itself,
//!   not `&mut future`.
//! * Or poll both, with `join!`, or with `for_each_concurrent` in place of `buffer_unordered` and a loop. The
//!   streams of [`task`] spawn what they run, so they do not have this hazard.
//! * Until then, a shorter [`claim_within`](crate::guide::options#claim_within) makes each stall shorter. A time that
//!   is less than the longest poll of your tasks makes calls lose grants that they would have claimed.
//!
//! What is not found: a call that holds its permit and is not polled. Its body may have been half way through
//! something, so nobody takes the permit from it.
//!
//! What it costs: nothing while no call waits. A waiting call claims its grant with one atomic exchange. While a call
//! waits behind a grant that is not claimed, a thread looks at the limiter every 250 ms; it is started for the first
//! such call of the process. Grants are taken back in real time, up to 250 ms late, also if tokio's clock is paused.
//!
// Links to modules of features lead to docs.rs where the feature is off.
#![cfg_attr(feature = "task", doc = "[`task`]: mod@crate::task")]
#![cfg_attr(
    not(feature = "task"),
    doc = "[`task`]: https://docs.rs/limit-runtime/latest/limit_runtime/task/"
)]

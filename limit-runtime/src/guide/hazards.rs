//! Programs that hang, how that looks, and what to do.
//!
//! * [A grant that nobody polls](#a-grant-that-nobody-polls)
//! * [A deadlock across limiters](#a-deadlock-across-limiters)
//! * [A call that waits for itself](#a-call-that-waits-for-itself)
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
//! * With the feature `diagnostics` and [`record(true)`], the log has a warning for each place whose call did not claim a
//!   grant. It comes once for each place. The log is that of `tracing`: the program must install a subscriber, such as
//!   `tracing_subscriber::fmt().init()`.
//! * The page and [`LimiterHandle::waiters`] list the calls that wait, the longest wait first: this call is at the top.
//!   The page needs `limit-console` with its own feature `diagnostics`.
//!
//! ```text
//! WARN limit_runtime: grant was taken back: the call waits, but nobody polls it limiter="unpolled" place=src/main.rs:8:24 age=1.009953833s
//! ```
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
//! something, so nobody takes the permit from it. This is the hang of a limited *function* that `select!` borrows, in
//! place of `acquire()`:
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::{pin::pin, time::Duration};
//! use tokio::{select, task::yield_now, time::sleep};
//!
//! #[concurrency_limit(1)]
//! async fn save(text: &str) {
//!     sleep(Duration::from_millis(20)).await; // asks a database
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let program = async {
//!
//! let mut call = pin!(save("a draft")); // it has the permit when it has been polled once
//! select! {
//!     biased;
//!     () = &mut call => {}
//!     () = yield_now() => save("a note").await, // waits for ever: nobody polls `call`
//! }
//! # };
//! # assert!(tokio::time::timeout(Duration::from_millis(200), program).await.is_err());
//! # }
//! ```
//!
//! Nothing is taken back, and no deadlock is reported. With `diagnostics` and [`record(true)`], the log warns after 30
//! seconds, and the page, [`LimiterHandle::holders`] and [`LimiterHandle::waiters`] list the same task as a holder and as
//! a waiter:
//!
//! ```text
//! WARN limit_runtime: permit has been held for long limiter="save" place=src/main.rs:5:1 age=30.001472644s task=3
//! ```
//!
//! Spawn the call, or drop it before the task calls again: give `select!` the call itself, `() = save("a draft") => {}`,
//! and it is dropped before the other arm runs.
//!
//! What it costs: nothing while no call waits. A waiting call claims its grant with one atomic exchange. A thread of the
//! process looks at limiters at which calls wait behind new grants, at most ten times a second, and once more when a
//! grant is due. The first such call starts the thread. Grants are taken back in real time, also if tokio's clock is
//! paused, and nearly always within 100 ms of the time that is set. If the process was stopped, the time begins anew.
//!
//! # A deadlock across limiters
//!
//! Two functions have a limit each, and each calls the other one. Then two calls can hold a permit each and wait for
//! the other's. The circle can have more calls and more limiters. One limiter is enough, if each call that holds one
//! of its permits waits for another.
//!
//! ```
//! # #[cfg(not(feature = "diagnostics"))]
//! # fn main() {}
//! # #[cfg(feature = "diagnostics")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use limit_runtime::{concurrency_limit, diagnostics};
//! use std::time::Duration;
//! use tokio::{spawn, task::yield_now, time::sleep};
//!
//! #[concurrency_limit(1, name = "author")]
//! async fn author(with_book: bool) {
//!     if with_book {
//!         yield_now().await; // asks a database
//!         Box::pin(book(false)).await;
//!     }
//! }
//!
//! #[concurrency_limit(1, name = "book")]
//! async fn book(with_author: bool) {
//!     if with_author {
//!         yield_now().await;
//!         Box::pin(author(false)).await;
//!     }
//! }
//!
//! diagnostics::record(true); // once, at the start of the program
//!
//! let tasks = [spawn(author(true)), spawn(book(true))]; // they wait for ever
//! while diagnostics::deadlocks().is_empty() {
//!     sleep(Duration::from_millis(100)).await;
//! }
//! println!("{}", diagnostics::deadlocks()[0]);
//! # assert_eq!(diagnostics::deadlocks()[0].calls().len(), 2);
//! # tasks.map(|task| task.abort());
//! # }
//! ```
//!
//! With the feature `diagnostics` and [`record(true)`], a thread looks for such calls. It tells of a deadlock once, one
//! to three seconds after it began, in the log of `tracing` (the program must install a subscriber):
//!
//! ```text
//! WARN limit_runtime: deadlock: 2 calls wait for each other:
//!   waits at `book`: src/main.rs:13:1, for 2s, task 3; held by src/main.rs:13:1, for 2s, task 4
//!   waits at `author`: src/main.rs:5:1, for 2s, task 4; held by src/main.rs:5:1, for 2s, task 3 limiter="book"
//! ```
//!
//! Each line is a call that waits: its limiter, its place, its age and its task. Then come the calls that hold the
//! permits. A call of an annotated function has the place of the attribute.
//!
//! How it looks:
//!
//! * In a debug build the log often warns of the [order of the limiters](#two-orders) first, before anything hangs.
//! * The log has the warning. [`diagnostics::deadlocks`] lists the deadlocks that still exist, and subscribers of each
//!   limiter get an [`EventKind::Deadlock`](crate::EventKind::Deadlock).
//! * The page of `limit-console` lists these limiters first, and shows the same calls. With `limit-exporters` their metric
//!   `concurrency_limit.deadlocked` is 1, and an alert tells of it. Each of these crates needs its own feature
//!   `diagnostics`.
//! * The page, [`LimiterHandle::holders`] and [`LimiterHandle::waiters`] list each of the tasks twice: it holds a permit
//!   of one limiter, and waits at another.
//! * Without `diagnostics` all permits are in use, the queue grows, and no call is admitted any more.
//!
//! ## Two orders
//!
//! A debug build warns sooner. It keeps the order in which calls take the limiters, and says when there are two orders,
//! once for each pair of limiters. No call needs to hang for that: one run of each function is enough, as in a test.
//!
//! ```
//! # #[cfg(not(feature = "diagnostics"))]
//! # fn main() {}
//! # #[cfg(feature = "diagnostics")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use limit_runtime::{concurrency_limit, diagnostics};
//!
//! #[concurrency_limit(1, name = "author")]
//! async fn author(with_book: bool) {
//!     if with_book {
//!         Box::pin(book(false)).await;
//!     }
//! }
//!
//! #[concurrency_limit(1, name = "book")]
//! async fn book(with_author: bool) {
//!     if with_author {
//!         Box::pin(author(false)).await;
//!     }
//! }
//!
//! diagnostics::record(true); // once, at the start of the program
//!
//! author(true).await;
//! book(true).await; // nothing hangs, but the log has a warning
//! # }
//! ```
//!
//! ```text
//! WARN limit_runtime: limiters are nested in two orders, so their calls can wait for each other: take them in one order
//!   here: `book` at src/main.rs:10:1, then `author` at src/main.rs:3:1
//!   elsewhere: `author` at src/main.rs:3:1, then `book` at src/main.rs:10:1 limiter="author"
//! ```
//!
//! [`diagnostics::warn_of_order(false)`] switches this off. Its documentation has the rules.
//!
//! ## What to do
//!
//!
//! * Keep one order. A function that holds a permit of `author` may call `book`, but not the other way round.
//! * Or give the permit back before the call: limit the query, not the function around it.
//! * Or let both functions share one limiter, and call each other without the limit. See
//!   [a call that waits for itself](#a-call-that-waits-for-itself).
//! * Or let a call give way, with [`on_deadlock = refuse`](crate::guide::options#on_deadlock). Of the calls whose
//!   limiters say so, the one that began to wait last is refused as
//!   [`RejectedKind::Deadlock`](crate::RejectedKind::Deadlock). Its caller returns the error and gives its own permit
//!   back, so the others go on:
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! #[concurrency_limit(1, on_deadlock = refuse)]
//! async fn author(with_book: bool) -> Result<(), Rejected> {
//!     if with_book {
//!         tokio::task::yield_now().await; // asks a database
//!         Box::pin(book(false)).await?;
//!     }
//!     Ok(())
//! }
//!
//! #[concurrency_limit(1, on_deadlock = refuse)]
//! async fn book(with_author: bool) -> Result<(), Rejected> {
//!     if with_author {
//!         tokio::task::yield_now().await;
//!         Box::pin(author(false)).await?;
//!     }
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # #[cfg(feature = "diagnostics")] {
//! # limit_runtime::diagnostics::record(true);
//!
//! let (author, book) = (tokio::spawn(author(true)), tokio::spawn(book(true)));
//! let results = [author.await.unwrap(), book.await.unwrap()];
//! assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
//! # }
//! # }
//! ```
//!
//! ## What is not found
//!
//! In doubt there is no warning. These are not found:
//!
//! * several calls that wait side by side in one task (`join!`, `FuturesUnordered`), even if all of them are stuck;
//! * a task that waits for anything but permits: a `JoinHandle`, as of a spawned call of the same limiter, a mutex, a
//!   channel, a semaphore of tokio's, another process of the fleet;
//! * calls that were made before [`record(true)`];
//! * waits with a deadline ([`max_wait`](crate::guide::options#max_wait)), which end by themselves. So
//!   `on_deadlock = refuse` never refuses them;
//! * permits that go to another task than the one that took them;
//! * limiters with [shares](crate::Limiter::shares).
//!
//! A warning can be wrong for calls side by side in one task, as in `join!`. One call holds a permit and awaits something
//! else, for seconds, while the other waits for a permit: it looks as if the second were inside the first. The places are
//! remembered when the first call ends before the second, and there is no further warning about them. A future that
//! `Limiter::run` polls is always told apart. Spawn such calls, and do not set `on_deadlock = refuse` for them.
//!
//! What it costs: recorded calls cost what the project's `BENCHMARKS.md` says. The thread looks once a second, and four
//! times a second while a call has waited for longer than that. In debug builds all calls share a lock to keep the order
//! of limiters; release builds do not keep it.
//!
//! # A call that waits for itself
//!
//! A function that is limited calls itself, directly or by other functions. The outer call keeps its permit while the
//! inner one waits. With a limit of 1 it waits for ever. With a higher limit all goes well until enough outer calls
//! run at the same time.
//!
//! ```
//! # #[cfg(not(feature = "diagnostics"))]
//! # fn main() {}
//! # #[cfg(feature = "diagnostics")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use limit_runtime::{concurrency_limit, diagnostics};
//! use std::time::Duration;
//!
//! #[concurrency_limit(1, name = "walk")]
//! async fn walk(depth: u32) {
//!     if depth > 0 {
//!         Box::pin(walk(depth - 1)).await;
//!     }
//! }
//!
//! diagnostics::record(true); // once, at the start of the program
//!
//! let task = tokio::spawn(walk(1)); // it waits for ever
//! while diagnostics::deadlocks().is_empty() {
//!     tokio::time::sleep(Duration::from_millis(100)).await;
//! }
//! let deadlock = &diagnostics::deadlocks()[0];
//! assert!(deadlock.is_reentry());
//! println!("{deadlock}");
//! # task.abort();
//! # }
//! ```
//!
//! It looks like a deadlock of one call, and is found as one:
//!
//! ```text
//! WARN limit_runtime: deadlock: a call waits for permits that its own task holds:
//!   waits at `walk`: src/main.rs:4:1, for 2s, task 3; held by src/main.rs:4:1, for 2s, task 3 limiter="walk"
//! ```
//!
//! What to do: put the limit on the outermost function, and let the recursion run in one without a limit. The permit
//! then means one whole walk.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1)]
//! async fn walk(depth: u32) -> u32 { steps(depth).await }
//!
//! async fn steps(depth: u32) -> u32 {
//!     if depth == 0 { 1 } else { 1 + Box::pin(steps(depth - 1)).await }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(walk(3).await, 4); }
//! ```
//!
//! Or limit the innermost part, such as the request that each step makes. With `on_deadlock = refuse` the inner call is
//! refused. [What is not found](#what-is-not-found), and what it costs, is the same as for
//! [a deadlock](#a-deadlock-across-limiters).
//!
// Links to items of features lead to docs.rs where the feature is off.
#![cfg_attr(
    feature = "diagnostics",
    doc = "[`LimiterHandle::holders`]: crate::LimiterHandle::holders
[`LimiterHandle::waiters`]: crate::LimiterHandle::waiters
[`diagnostics::deadlocks`]: crate::diagnostics::deadlocks()
[`diagnostics::warn_of_order(false)`]: crate::diagnostics::warn_of_order
[`record(true)`]: crate::diagnostics::record"
)]
#![cfg_attr(
    not(feature = "diagnostics"),
    doc = "[`LimiterHandle::holders`]: https://docs.rs/limit-runtime/latest/limit_runtime/struct.LimiterHandle.html#method.holders
[`LimiterHandle::waiters`]: https://docs.rs/limit-runtime/latest/limit_runtime/struct.LimiterHandle.html#method.waiters
[`diagnostics::deadlocks`]: https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/fn.deadlocks.html
[`diagnostics::warn_of_order(false)`]: https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/fn.warn_of_order.html
[`record(true)`]: https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/fn.record.html"
)]
#![cfg_attr(feature = "task", doc = "[`task`]: mod@crate::task")]
#![cfg_attr(
    not(feature = "task"),
    doc = "[`task`]: https://docs.rs/limit-runtime/latest/limit_runtime/task/"
)]

//! Recipes for common tasks. The module [`options`] has an example of each option of the attribute.
//!
//! This module contains only documentation.
//!
//! # Several functions, one limit
//!
//! A [`Limiter`](crate::Limiter) has its own name. Functions that name the same limiter share its
//! permits and its queue.
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
//! # One limit for each instance
//!
//! A limiter can be a field.
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
//! # A limit from the environment, or from an expression
//!
//! The variable `LIMIT_<NAME>` overrides the limit of any limiter: see [`settings`](crate::settings). `env` names
//! another variable.
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
//! # One limit for the whole process
//!
//! A licence or a device exists once. `scope = process` shares the permits between all runtimes.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1, scope = process)]
//! async fn print_label() {}
//! ```
//!
//! # Figures, and changes while the program runs
//!
//! [`limiters`](crate::limiters) lists every limiter that has been used.
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
//! # Bounds and deadlines
//!
//! `max_waiting` bounds the queue, `max_wait` bounds the wait. A refused call gives a [`Rejected`](crate::Rejected),
//! which becomes the function's error by `From` (as [`std::io::Error`] does).
//!
//! ```
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//!
//! #[derive(Debug)]
//! enum Error { Busy(Rejected) }
//!
//! impl From<Rejected> for Error {
//!     fn from(rejected: Rejected) -> Self { Error::Busy(rejected) }
//! }
//!
//! #[concurrency_limit(8, max_waiting = 100, max_wait = "50ms")]
//! async fn quote(id: u64) -> Result<u64, Error> { Ok(id) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! match quote(7).await {
//!     Ok(quote) => assert_eq!(quote, 7),
//!     Err(Error::Busy(rejected)) => println!("{rejected}; again in {:?}", rejected.retry_after()),
//! }
//! # }
//! ```
//!
//! A deadline that only the caller knows is an expression over the arguments: `max_wait = request.deadline`.
//! A call that waits is cancelled by dropping it.
//!
//! # A value in place of an error
//!
//! `on_reject` gives the value of a refused call.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(2, max_waiting = 0, on_reject = |rejected| format!("{query}: {rejected}"))]
//! async fn search(query: &str) -> String { format!("results for {query}") }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(search("x").await, "results for x"); }
//! ```
//!
//! # A limit for each tenant
//!
//! `key` applies the limit to each key. `total` caps all keys together, and serves them in turn.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3, key = tenant, total = 20)]
//! async fn report(tenant: u64) -> String { format!("report for {tenant}") }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(report(5).await, "report for 5"); }
//! ```
//!
//! # A rate
//!
//! `per` allows as many starts as the limit in any window of this length, and as many calls at
//! once.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(100, per = "1s")]
//! async fn send(mail: String) {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { send(String::new()).await }
//! ```
//!
//! # Blocking work
//!
//! `blocking` runs the function on tokio's blocking pool, never on more threads than the limit.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(4, blocking)]
//! fn checksum(bytes: Vec<u8>) -> u32 { bytes.iter().map(|&byte| u32::from(byte)).sum() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(checksum(vec![1, 2, 3]).await, 6);
//! # }
//! ```
//!
//! # A permit that outlives the function
//!
//! `permit` names the permit, so that the body can move it to a task, a thread or a stream. A
//! [`Permit`](crate::Permit) is `Send` and `'static`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use tokio::task::JoinHandle;
//!
//! #[concurrency_limit(2, permit = permit)]
//! async fn start(job: u32) -> JoinHandle<u32> {
//!     tokio::spawn(async move {
//!         let _permit = permit; // until the work is done, also if the handle was dropped
//!         job * 7
//!     })
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(start(6).await.await.unwrap(), 42); }
//! ```
//!
//! # An orderly shutdown
//!
//! [`close`](crate::Limiter::close) refuses new calls and those that wait.
//! [`drain_within`](crate::Limiter::drain_within) waits for those that run.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::time::Duration;
//! # use limit_runtime::Rejected;
//!
//! #[concurrency_limit(8, name = "requests", max_waiting = 100)]
//! async fn handle(request: String) -> Result<String, Rejected> { Ok(request) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # handle(String::new()).await.unwrap();
//!
//! if let Some(requests) = limit_runtime::find("requests") {
//!     requests.close().expect("its calls can be refused");
//!     if let Err(undrained) = requests.drain_within(Duration::from_secs(30)).await {
//!         eprintln!("{undrained}");
//!     }
//! }
//! # }
//! ```
//!
//! # Many futures, a few at a time
//!
//! The module `task` (feature `task`) has `gather`, `map` over iterators and endless streams, and a
//! `Pool` whose producers wait for room. These need no limiter. `Limiter::run` and `Limiter::spawn`
//! limit one future.
//!
//! ```
//! # #[cfg(feature = "task")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), std::num::ParseIntError> {
//! use limit_runtime::task;
//!
//! async fn fetch(id: &'static str) -> Result<u32, std::num::ParseIntError> { id.parse() }
//!
//! assert_eq!(task::try_gather(3, ["1", "2", "3", "4"].map(fetch)).await?, [1, 2, 3, 4]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "task"))]
//! # fn main() {}
//! ```
//!
//! # A whole service
//!
//! The layer `tower::LimitLayer` (feature `tower`) limits services of axum, tonic, hyper and reqwest.
//!
//! ```
//! # #[cfg(feature = "tower")] {
//! use limit_runtime::tower::LimitLayer;
//! use limit_runtime::{Limiter, Rejected};
//!
//! static REQUESTS: Limiter<Rejected> = Limiter::new("requests-layer", 200).max_waiting(1_000);
//!
//! let layer = LimitLayer::new(&REQUESTS).on_reject(|rejected| rejected.to_string());
//! // Router::new().route("/", get(handler)).layer(layer)
//! # let _ = layer;
//! # }
//! ```
//!
//! # Settings without a restart
//!
//! Setters such as [`set_limit`](crate::Limiter::set_limit) change a limiter while it runs. The
//! crate `limit-config` reads settings from a file, and reads them again when the file changes.
//! [`Snapshot::settings`](crate::Snapshot::settings) shows the source of each setting.
//!
//! # A page, figures, and the calls that hold permits
//!
//! The crate `limit-console` shows all limiters on a page and changes their settings. The crate
//! `limit-exporters` exports figures to Prometheus, OpenTelemetry and the `metrics` facade. The
//! feature `diagnostics` lists the calls that hold permits and those that wait. The module
//! `limit_runtime::inspect` (feature `inspect`) is for your own tools.
//!
//! # A limit on trial
//!
//! `shadow` admits every call and counts what the limit would have done. The counts are
//! [`Figures::shadowed`](crate::Figures::shadowed).
//!

pub mod options;

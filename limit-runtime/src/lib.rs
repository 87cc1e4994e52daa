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
//! **Bounds and deadlines.** Who may wait, and for how long. A call that is not let in gets a
//! [`Rejected`], which the function's error type takes up by `From` (as [`std::io::Error`] does):
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
//! A deadline that only the caller knows is an expression over the arguments,
//! `max_wait = request.deadline`; and any call that waits is cancelled by dropping it.
//!
//! **Something else instead of an error:**
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
//! **A limit for each tenant,** and one over all of them, under which tenants are served in turn:
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
//! **A rate:** at most so many starts in any window, and so many at once.
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
//! **Blocking work** runs on tokio's blocking pool, never on more of its threads than the limit:
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
//! **Hold the permit longer than the function runs.** Name it, and move it to where the work goes on,
//! a task, a thread or a stream: a [`Permit`] is `Send` and `'static`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use tokio::task::JoinHandle;
//!
//! #[concurrency_limit(2, permit = permit)]
//! async fn start(job: u32) -> JoinHandle<u32> {
//!     tokio::spawn(async move {
//!         let _permit = permit; // until the work is done, also if nobody waits for it any more
//!         job * 7
//!     })
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(start(6).await.await.unwrap(), 42); }
//! ```
//!
//! **Shut down in order:** [close](Limiter::close) what lets requests in, so that new ones and those
//! that wait are told, and [wait](Limiter::drain_within) for those that run.
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
//!     requests.close();
//!     if let Err(undrained) = requests.drain_within(Duration::from_secs(30)).await {
//!         eprintln!("{undrained}");
//!     }
//! }
//! # }
//! ```
//!
//! **Many futures, so many at a time** (feature `task`): `limit_runtime::task` has `gather`, `map` over
//! iterators and streams without end, and a `Pool` whose producers wait for a place. No limiter is
//! needed; with one, `Limiter::run` and `Limiter::spawn` do it for one future.
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
//! **A whole service** (feature `tower`): `limit_runtime::tower::LimitLayer` is a layer for axum, tonic,
//! hyper and reqwest.
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
//! **Change what is set without a restart,** by hand ([`set_limit`](Limiter::set_limit),
//! [`set_enabled`](Limiter::set_enabled) and their like) or from a file that is watched (feature `config`):
//! `limit_runtime::config::Config::watch("limits.toml").start()?`. [`Snapshot::settings`] says who has set
//! what. Feature `diagnostics` tells who holds the permits: `Limiter::holders`. Feature `console` shows all
//! of it on a page, with a knob: `Router::new().nest("/limits", limit_runtime::console::router(options))`.
//!
//! **Find out what a limit would do** before it is put in force: `shadow` lets everybody in and counts
//! what would have happened ([`Figures::shadowed`]).
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
//!   `Retry-After`. A handler may return `Result<_, Rejected>`; it becomes a `StatusCode` or a `Response`
//!   by `?` as well.
//! * `config`: the module `config`, settings by limiter name from files and the environment (with serde
//!   and toml).
//! * `console`: the module `console`, a live page of all limiters and a knob to turn (with axum 0.8,
//!   base64, futures-util, serde and `serde_json`, subtle; brings `tracing`).
//! * `diagnostics`: the module `diagnostics`, who holds permits and who waits (with crossbeam-utils; brings
//!   `tracing`).
//! * `http-body`: `tower`, and the permit of a call can stay with the body of its HTTP response.
//! * `metrics`, `opentelemetry`, `prometheus`: figures of all limiters for the `metrics` facade 0.24, for
//!   OpenTelemetry 0.33 and for `prometheus-client` 0.25: the module `exporters`.
//! * `serde`: [`Snapshot`] and what it consists of can be serialised and deserialised.
//! * `task`: the module `task`, tasks in bulk (with futures-util).
//! * `tonic`: [`Rejected`] becomes a `Status` of tonic 0.14 by `?`: `RESOURCE_EXHAUSTED`, or
//!   `DEADLINE_EXCEEDED` if the call timed out, with what gRPC has in place of `Retry-After`.
//! * `tower`: the module `tower`, a limiter as a layer of tower 0.5.
//! * `tracing`: a debug event when a call starts to wait and when it is let in (fields `limiter`,
//!   `waited`), a warning or an error about configuration that was worked around. Without it such
//!   warnings show in the [`Snapshot`] only. Calls that a subscriber makes while it handles one of
//!   these events tell nothing.
//!
//! # Minimum supported Rust version
//!
//! 1.85; users may be on any edition from 2018 on.
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
#[cfg(feature = "task")]
#[cfg_attr(docsrs, doc(cfg(feature = "task")))]
pub use acquire::run::Run;
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
/// assert_eq!(limit_runtime::find("uploads").unwrap().limit(), Some(4));
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
///
/// # The options by example
///
/// `name`: what figures and errors call the limiter. Without it that is the function's path, in which
/// the type of a method is missing: give methods of one module that are called alike a name each.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(3, name = "thumbnails")]
/// async fn shrink(image: &[u8]) -> usize { image.len() / 2 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// shrink(b"1234").await;
/// assert_eq!(limit_runtime::find("thumbnails").unwrap().snapshot().total.admitted_at_once, 1);
/// # }
/// ```
///
/// `scope`: one limit for the whole process, or one for each runtime.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(1, scope = process)]
/// async fn print_label(text: &str) -> usize { text.len() }
///
/// #[concurrency_limit(10, scope = runtime)]
/// async fn resolve(host: &str) -> usize { host.len() }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(print_label("a").await + resolve("example.org").await, 12);
/// # }
/// ```
///
/// `limiter`: one limit for several functions, or one in each value.
///
/// ```
/// use limit_runtime::{Limiter, concurrency_limit};
///
/// struct Upstream { limiter: Limiter }
///
/// impl Upstream {
///     #[concurrency_limit(limiter = self.limiter)]
///     async fn get(&self, path: &str) -> String { format!("GET {path}") }
///
///     #[concurrency_limit(limiter = self.limiter)]
///     async fn put(&self, path: &str) -> String { format!("PUT {path}") }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let upstream = Upstream { limiter: Limiter::new("upstream", 4) };
/// upstream.get("/").await;
/// upstream.put("/").await;
/// assert_eq!(upstream.limiter.snapshot().total.admitted_at_once, 2);
/// # }
/// ```
///
/// `env`: the environment variable that replaces the limit, if it is set.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(8, env = "MAX_RENDERS", name = "renders")]
/// async fn render() {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// render().await;
/// assert_eq!(limit_runtime::find("renders").unwrap().limit(), Some(8));
/// # }
/// ```
///
/// `max_waiting`: how many may wait; the next is refused. With 0 nobody waits.
///
/// ```
/// use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
///
/// #[concurrency_limit(1, max_waiting = 0)]
/// async fn report() -> Result<u8, Rejected> {
///     let nested = Box::pin(report()).await; // a second one, while this one runs
///     assert_eq!(nested.unwrap_err().kind(), RejectedKind::QueueFull);
///     Ok(1)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// assert_eq!(report().await?, 1);
/// # Ok(())
/// # }
/// ```
///
/// `max_wait`: how long a call may wait, a span of time (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`;
/// `"1m30s"`) or an expression, a `Duration` or an `Instant`.
///
/// ```
/// use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
/// use std::time::Instant;
///
/// struct Request { deadline: Instant }
///
/// #[concurrency_limit(1, max_wait = request.deadline)]
/// async fn serve(request: Request) -> Result<(), Rejected> {
///     let late = Request { deadline: Instant::now() };
///     let late = Box::pin(serve(late)).await; // it would have to wait for this one
///     assert_eq!(late.unwrap_err().kind(), RejectedKind::NoPermits); // no time to wait
///     Ok(())
/// }
///
/// #[concurrency_limit(1, max_wait = "50ms")]
/// async fn ping() -> Option<()> { Some(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// serve(Request { deadline: Instant::now() }).await?; // a free permit is taken all the same
/// assert!(ping().await.is_some());
/// # Ok(())
/// # }
/// ```
///
/// `order`: `lifo` serves the newest first, and with a full queue refuses the oldest.
///
/// ```
/// use limit_runtime::{Rejected, concurrency_limit};
///
/// #[concurrency_limit(4, order = lifo, max_waiting = 100)]
/// async fn timeline(user: u64) -> Result<Vec<u64>, Rejected> { Ok(vec![user]) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// assert_eq!(timeline(1).await?, [1]);
/// # Ok(())
/// # }
/// ```
///
/// `priority`: higher first. See [`Acquire::priority`] for how waiters age.
///
/// ```
/// use limit_runtime::concurrency_limit;
/// use std::cell::RefCell;
///
/// #[concurrency_limit(1, priority = if paying { 5 } else { 0 })]
/// async fn convert(paying: bool, order: &RefCell<Vec<bool>>) {
///     order.borrow_mut().push(paying);
///     tokio::task::yield_now().await;
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let order = RefCell::default();
/// tokio::join!(
///     biased;
///     convert(false, &order), convert(false, &order), convert(true, &order),
/// );
/// assert_eq!(order.into_inner(), [false, true, false]); // the first found a permit free
/// # }
/// ```
///
/// `weight`: how many permits a call takes. More than the limit are refused.
///
/// ```
/// use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
///
/// #[concurrency_limit(512, weight = megabytes, name = "memory")]
/// async fn decode(megabytes: u32) -> Result<usize, Rejected> {
///     Ok(limit_runtime::find("memory").unwrap().snapshot().total.in_use)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Rejected> {
/// assert_eq!(decode(200).await?, 200);
/// assert_eq!(decode(513).await.unwrap_err().kind(), RejectedKind::TooHeavy);
/// # Ok(())
/// # }
/// ```
///
/// `key`: the limit holds for each key. An argument that is one is cloned.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(1, key = tenant, name = "exports")]
/// async fn export(tenant: String) -> (String, usize) {
///     (tenant, limit_runtime::find("exports").unwrap().snapshot().total.keys)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(export(String::from("acme")).await, (String::from("acme"), 1));
/// assert_eq!(limit_runtime::find("exports").unwrap().snapshot().total.keys, 0);
/// # }
/// ```
///
/// `total`: a cap over all keys, which are then served in turn.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(2, key = (tenant, user), total = 50)]
/// async fn search(tenant: u32, user: u64, words: &str) -> usize { words.len() }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(search(1, 2, "words").await, 5);
/// # }
/// ```
///
/// `per`: at most so many starts in any window of that length, and at most so many at once. A span
/// of time, or a constant of type `Duration`.
///
/// ```
/// use limit_runtime::concurrency_limit;
/// use std::time::Instant;
///
/// #[concurrency_limit(2, per = "20ms")]
/// async fn send_mail(to: &str) -> usize { to.len() }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let start = Instant::now();
/// for to in ["ann", "bob", "eve"] {
///     send_mail(to).await;
/// }
/// assert!(start.elapsed().as_millis() >= 19); // the third waited for the first one's window
/// # }
/// ```
///
/// `on_reject`: what a refused call gives. It sees the arguments and may `.await`, use `?` and
/// `return`; an error of the body never comes here.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(100, weight = words, on_reject = |rejected| {
///     format!("{text}: {words} words, at most {}", rejected.limit())
/// })]
/// async fn translate(text: &str, words: u32) -> String { text.to_uppercase() }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(translate("a few", 2).await, "A FEW");
/// assert_eq!(translate("a book", 90_000).await, "a book: 90000 words, at most 100");
/// # }
/// ```
///
/// `permit`: the body's name for its [`Permit`], to move it to where the work goes on.
///
/// ```
/// use limit_runtime::concurrency_limit;
/// use tokio::task::JoinHandle;
///
/// #[concurrency_limit(2, permit = permit, name = "jobs")]
/// async fn start(job: u32) -> JoinHandle<u32> {
///     tokio::spawn(async move {
///         let _permit = permit; // until the task is done
///         job + 1
///     })
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let job = start(1).await;
/// assert_eq!(limit_runtime::find("jobs").unwrap().snapshot().total.in_use, 1);
/// assert_eq!(job.await.unwrap(), 2);
/// # }
/// ```
///
/// `blocking`: the function becomes async and runs on tokio's blocking pool. Its arguments move
/// there, so they are not borrowed: a method takes `self`, or `self: Arc<Self>`.
///
/// ```
/// use limit_runtime::concurrency_limit;
/// use std::sync::Arc;
///
/// struct Hasher { rounds: u32 }
///
/// impl Hasher {
///     #[concurrency_limit(4, blocking)]
///     fn hash(self: Arc<Self>, password: String) -> u32 {
///         password.bytes().map(u32::from).sum::<u32>() * self.rounds
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let hasher = Arc::new(Hasher { rounds: 2 });
/// assert_eq!(Arc::clone(&hasher).hash(String::from("a")).await, 194);
/// # }
/// ```
///
/// `enabled`: whether the limit holds for a call.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(1, enabled = !internal)]
/// async fn status(internal: bool) -> u8 {
///     if internal { 1 } else { 1 + Box::pin(status(true)).await } // it does not wait for itself
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(status(false).await, 2);
/// # }
/// ```
///
/// `shadow`: nobody waits, nobody is refused; what would have been is counted.
///
/// ```
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(1, shadow, max_waiting = 10, name = "candidate")]
/// async fn candidate(depth: u8) {
///     if depth > 0 { Box::pin(candidate(depth - 1)).await }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// candidate(2).await;
/// assert_eq!(limit_runtime::find("candidate").unwrap().snapshot().total.shadowed.waited, 2);
/// # }
/// ```
///
/// `crate`: where this crate is, if it was renamed or is re-exported.
///
/// ```
/// use limit_runtime as limits;
///
/// #[limits::concurrency_limit(3, crate = limits)]
/// async fn elsewhere() -> u8 { 1 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(elsewhere().await, 1);
/// # }
/// ```
///
/// # In detail
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

//! Recipes for common tasks. The module [`options`] has an example of each option of the attribute. The module
//! [`adaptive`] is about limits that find themselves. The module [`hazards`] has programs that hang, and says what to do.
//!
//! First steps:
//!
//! * [The dependencies](#the-dependencies)
//! * [Limit a function](#limit-a-function)
//! * [Handle a refused call](#handle-a-refused-call)
//! * [See a limit, and change it while the program runs](#see-a-limit-and-change-it-while-the-program-runs)
//! * [A limit for each tenant](#a-limit-for-each-tenant)
//! * [Tenants that differ](#tenants-that-differ)
//! * [Tests](#tests)
//!
//! More:
//!
//! * [Several functions, one limit](#several-functions-one-limit)
//! * [Several limits as one](#several-limits-as-one)
//! * [One limit for each instance](#one-limit-for-each-instance)
//! * [A limit from the environment, or from an expression](#a-limit-from-the-environment-or-from-an-expression)
//! * [A limit that finds itself](#a-limit-that-finds-itself)
//! * [One limit for the whole process](#one-limit-for-the-whole-process)
//! * [One limit for many processes](#one-limit-for-many-processes)
//! * [A deadline of the caller](#a-deadline-of-the-caller)
//! * [An overloaded queue](#an-overloaded-queue)
//! * [Shares of the permits](#shares-of-the-permits)
//! * [A rate](#a-rate)
//! * [A warm start](#a-warm-start)
//! * [Blocking work](#blocking-work)
//! * [A permit that outlives the function](#a-permit-that-outlives-the-function)
//! * [A stream that holds its permit](#a-stream-that-holds-its-permit)
//! * [A weight that changes](#a-weight-that-changes)
//! * [Many calls in a loop](#many-calls-in-a-loop)
//! * [An orderly shutdown](#an-orderly-shutdown)
//! * [Many futures, a few at a time](#many-futures-a-few-at-a-time)
//! * [A whole service](#a-whole-service)
//! * [Settings from a file](#settings-from-a-file)
//! * [A page in the browser](#a-page-in-the-browser)
//! * [Figures for Prometheus](#figures-for-prometheus)
//! * [The calls that hold permits](#the-calls-that-hold-permits)
//! * [A limit on trial](#a-limit-on-trial)
//!
//! # The dependencies
//!
//! A service that uses every part of this guide:
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! futures-util = "0.3"
//! limit-config = "0.1"
//! limit-console = { version = "0.1", features = ["diagnostics"] }
//! limit-exporters = { version = "0.1", features = ["diagnostics", "prometheus"] }
//! limit-runtime = { version = "0.1", features = ["axum-08", "diagnostics", "task", "tower", "tracing"] }
//! prometheus-client = "0.25"
//! tokio = { version = "1.49", features = ["macros", "net", "rt-multi-thread", "time"] }
//!
//! [dev-dependencies]
//! tokio = { version = "1.49", features = ["test-util"] }
//! ```
//!
//! The attribute and [`Limiter`](crate::Limiter) need `limit-runtime` and `tokio` alone, without
//! features of `limit-runtime`.
//!
//! # Limit a function
//!
//! The attribute stands on the function. The calls do not change.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3)]
//! async fn download(url: &str) -> Result<String, std::io::Error> {
//!     // ... never more than three of these at once ...
//!     # tokio::task::yield_now().await;
//!     Ok(format!("the page {url}"))
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), std::io::Error> {
//!
//! let (index, news) = tokio::try_join!(download("/"), download("/news"))?;
//! assert_eq!((index.as_str(), news.as_str()), ("the page /", "the page /news"));
//! # Ok(())
//! # }
//! ```
//!
//! Methods, trait implementations and functions that return a future take the attribute as well.
//! Code that is not a function of its own takes a permit from a [`Limiter`](crate::Limiter):
//!
//! ```
//! use limit_runtime::Limiter;
//!
//! static DB: Limiter = Limiter::new("database", 10); // never a `const`
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//!
//! let permit = DB.acquire().await;
//! // ... never more than ten tasks are here at once ...
//! drop(permit);
//! # }
//! ```
//!
//! A limiter is a `static`, or a field of a value that lives long. Each use of a `const` makes a new
//! limiter, which limits nothing.
//!
//! # Handle a refused call
//!
//! Without further options every call waits. `max_waiting` bounds the queue, and `max_wait` bounds
//! the wait. A refused call gives a [`Rejected`](crate::Rejected), which becomes the function's error
//! by `From` (as [`std::io::Error`] does).
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
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
//! `on_reject` gives a value in place of an error:
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
//! With the feature `axum-08` or `tonic-014`, `?` in a handler answers a refused call with 503 or
//! `RESOURCE_EXHAUSTED`.
//!
//! # See a limit, and change it while the program runs
//!
//! [`limiters`](crate::limiters) lists every limiter that has been used. [`find`](crate::find)
//! returns the limiter with a name. [`Snapshot::total`](crate::Snapshot::total) has the figures as
//! numbers.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3, name = "download")]
//! async fn download() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//!
//! download().await;
//! for limiter in limit_runtime::limiters() {
//!     println!("{}", limiter.snapshot());
//! }
//! if let Some(download) = limit_runtime::find("download") {
//!     download.set_limit(6); // at once, for all runtimes
//!     assert_eq!(download.snapshot().total.limit, 6);
//! }
//! # }
//! ```
//!
//! A limiter that the code names has the same methods: `DB.snapshot()`, `DB.set_limit(6)`. See also
//! [the page](#a-page-in-the-browser) and [the file](#settings-from-a-file).
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
//! Without the attribute, a [`KeyedLimiter`](crate::KeyedLimiter) does the same:
//!
//! ```
//! use limit_runtime::{KeyedLimiter, Limiter, Rejected};
//!
//! static EXPORTS: KeyedLimiter = Limiter::new("exports", 1).keyed().total(20);
//! # fn main() -> Result<(), Rejected> {
//!
//! let acme = EXPORTS.key("acme").try_acquire()?;
//! assert!(EXPORTS.key("acme").try_acquire().is_err()); // the limit of this tenant is reached
//! let umbrella = EXPORTS.key("umbrella").try_acquire()?;
//! assert_eq!(EXPORTS.snapshot().total.keys, 2);
//! # drop((acme, umbrella));
//! # Ok(())
//! # }
//! ```
//!
//! # Tenants that differ
//!
//! Use this when tenants have paid for different parts of one backend, or when clients choose the keys.
//!
//! * A key can have [a limit of its own](crate::KeyedLimiter::set_key_limit), set while the program runs, or
//!   [by a file](https://docs.rs/limit-config/latest/limit_config/#limits-of-single-keys): `[query.key]`, `acme = 10`.
//! * The option [`key_weight`](options#key_weight) gives a key its part of the `total`, while several keys want it.
//! * The option [`max_waiting_total`](options#max_waiting_total) bounds the waiting calls of all keys together. `max_waiting` holds for
//!   each key, so clients who invent keys could queue without end.
//!
//! ```
//! use limit_runtime::{KeyedLimiter, Limiter, Rejected, concurrency_limit};
//!
//! struct Tenant { id: u64, has_paid: bool }
//!
//! static QUERIES: KeyedLimiter<Rejected> =
//!     Limiter::new("queries-of-tenants", 3).keyed().total(20).max_waiting(10).max_waiting_total(1_000);
//!
//! #[concurrency_limit(limiter = QUERIES, key = tenant.id, key_weight = if tenant.has_paid { 4 } else { 1 })]
//! async fn query(tenant: &Tenant) -> Result<u64, Rejected> { Ok(tenant.id) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!
//! QUERIES.set_key_limit(7_u64, Some(10))?; // this tenant has ten of the twenty at most
//! assert_eq!(query(&Tenant { id: 7, has_paid: true }).await?, 7);
//! # Ok(())
//! # }
//! ```
//!
//! # Tests
//!
//! Each `#[tokio::test]` has its own runtime, and so its own permits: tests that run at the same time
//! do not wait for one another. Waits follow tokio's clock, which a test can pause.
//!
//! ```
//! # mod tokio { pub use ::tokio::{main as test, *}; } // so that the test runs here
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//! use std::time::Duration;
//!
//! #[concurrency_limit(1, max_wait = "5s")]
//! async fn print_label() -> Result<(), Rejected> {
//!     tokio::time::sleep(Duration::from_secs(60)).await;
//!     Ok(())
//! }
//!
//! // A minute goes by at once. This needs tokio's feature `test-util`.
//! #[tokio::test(flavor = "current_thread", start_paused = true)]
//! async fn the_second_label_times_out() {
//!     let (first, second) = tokio::join!(print_label(), print_label());
//!     assert!(first.is_ok());
//!     assert_eq!(second.unwrap_err().kind(), RejectedKind::TimedOut);
//! }
//! # fn main() { the_second_label_times_out() }
//! ```
//!
//! All tests of one process share limiters with `scope = process`, changed settings such as the
//! limit, and the figures in [`Snapshot::total`](crate::Snapshot::total). A test of these makes its
//! own [`Limiter`](crate::Limiter).
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
//! # Several limits as one
//!
//! Use this when one call needs permits of two limiters or more at the same time, such as a tenant's share and a database
//! connection. A call that takes one permit and then waits for the other keeps the first one idle, and two
//! functions that take them in opposite orders can wait for each other for ever. With `all(…)` a call takes
//! all permits or none.
//!
//! Its price: where several of the limits are full, a call for *n* of them may wait up to 3 + *n* times as long as a call for
//! one. Where one of them is full, it waits as any other call does.
//!
//! ```
//! use limit_runtime::{KeyedLimiter, Limiter, concurrency_limit};
//!
//! static TENANTS: KeyedLimiter = Limiter::new("tenants", 2).keyed();
//! static DB: Limiter = Limiter::new("db", 10);
//!
//! #[concurrency_limit(all(DB, TENANTS.key(tenant)))]
//! async fn export(tenant: u32) -> String { format!("export of {tenant}") }
//!
//! #[concurrency_limit(all(TENANTS.key(tenant), DB))] // The order makes no difference.
//! async fn import(tenant: u32) {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # import(7).await;
//! assert_eq!(export(7).await, "export of 7");
//! # }
//! ```
//!
//! Code that is not a function of its own calls [`acquire_all`](crate::acquire_all), which has the rules. A thread that may
//! block calls [`blocking_acquire_all`](crate::blocking_acquire_all).
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
//! The variable `LIMIT_<NAME>` overrides the limit of any limiter: see [`settings`](crate::settings).
//! `env` names another variable.
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
//! # A limit that finds itself
//!
//! With a range the limit becomes the number of calls that the backend works on at a time. `overload` says which answers
//! mean that the backend has too many. The module [`adaptive`] has the rest.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! struct Answer { status: u16 }
//!
//! #[concurrency_limit(1..=200, overload = |answer| matches!(answer.status, 429 | 503))]
//! async fn ask(path: &str) -> Answer { Answer { status: 200 } }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(ask("/").await.status, 200); }
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
//! # One limit for many processes
//!
//! A service runs in forty processes, and its database bears a hundred calls in all. `scope = fleet`
//! shares the permits between all of them. The processes lease their shares from a Redis or Valkey server
//! with the crate [`limit-fleet`](https://docs.rs/limit-fleet), so that a call costs what a local call
//! costs. Without a started fleet the limit holds for this process alone.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(100, scope = fleet, name = "orders-db")]
//! async fn order() {}
//! ```
//!
//! ```text
//! // In `main`. Dropping `_fleet` gives the shares back.
//! let _fleet = Fleet::connect("redis://redis.internal").namespace("billing").start().await?;
//! ```
//!
//! # A deadline of the caller
//!
//! A deadline that only the caller knows is an expression over the arguments. Dropping a call that
//! waits cancels it.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//! use std::time::{Duration, Instant};
//!
//! struct Request { deadline: Instant }
//!
//! #[concurrency_limit(8, max_wait = request.deadline)]
//! async fn serve(request: Request) -> Result<u8, Rejected> { Ok(1) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! let deadline = Instant::now() + Duration::from_millis(250);
//! assert_eq!(serve(Request { deadline }).await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # An overloaded queue
//!
//! Use this when more calls come than are served, and it matters which of them are refused, and when. A bound comes first:
//! `max_waiting`, or `max_wait`, or both. Then:
//!
//! | to | write |
//! |---|---|
//! | refuse the least important calls | [`priority`](options#priority) beside `max_waiting`: a full queue gives way to a call of a higher priority |
//! | refuse at once those that would time out | [`early`](options#early) beside `max_wait` |
//! | serve those first that have the least time left | [`order = deadline`](options#order) beside `max_wait` |
//! | serve the newest, whose callers still wait | [`order = lifo`](options#order) beside `max_waiting` |
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! #[concurrency_limit(8, max_waiting = 100, max_wait = "2s", early, priority = if is_paying { 5 } else { 0 })]
//! async fn convert(is_paying: bool) -> Result<(), Rejected> { Ok(()) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert!(convert(true).await.is_ok()); }
//! ```
//!
//! # Shares of the permits
//!
//! Use this when calls of a few kinds use one backend, and one kind must not take the permits of another: people who wait,
//! and jobs that run at night. A share that wants nothing leaves its permits to the others.
//!
//! ```
//! use limit_runtime::{Share, concurrency_limit};
//!
//! const CLASSES: &[Share] = &[Share::new("live", 60), Share::new("batch", 20).at_most(50)]; // per cent
//!
//! #[concurrency_limit(20, shares = CLASSES, share = class)]
//! async fn query(class: &str, text: &str) -> usize { text.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(query("live", "select 1").await, 8); }
//! ```
//!
//! Shares stand in the code: no file, no variable and no page changes them while the program runs. Their permits follow the
//! limit, which can be changed. [`Limiter::shares`](crate::Limiter::shares) has the rules. Many kinds that come and go, such
//! as tenants, are [keys](#a-limit-for-each-tenant).
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
//! # A warm start
//!
//! `ramp` lets the limit rise from one permit after a start, and after a time without calls. So a database whose caches are
//! empty, or a service that has just been started, is not met by all calls at once.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! // One at first, forty after half a minute.
//! #[concurrency_limit(40, ramp = "30s")]
//! async fn query(text: &str) -> usize { text.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(query("select 1").await, 8); }
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
//! Code that runs on a thread of its own, and not in a task, takes a permit with
//! [`blocking_acquire`](crate::Limiter::blocking_acquire), several with
//! [`blocking_acquire_all`](crate::blocking_acquire_all), and changes their number with
//! [`blocking_resize`](crate::Permit::blocking_resize). The thread sleeps while it waits, in one queue with the tasks.
//!
//! ```
//! use limit_runtime::{Limiter, Rejected, blocking_acquire_all};
//!
//! static SCANNERS: Limiter = Limiter::new("scanners", 2);
//! static MEGABYTES: Limiter = Limiter::new("scan-memory", 64);
//!
//! fn scan(pages: u32) -> Result<(), Rejected> {
//!     let [_scanner, mut memory] = blocking_acquire_all((&SCANNERS, &MEGABYTES)).into_permits();
//!     memory.blocking_resize(pages * 8)?; // sleeps until there is room for all pages
//!     // ... scans ...
//!     Ok(())
//! }
//! # std::thread::spawn(|| scan(3)).join().unwrap().unwrap();
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
//! # A stream that holds its permit
//!
//! A function gives its permit back when it returns. The stream that it returned runs after that. So
//! `permit` names the permit, and the stream's closure takes it along.
//!
//! ```
//! # #[cfg(feature = "task")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use futures_util::stream::{self, Stream, StreamExt};
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3, permit = permit, name = "rows")]
//! async fn rows(table: &'static str) -> impl Stream<Item = String> {
//!     stream::iter(1..=2).map(move |row| {
//!         let _permit = &permit; // the closure owns the permit until the stream is dropped
//!         format!("{table} {row}")
//!     })
//! }
//!
//! let stream = rows("orders").await;
//! let in_use = || limit_runtime::find("rows").unwrap().snapshot().total.in_use;
//! assert_eq!(in_use(), 1);
//! assert_eq!(stream.collect::<Vec<_>>().await, ["orders 1", "orders 2"]);
//! assert_eq!(in_use(), 0);
//! # }
//! # #[cfg(not(feature = "task"))]
//! # fn main() {}
//! ```
//!
//! The function is async, because its call waits for the permit. The body of an HTTP response is such
//! a stream, too: `LimitLayer` has `until_body_end` for it (feature `http-body`).
//!
//! # A weight that changes
//!
//! Use this when the cost of a call is known only after it has begun: a download learns its size from the head of the
//! answer, a query its rows, a job its memory. The call begins with a small weight, and
//! [`resize`](crate::Permit::resize) changes it.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! # struct Response { megabytes: u32 }
//! # async fn get(_: &str) -> Response { Response { megabytes: 40 } }
//! # async fn write(_: Response) {}
//! #[concurrency_limit(64, permit = permit, name = "megabytes")]
//! async fn download(url: &str) -> Result<(), Rejected> {
//!     let mut permit = permit; // one of the 64
//!     let response = get(url).await;
//!     permit.resize(response.megabytes).await?; // waits until there is room for all of it
//!     write(response).await;
//!     permit.resize(1).await?; // gives the rest back at once
//!     // ... checks what it has written ...
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert!(download("/film").await.is_ok()); }
//! ```
//!
//! A call that grows goes before all calls that hold nothing: they may wait for the permits that it has. Two calls never
//! wait for each other. If they would, the second one is refused as [`Deadlock`](crate::RejectedKind::Deadlock). It
//! keeps what it holds, and is to end, or to [shrink](crate::Permit::resize) and try again. The less a call holds while it waits, the
//! rarer that is: 64 calls of weight 1 can all wait, and each is served in its turn.
//!
//! On a thread that may block it is [`blocking_resize`](crate::Permit::blocking_resize).
//!
//! # Many calls in a loop
//!
//! A call whose permit is free does not yield: it does not consume tokio's cooperative budget. So a
//! loop that awaits nothing else keeps its thread from other tasks. Such a loop consumes the budget
//! itself.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(100)]
//! async fn is_even(id: u32) -> bool { id % 2 == 0 }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//!
//! let mut even = 0;
//! for id in 0..1_000 {
//!     even += u32::from(is_even(id).await);
//!     tokio::task::consume_budget().await; // other tasks run now and then
//! }
//! # assert_eq!(even, 500);
//! # }
//! ```
//!
//! [`tokio::task::yield_now`] every so often has the same effect. `Limiter::spawn` and `Pool::spawn`
//! (feature `task`) consume the budget by themselves.
//!
//! # An orderly shutdown
//!
//! [`close`](crate::Limiter::close) refuses new calls and those that wait.
//! [`drain_within`](crate::Limiter::drain_within) waits for those that run.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//! use std::time::Duration;
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
//! The module [`task`] (feature `task`) has `gather`, `map` over iterators and endless streams, and a
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
//! A pool or a stream may use a limiter that others use too. Give it a [share](crate::Limiter::shares) of the permits when
//! it is work in bulk for which others are not to wait: `Pool::over(&DB).share("batch")`, or
//! `rows.map_limited(&DB, load).share("batch").unordered()`.
//!
//! # A whole service
//!
//! The `LimitLayer` of the module [`tower`] (feature `tower`) limits services of axum, tonic, hyper
//! and reqwest.
//!
//! ```
//! # #[cfg(all(feature = "tower", feature = "axum-08"))] {
//! use axum::response::IntoResponse;
//! use axum::{Router, routing::get};
//! use limit_runtime::tower::LimitLayer;
//! use limit_runtime::{Limiter, Rejected};
//!
//! static REQUESTS: Limiter<Rejected> = Limiter::new("requests-layer", 200).max_waiting(1_000);
//!
//! // A router of axum wants a response of axum. This one is 503 with `Retry-After` (feature `axum-08`).
//! let layer = LimitLayer::new(&REQUESTS).on_reject(Rejected::into_response);
//! let app: Router = Router::new().route("/", get(|| async { "all is well" })).layer(layer);
//! # let _ = app;
//! # }
//! ```
//!
//! A closure may make another response: `|rejected| (StatusCode::TOO_MANY_REQUESTS, rejected.to_string()).into_response()`.
//!
//! A layer has no key, priority or deadline of a request. [`LimitLayer`][tower-layer] says what to write in its place.
//!
//! Use `share` when the service answers requests of several kinds, and one kind must not take the permits of another. It says
//! by the request to which [share](crate::Limiter::shares) of the permits the call belongs.
//!
//! ```
//! # #[cfg(feature = "tower")] {
//! use limit_runtime::tower::LimitLayer;
//! use limit_runtime::{Limiter, Share};
//!
//! static SEARCHES: Limiter = Limiter::new("searches-layer", 20)
//!     .shares(&[Share::new("live", 70), Share::new("batch", 20).at_most(50)]);
//!
//! # struct Request { is_batch: bool }
//! let share_of = |request: &Request| if request.is_batch { "batch" } else { "live" };
//! let layer = LimitLayer::new(&SEARCHES).share(share_of);
//! # let _ = layer;
//! # }
//! ```
//!
//! # Settings from a file
//!
//! The crate [`limit-config`](https://docs.rs/limit-config) reads settings from a file, and reads
//! them again when the file changes. [`Snapshot::settings`](crate::Snapshot::settings) shows the
//! source of each setting.
//!
//! ```toml
//! # limits.toml, with `let _watcher = Config::watch("limits.toml").start()?;`
//! ["payments::charge"]
//! limit = 32
//! max_wait = "250ms"
//! ```
//!
//! # A page in the browser
//!
//! The crate [`limit-console`](https://docs.rs/limit-console) shows all limiters on a page, and
//! changes their settings there.
//!
//! # Figures for Prometheus
//!
//! The crate [`limit-exporters`](https://docs.rs/limit-exporters) exports the figures of all limiters
//! to Prometheus, OpenTelemetry and the `metrics` facade. Its documentation has this program whole:
//!
//! ```text
//! let mut registry = Registry::default();
//! Collector::new().register(&mut registry)?;
//!
//! // For each scrape, such as `GET /metrics`:
//! let mut text = String::new();
//! encode(&mut text, &registry)?;
//! ```
//!
//! The module [`inspect`](https://docs.rs/limit-runtime/latest/limit_runtime/inspect/) (feature
//! `inspect`) is for your own exporter.
//!
//! # The calls that hold permits
//!
//! With the feature `diagnostics`, `Limiter::holders` lists the calls that hold permits, and
//! `Limiter::waiters` lists those that wait. Both lists are empty until the program calls
//! `diagnostics::record(true)`. The module [`diagnostics`] says more. The page and the exporters show these calls if
//! `limit-console` and `limit-exporters` have their own feature `diagnostics`.
//!
//! ```
//! # #[cfg(feature = "diagnostics")] {
//! use limit_runtime::{Limiter, diagnostics};
//!
//! diagnostics::record(true); // once, at the start of the program
//!
//! let db = Limiter::new("held", 2);
//! let permit = db.try_acquire()?;
//! for holder in db.holders() {
//!     println!("{holder}"); // src/main.rs:7:17, for 0.1ms, outside any task
//! }
//! # assert_eq!(db.holders().len(), 1);
//! # drop(permit);
//! # }
//! # Ok::<(), limit_runtime::Rejected>(())
//! ```
//!
//! # A limit on trial
//!
//! `shadow` admits every call and counts what the limit would have done. The counts are
//! [`Figures::shadowed`](crate::Figures::shadowed).
//!
// Links to modules of features lead to docs.rs where the feature is off.
#![cfg_attr(feature = "diagnostics", doc = "[`diagnostics`]: mod@crate::diagnostics")]
#![cfg_attr(
    not(feature = "diagnostics"),
    doc = "[`diagnostics`]: https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/"
)]
#![cfg_attr(feature = "task", doc = "[`task`]: mod@crate::task")]
#![cfg_attr(
    not(feature = "task"),
    doc = "[`task`]: https://docs.rs/limit-runtime/latest/limit_runtime/task/"
)]
#![cfg_attr(feature = "tower", doc = "[`tower`]: mod@crate::tower")]
#![cfg_attr(
    feature = "tower",
    doc = "[tower-layer]: crate::tower::LimitLayer#what-a-layer-does-not-know"
)]
#![cfg_attr(
    not(feature = "tower"),
    doc = "[tower-layer]: https://docs.rs/limit-runtime/latest/limit_runtime/tower/struct.LimitLayer.html#what-a-layer-does-not-know"
)]
#![cfg_attr(
    not(feature = "tower"),
    doc = "[`tower`]: https://docs.rs/limit-runtime/latest/limit_runtime/tower/"
)]

pub mod adaptive;
pub mod hazards;
pub mod options;

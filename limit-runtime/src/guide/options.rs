//! The options of the attribute by example.
//!
//! The page of [`concurrency_limit`](macro@crate::concurrency_limit) has the table of all options.
//! Here is an example of each, in the same order.
//!
//! ## `LIMIT`
//!
//! The limit is a number from 1 up, or an expression of type `usize` that a `static` can name: a
//! const, a path, a call of a function. The limiter evaluates the expression once for each scope, on
//! first use.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! const MAX_UPLOADS: usize = 4;
//!
//! #[concurrency_limit(MAX_UPLOADS, name = "uploads", env = "MAX_UPLOADS")]
//! async fn upload(bytes: Vec<u8>) -> usize { bytes.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(upload(vec![1, 2, 3]).await, 3);
//! assert_eq!(limit_runtime::find("uploads").unwrap().limit(), Some(4));
//! # }
//! ```
//!
//! A limit that is a range finds itself. The ends are numbers or constants, and `..=200` means `1..=200`. The
//! [guide](crate::guide::adaptive) says how the limit is found. A range is a compile error beside `per`,
//! `shadow` and `scope = fleet`. Beside `key` the [`total`](#total) is the range.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! const MOST: usize = 200;
//!
//! #[concurrency_limit(4..=MOST, name = "lookups")]
//! async fn look_up(id: u64) -> u64 { id }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(look_up(7).await, 7);
//! assert!((4..=MOST).contains(&limit_runtime::find("lookups").unwrap().limit().unwrap()));
//! # }
//! ```
//!
//! The attribute also limits a function that returns a future. The statements before the function's
//! last block run at once.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(2)]
//! fn describe(id: u64) -> impl Future<Output = String> {
//!     let path = format!("/items/{id}"); // when the function is called
//!     async move { path }                // under the limit
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(describe(7).await, "/items/7");
//! # }
//! ```
//!
//! ## `name`
//!
//! `name` is the limiter's name in figures and errors. The default is the function's path. The path
//! contains no type, so give methods of one module a `name` if they have the same function name.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3, name = "thumbnails")]
//! async fn shrink(image: &[u8]) -> usize { image.len() / 2 }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! shrink(b"1234").await;
//! assert_eq!(limit_runtime::find("thumbnails").unwrap().snapshot().total.admitted_at_once, 1);
//! # }
//! ```
//!
//! ## `scope`
//!
//! `scope` chooses the calls that share the permits: those of each runtime, those of the whole process,
//! or those of all processes of a fleet.
//!
//! With `scope = fleet` the processes find the limit by its `name`, which must be given. The program
//! starts the fleet with the crate [`limit-fleet`](https://docs.rs/limit-fleet). Until then the limit
//! holds for the process alone, and the limiter's snapshot says so. A call takes one permit, so `weight`
//! is a compile error beside it, and so are `per` and `shadow`. With `key` there is a limit over the fleet
//! for each key. The text of the key is its name in the fleet, so the key must be `Display`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1, scope = process)]
//! async fn print_label(text: &str) -> usize { text.len() }
//!
//! #[concurrency_limit(10, scope = runtime)]
//! async fn resolve(host: &str) -> usize { host.len() }
//!
//! #[concurrency_limit(100, scope = fleet, name = "orders-db")]
//! async fn store(order: &str) -> usize { order.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(print_label("a").await + resolve("example.org").await + store("pens").await, 16);
//! # }
//! ```
//!
//! ## `limiter`
//!
//! `limiter` names an existing limiter: a `static`, or a field, also behind a reference, a `Box` or an
//! `Arc`. Several functions can share the limiter, and a value can own it. A `const` is no limiter:
//! each use of it makes a new one.
//!
//! ```
//! use limit_runtime::{Limiter, concurrency_limit};
//!
//! struct Upstream { limiter: Limiter }
//!
//! impl Upstream {
//!     #[concurrency_limit(limiter = self.limiter)]
//!     async fn get(&self, path: &str) -> String { format!("GET {path}") }
//!
//!     #[concurrency_limit(limiter = self.limiter)]
//!     async fn put(&self, path: &str) -> String { format!("PUT {path}") }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let upstream = Upstream { limiter: Limiter::new("upstream", 4) };
//! upstream.get("/").await;
//! upstream.put("/").await;
//! assert_eq!(upstream.limiter.snapshot().total.admitted_at_once, 2);
//! # }
//! ```
//!
//! `all(…)` in place of LIMIT takes the permits of several limiters as one. Use it when a call needs all of them at the
//! same time: see [`acquire_all`](crate::acquire_all).
//!
//! ```
//! use limit_runtime::{Limiter, Rejected, concurrency_limit};
//!
//! static MEGABYTES: Limiter = Limiter::new("megabytes-of-images", 512);
//!
//! struct Images { disk: Limiter }
//!
//! impl Images {
//!     #[concurrency_limit(all(limiter = self.disk, MEGABYTES.acquire().weight(size)), max_wait = "2s")]
//!     async fn shrink(&self, size: u32) -> Result<u32, Rejected> { Ok(size / 2) }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! let images = Images { disk: Limiter::new("disk-of-images", 2) };
//! assert_eq!(images.shrink(100).await?, 50);
//! # Ok(())
//! # }
//! ```
//!
//! ## `env`
//!
//! `env` names the environment variable that replaces the limit, if it is set. The limiter reads the
//! variable once. It reports a value that is not a whole number from 1 up, and uses LIMIT.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(8, env = "MAX_RENDERS", name = "renders")]
//! async fn render() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! render().await;
//! assert_eq!(limit_runtime::find("renders").unwrap().limit(), Some(8));
//! # }
//! ```
//!
//! ## `max_waiting`
//!
//! `max_waiting` bounds the number of calls that wait. The next call is refused. With [`priority`](#priority) and with
//! [`order = lifo`](#order) a waiter may be refused in its place. With 0 no call waits. With `key` the bound holds for each
//! key. With `shares` it holds for each share: under `max_waiting = 2`, two shares and the `rest` have up to six waiting
//! calls. The value is a number, or an expression of type
//! `usize` that a `static` can name.
//!
//! ```
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//!
//! #[concurrency_limit(1, max_waiting = 0)]
//! async fn report() -> Result<u8, Rejected> {
//!     let nested = Box::pin(report()).await; // a second one, while this one runs
//!     assert_eq!(nested.unwrap_err().kind(), RejectedKind::QueueFull);
//!     Ok(1)
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(report().await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! ## `max_wait`
//!
//! `max_wait` bounds the time that a call waits. A free permit is taken even if there is no time to
//! wait. The value is a span of time in `ns`, `us`, `ms`, `s`, `m`, `h` or `d`, or several in a row as
//! in `"1m30s"`. It can also be an expression of type `Duration` or `Instant` (the standard library's
//! or tokio's), which each call evaluates.
//!
//! ```
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//! use std::time::Instant;
//!
//! struct Request { deadline: Instant }
//!
//! #[concurrency_limit(1, max_wait = request.deadline)]
//! async fn serve(request: Request) -> Result<(), Rejected> {
//!     let late = Request { deadline: Instant::now() };
//!     let late = Box::pin(serve(late)).await; // it would have to wait for this one
//!     assert_eq!(late.unwrap_err().kind(), RejectedKind::NoPermits); // no time to wait
//!     Ok(())
//! }
//!
//! #[concurrency_limit(1, max_wait = "50ms")]
//! async fn ping() -> Option<()> { Some(()) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! serve(Request { deadline: Instant::now() }).await?; // a free permit is taken all the same
//! assert!(ping().await.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! ## `early`
//!
//! `early` refuses a call at once that would wait for longer than its `max_wait`, by its place in the queue and the
//! pace of the last seconds, as [`WouldTimeOut`](crate::RejectedKind::WouldTimeOut). Use this when a caller can do
//! something else with the time, such as ask another server, and when calls that time out would fill the queue in vain.
//! While the pace is not known, no call is refused early: [`Limiter::early`](crate::Limiter::early) says when it is,
//! and what the estimate may get wrong.
//!
//! ```
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//! use std::time::Duration;
//!
//! #[concurrency_limit(1, max_wait = "100ms", early)]
//! async fn render() -> Result<(), Rejected> {
//!     tokio::time::sleep(Duration::from_millis(10)).await;
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! for _ in 0..100 {
//!     tokio::spawn(render()); // ten or eleven of them are in time
//! }
//! tokio::time::sleep(Duration::from_millis(95)).await;
//! assert_eq!(render().await.unwrap_err().kind(), RejectedKind::WouldTimeOut);
//! # }
//! ```
//!
//! ## `on_unavailable`
//!
//! `on_unavailable` chooses what becomes of calls while the process is cut off from its fleet and has no
//! permits left. It stands beside `scope = fleet`. With `wait` the calls wait. With `refuse` they are
//! refused as [`Unavailable`](crate::RejectedKind::Unavailable). With `local(2)` the process goes on with
//! two permits of its own: over the fleet at most LIMIT plus two for each process that is cut off are out.
//! Without the option the fleet's own setting holds. By default that is `refuse` if calls can be refused,
//! and `wait` otherwise.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! #[concurrency_limit(100, scope = fleet, name = "search", on_unavailable = refuse)]
//! async fn search(words: &str) -> Result<usize, Rejected> { Ok(words.len()) }
//!
//! #[concurrency_limit(40, scope = fleet, name = "mails", on_unavailable = local(2))]
//! async fn send(mail: &str) -> usize { mail.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(search("a pen").await? + send("hello").await, 10);
//! # Ok(())
//! # }
//! ```
//!
//! ## `on_lease_lost`
//!
//! `on_lease_lost` chooses what becomes of a call that runs when its process loses the lease of its
//! permit. It stands beside `scope = fleet`. With `finish`, the default, the call runs on. Another process
//! may have the permit by then. With `cancel` the body is dropped where it waits, and the call is refused
//! as [`Unavailable`](crate::RejectedKind::Unavailable). Figures then count it twice: as admitted and as
//! refused.
//!
//! The body is an `async` block then. An argument that it consumes is gone, also for `on_reject`.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! #[concurrency_limit(1, scope = fleet, name = "leader", on_lease_lost = cancel)]
//! async fn lead(term: u64) -> Result<u64, Rejected> { Ok(term) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(lead(7).await?, 7);
//! # Ok(())
//! # }
//! ```
//!
//! ## `on_deadlock`
//!
//! `on_deadlock` chooses what becomes of calls that wait for each other in a deadlock. With `warn`, the
//! default, they wait on, and a warning tells of it. With `refuse` one of them is refused as
//! [`Deadlock`](crate::RejectedKind::Deadlock): the one that began to wait last. Its caller gives up what it
//! holds, so that the others go on. If the caller tries again at once and keeps what it holds, there is the
//! same deadlock again.
//!
//! Deadlocks are found with the feature `diagnostics`, from `diagnostics::record(true)` on. Without these the
//! option has no effect, and a warning says so when the limiter is first used. Beside [`max_wait`](#max_wait) it is a
//! compile error: such a wait ends by itself, so it is left out of deadlocks.
//! [Programs that hang](crate::guide::hazards#what-is-not-found) says what else is not found.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! #[concurrency_limit(4, on_deadlock = refuse)]
//! async fn withdraw(amount: u64) -> Result<u64, Rejected> { Ok(amount) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(withdraw(5).await?, 5);
//! # Ok(())
//! # }
//! ```
//!
//! ## `claim_within`
//!
//! `claim_within` bounds the time for which a call that is not polled keeps others waiting. A call that is
//! handed a permit claims it when it is polled. If it has not done so within this time, and others wait, the
//! permit goes to the next of them. The call keeps its place at the head of the queue. The default is one
//! second. With `never` a call is waited for. See
//! [`Limiter::claim_within`](crate::Limiter::claim_within).
//!
//! The value is a span of time as for `max_wait`, a constant of type `Duration`, or `never`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::time::Duration;
//!
//! #[concurrency_limit(3, claim_within = "200ms", name = "lookups")]
//! async fn look_up(id: u64) -> u64 { id }
//!
//! #[concurrency_limit(1, claim_within = never)]
//! async fn in_strict_order(id: u64) -> u64 { id }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(look_up(1).await + in_strict_order(2).await, 3);
//! let settings = limit_runtime::find("lookups").unwrap().settings();
//! assert_eq!(settings.claim_within.value, Some(Duration::from_millis(200)));
//! # }
//! ```
//!
//! ## `order`
//!
//! `order = lifo` serves the newest waiting call first. If the queue is full, it refuses the oldest
//! call to make room for the newest. With `order = fifo`, the default, the oldest call is served
//! first.
//!
//! `order = deadline` serves the call whose `max_wait` ends first, and needs a `max_wait`. A call that is too late when its
//! turn comes is refused, and the next one has its permit. Use this when calls have deadlines of their own, so that the
//! order in which they come is not the order in which they are needed. With one `max_wait` for all calls it is the
//! order of arrival, without turns for those that are too late.
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//!
//! #[concurrency_limit(4, order = lifo, max_waiting = 100)]
//! async fn timeline(user: u64) -> Result<Vec<u64>, Rejected> { Ok(vec![user]) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(timeline(1).await?, [1]);
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! use limit_runtime::{Rejected, concurrency_limit};
//! use std::time::Duration;
//!
//! #[concurrency_limit(4, order = deadline, max_wait = budget)]
//! async fn quote(symbol: u32, budget: Duration) -> Result<u32, Rejected> { Ok(symbol) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(quote(7, Duration::from_millis(50)).await?, 7);
//! # Ok(())
//! # }
//! ```
//!
//! ## `priority`
//!
//! `priority` serves calls of a higher priority first, and calls of one priority first come, first
//! served. Each level counts as one second of waiting:
//! [`Acquire::priority`](crate::Acquire::priority) has the details.
//!
//! With `max_waiting` a full queue gives way: the youngest of the lowest priority is refused as
//! [`Evicted`](crate::RejectedKind::Evicted), and a call of a higher priority has its place. Use this when calls of
//! different importance share a queue, and under overload the least important ones are to be refused first.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::cell::RefCell;
//!
//! #[concurrency_limit(1, priority = if paying { 5 } else { 0 })]
//! async fn convert(paying: bool, order: &RefCell<Vec<bool>>) {
//!     order.borrow_mut().push(paying);
//!     tokio::task::yield_now().await;
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let order = RefCell::default();
//! tokio::join!(
//!     biased;
//!     convert(false, &order), convert(false, &order), convert(true, &order),
//! );
//! assert_eq!(order.into_inner(), [false, true, false]); // the first found a permit free
//! # }
//! ```
//!
//! ## `weight`
//!
//! `weight` is the number of permits that a call takes, a `u32`. A call of more than the limit is
//! refused at once, and no other call waits for it. With a range as LIMIT, "the limit" is here its lower end, to which it
//! may go down: under `2..=100` a call may weigh at most 2. A call of weight 0 takes no permit and never
//! waits, but is counted.
//!
//! ```
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//!
//! #[concurrency_limit(512, weight = megabytes, name = "memory")]
//! async fn decode(megabytes: u32) -> Result<usize, Rejected> {
//!     Ok(limit_runtime::find("memory").unwrap().snapshot().total.in_use)
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(decode(200).await?, 200);
//! assert_eq!(decode(513).await.unwrap_err().kind(), RejectedKind::TooHeavy);
//! # Ok(())
//! # }
//! ```
//!
//! ## `key`
//!
//! `key` applies the limit to each key. If the key is an argument or a field, the call clones it, and
//! the body keeps the original. A key without holders and waiters takes no memory.
//!
//! A single key can have a limit of its own, which is set while the program runs
//! ([`set_key_limit`](crate::KeyedLimiter::set_key_limit)) or by a file
//! ([its syntax](https://docs.rs/limit-config/latest/limit_config/#limits-of-single-keys)). Use this when one tenant has paid
//! for more than the others, or when one is to be paused (limit 0) while its data is moved. After the function's first call,
//! [`find`](crate::find) has its limiter: `find("exports").unwrap().set_key_limit("acme", Some(5))`. To set such a limit before,
//! make the limiter a `static`, and write `limiter = STATIC`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1, key = tenant, name = "exports")]
//! async fn export(tenant: String) -> (String, usize) {
//!     (tenant, limit_runtime::find("exports").unwrap().snapshot().total.keys)
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(export(String::from("acme")).await, (String::from("acme"), 1));
//! assert_eq!(limit_runtime::find("exports").unwrap().snapshot().total.keys, 0);
//! # }
//! ```
//!
//! ## `total`
//!
//! `total` caps all keys together. While the cap is reached, the keys are served in turn. The value is
//! a number, or an expression of type `usize` that a `static` can name.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(2, key = (tenant, user), total = 50)]
//! async fn search(tenant: u32, user: u64, words: &str) -> usize { words.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(search(1, 2, "words").await, 5);
//! # }
//! ```
//!
//! If the value is a range, the cap finds itself, as a [limit](#limit) does. The limit of each key stays as it
//! is.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(3, key = tenant, total = 4..=200)]
//! async fn count(tenant: u32, words: &str) -> usize { words.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(count(1, "words").await, 5);
//! # }
//! ```
//!
//! ## `key_weight`
//!
//! `key_weight` gives the call's key a weight, for its part of the `total`. While the total is reached, the keys whose calls
//! wait share it in proportion to their weights, also where more keys wait than the total has permits. No permit is kept free
//! for a key: one that wants nothing leaves its part to the others. Use this when tenants of one backend have paid for
//! different parts of it. The value is an expression of type `u32`, from 1 up (0 counts as 1), which each call evaluates; the
//! one that was given last counts.
//! [`ForKey::key_weight`](crate::ForKey::key_weight) says who is next. Without `key` and `total` it is a compile error, and
//! beside `scope = fleet`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! struct Tenant { name: String, has_paid: bool }
//!
//! #[concurrency_limit(20, key = tenant.name, total = 20, key_weight = if tenant.has_paid { 4 } else { 1 })]
//! async fn query(tenant: &Tenant, text: &str) -> usize { text.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(query(&Tenant { name: String::from("acme"), has_paid: true }, "select 1").await, 8);
//! # }
//! ```
//!
//! ## `max_waiting_total`
//!
//! `max_waiting_total` bounds the waiting calls of all keys together, beside `key`. The next call is refused. The value is
//! a number, or an expression of type `usize` that a `static` can name. Use this when clients choose the keys, such as an
//! address or a name in a request. [`max_waiting`](#max_waiting) holds for each key, so that 100,000 keys may queue
//! 100,000 calls under `max_waiting = 1`.
//!
//! ```
//! use limit_runtime::{Rejected, RejectedKind, concurrency_limit};
//!
//! #[concurrency_limit(1, key = tenant, total = 1, max_waiting = 10, max_waiting_total = 1_000, name = "reports")]
//! async fn report(tenant: &'static str) -> Result<usize, Rejected> {
//!     if tenant == "acme" {
//!         let handle = limit_runtime::find("reports").unwrap();
//!         handle.set_max_waiting_total(0).unwrap(); // it can be set while the program runs
//!         let other = Box::pin(report("other")).await; // it would have to wait for this one
//!         assert_eq!(other.unwrap_err().kind(), RejectedKind::QueueFull);
//!     }
//!     Ok(tenant.len())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Rejected> {
//! assert_eq!(report("acme").await?, 4);
//! # Ok(())
//! # }
//! ```
//!
//! ## `shares`
//!
//! `shares` guarantees parts of the permits to shares of the calls, in per cent. The value is a constant of type
//! `&[Share]`, or such an array. Use this when calls of different importance use one backend, and the less important ones
//! may have all of it, but only while nobody else wants it. [`Limiter::shares`](crate::Limiter::shares) says who is served
//! next. It is a compile error beside `key`, `per` and `scope = fleet`. Each call says its [`share`](#share).
//!
//! Shares come from the code alone: they are not changed while the program runs, and no file has them.
//!
//! ```
//! use limit_runtime::{Share, concurrency_limit};
//!
//! const CLASSES: &[Share] = &[
//!     Share::new("live", 60),                 // per cent of the limit, when it wants them
//!     Share::new("batch", 20).at_most(50),    // never more than half
//!     Share::new("probe", 10).reserved(),     // kept free for it
//! ];
//!
//! #[concurrency_limit(20, shares = CLASSES, share = class, name = "queries")]
//! async fn query(class: &str, text: &str) -> usize { text.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(query("live", "select 1").await, 8);
//! let shares = limit_runtime::find("queries").unwrap().snapshot().shares;
//! let guaranteed: Vec<_> = shares.iter().map(|share| (&*share.name, share.guaranteed)).collect();
//! assert_eq!(guaranteed, [("live", 12), ("batch", 4), ("probe", 2), ("rest", 2)]);
//! # }
//! ```
//!
//! ## `share`
//!
//! `share` is the name of the share to which the call belongs: a text (`AsRef<str>`), which each call evaluates. It
//! stands beside [`shares`](#shares), or beside `limiter` if that limiter has shares. A name that no share has counts as
//! `rest`, and so does a call without a share. A service says it by the request, with `LimitLayer::share`; a pool and a
//! stream say it once, with `Pool::share` and `MapLimited::share`.
//!
//! ```
//! use limit_runtime::{Limiter, Share, concurrency_limit};
//!
//! static API: Limiter = Limiter::new("api", 4).shares(&[Share::new("paid", 75), Share::new("free", 25)]);
//!
//! #[concurrency_limit(limiter = API, share = if is_paid { "paid" } else { "free" })]
//! async fn answer(question: &str, is_paid: bool) -> usize { question.len() }
//!
//! #[concurrency_limit(limiter = API, share = "free")]
//! async fn index(page: &str) -> usize { page.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(answer("why?", true).await + index("/").await, 5);
//! assert_eq!(API.snapshot().shares[0].admitted, 1);
//! # }
//! ```
//!
//! ## `start`
//!
//! `start` is the number with which a limit that adapts begins. It lies in the range. Without the option the
//! limit begins with twice the lower end of the range.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(4..=200, start = 50, name = "prices")]
//! async fn price(article: &str) -> usize { article.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(price("pens").await, 4);
//! assert_eq!(limit_runtime::find("prices").unwrap().limit(), Some(50)); // until calls wait
//! # }
//! ```
//!
//! ## `adapt`
//!
//! With `adapt = advise` the limit stays at its start. Figures say which limit the limiter would choose. It
//! makes no experiments then, so that limit has a wider error than the one that it would find:
//! [`Limiter::advise`](crate::Limiter::advise) has the details.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(4..=200, start = 20, adapt = advise, name = "stock")]
//! async fn stock(article: &str) -> usize { article.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(stock("pens").await, 4);
//! assert_eq!(limit_runtime::find("stock").unwrap().limit(), Some(20));
//! # }
//! ```
//!
//! ## `favor`
//!
//! `favor = latency` keeps the limit of a range lower, `favor = throughput` higher: see
//! [Choose what it favors](super::adaptive#choose-what-it-favors).
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(4..=200, favor = latency, name = "basket")]
//! async fn basket(id: u64) -> u64 { id }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(basket(7).await, 7); }
//! ```
//!
//! ## `per`
//!
//! `per` allows as many starts as the limit in any window of this length, and as many calls at
//! once. The window does not delay a call that has started. The value is a span of time as for
//! `max_wait`, or a constant of type `Duration`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::time::Instant;
//!
//! #[concurrency_limit(2, per = "20ms")]
//! async fn send_mail(to: &str) -> usize { to.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let start = Instant::now();
//! for to in ["ann", "bob", "eve"] {
//!     send_mail(to).await;
//! }
//! assert!(start.elapsed().as_millis() >= 19); // the third waited for the first one's window
//! # }
//! ```
//!
//! ## `ramp`
//!
//! `ramp` lets the limit rise from one permit to LIMIT over this time: after the first call, and after the first call that
//! follows on a rest as long as the time. The value is a span of time as for `max_wait`, or a constant of type `Duration`.
//! Use this when what stands behind the limit is slow at first, because its caches and pools are empty or its code is not
//! compiled yet, so that a full load at once would make it fail. [`Limiter::ramp`](crate::Limiter::ramp) has the details, and
//! its sources. Each call takes the limiter's lock and looks at the clock, also when the ramp is over. With `key` the `total`
//! rises. It is a compile error beside `per`, `shadow`, `scope = fleet`, a range, and `key` without a `total`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use tokio::time::{Duration, Instant, sleep};
//!
//! #[concurrency_limit(3, ramp = "20s", name = "ask")]
//! async fn ask(question: &str) -> usize {
//!     sleep(Duration::from_secs(60)).await;
//!     question.len()
//! }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let start = Instant::now();
//! tokio::join!(ask("who?"), ask("how?"), ask("why?")); // they begin after 0, 10 and 20 s
//! assert_eq!(start.elapsed().as_secs(), 80);
//! # }
//! ```
//!
//! ## `on_reject`
//!
//! `on_reject` gives the value of a refused call. The expression sees the arguments, and may use
//! `.await`, `?` and `return`. It does not see errors of the body.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(100, weight = words, on_reject = |rejected| {
//!     format!("{text}: {words} words, at most {}", rejected.limit())
//! })]
//! async fn translate(text: &str, words: u32) -> String { text.to_uppercase() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(translate("a few", 2).await, "A FEW");
//! assert_eq!(translate("a book", 90_000).await, "a book: 90000 words, at most 100");
//! # }
//! ```
//!
//! ## `overload`
//!
//! `overload` looks at the output of the body, and says whether the backend was overloaded. The value is a
//! closure, or the path of a function. It gets a reference to the output, and gives a `bool` or an
//! `Option<Duration>`: see [`Overload`](crate::Overload). It is not asked about calls that are refused or
//! dropped. A body with `permit = permit` says it itself, with
//! [`Permit::overloaded`](crate::Permit::overloaded).
//!
//! ```
//! use limit_runtime::{Limiter, concurrency_limit};
//! use std::time::Duration;
//!
//! struct Answer { status: u16, retry_after: Option<Duration> }
//!
//! #[concurrency_limit(..=100, overload = |answer| answer.status == 503)]
//! async fn fetch(path: &str) -> Answer { Answer { status: 200, retry_after: None } }
//!
//! static API: Limiter = Limiter::adaptive("api", 1..=100);
//!
//! fn retry_after(answer: &Result<Answer, String>) -> Option<Duration> {
//!     answer.as_ref().ok()?.retry_after
//! }
//!
//! #[concurrency_limit(limiter = API, overload = retry_after)]
//! async fn send(path: &str) -> Result<Answer, String> {
//!     if path.is_empty() {
//!         return Err(String::from("there is no path"));
//!     }
//!     Ok(Answer { status: 429, retry_after: Some(Duration::from_millis(1)) })
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(fetch("/").await.status, 200);
//! assert_eq!(send("/").await.unwrap().status, 429);
//! # }
//! ```
//!
//! ## `permit`
//!
//! `permit` gives the body a name for its [`Permit`](crate::Permit), so that the body can move it
//! to other work. To [resize](crate::Permit::resize) it, write `let mut permit = permit;` in the body: the option takes no
//! `mut`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use tokio::task::JoinHandle;
//!
//! #[concurrency_limit(2, permit = permit, name = "jobs")]
//! async fn start(job: u32) -> JoinHandle<u32> {
//!     tokio::spawn(async move {
//!         let _permit = permit; // until the task is done
//!         job + 1
//!     })
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let job = start(1).await;
//! assert_eq!(limit_runtime::find("jobs").unwrap().snapshot().total.in_use, 1);
//! assert_eq!(job.await.unwrap(), 2);
//! # }
//! ```
//!
//! ## `blocking`
//!
//! `blocking` makes the function async and runs it on tokio's blocking pool. Its arguments move
//! there, so they cannot be borrowed: a method takes `self`, or `self: Arc<Self>`.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::sync::Arc;
//!
//! struct Hasher { rounds: u32 }
//!
//! impl Hasher {
//!     #[concurrency_limit(4, blocking)]
//!     fn hash(self: Arc<Self>, password: String) -> u32 {
//!         password.bytes().map(u32::from).sum::<u32>() * self.rounds
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let hasher = Arc::new(Hasher { rounds: 2 });
//! assert_eq!(Arc::clone(&hasher).hash(String::from("a")).await, 194);
//! # }
//! ```
//!
//! ## `enabled`
//!
//! `enabled` decides for each call whether the limit holds. With `false` the call is admitted
//! whatever the limit, and is counted.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1, enabled = !internal)]
//! async fn status(internal: bool) -> u8 {
//!     if internal { 1 } else { 1 + Box::pin(status(true)).await } // it does not wait for itself
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(status(false).await, 2);
//! # }
//! ```
//!
//! ## `shadow`
//!
//! `shadow` admits every call, and counts what the limit would have done. So it shows the effect of a
//! limit before the limit is in force.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1, shadow, max_waiting = 10, name = "candidate")]
//! async fn candidate(depth: u8) {
//!     if depth > 0 { Box::pin(candidate(depth - 1)).await }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! candidate(2).await;
//! assert_eq!(limit_runtime::find("candidate").unwrap().snapshot().total.shadowed.waited, 2);
//! # }
//! ```
//!
//! ## `crate`
//!
//! `crate` is the path of this crate, if the crate was renamed or re-exported.
//!
//! ```
//! use limit_runtime as limits;
//!
//! #[limits::concurrency_limit(3, crate = limits)]
//! async fn elsewhere() -> u8 { 1 }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert_eq!(elsewhere().await, 1);
//! # }
//! ```
//!

//! Limits that find themselves.
//!
//! * [When to use it](#when-to-use-it)
//! * [What the limit does](#what-the-limit-does)
//! * [Choose a range](#choose-a-range)
//! * [Choose what it favors](#choose-what-it-favors)
//! * [Say when the backend is overloaded](#say-when-the-backend-is-overloaded)
//! * [Take advice first](#take-advice-first)
//! * [Beside other options](#beside-other-options)
//! * [What it learns from](#what-it-learns-from)
//! * [Watch it](#watch-it)
//! * [Hold it, and let it go](#hold-it-and-let-it-go)
//! * [What it does badly](#what-it-does-badly)
//!
//! # When to use it
//!
//! Use this when calls wait for something that works on a certain number of them at a time, and you do not know that
//! number, or it changes: a database, another service, a disk. Too low a limit leaves the backend idle. Too high a limit
//! makes calls wait inside the backend, where nobody can see, refuse or reorder them.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1..=200)]
//! async fn load(id: u64) -> Result<u64, std::io::Error> {
//!     // ... ask the database ...
//!     Ok(id)
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(load(7).await.unwrap(), 7); }
//! ```
//!
//! Use a number instead:
//!
//! * where a contract or a licence says the number;
//! * where the limit protects memory or file descriptors: these do not become slower before they are used up;
//! * where a call does not wait for a backend: nothing slows down when more calls sleep, so the limit grows to the upper
//!   end of the range.
//!
//! # What the limit does
//!
//! The limit becomes the number of calls that the backend *works* on, plus the square root of that number. The additional
//! calls stand in a short queue inside the backend, so that it does not run dry by chance. All other calls wait in the
//! limiter's own queue.
//!
//! ```
//! use limit_runtime::Limiter;
//! use std::time::Duration;
//! use tokio::time::{Instant, sleep};
//!
//! static DB: Limiter = Limiter::adaptive("guide-database", 1..=200);
//! /// The database has ten connections.
//! static CONNECTIONS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(10);
//!
//! async fn query() {
//!     let _permit = DB.acquire().await;
//!     let _connection = CONNECTIONS.acquire().await;
//!     sleep(Duration::from_millis(20)).await;
//! }
//!
//! // `start_paused` is for the demonstration: the clock leaps over the waits.
//! #[tokio::main(flavor = "current_thread", start_paused = true)]
//! async fn main() {
//!     let end = Instant::now() + Duration::from_secs(90);
//!     let clients = (0..100).map(|client| tokio::spawn(async move {
//!         sleep(Duration::from_micros(137 * client)).await;
//!         while Instant::now() < end {
//!             query().await;
//!         }
//!     }));
//!     for client in clients.collect::<Vec<_>>() {
//!         client.await.unwrap();
//!     }
//!     sleep(Duration::from_secs(60)).await; // a question may be asked (see below)
//!     let limit = DB.snapshot().total.limit;
//!     assert!((10..=20).contains(&limit), "{limit}"); // ten, and a few that keep them busy
//! }
//! ```
//!
//! The limiter compares two times: that of a call when the limit is full, and that of a call when half as many run. If the
//! first is longer, calls wait for each other in the backend, and the limit goes down. If both are the same, the limit
//! goes up by its square root.
//!
//! The second time is *asked* for. A **question** halves the limit until some calls have come and gone. Questions come
//! every 10 seconds, and less often where a call takes long. A question costs:
//!
//! * half of the limit, for about a second where calls are short;
//! * at most a twentieth of the calls since the last question, but at least 16 calls.
//!
//! The time is asked again and again, so a backend that becomes slower for good does not lower the limit. All limiters ask
//! at the same moments of the wall clock. So they see the queue that they make together in one backend, also from several
//! processes.
//!
//! The limit begins with [`start`](super::options#start): by default twice the lower end. The first two steps
//! are compared, so a backend that can do two calls at a time is found before the first question. A step up takes a few
//! dozen calls. Between two questions the times of calls lower the limit by at most a half. Without calls
//! that wait the limiter asks nothing and changes nothing, for however long. The limit rests at twice the lower end of the
//! range or above, so that a question can halve it.
//!
//! # Choose a range
//!
//! * The lower end is 1, unless you need a minimum. The limit rests at twice the lower end or above: with `10..=200` a
//!   backend that can do two calls at a time gets 20.
//! * The upper end is the largest number that harms nobody: what memory and file descriptors allow. If calls share a pool
//!   of connections, its size is the upper end: more calls would only wait for a connection.
//! * `start` is a limit that worked so far. Without it the limit has to grow from the lowest one when the program begins.
//! * `..=200` means `1..=200`. `4..10` is a compile error, because both ends count.
//!
//! The range is part of the code, or of a file of settings (`limit = "1..=200"`, see
//! [Settings from a file](super#settings-from-a-file)). The file also makes a limit adapt that is a number in the code.
//!
//! # Choose what it favors
//!
//! The limit is `N`, the calls that work at a time, and `√N` more, so that the backend is not idle by chance. Use
//! `favor = latency` when a call is only worth something soon: half as many wait for others behind the limiter, and the
//! backend is idle a little more often. Use `favor = throughput` when only the sum counts, as in a nightly job: twice as many.
//! `latency` is not for calls of seconds: the error of a measured time counts double there, and half of the throughput was lost in
//! simulations with calls of 2 s. By hand it is [`Limiter::favor`](crate::Limiter::favor).
//!
//! # Say when the backend is overloaded
//!
//! Times say nothing if a backend fails calls fast. [`overload`](super::options#overload) looks at each output. When more
//! than a tenth of the calls say `true` or `Some`, the limit goes down at once, without a question. A duration also holds
//! new calls off for that long, as `Retry-After` asks for, at most for a minute. Calls wait meanwhile, or are refused if
//! they may not wait. Figures show a limit of 0 then.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//! use std::time::Duration;
//!
//! enum Error { Timeout, Status { code: u16, retry_after: Option<Duration> } }
//!
//! /// Returns how long to leave the backend alone, if it is overloaded.
//! fn overloaded<T>(result: &Result<T, Error>) -> Option<Duration> {
//!     match result {
//!         Err(Error::Timeout) => Some(Duration::ZERO), // no time to hold calls off
//!         Err(Error::Status { code: 429 | 503, retry_after }) => Some(retry_after.unwrap_or_default()),
//!         _ => None,
//!     }
//! }
//!
//! #[concurrency_limit(1..=100, overload = overloaded)]
//! async fn send(path: &str) -> Result<String, Error> { Ok(path.to_owned()) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert!(send("/").await.is_ok_and(|page| page == "/"));
//! # let _ = Error::Timeout;
//! # }
//! ```
//!
//! Mark only what less load would cure: 429, 503 and timeouts, not 404 or 500. The cookbook of the project has such
//! functions for the results of `reqwest` and of `tonic`: `examples/cookbook/overload.rs`. Code without the attribute calls
//! [`Permit::overloaded`](crate::Permit::overloaded) or [`Permit::overloaded_for`](crate::Permit::overloaded_for), and a
//! `LimitLayer` has the method `overload`.
//!
//! # Take advice first
//!
//! `adapt = advise` leaves the limit at its start, and says in the figures which limit it would be.
//!
//! ```
//! use limit_runtime::concurrency_limit;
//!
//! #[concurrency_limit(1..=200, start = 20, adapt = advise, name = "guide-stock")]
//! async fn stock(article: &str) -> usize { article.len() }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! stock("pens").await;
//! let figures = limit_runtime::find("guide-stock").unwrap().snapshot().adaptive.unwrap();
//! assert_eq!((figures.limit, figures.advice), (20, None)); // nothing is known yet
//! # }
//! ```
//!
//! Advice asks no questions. It compares busy times with quiet times, when at most half of the limit is in use. So it says
//! nothing before it has seen both, and is wrong if quiet times have other work, such as a job at night. Of limits above
//! the present one it knows nothing: it advises its square root more, and again more when you have followed.
//!
//! # Beside other options
//!
//! | option | beside a range |
//! |---|---|
//! | `key` | the total over all keys adapts, the limit of each key does not: `3, key = tenant, total = 4..=200` |
//! | `weight` | a call weighs at most the lower end, so that it can always be admitted; a heavier one is refused |
//! | `max_waiting` | more calls may wait while a question lasts: it refuses nobody. With `max_waiting = 0` calls wait then, for about a second |
//! | `priority`, `order`, `max_wait` | as always |
//! | `scope = process` | all runtimes have one limit, and learn together; otherwise each runtime has its own, and learns by itself |
//! | `per`, `shadow`, `scope = fleet` | a compile error; write `adapt = advise` in place of `shadow` |
//!
//! # What it learns from
//!
//! * Calls that have waited, since only a full limit says something. If calls are refused, or find the backend overloaded,
//!   it takes all calls for a while, whether they have waited or not.
//! * A call that is cancelled counts only if it has lasted for longer than usual, as far as the limiter sees the difference:
//!   with `overload`, and in a `LimitLayer`. Otherwise a cancelled call looks like one that is done, and counts with the
//!   time that it had. If callers often give up soon, write `overload = |_| false`.
//! * A call that lasts for more than five times as long as usual counts as one of that length.
//! * A call that panics, or says [`Permit::ignore`](crate::Permit::ignore), does not count. Ignore answers that did not come
//!   from the backend:
//!
//! ```
//! use limit_runtime::{Limiter, concurrency_limit};
//!
//! static PRICES: Limiter = Limiter::adaptive("guide-prices", 1..=100);
//!
//! #[concurrency_limit(limiter = PRICES, permit = permit)]
//! async fn price(article: u64) -> u64 {
//!     if article < 10 {
//!         permit.ignore(); // from the cache
//!         return 5;
//!     }
//!     // ... ask the backend ...
//!     drop(permit); // a named permit is held until it is dropped
//!     7
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!((price(1).await, price(100).await), (5, 7)); }
//! ```
//!
//! # Watch it
//!
//! [`Snapshot::adaptive`](crate::Snapshot::adaptive) has the limit, both times, the queue inside the backend, and the reason
//! for the last change. [`Figures::adapted`](crate::Figures::adapted) counts the changes by reason. Each change is an
//! [`EventKind::LimitChanged`](crate::EventKind::LimitChanged), also the two of a question.
//!
//! ```
//! use limit_runtime::Limiter;
//!
//! static DB: Limiter = Limiter::adaptive("guide-figures", 1..=200);
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! drop(DB.acquire().await);
//! let figures = DB.snapshot().adaptive.unwrap();
//! assert_eq!((figures.low, figures.limit, figures.high), (1, 2, 200));
//! assert_eq!((figures.queue, figures.last_change), (None, None)); // no call has waited
//! # }
//! ```
//!
//! # Hold it, and let it go
//!
//! A number holds the limit, wherever it comes from: [`set_limit`](crate::Limiter::set_limit), the page, a file, or the variable
//! `LIMIT_<NAME>`. [`reset`](crate::Limiter::reset) lets the limit adapt again, from that number on, or from the nearest in its
//! range. With keys [`set_total`](crate::KeyedLimiter::set_total) holds the total, also until [`reset`](crate::Limiter::reset).
//!
//! ```
//! use limit_runtime::Limiter;
//!
//! static DB: Limiter = Limiter::adaptive("guide-held", 1..=200);
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! drop(DB.acquire().await);
//! DB.set_limit(50);
//! assert!(DB.snapshot().adaptive.unwrap().is_frozen);
//! DB.reset();
//! assert!(!DB.snapshot().adaptive.unwrap().is_frozen);
//! # }
//! ```
//!
//! # What it does badly
//!
//! * **Slow work.** It takes some dozens of calls to know a time. Calls of two seconds and more, a few at a time, make that
//!   minutes. Give such work a number, or a `start` near the truth.
//! * **A crash.** A backend that falls to a twentieth of its capacity is followed by halvings, one at each question: that is
//!   most of a minute. `overload` is faster, if the backend says that it is overloaded.
//! * **Other traffic** before the same backend, which does not pause while this limiter asks, hides a part of the queue: the
//!   limit stays too high. Limiters of this crate ask together, so they are no such traffic.
//! * **A mix of fast and slow calls** has one limit and one mean time. When the mix changes, the limit moves although the
//!   backend does not change. Give two kinds of calls two limiters.
//! * **A high lower end.** The limit rests at twice the lower end or above.
//! * **Work that no backend limits**, such as a sleep or a long poll, makes the limit grow to the upper end.

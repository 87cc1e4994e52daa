//! A page that shows the limiters of `limit-runtime` live, and changes their settings. An axum service serves
//! the page, or the page has its own server.
//!
//! ```
//! use axum::Router;
//! use limit_console::Options;
//!
//! # fn token() -> String { "a secret".to_owned() }
//! let app: Router = Router::new()
//!     // ... the service's own routes ...
//!     .nest_service("/limits", limit_console::router(Options::new().writable(token())));
//! ```
//!
//! Then open `/limits` in a browser. (With `nest` in place of `nest_service`, axum has the page at `/limits`
//! alone, without a slash at the end.) A program without a server of its own serves the page by itself:
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! limit_console::serve(([127, 0, 0, 1], 9999)).await
//! # }
//! ```
//!
//! # The page
//!
//! The page begins with a verdict: a sentence about the limiter that is worst off, or that all is well. Then it lists
//! all limiters that have been used. Stuck limiters come first: calls wait, and none has been admitted for ten seconds.
//! Limiters that refuse calls are next, then limiters whose calls wait, and then busy ones. A row that gets better keeps
//! its place for half a minute, and no row moves while the pointer or the focus is in the table.
//!
//! A line shows the permits in use against the limit, the calls that wait and the age of the oldest, the calls refused
//! as a rate and a share, how long calls wait, and the calls admitted a second. A limiter with keys is judged by its
//! worst key. The address of the page has the reader's choices: what is shown, its order, and the open limiter.
//!
//! A limiter in detail has its last ten minutes, its runtimes, its busiest keys, and
//! the log of who changed what. With the feature `diagnostics` it lists the calls that hold permits and those
//! that wait, with their places, as far as the program
//! [records](https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics) them. A limiter whose calls wait for each
//! other is marked as a deadlock and comes before all others. In detail it has each of these calls, and who holds what
//! that call waits for.
//!
//! The charts of a limiter share a time axis and a crosshair, and have a mark at each change of a setting. An axis
//! is as long as the values need. It is cut where a few spikes would flatten all the rest, and the chart says so.
//!
//! With a token, the knob changes the limit, `max_waiting` (with keys also `max_waiting_total`) and `max_wait`, and lets the limit hold, only count
//! (shadow), or not hold. It pauses a limiter after a question. For half a minute the reader can undo a change, and
//! sees what it does to the queue. The page lists the last changes of all limiters, by the page or by others.
//!
//! A limit that [adapts](limit_runtime::Limiter::adaptive) shows its range beside it. In detail it has the limit that was
//! chosen, why it changed last, the times of calls, and the queue behind the limiter; or its advice. Each chosen limit is
//! in the chart, and none is among the changes: nobody has made them. A number that is set holds the limit until the
//! reader lets it adapt again. A range such as `4..=200` in place of a number lets a limit adapt.
//!
//! If an edit of a settings file cannot be applied, the page shows the error with its line. Any
//! [source of settings](limit_runtime::settings) can tell such an error: see
//! [`SettingsSource::problem`](limit_runtime::settings::SettingsSource::problem). A file that the crate
//! `limit-config` watches does.
//!
//! A limiter with [`Scope::Fleet`](limit_runtime::Scope::Fleet) shows the use of the limit over the fleet too. In
//! detail it has the state of its ledgers, and a list of the processes with their shares. Only while somebody looks
//! at that list, the process asks the store of the fleet for it, once a second.
//!
//! A task reads the figures of all limiters once a second. Calls do nothing for it. The task starts when the
//! router is made, or with the first request if the router is made outside any runtime, and ends with the
//! router. It needs tokio's timer. If the task's runtime ends, or nobody drives that runtime any more, another
//! task takes over after three seconds: one on a runtime where a request waits for figures.
//! (Only while somebody follows the events of a limiter, every call of that limiter takes its lock: see
//! [`Limiter::subscribe`](limit_runtime::Limiter::subscribe).)
//!
//! The console keeps ten minutes of history, at most a million readings (64 MB). With very many busy limiters
//! it keeps fewer minutes. Figures that have not changed take no memory.
//!
//! A row belongs to a name: to all limiters that have the name one after another, as with a limiter for each
//! request. Its rates, its line and its history go on. Settings, changes and figures in detail are those of the
//! limiter that has the name now. A dropped limiter leaves the table, and its history is kept for at most ten
//! minutes.
//!
//! A busy key is shown as it is if it is a text, a number or an address, else by its type and a hash. If
//! keys are confidential, the page is confidential too.
//!
//! # Access
//!
//! | | |
//! |---|---|
//! | Address | [`serve`]: loopback only, unless there is a token. [`router`]: where the application listens |
//! | `Host` of a request | `localhost`, a loopback address, or a name given to [`Options::allow_host`]. Otherwise a foreign page could reach the console by a name of its own that leads to 127.0.0.1 (*DNS rebinding*) |
//! | `Origin` of a request | None, or that of the page itself. No other site is given leave (no CORS) |
//! | Reading | Everybody who can reach the page. With [`Options::private`], and with [`serve_with`] on an address that is not loopback, only with the token: as a bearer's, or as the password that the browser asks for |
//! | Writing | Nobody, unless there is a token: [`Options::writable`]. Then by `POST` with the header `Authorization: Bearer`, in JSON |
//! | Page | Scripts and one stylesheet, all the page's own. A `Content-Security-Policy` forbids anything else, and frames |
//!
//! A token goes over the wire as it is: beyond loopback, put TLS before it.
//!
//! Each change is logged (by `tracing`, at level `INFO`, with the target `limit_console`): the limiter, the
//! setting, its old and its new value, and who made the change.
//!
//! # API
//!
//! Other programs can use what the page uses. `openapi.json`, beside the page, describes it.
//!
//! # Streams
//!
//! A page follows by one stream while it is visible, and by none while it is hidden, in another tab for
//! instance: over HTTP/1.1 a browser has six connections to a server, for all pages together. A page that is
//! shown again catches up with everything but the events of a limiter. At most 64 pages and other readers
//! follow at a time.
//!
//! Streams ask proxies not to collect what they forward (`X-Accel-Buffering: no`, which nginx understands) and
//! not to change its compression (`Cache-Control: no-transform`). They arrive through nginx with its defaults. To change settings
//! through nginx, let it pass the host on (`proxy_set_header Host $http_host;`), and name the host with
//! [`Options::allow_host`].
//!
//! A row is sent when something changes besides times that grow, such as the wait of the oldest call. So the stream of
//! a program at rest is thin, however many limiters there are. All answers are compressed for those who accept gzip, and
//! each message of a stream is sent at once. The list of all limiters comes in parts on demand.
//!
//! # Shutting down
//!
//! An open page keeps a connection open. A server that shuts down gracefully waits for that connection: tell
//! the console when to close it with [`Options::until`]. A page that does not read holds up no shutdown.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// From the bottom up: data, the reader, the handlers, the router.
mod adaptive;
mod age;
mod by_kind;
mod calls;
mod changes;
mod deadlocks;
mod error;
mod history;
mod oldest;
mod options;
mod process;
mod row;
mod seconds;
mod tick;
mod watched;

mod watch;

mod console;
mod detail;
mod events;
mod guard;
mod limiters;
mod paced;
mod page;
mod settings;

mod router;
mod serve;

pub use options::Options;
pub use router::router;
pub use serve::{serve, serve_with};

//! Settings of concurrency limits from TOML, from any format that serde reads, and from watched files.
//!
//! This crate adds a file to the [sources of settings](limit_runtime::settings) of limit-runtime. It uses
//! the public interface of limit-runtime alone.
//!
//! ```
//! use limit_config::Config;
//! use limit_runtime::{Limiter, Rejected, Source};
//!
//! static CHARGES: Limiter<Rejected> = Limiter::new("payments::charge", 10).max_waiting(10);
//!
//! let config = Config::from_toml(
//!     r#"
//!     ["payments::charge"]
//!     limit = 32               # permits; 0 pauses
//!
//!     ["payments::*"]          # all other limiters whose name begins so
//!     limit = 8
//!     max_waiting = 100        # calls; with 0 no call waits
//!     max_wait = "250ms"
//!
//!     ["reports"]
//!     shadow = true            # admits every call, and counts what the limit would have done
//!
//!     ["exports"]
//!     enabled = false          # no limit at all
//!     "#,
//! )?;
//! config.apply()?;
//!
//! let limit = CHARGES.snapshot().settings.limit;
//! assert_eq!((limit.value, limit.source), (32, Source::File));
//! assert_eq!(CHARGES.snapshot().settings.max_waiting.value, Some(100));
//! # Ok::<(), limit_config::ConfigError>(())
//! ```
//!
//! A program that runs for long watches its file:
//!
//! ```no_run
//! use limit_config::{Config, ConfigError};
//!
//! # fn main() -> Result<(), ConfigError> {
//! let _watcher = Config::watch("limits.toml").start()?; // applies the file, and each edit of it
//! # Ok(())
//! # }
//! ```
//!
//! [`Config::watch`] says which files can be watched, and when the settings stay although the file changes.
//!
//! # Settings
//!
//! A table has the settings of one limiter, or of several. It may have each setting of
//! [`SettingKind`](limit_runtime::settings::SettingKind), under the setting's name. The
//! [type](limit_runtime::settings::ValueType) of the setting decides how its value is written:
//!
//! | type | in the file |
//! |---|---|
//! | count | a whole number, `32` |
//! | duration | a span of time with its unit, `"50ms"`, `"1m 30s"` |
//! | duration or never | a span of time above zero, or `"never"` |
//! | switch | `true` or `false` |
//!
//! # Limits of single keys
//!
//! In the table of a limiter with keys, a table `key` has the limits of single keys, in place of the limit of each:
//!
//! ```
//! use limit_config::Config;
//! use limit_runtime::{KeyedLimiter, Limiter};
//!
//! static TENANTS: KeyedLimiter = Limiter::new("tenants", 1).keyed();
//!
//! let config = Config::from_toml(
//!     r#"
//!     [tenants]
//!     limit = 2
//!
//!     [tenants.key]
//!     acme = 10                # or `key."acme" = 10` in the table above; 0 pauses the key
//!     "#,
//! )?;
//! config.apply()?;
//!
//! let acme: Result<Vec<_>, _> = (0..10).map(|_| TENANTS.key("acme").try_acquire()).collect();
//! assert_eq!(acme?.len(), 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file names a key by its text, so this works for texts, numbers, `bool`, `char` and addresses: see
//! [`KeyedLimiter::set_key_limit`](limit_runtime::KeyedLimiter::set_key_limit). A snapshot of the limiter has a warning, and
//! a log with the feature `tracing` of limit-runtime, for a text that no key of the limiter's types can have. If several
//! tables mean one limiter, the limit of each key comes from the closest table that has it. A limiter without keys, or with
//! `scope = fleet`, does not support them, which is an error as for settings.
//!
//! # Who supports what
//!
//! `max_waiting_total` is for limiters with keys. `max_waiting` and `max_wait` are for limiters whose calls can be refused: a function with one of the two
//! in its attribute, or a `Limiter<Rejected>`. For other limiters they are an error. (But a limiter that was
//! made a shadow may have `max_waiting`: it counts the calls that it would have refused.) A call's own wait
//! ([`Acquire::max_wait`](limit_runtime::Acquire::max_wait), or `max_wait = expression` in the attribute) is
//! stronger than any configuration.
//!
//! # Which source is in force
//!
//! Each source overrides those before it, setting by setting. A [snapshot's
//! settings](limit_runtime::Settings) name the source of each value.
//!
//! 1. The **attribute**, or the code that made the limiter.
//! 2. The **file**: the [`Config`] that was applied last. Settings that are no longer in it are given up.
//! 3. The **environment**. limit-runtime reads the variable that the code names, or else `LIMIT_<NAME>`,
//!    without this crate: see [`limit_runtime::settings`].
//! 4. A **live** change: [`set_limit`](limit_runtime::LimiterHandle::set_limit) and the other setters, until
//!    [`reset`](limit_runtime::LimiterHandle::reset).
//!
//! # Names
//!
//! A table's name is the name of a limiter, as figures and errors show it. A `*` in it stands for any text.
//! If several tables mean one limiter, each setting comes from the closest table that has it. A name without
//! `*` is the closest; then the name with the most characters besides `*`.
//!
//! A limiter that is not in use yet takes its settings when it is first used. A name that means no limiter
//! so far is [pending](Applied::pending). Perhaps it is misspelt: [`Pending::nearest`] suggests the limiter
//! that is meant, and a watched file logs a warning.
//!
//! The default name of a function is its path: module and function, without the type of a method. So two
//! methods with one name in one module ask for the same limiter name. The method that is used first gets the
//! name, and the other one gets a number (`payments::fetch#2`). Such a name in a file is
//! [ambiguous](Applied::ambiguous). Give each of the methods a `name`.
//!
//! # Features
//!
//! * `tracing`: logs the edits of a watched file, errors in it, and names that are probably misspelt. The
//!   target is `limit_config`.
#![forbid(unsafe_code)]

mod applied;
mod config;
mod document;
mod error;
mod file;
mod follower;
mod key_limits;
#[cfg(feature = "tracing")]
mod log;
#[cfg(not(feature = "tracing"))]
#[path = "log/off.rs"]
mod log;
mod names;
mod position;
mod tables;
mod value;
mod watch;
mod watcher;

pub use applied::{Ambiguous, Applied, Change, Overridden, Pending};
pub use config::Config;
pub use error::{ConfigError, ConfigErrorKind};
pub use watch::Watch;
pub use watcher::Watcher;

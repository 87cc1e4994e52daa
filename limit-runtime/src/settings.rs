//! The settings of a limiter that can be changed while a program runs.
//!
//! [`SettingKind`] is the list of the settings. All code that reads or writes settings matches on
//! that list: the setters of a limiter, an environment variable, a file, a page. So a new setting
//! is complete when these matches compile.
//!
//! # Sources
//!
//! A value comes from a [`Source`]. The code's own value is the weakest. A [`SettingsSource`]
//! overrides it, such as the file that the crate `limit-config` reads. An environment variable
//! overrides both. A change while the program runs overrides all.
//!
//! Single keys can have limits of their own, by a source or while the program runs: see
//! [`KeyedLimiter::set_key_limit`](crate::KeyedLimiter::set_key_limit).
//!
//! The variable of a limiter is `LIMIT_` and the name in capitals, with `_` between words:
//! `LIMIT_PAYMENTS_CHARGE` for `payments::charge`. It overrides the limit, with a whole number from 1
//! up. A variable that the code names (`env`) comes first.
//!
//! ```
//! use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, SettingsSource, install};
//! use limit_runtime::{Limiter, Source};
//!
//! /// Halves the limit of every limiter whose name begins with `batch`.
//! struct Nights;
//!
//! impl SettingsSource for Nights {
//!     fn values(&self, limiter: &str) -> SettingValues {
//!         let mut values = SettingValues::default();
//!         if limiter.starts_with("batch") {
//!             values.set(SettingKind::Limit, SettingValue::Count(2)).expect("2 is in range");
//!         }
//!         values
//!     }
//! }
//!
//! static IMPORTS: Limiter = Limiter::new("batch-imports", 4);
//!
//! install(Nights)?;
//! let limit = IMPORTS.snapshot().settings.limit;
//! assert_eq!((limit.value, limit.source), (2, Source::File));
//! # Ok::<(), limit_runtime::Unsupported>(())
//! ```

pub use crate::engine::install::{install, problem};
pub use crate::setting::{
    Setting, SettingKind, SettingValue, SettingValues, Settings, SettingsSource, Source,
    Unsupported, ValueType, WrongType,
};

//! Reads all limiters once a second, for everybody who looks.
//!
//! Lock order: the console's state, then the locks that [`read`](limit_runtime::inspect::read) takes. Nothing
//! of a limiter is changed under the state's lock, and no [`LimiterHandle`](limit_runtime::LimiterHandle) is
//! dropped there, because both wake tasks.

mod changing;
mod reading;
mod state;

pub(crate) use changing::Changing;
pub(crate) use state::{AllLimiters, Log, Until, Watch};

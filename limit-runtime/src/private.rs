//! Items that the attribute's code names. They are not part of the public interface.
//!
//! The path contains a version. A release of `limit-macros` names the version that it was built
//! for. So a later release of this crate can keep the old version beside a new one.

mod admitted;
mod all;
mod existing;
mod judged;
mod keys;
mod leased;
mod shares;

/// Names of the first version.
pub mod v1 {
    pub use super::admitted::{Admitted, IntoAdmitted, Refuse, never_refused};
    pub use super::all::{one_call, one_limit};
    pub use super::existing::{Existing, IsShared};
    pub use super::judged::{Unjudged, judge};
    pub use super::keys::{acquire, acquire_for_key, acquire_permit, acquire_permit_for_key};
    pub use super::leased::{Ended, while_leased};
    pub use super::shares::{acquire_in_share, acquire_permit_in_share, find_share};
    pub use crate::limiter::{
        acquire_all, acquire_all_of_body, mark_named_after_function, mark_of_body,
        run_blocking as run,
    };
}

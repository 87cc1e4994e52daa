//! The oldest holder of each limiter, read once for all limiters.

use crate::age::Age;
use limit_runtime::LimiterHandle;
#[cfg(feature = "diagnostics")]
use limit_runtime::diagnostics::{self, OldestHolders};
use serde::Serialize;

/// The oldest holders at one moment. Without the feature `diagnostics` there are none.
#[derive(Debug, Default)]
pub(crate) struct Oldest {
    /// `None` if calls are not recorded.
    #[cfg(feature = "diagnostics")]
    holders: Option<OldestHolders>,
}

/// The oldest holder of a limiter, in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Holder {
    /// The location in the source code.
    place: String,
    /// The age of the hold.
    pub(crate) age: Age,
}

impl Oldest {
    /// Reads all holders. The handles of the limiters must have been made before.
    pub(crate) fn now() -> Self {
        Self {
            #[cfg(feature = "diagnostics")]
            holders: diagnostics::is_recording().then(OldestHolders::now),
        }
    }

    /// Returns the oldest holder of a limiter, if calls are recorded.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn holder(&self, limiter: &LimiterHandle) -> Option<Holder> {
        let call = self.holders.as_ref()?.call(limiter)?;
        Some(Holder { place: call.place().to_string(), age: Age::growing(call.age()).in_tenths() })
    }

    #[cfg(not(feature = "diagnostics"))]
    #[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
    pub(crate) fn holder(&self, _: &LimiterHandle) -> Option<Holder> {
        None
    }
}

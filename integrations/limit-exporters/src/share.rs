//! The figures of one share of a limiter's permits.

use crate::labels::{ExtraLabel, SHARE};
use crate::metric::ShareLevel;
use limit_runtime::ShareFigures;
use limit_runtime::inspect::{LimiterReading, Totals};

/// The figures of one share. The counts are those of all limiters that have had the name.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) name: &'static str,
    /// The figures of this moment. `None` if the limiter that has the name now has no such share.
    figures: Option<ShareFigures>,
    pub(crate) admitted: u64,
    pub(crate) rejected: u64,
}

impl Share {
    /// Returns the shares of a name.
    pub(crate) fn all(totals: &Totals, now: Option<&LimiterReading>) -> Vec<Self> {
        let shares = totals.counters.shares().iter();
        shares
            .map(|counts| Self {
                name: counts.name,
                figures: now.and_then(|now| {
                    now.shares.iter().find(|share| share.name == counts.name).cloned()
                }),
                admitted: counts.admitted,
                rejected: counts.rejected,
            })
            .collect()
    }

    /// Returns its label.
    pub(crate) fn label(&self) -> ExtraLabel {
        (SHARE.name, self.name)
    }

    /// Returns a figure of this moment, if there is one.
    pub(crate) fn level(&self, level: ShareLevel) -> Option<f64> {
        let figures = self.figures.as_ref()?;
        let figure = match level {
            ShareLevel::Guaranteed => figures.guaranteed,
            ShareLevel::InUse => figures.in_use,
            ShareLevel::Waiting => figures.waiting,
        };
        #[expect(clippy::cast_precision_loss, reason = "more than 2^53 are known well enough")]
        Some(figure as f64)
    }
}

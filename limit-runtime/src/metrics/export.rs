//! Figures as exporters need them.

#[cfg(feature = "prometheus")]
use super::Reading;
use super::{Counters, Histogram, LimitChanges, Totals};

/// What a limiter shows at one moment.
#[derive(Debug)]
pub(crate) struct Export {
    /// One for all runtimes, or one for each that lives and one for those that have ended.
    pub(crate) parts: Vec<Part>,
    pub(crate) changes: LimitChanges,
}

#[derive(Debug)]
pub(crate) struct Part {
    /// Which runtime it is of, if it is not of all.
    #[cfg(feature = "prometheus")]
    pub(crate) runtime: Option<String>,
    /// Of ended runtimes there is none.
    pub(crate) limit: Option<usize>,
    pub(crate) totals: Totals,
}

impl Counters {
    pub(crate) fn waits(&self) -> Option<&Histogram> {
        self.waits.as_deref()
    }
}

#[cfg(feature = "prometheus")]
impl Reading {
    /// Whether its runtime has not used it yet.
    fn is_untouched(&self) -> bool {
        let Self { current, .. } = self;
        let counted = current.admitted_at_once + current.cancelled + current.rejected.total();
        let busy = self.in_use + self.waiting + self.keys;
        !self.bound && busy == 0 && counted == 0 && current.waits.is_none()
    }
}

impl Export {
    pub(crate) fn of_all(limit: usize, totals: Totals, changes: LimitChanges) -> Self {
        let part = Part {
            #[cfg(feature = "prometheus")]
            runtime: None,
            limit: Some(limit),
            totals,
        };
        Self { parts: vec![part], changes }
    }

    /// Of readings, each with the runtime that it is of if that lives. What passes from one part to
    /// another when a runtime ends does so at once, so that the sum over all never goes back.
    #[cfg(feature = "prometheus")]
    pub(crate) fn by_runtime(readings: &[(Option<u64>, Reading)], changes: LimitChanges) -> Self {
        let mut ended = Totals::new();
        let mut parts = Vec::new();
        for (runtime, reading) in readings {
            ended.counters.add(&reading.past);
            match runtime {
                None => ended.add_current(reading),
                Some(_) if reading.is_untouched() => {}
                Some(runtime) => {
                    let mut totals = Totals::new();
                    totals.add_current(reading);
                    let limit = Some(reading.limit);
                    parts.push((
                        *runtime,
                        Part { runtime: Some(runtime.to_string()), limit, totals },
                    ));
                }
            }
        }
        parts.sort_by_key(|(runtime, _)| *runtime);
        let mut parts: Vec<_> = parts.into_iter().map(|(_, part)| part).collect();
        parts.push(Part { runtime: Some("retired".to_owned()), limit: None, totals: ended });
        Self { parts, changes }
    }
}

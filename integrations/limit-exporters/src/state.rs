//! The figures of a limiter that belong to no runtime.

use crate::labels::{ExtraLabel, ORDER, SCOPE};
use crate::metric::State;
use limit_runtime::inspect::LimiterReading;
use limit_runtime::{AdaptiveFigures, Order, Scope};
use std::time::Duration;

/// The figures of this moment of a limiter, in all runtimes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimiterState {
    total: Option<usize>,
    keys: Option<KeysState>,
    oldest_wait: Duration,
    is_enforced: bool,
    max_waiting: Option<usize>,
    max_waiting_total: Option<usize>,
    max_wait: Option<Duration>,
    is_closed: bool,
    scope: Scope,
    order: Order,
    window: Option<Duration>,
    ramp: Option<Duration>,
    withheld: usize,
    /// The figures of a limit that adapts.
    adaptive: Option<AdaptiveFigures>,
    /// The time at which the oldest holder got its permits, in seconds since 1970.
    oldest_holder: Option<f64>,
    is_deadlocked: bool,
}

/// The figures of keys. A limiter without keys has none.
#[derive(Clone, Copy, Debug, Default)]
struct KeysState {
    full: usize,
    worst_in_use: usize,
    worst_limit: usize,
    worst_waiting: usize,
}

impl LimiterState {
    pub(crate) fn new(
        reading: &LimiterReading,
        oldest_holder: Option<f64>,
        is_deadlocked: bool,
    ) -> Self {
        let keys = reading.worst_key.as_ref().map(|worst| KeysState {
            full: reading.full_keys,
            worst_in_use: worst.in_use,
            worst_limit: worst.limit,
            worst_waiting: worst.waiting,
        });
        let settings = &reading.settings;
        Self {
            total: reading.usage.total,
            keys: reading.is_keyed.then(|| keys.unwrap_or_default()),
            oldest_wait: reading.oldest_wait().unwrap_or_default(),
            is_enforced: settings.enabled.value && !settings.shadow.value,
            max_waiting: settings.max_waiting.value,
            max_waiting_total: settings.max_waiting_total.value,
            max_wait: settings.max_wait.value,
            is_closed: reading.is_closed,
            scope: reading.scope,
            order: reading.order,
            window: reading.per,
            ramp: reading.ramp,
            withheld: reading.usage.withheld,
            adaptive: reading.adaptive,
            oldest_holder,
            is_deadlocked,
        }
    }

    /// Returns whether the limit adapts.
    pub(crate) fn adapts(&self) -> bool {
        self.adaptive.is_some()
    }

    /// Returns a figure, with its label if it has one. `None` if the limiter does not have the figure. Times are in seconds.
    pub(crate) fn get(&self, state: State) -> Option<(Option<ExtraLabel>, f64)> {
        let value = match state {
            State::Total => number(self.total?),
            State::FullKeys => number(self.keys?.full),
            State::WorstKeyInUse => number(self.keys?.worst_in_use),
            State::WorstKeyLimit => number(self.keys?.worst_limit),
            State::WorstKeyWaiting => number(self.keys?.worst_waiting),
            State::OldestWait => self.oldest_wait.as_secs_f64(),
            State::Enforced => flag(self.is_enforced),
            State::MaxWaiting => number(self.max_waiting?),
            State::MaxWaitingTotal => number(self.max_waiting_total?),
            State::MaxWait => self.max_wait?.as_secs_f64(),
            State::Closed => flag(self.is_closed),
            State::Scope => return Some((Some((SCOPE.name, self.scope.as_str())), 1.0)),
            State::Order => return Some((Some((ORDER.name, self.order.as_str())), 1.0)),
            State::Window => self.window?.as_secs_f64(),
            State::Ramp => self.ramp?.as_secs_f64(),
            // Without a ramp nothing is ever withheld.
            State::Withheld => self.ramp.map(|_| number(self.withheld))?,
            State::AdaptiveLow => number(self.adaptive?.low),
            State::AdaptiveHigh => number(self.adaptive?.high),
            State::AdaptiveBaseTime => self.adaptive?.base_time?.as_secs_f64(),
            State::AdaptiveTime => self.adaptive?.time?.as_secs_f64(),
            State::AdaptiveQueue => number(self.adaptive?.queue?),
            State::AdaptiveAdvice => number(self.adaptive?.advice?),
            State::AdaptiveFrozen => flag(self.adaptive?.is_frozen),
            State::AdaptiveHeldOff => flag(self.adaptive?.is_held_off),
            State::OldestHolder => self.oldest_holder?,
            State::Deadlocked => flag(self.is_deadlocked),
        };
        Some((None, value))
    }
}

#[expect(clippy::cast_precision_loss, reason = "more than 2^53 are known well enough")]
fn number(figure: usize) -> f64 {
    figure as f64
}

fn flag(is_on: bool) -> f64 {
    f64::from(u8::from(is_on))
}

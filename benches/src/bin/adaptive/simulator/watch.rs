//! How soon the limit follows.

use crate::scenarios::Scenario;

/// Watches how soon the limit settles after a change.
pub(super) struct Watch {
    after: f64,
    most: f64,
    since: Option<f64>,
    settled: Option<f64>,
}

impl Watch {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let after = scenario.settles_after.unwrap_or(f64::INFINITY);
        let knee = scenario.knee(scenario.phase(after.min(scenario.end)));
        Self { after, most: 2.0 * (knee + knee.sqrt()), since: None, settled: None }
    }

    pub(super) fn see(&mut self, now: f64, limit: u32) {
        if now < self.after || self.settled.is_some() {
            return;
        }
        if f64::from(limit) > self.most {
            self.since = None;
        } else {
            let since = *self.since.get_or_insert(now);
            if now - since >= 10.0 {
                self.settled = Some(since - self.after);
            }
        }
    }

    pub(super) fn settled(&self) -> Option<f64> {
        self.settled
    }
}

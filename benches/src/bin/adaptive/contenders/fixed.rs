//! A limit that is given: the same always, or a schedule of somebody who knows the work.

use crate::contender::{Contender, Sample};

#[derive(Debug)]
pub(crate) struct Fixed {
    /// From when, and the limit.
    schedule: Vec<(f64, u32)>,
    current: usize,
}

impl Fixed {
    pub(crate) fn new(limit: u32) -> Self {
        Self::scheduled(vec![(0.0, limit)])
    }

    pub(crate) fn scheduled(schedule: Vec<(f64, u32)>) -> Self {
        Self { schedule, current: 0 }
    }
}

impl Contender for Fixed {
    fn limit(&self) -> u32 {
        self.schedule[self.current].1
    }

    fn end(&mut self, _call: usize, _sample: &Sample) {}

    fn next_tick(&self) -> Option<f64> {
        self.schedule.get(self.current + 1).map(|(from, _)| *from)
    }

    fn tick(&mut self, now: f64, _in_flight: u32) {
        while self.next_tick().is_some_and(|from| from <= now) {
            self.current += 1;
        }
    }
}

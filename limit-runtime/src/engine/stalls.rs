//! The time for which calls have waited while none was admitted, for readers.
//!
//! As with the waits that go on, calls do nothing for it: the readings note it. A stall is taken to begin at the reading
//! that first sees calls wait, or that sees a call admitted since the reading before.

use crate::metrics::{Counters, LimiterReading};
use crate::semaphore::ReadingMoment;
use std::time::Duration;

/// The queues in which the last reading saw calls wait. Without waiters there are none, and no memory for them.
#[derive(Debug, Default)]
pub(super) struct Stalls(Vec<Stall>);

/// A queue from which no call was admitted since a moment.
#[derive(Clone, Copy, Debug)]
struct Stall {
    queue: Queue,
    /// The calls that had been admitted then.
    admitted: u64,
    since: ReadingMoment,
}

/// All calls of a limiter that wait, or those of one runtime, by its number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Queue {
    All,
    Of(u64),
}

impl Stalls {
    /// Puts the times in a reading, and notes the queues for the next one. Those that are to move have a time already:
    /// see [`Reading::is_to_move`](crate::metrics::Reading).
    pub(super) fn read(&mut self, reading: &mut LimiterReading) {
        let before = std::mem::take(self);
        if reading.is_closed {
            // Nobody expects an admission.
            reading.by_runtime.iter_mut().for_each(|part| part.usage.stalled = None);
            return;
        }
        let now = ReadingMoment::now();
        let of_runtimes = reading
            .by_runtime
            .iter_mut()
            .filter_map(|part| Some((Queue::Of(part.runtime?), &mut part.usage, &part.counters)));
        let mut waiting: Vec<_> =
            of_runtimes.filter(|(_, usage, _)| usage.stalled.is_some()).collect();
        if !waiting.is_empty() {
            waiting.push((Queue::All, &mut reading.usage, &reading.totals.counters));
        }
        for (queue, usage, counters) in waiting {
            let stall =
                before.find(queue, counters).unwrap_or_else(|| Stall::new(queue, counters, now));
            // The window of a rate and a ramp keep calls waiting, too.
            let lasts = now.since(stall.since);
            let is_over = usage.withheld == 0 && reading.per.is_none_or(|window| lasts > window);
            usage.stalled = Some(if is_over { lasts } else { Duration::ZERO });
            self.0.push(stall);
        }
    }

    /// Returns what the reading before saw of a queue, unless a call was admitted since.
    fn find(&self, queue: Queue, counters: &Counters) -> Option<Stall> {
        let admitted = admitted(counters);
        self.0.iter().find(|stall| stall.queue == queue && stall.admitted == admitted).copied()
    }
}

impl Stall {
    fn new(queue: Queue, counters: &Counters, since: ReadingMoment) -> Self {
        Self { queue, admitted: admitted(counters), since }
    }
}

fn admitted(counters: &Counters) -> u64 {
    counters.admitted_at_once + counters.admitted_after_waiting()
}

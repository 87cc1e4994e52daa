//! Whether memory is flat: what the process has allocated, and what of it is resident.
//!
//! Both are looked at between rounds, when nothing goes on. The library never frees some of what it
//! has made (as many registries as there ever were runtimes at once, as large queues as there ever
//! were, and in each a semaphore for as many limiters as there ever were at once), so memory grows at
//! first, and then seldom and by steps. What there is after the first half of the time is compared with
//! what there is at the end.

use cap::Cap;
use std::alloc::System;
use std::fmt::{self, Write};
use std::fs;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Memory at one moment, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) allocated: usize,
    /// The resident set, where the system tells it.
    pub(crate) resident: Option<usize>,
}

/// Bytes that may be allocated at the end beyond the most there were after warm-up: so much in any
/// case, and this part of it. Without a leak there were 2 to 4 MiB after half a minute and 8 to 9 after
/// some minutes, with steps of up to 1.5 MiB (one limiter more than ever, and so a chunk in each registry);
/// then it stayed, for 27 million calls.
const ALLOCATED: (usize, f64) = (3 << 20, 0.25);
/// The same, of the resident set, of which the allocator gives little back.
const RESIDENT: (usize, f64) = (16 << 20, 0.5);

impl Sample {
    fn now() -> Self {
        Self { allocated: ALLOCATOR.allocated(), resident: resident() }
    }
}

/// The second number of `/proc/self/statm`, which counts pages of (nearly always) 4 KiB.
fn resident() -> Option<usize> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse().ok().map(|pages: usize| pages * 4_096)
}

/// What memory there was.
#[derive(Debug)]
pub(crate) struct Memory {
    warm_up: Duration,
    warm: Option<Sample>,
    /// The least of the last rounds: what they have in common is what stays.
    last: [Option<Sample>; LAST],
    rounds: usize,
}

const LAST: usize = 4;
/// Fewer rounds tell nothing.
const FEW: usize = 12;

impl Memory {
    pub(crate) fn new(warm_up: Duration) -> Self {
        Self { warm_up, warm: None, last: [None; LAST], rounds: 0 }
    }

    /// Looks, that long after the start. Nothing may go on.
    pub(crate) fn sample(&mut self, elapsed: Duration) -> Sample {
        let now = Sample::now();
        if elapsed < self.warm_up {
            self.warm = Some(match self.warm {
                Some(warm) => most(warm, now),
                None => now,
            });
        }
        self.last[self.rounds % LAST] = Some(now);
        self.rounds += 1;
        now
    }

    /// In words; an error if it has grown.
    pub(crate) fn verdict(&self) -> Result<String, String> {
        let last = self.last.into_iter().flatten().reduce(least);
        let (Some(warm), Some(last), FEW..) = (self.warm, last, self.rounds) else {
            return Ok("memory not compared: too short".to_owned());
        };
        let mut words = format!(
            "{} allocated after warm-up, {} at the end",
            Bytes(warm.allocated),
            Bytes(last.allocated)
        );
        let mut grown = has_grown(warm.allocated, last.allocated, ALLOCATED);
        if let (Some(warm), Some(last)) = (warm.resident, last.resident) {
            let _ = write!(words, "; {} resident, then {}", Bytes(warm), Bytes(last));
            grown |= has_grown(warm, last, RESIDENT);
        }
        if grown {
            Err(format!("memory grew: {words}"))
        } else {
            Ok(format!("memory flat: {words}"))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "these are estimates")]
fn has_grown(warm: usize, last: usize, (bytes, part): (usize, f64)) -> bool {
    last as f64 > warm as f64 * (1.0 + part) + bytes as f64
}

fn most(one: Sample, other: Sample) -> Sample {
    Sample {
        allocated: one.allocated.max(other.allocated),
        resident: one.resident.max(other.resident),
    }
}

fn least(one: Sample, other: Sample) -> Sample {
    Sample {
        allocated: one.allocated.min(other.allocated),
        resident: one.resident.min(other.resident),
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub(crate) usize);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} MiB", self.0 as f64 / f64::from(1 << 20))
    }
}

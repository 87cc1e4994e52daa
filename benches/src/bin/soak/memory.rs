//! The check that memory stays flat: the bytes that the process has allocated, and the resident
//! ones.
//!
//! Samples are taken between rounds, when nothing runs. The library never frees some of its memory:
//! as many registries as there ever were runtimes at once, queues as large as they ever were, and
//! in each registry a semaphore for as many limiters as there ever were at once. So memory grows at
//! first, and then seldom and by steps. The check compares the memory after the first half of the
//! time with the memory at the end.

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
    /// The resident set, where the system reports it.
    pub(crate) resident: Option<usize>,
}

/// The bytes that may be allocated at the end beyond the most after warm-up: a fixed number, and a
/// part of the latter. Without a leak there were 2 to 4 MiB after half a minute and 8 to 9 after
/// some minutes, with steps of up to 1.5 MiB (one limiter more than ever, and so a chunk in each
/// registry). Then it stayed, for 27 million calls.
const ALLOCATED: (usize, f64) = (3 << 20, 0.25);
/// The same for the resident set. The allocator gives little of it back.
const RESIDENT: (usize, f64) = (16 << 20, 0.5);

impl Sample {
    fn now() -> Self {
        Self { allocated: ALLOCATOR.allocated(), resident: resident() }
    }
}

/// Reads the second number of `/proc/self/statm`, which counts pages of (nearly always) 4 KiB.
fn resident() -> Option<usize> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse().ok().map(|pages: usize| pages * 4_096)
}

/// The samples of a run.
#[derive(Debug)]
pub(crate) struct Memory {
    warm_up: Duration,
    warm: Option<Sample>,
    /// The samples of the last rounds. Memory that all of them have is memory that stays.
    last: [Option<Sample>; LAST],
    rounds: usize,
}

const LAST: usize = 4;
/// With fewer rounds nothing is compared.
const FEW: usize = 12;

impl Memory {
    pub(crate) fn new(warm_up: Duration) -> Self {
        Self { warm_up, warm: None, last: [None; LAST], rounds: 0 }
    }

    /// Takes a sample, at this time after the start. Nothing else may run.
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

    /// Returns the comparison in words, as an error if memory has grown.
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

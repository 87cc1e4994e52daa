//! The last ten minutes.
//!
//! A frame for each tick has a sample of every limiter whose figures have changed since the tick before:
//! those that nobody uses cost nothing. What a limiter showed before the first frame is kept beside it.

use super::rows::RejectedRates;
use serde::Serialize;
use std::collections::VecDeque;

/// Frames that are kept: ten minutes.
const FRAMES: usize = 600;
/// Samples that are kept, in all frames.
const SAMPLES: usize = 1_000_000;

/// What one limiter showed at one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) in_use: u32,
    pub(super) capacity: Option<u32>,
    pub(super) waiting: u32,
    pub(super) p50: Option<f32>,
    pub(super) p99: Option<f32>,
    pub(super) admitted: f32,
    pub(super) rejected: RejectedRates,
}

#[derive(Debug)]
struct Frame {
    tick: u64,
    time: u64,
    /// By the limiters' numbers, in their order.
    samples: Vec<(u64, Sample)>,
}

#[derive(Debug, Default)]
pub(super) struct History {
    frames: VecDeque<Frame>,
    samples: usize,
}

/// A limiter's samples, a list for each figure, one entry for each tick.
#[derive(Debug, Default, Serialize)]
pub(super) struct Series {
    time: Vec<u64>,
    in_use: Vec<u32>,
    capacity: Vec<Option<u32>>,
    waiting: Vec<u32>,
    p50: Vec<Option<f32>>,
    p99: Vec<Option<f32>>,
    admitted: Vec<f32>,
    rejected: RejectedSeries,
}

#[derive(Debug, Default, Serialize)]
struct RejectedSeries {
    queue_full: Vec<f32>,
    timed_out: Vec<f32>,
    too_heavy: Vec<f32>,
    closed: Vec<f32>,
    evicted: Vec<f32>,
}

/// Where a limiter's samples begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The tick at which it was seen first.
    pub(super) tick: u64,
    /// What it showed before the first frame.
    pub(super) sample: Sample,
}

impl History {
    /// Adds what has changed at a tick; `forget` is told of each sample that is not kept any more.
    pub(super) fn add(
        &mut self,
        tick: u64,
        time: u64,
        mut samples: Vec<(u64, Sample)>,
        mut forget: impl FnMut(u64, Sample),
    ) {
        samples.sort_unstable_by_key(|(limiter, _)| *limiter);
        samples.shrink_to_fit();
        self.samples += samples.len();
        self.frames.push_back(Frame { tick, time, samples });
        while self.frames.len() > FRAMES || (self.samples > SAMPLES && self.frames.len() > 1) {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.samples -= oldest.samples.len();
            for (limiter, sample) in oldest.samples {
                forget(limiter, sample);
            }
        }
    }

    /// Of one limiter, after a tick.
    pub(super) fn of(&self, limiter: u64, start: Start, since: u64) -> Series {
        let mut series = Series::default();
        self.each(limiter, start, |tick, time, sample| {
            if tick > since {
                series.push(time, sample);
            }
        });
        series
    }

    fn each(&self, limiter: u64, start: Start, mut show: impl FnMut(u64, u64, &Sample)) {
        let mut sample = start.sample;
        for frame in &self.frames {
            if let Ok(at) = frame.samples.binary_search_by_key(&limiter, |(of, _)| *of) {
                sample = frame.samples[at].1;
            }
            if frame.tick >= start.tick {
                show(frame.tick, frame.time, &sample);
            }
        }
    }
}

impl Series {
    fn push(&mut self, time: u64, sample: &Sample) {
        self.time.push(time);
        self.in_use.push(sample.in_use);
        self.capacity.push(sample.capacity);
        self.waiting.push(sample.waiting);
        self.p50.push(sample.p50);
        self.p99.push(sample.p99);
        self.admitted.push(sample.admitted);
        let (all, one) = (&mut self.rejected, &sample.rejected);
        all.queue_full.push(one.queue_full);
        all.timed_out.push(one.timed_out);
        all.too_heavy.push(one.too_heavy);
        all.closed.push(one.closed);
        all.evicted.push(one.evicted);
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    fn sample(in_use: u32) -> Sample {
        Sample { in_use, ..Sample::default() }
    }

    #[test]
    fn unchanged_figures_are_filled_in_and_what_is_forgotten_is_where_the_rest_begins() {
        let mut history = History::default();
        let mut start = Start { tick: 2, sample: Sample::default() };
        for tick in 1..=FRAMES as u64 + 150 {
            // Changes at every hundredth tick.
            let number = u32::try_from(tick / 100).expect("small");
            let changed = if tick % 100 == 0 { vec![(7, sample(number))] } else { Vec::new() };
            history.add(tick, tick * 1000, changed, |limiter, sample| {
                assert_eq!(limiter, 7);
                start.sample = sample;
            });
            if tick == 120 {
                let series = history.of(7, start, 0);
                assert_eq!(series.time.first(), Some(&2000), "from the tick it was seen first");
                assert_eq!(series.in_use.len(), 119);
            }
        }
        let series = history.of(7, start, 0);
        assert_eq!(series.time.len(), FRAMES);
        for (time, in_use) in std::iter::zip(&series.time, &series.in_use) {
            assert_eq!(u64::from(*in_use), time / 1000 / 100);
        }
        assert_eq!(history.of(7, start, 745).in_use, [7, 7, 7, 7, 7]);
    }

    #[test]
    fn no_more_samples_are_kept_than_said() {
        let mut history = History::default();
        let busy = SAMPLES as u64 / 4;
        for tick in 1..=10 {
            history.add(tick, tick, (0..busy).rev().map(|of| (of, sample(1))).collect(), |_, _| {});
            assert!(history.samples <= SAMPLES);
        }
        assert_eq!(history.frames.len(), 4);
        let start = Start { tick: 1, sample: Sample::default() };
        for limiter in [0, busy / 3, busy - 1] {
            assert_eq!(history.of(limiter, start, 0).in_use, [1, 1, 1, 1]);
        }
    }
}

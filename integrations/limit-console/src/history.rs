//! The figures of all limiters in the last ten minutes.
//!
//! There is a frame for each tick. It has a sample of every limiter whose figures have changed since the tick
//! before, so that limiters that nobody uses cost nothing. The sample from before the first frame is kept
//! beside the limiter, in [`Start`].

use crate::by_kind::ByKind;
use serde::Serialize;
use std::collections::VecDeque;

/// The most frames that are kept: ten minutes.
const FRAMES: usize = 600;
/// The most samples that are kept, in all frames.
const SAMPLES: usize = 1_000_000;

/// The figures of one limiter at one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    pub(crate) in_use: u32,
    /// The permits in all runtimes; with keys the limit over all of them.
    pub(crate) capacity: Option<u32>,
    pub(crate) waiting: u32,
    pub(crate) p50: Option<f32>,
    pub(crate) p99: Option<f32>,
    pub(crate) admitted: f32,
    pub(crate) rejected: ByKind<f32>,
}

#[derive(Debug)]
struct Frame {
    tick: u64,
    time: u64,
    /// The samples, sorted by the numbers of the limiters.
    samples: Vec<(u64, Sample)>,
}

/// The frames that are kept.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The oldest first.
    frames: VecDeque<Frame>,
    /// The number of samples in all frames.
    samples: usize,
}

/// The history of one limiter: a list for each figure, with one element for each tick.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Series {
    time: Vec<u64>,
    in_use: Vec<u32>,
    capacity: Vec<Option<u32>>,
    waiting: Vec<u32>,
    p50: Vec<Option<f32>>,
    p99: Vec<Option<f32>>,
    admitted: Vec<f32>,
    rejected: ByKind<Vec<f32>>,
}

/// The beginning of a limiter's history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// The tick at which the limiter was seen first.
    pub(crate) tick: u64,
    /// The figures before the first frame.
    pub(crate) sample: Sample,
}

impl History {
    /// Adds a frame with the samples that have changed. Calls `forget` with each sample that is not kept any
    /// more, and with the number of its limiter.
    pub(crate) fn add(
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

    /// Lists the samples of one limiter after a tick. A tick without a sample repeats the one before.
    pub(crate) fn series(&self, limiter: u64, start: Start, since: u64) -> Series {
        let mut series = Series::default();
        let mut sample = start.sample;
        for frame in &self.frames {
            if let Ok(index) = frame.samples.binary_search_by_key(&limiter, |(number, _)| *number) {
                sample = frame.samples[index].1;
            }
            if frame.tick >= start.tick && frame.tick > since {
                series.push(frame.time, &sample);
            }
        }
        series
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
        self.rejected.push(&sample.rejected);
    }
}

#[cfg(test)]
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
                let series = history.series(7, start, 0);
                let first = series.time.first();
                assert_eq!(first, Some(&2000), "the tick at which it was seen first");
                assert_eq!(series.in_use.len(), 119);
            }
        }
        let series = history.series(7, start, 0);
        assert_eq!(series.time.len(), FRAMES);
        for (time, in_use) in std::iter::zip(&series.time, &series.in_use) {
            assert_eq!(u64::from(*in_use), time / 1000 / 100);
        }
        assert_eq!(history.series(7, start, 745).in_use, [7, 7, 7, 7, 7]);
    }

    #[test]
    fn no_more_samples_are_kept_than_said() {
        let mut history = History::default();
        let busy = SAMPLES as u64 / 4;
        for tick in 1..=10 {
            let samples = (0..busy).rev().map(|limiter| (limiter, sample(1)));
            history.add(tick, tick, samples.collect(), |_, _| {});
            assert!(history.samples <= SAMPLES);
        }
        assert_eq!(history.frames.len(), 4);
        let start = Start { tick: 1, sample: Sample::default() };
        for limiter in [0, busy / 3, busy - 1] {
            assert_eq!(history.series(limiter, start, 0).in_use, [1, 1, 1, 1]);
        }
    }
}

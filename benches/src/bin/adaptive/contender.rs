//! The interface of an algorithm that chooses a limit: it hears of calls, and says a limit.

/// The figures of a call that ends, for a contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) began: f64,
    pub(crate) now: f64,
    /// Calls that ran when it began, itself included.
    pub(crate) in_flight: u32,
    /// Calls that run after its end.
    pub(crate) left: u32,
    /// `true` if no permit was free before its end.
    pub(crate) was_full: bool,
    pub(crate) is_good: bool,
}

impl Sample {
    pub(crate) fn time(&self) -> f64 {
        self.now - self.began
    }
}

/// One limiter's algorithm. Times are in seconds. `call` is a number that no two running calls have.
pub(crate) trait Contender {
    fn limit(&self) -> u32;

    /// A call begins. `in_flight` counts it.
    fn begin(&mut self, _call: usize, _now: f64, _waited: bool, _in_flight: u32) {}

    fn end(&mut self, call: usize, sample: &Sample);

    /// A call was refused because too many wait.
    fn refuse(&mut self, _now: f64, _in_flight: u32) {}

    /// Returns when [`tick`](Self::tick) is to be called.
    fn next_tick(&self) -> Option<f64> {
        None
    }

    fn tick(&mut self, _now: f64, _in_flight: u32) {}

    /// How many calls more may wait now.
    fn dip(&self) -> u32 {
        0
    }

    /// The limit that an adviser would choose.
    fn advice(&self) -> Option<u32> {
        None
    }
}

/// Rounds down, within the range.
pub(crate) fn clamped(limit: f64, low: u32, high: u32) -> u32 {
    crate::number::whole(limit.floor()).clamp(low, high)
}

/// The mean of the first `warm_up` values, and then an exponential average.
#[derive(Debug)]
pub(crate) struct Average {
    factor: f64,
    warm_up: u32,
    count: u32,
    pub(crate) value: f64,
}

impl Average {
    /// One over about `window` values.
    pub(crate) fn over(window: f64, warm_up: u32) -> Self {
        Self { factor: 2.0 / (window + 1.0), warm_up, count: 0, value: 0.0 }
    }

    pub(crate) fn add(&mut self, new: f64) -> f64 {
        let factor = if self.count < self.warm_up {
            self.count += 1;
            1.0 / f64::from(self.count)
        } else {
            self.factor
        };
        self.value += factor * (new - self.value);
        self.value
    }
}

//! Chooses a limit from the times of calls: how many calls the work behind a limiter can do at once.
//!
//! # Derivation
//!
//! Let `L` calls run, each for `R`, and let a call take `R0` when it need not wait for others behind the limiter. By
//! Little's law (J. Little, "A Proof for the Queuing Formula L = λW", 1961) `N = L · R0 / R` of them do work, and the
//! rest stand in a queue that only the limit itself makes. The limit should be `N`, and a little more, so that the work
//! does not run dry by chance: `N + √N`, square-root staffing (S. Halfin and W. Whitt, "Heavy-Traffic Limits for Queues
//! with Many Exponential Servers", 1981).
//!
//! `R` is the mean of a *cohort*: the next calls to begin under one limit. Cohorts are drawn by the begin of the call,
//! since the calls that *end* in a stretch of time are too often short ones when times change. `R0` is *asked*: at
//! times the limit is halved for one cohort. It is never remembered as a minimum, because a lucky minimum never comes
//! again, and the work may have become slower for good. Netflix's `concurrency-limits` (Vegas, Gradient2), Envoy's
//! gradient controller and Vector's adaptive concurrency are the sources of the idea to compare two times;
//! `benches/src/bin/adaptive` has them as contenders, and the scenarios that chose the constants of [`Rules`].
//!
//! # Start
//!
//! The first question may be a period away, and its `R0` is missed most where the backend is small: above its limit a
//! limiter cannot see by itself that it is. So it begins with the lowest limit, and the second cohort has a higher one:
//! twice as much in a range that begins with 1. If its calls take longer for certain, the first cohort was the answer,
//! and `R0` is its mean; else `R0` is the longer of both means, because one that is short by chance would hold the limit back until a question is asked.
//!
//! All limiters before one backend ask at the same moments of the wall clock. Only so do they see the queue that they
//! make together.
//!
//! # Advice
//!
//! [`Controller::advising`] changes nothing and asks nothing. It takes for an answer what nature offers: a cohort that
//! ran with at most half of the advised limit in flight. So it says nothing before it has seen both a full limit and a
//! quiet time. Its error has no bound: if quiet times have other work (a nightly job), or if the work became slower
//! since, `R0` is wrong, and the advice by the same factor. Above the limit it knows nothing, and advises `L + √L`.
//!
//! # Use
//!
//! A function of samples and time: no clock, no lock, no random number. `now` is a time since the Unix epoch that never
//! jumps. It may go backwards; then a call took no time.

use std::time::Duration;

use super::cohort::{Cohort, seconds};
pub(crate) use super::cohort::{Member, Outcome};
pub(crate) use super::estimator::Cause;
use super::estimator::Estimator;
use super::moments::Moments;
use super::rules::Rules;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Adapting,
    Advising,
    Frozen,
}

/// One limiter's controller. It lives under the semaphore's lock.
#[derive(Debug)]
pub(crate) struct Controller {
    mode: Mode,
    limit: u32,
    estimator: Estimator,
    moments: Moments,
    cohort: Cohort,
    /// While a question is asked: the limit to return to, and when it is given up unless its cohort
    /// is full.
    asking: Option<(u32, Duration)>,
    /// Calls that began since the last question.
    calls: u32,
    is_full: bool,
    advice: Option<u32>,
}

impl Controller {
    /// Starts at `start`, or at twice `low`.
    pub(crate) fn with(rules: Rules, low: u32, high: u32, start: Option<u32>) -> Self {
        let mut estimator = Estimator::new(rules, low, high);
        let mut controller = Self {
            mode: Mode::Adapting,
            limit: estimator.start_at(start),
            estimator,
            moments: Moments::new(&rules),
            cohort: Cohort::default(),
            asking: None,
            calls: 0,
            is_full: false,
            advice: None,
        };
        controller.open();
        controller
    }

    /// Changes nothing: `limit` stays, and [`advice`](Self::advice) says which limit it would be.
    pub(crate) fn advising(rules: Rules, low: u32, high: u32, limit: u32) -> Self {
        let mut controller = Self::with(rules, low, high, Some(limit));
        controller.mode = Mode::Advising;
        controller.limit = limit;
        controller
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    pub(crate) fn range(&self) -> (u32, u32) {
        self.estimator.range()
    }

    /// Returns `R0`: the time of a good call at half of the limit.
    pub(crate) fn base_time(&self) -> Option<Duration> {
        self.estimator.base.map(seconds)
    }

    /// Returns `R`: the time of a good call at the limit.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.estimator.time.map(seconds)
    }

    pub(crate) fn advice(&self) -> Option<u32> {
        self.advice
    }

    /// Returns how many permits a question withholds now. As many calls more may wait meanwhile.
    pub(crate) fn dip(&self) -> u32 {
        self.asking.map_or(0, |(back, _)| back.saturating_sub(self.limit))
    }

    /// Returns whether [`begin`](Self::begin) would return a member. If not, the call may be counted by
    /// [`pass`](Self::pass), without a look at the clock.
    pub(crate) fn wants_member(&self) -> bool {
        self.mode != Mode::Frozen && !self.cohort.is_filled()
    }

    /// Returns whether calls that did not wait are wanted as members too: because calls are refused rather than wait,
    /// or for advice.
    pub(crate) fn wants_any_call(&self) -> bool {
        self.wants_member() && (self.mode == Mode::Advising || self.cohort.refused)
    }

    /// A call begins that waited (or any call, see [`wants_any_call`](Self::wants_any_call)).
    pub(crate) fn begin(&mut self, now: Duration, weight: u32) -> Option<Member> {
        let wanted = self.wants_member();
        self.calls = self.calls.saturating_add(1);
        wanted.then(|| self.cohort.begin(now, weight))
    }

    /// Calls have begun that did not wait and are no members.
    pub(crate) fn pass(&mut self, calls: u32) {
        self.calls = self.calls.saturating_add(calls);
        if !self.cohort.is_filled() {
            self.cohort.passed = self.cohort.passed.saturating_add(calls);
        }
    }

    /// A call was refused because the limit is full.
    pub(crate) fn refuse(&mut self) {
        self.cohort.refused = true;
    }

    /// A member has ended. One of an older cohort is ignored.
    pub(crate) fn end(&mut self, member: Member, now: Duration, outcome: Outcome) {
        self.cohort.end(member, now, outcome, self.estimator.rules.patience);
    }

    /// Closes a cohort, asks, or gives a question up. To be called after each of the above that has the time. `in_flight` is the number of permits in use now; `is_full` says whether a
    /// call must wait for one. Returns why the limit changed, if it did.
    pub(crate) fn update(&mut self, now: Duration, in_flight: u32, is_full: bool) -> Option<Cause> {
        if self.mode == Mode::Frozen {
            return None;
        }
        self.is_full = is_full;
        self.cohort.observe(in_flight);
        if self.closes_at().is_some_and(|at| now >= at) {
            let cause = self.close(now);
            if cause.is_some() {
                return cause;
            }
        }
        match self.asking {
            Some((back, until)) if now >= until && !self.cohort.is_filled() => {
                self.asking = None;
                self.limit = back;
                self.open();
                Some(Cause::Answer)
            }
            _ => self.ask(now),
        }
    }

    /// Returns when an `update` would do something, though nothing else happens.
    #[cfg(all(test, not(limit_loom)))]
    pub(crate) fn next_update(&self) -> Option<Duration> {
        if self.mode == Mode::Frozen {
            return None;
        }
        let question = match self.asking {
            Some((_, until)) => (!self.cohort.is_filled()).then_some(until),
            None => (self.is_full && self.can_ask()).then(|| self.moments.next(self.wait())),
        };
        question.into_iter().chain(self.closes_at()).min()
    }

    /// Holds the limit at `limit`, which somebody has set by hand. One that advises goes on advising.
    pub(crate) fn freeze(&mut self, limit: u32) {
        if self.mode == Mode::Adapting {
            self.mode = Mode::Frozen;
        }
        self.asking = None;
        self.limit = limit;
        self.open();
    }

    /// Gives a question up, if one is asked. Returns whether it did.
    pub(crate) fn give_up(&mut self) -> bool {
        let Some((back, _)) = self.asking.take() else { return false };
        self.limit = back;
        self.open();
        true
    }

    /// Adapts again, from the present limit.
    pub(crate) fn thaw(&mut self) {
        if self.mode == Mode::Frozen {
            self.mode = Mode::Adapting;
            self.limit = self.estimator.start_at(Some(self.limit));
            self.open();
        }
    }

    /// Evaluates the cohort and begins the next.
    fn close(&mut self, now: Duration) -> Option<Cause> {
        let before = self.limit;
        let sample = self.cohort.close(now, self.estimator.rules.patience);
        let cause = match (self.mode, self.asking.take()) {
            (Mode::Advising, _) => {
                self.advice = self.estimator.advise(self.limit, self.advice, &sample);
                None
            }
            (_, Some((back, _))) => {
                self.limit = back;
                self.estimator.learn_base(back, &sample);
                Some(Cause::Answer)
            }
            (_, None) => self.estimator.decide(self.limit, &sample).map(|(limit, cause)| {
                self.limit = limit;
                cause
            }),
        };
        self.open();
        cause.filter(|_| self.limit != before)
    }

    /// Asks, if a moment for it has come.
    fn ask(&mut self, now: Duration) -> Option<Cause> {
        let wait = self.wait();
        let has_come = self.moments.arrives(now, wait);
        if !has_come || self.asking.is_some() || !self.is_full || !self.can_ask() {
            return None;
        }
        let time = self.time().unwrap_or_default();
        let until = now.saturating_add(wait / 5).saturating_add(time.saturating_mul(4));
        self.asking = Some((self.limit, until));
        self.limit = self.half();
        self.open();
        self.calls = 0;
        Some(Cause::Question)
    }

    fn can_ask(&self) -> bool {
        self.mode == Mode::Adapting && self.estimator.time.is_some() && self.half() < self.limit
    }

    fn half(&self) -> u32 {
        (self.limit / 2).max(self.range().0)
    }

    fn wait(&self) -> Duration {
        self.moments.wait(self.estimator.base.unwrap_or(0.0), self.limit)
    }

    /// When the cohort is to be closed.
    fn closes_at(&self) -> Option<Duration> {
        self.cohort.closes_at(self.estimator.rules.patience)
    }

    /// Begins a cohort. That of a question has at most a twentieth of the calls since the one
    /// before, but 16.
    fn open(&mut self) {
        let most = if self.asking.is_some() { (self.calls / 20).max(16) } else { u32::MAX };
        self.cohort.open(self.estimator.cohort_size().min(most), self.estimator.most_seconds());
    }
}

//! A link that gets slower, or fails, as more requests are on it, and the load on it.

use super::levels::{Level, Levels};
use limit_runtime::LimiterHandle;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// A request ends after this time without an answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// A request that failed is tried again after this time.
const PAUSE: Duration = Duration::from_secs(1);

/// The fate of requests beyond what the link takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beyond {
    /// They fail after the time of a request that is alone.
    Defer,
    /// They are never answered.
    Drop,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    /// The requests of Vector's run.
    pub(super) requests: usize,
    /// The time between two requests. Zero: all of them wait from the start.
    pub(super) interval: Duration,
    /// The time of a request that is alone on the link.
    pub(super) delay: Duration,
    /// The mean of an exponential time that each request takes more, as a share of `delay`.
    pub(super) jitter: f64,
    /// The time that each other request adds, as a share of `delay`.
    pub(super) scale: f64,
    /// From so many requests on, each further one multiplies the time.
    pub(super) knee: Option<(usize, f64)>,
    /// The most requests at a time.
    pub(super) most: Option<(usize, Beyond)>,
    /// The most requests in a second.
    pub(super) rate: Option<(usize, Beyond)>,
}

impl Scenario {
    /// Makes a scenario of a link that always takes the same time.
    pub(super) fn new(requests: usize, delay_ms: u64) -> Self {
        Self {
            requests,
            interval: Duration::ZERO,
            delay: Duration::from_millis(delay_ms),
            jitter: 0.0,
            scale: 0.0,
            knee: None,
            most: None,
            rate: None,
        }
    }

    fn seconds(&self, in_flight: usize, random: &mut Random) -> f64 {
        let knee = self.knee.map_or(0.0, |(start, factor)| {
            factor.powf(count(in_flight.saturating_sub(start))) - 1.0
        });
        let jitter = self.jitter * random.exponential();
        self.delay.as_secs_f64() * (1.0 + self.scale * count(in_flight - 1) + knee + jitter)
    }
}

fn count(requests: usize) -> f64 {
    f64::from(u32::try_from(requests).expect("they are few"))
}

/// Numbers that are the same in each run.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// Returns a number of an exponential distribution whose mean is 1.
    fn exponential(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let upper = u32::try_from(self.0 >> 32).expect("they are 32 bits");
        -((f64::from(upper) + 0.5) / 4_294_967_296.0).ln()
    }
}

/// The levels over a stretch of time.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// Requests on the link.
    pub(super) in_flight: Levels,
    pub(super) limit: Levels,
    /// Requests in the last second.
    pub(super) rate: Levels,
    pub(super) time: Duration,
    /// Requests that were answered.
    pub(super) answered: usize,
    /// Attempts that were not.
    pub(super) failed: usize,
}

impl Report {
    /// Returns the share of the attempts that failed.
    pub(super) fn failing(&self) -> f64 {
        count(self.failed) / count(self.failed + self.answered)
    }

    /// Returns the requests that were answered in a second.
    pub(super) fn answers(&self) -> f64 {
        count(self.answered) / self.time.as_secs_f64()
    }
}

#[derive(Debug)]
struct State {
    in_flight: Level,
    limit: Level,
    rate: Level,
    begun: VecDeque<Instant>,
    random: Random,
    since: Instant,
    answered: usize,
    failed: usize,
    all_answered: usize,
    name: &'static str,
    limiter: Option<LimiterHandle>,
}

pub(super) struct Link {
    scenario: Scenario,
    state: Mutex<State>,
    answered: Notify,
}

/// The link did not answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed;

impl Link {
    fn new(scenario: Scenario, name: &'static str) -> Arc<Self> {
        let now = Instant::now();
        let state = State {
            in_flight: Level::new(now),
            limit: Level::new(now),
            rate: Level::new(now),
            begun: VecDeque::new(),
            random: Random(1),
            since: now,
            answered: 0,
            failed: 0,
            all_answered: 0,
            name,
            limiter: None,
        };
        Arc::new(Self { scenario, state: Mutex::new(state), answered: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one request.
    pub(super) async fn send(&self) -> Result<(), Failed> {
        let (seconds, beyond) = self.state().begin(&self.scenario);
        if let Some(Beyond::Drop) = beyond {
            // The request is not on the link. Only its sender does not know.
            self.state().end(false);
            sleep(TIMEOUT).await;
            return Err(Failed);
        }
        sleep(Duration::from_secs_f64(seconds)).await;
        self.state().end(beyond.is_none());
        match beyond {
            None => {
                self.answered.notify_one();
                Ok(())
            }
            Some(_) => Err(Failed),
        }
    }

    async fn until_answered(&self, requests: usize) {
        while self.state().all_answered < requests {
            self.answered.notified().await;
        }
    }
}

impl State {
    fn begin(&mut self, scenario: &Scenario) -> (f64, Option<Beyond>) {
        let now = Instant::now();
        self.begun.push_back(now);
        self.in_flight.add(now, 1);
        self.look(now);
        let (in_flight, rate) = (self.in_flight.now(), self.begun.len());
        let beyond = |bound: Option<(usize, Beyond)>, level: usize| {
            bound.filter(|(most, _)| level > *most).map(|(_, beyond)| beyond)
        };
        let beyond = beyond(scenario.most, in_flight).or(beyond(scenario.rate, rate));
        let in_flight = if beyond.is_some() { 1 } else { in_flight };
        (scenario.seconds(in_flight, &mut self.random), beyond)
    }

    fn end(&mut self, is_answered: bool) {
        let now = Instant::now();
        self.in_flight.add(now, -1);
        self.look(now);
        let (answered, failed) = if is_answered { (1, 0) } else { (0, 1) };
        self.answered += answered;
        self.failed += failed;
        self.all_answered += answered;
    }

    fn look(&mut self, now: Instant) {
        while self.begun.front().is_some_and(|&begun| now - begun >= Duration::from_secs(1)) {
            self.begun.pop_front();
        }
        self.rate.set(now, self.begun.len());
        let name = self.name;
        let limiter = self
            .limiter
            .get_or_insert_with(|| limit_runtime::find(name).expect("a request is sent under it"));
        self.limit.set(now, limiter.limit().expect("it is known"));
    }

    fn report(&mut self) -> Report {
        let now = Instant::now();
        let report = Report {
            in_flight: self.in_flight.take(now),
            limit: self.limit.take(now),
            rate: self.rate.take(now),
            time: now - self.since,
            answered: std::mem::take(&mut self.answered),
            failed: std::mem::take(&mut self.failed),
        };
        self.since = now;
        report
    }
}

/// Sends so many times the requests of Vector's run. Returns a report of that run's length, and one of the
/// time after it, until few requests are left.
pub(super) async fn run<F>(
    scenario: Scenario,
    name: &'static str,
    times: usize,
    send: impl Fn(Arc<Link>) -> F + Clone + Send + 'static,
) -> (Report, Report)
where
    F: Future<Output = Result<(), Failed>> + Send,
{
    let link = Link::new(scenario, name);
    let all = scenario.requests * times;
    let load = tokio::spawn({
        let link = Arc::clone(&link);
        async move {
            let mut requests = JoinSet::new();
            for _ in 0..all {
                let (link, send) = (Arc::clone(&link), send.clone());
                requests.spawn(async move {
                    while send(Arc::clone(&link)).await.is_err() {
                        sleep(PAUSE).await;
                    }
                });
                if !scenario.interval.is_zero() {
                    sleep(scenario.interval).await;
                }
            }
            requests.join_all().await;
        }
    });
    link.until_answered(scenario.requests).await;
    let first = link.state().report();
    link.until_answered(all - all / 20).await;
    let then = link.state().report();
    load.abort();
    (first, then)
}

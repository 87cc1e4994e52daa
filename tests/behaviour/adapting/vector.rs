//! The scenarios by which Vector tests its adaptive concurrency, on limits that find themselves.
//!
//! The figures of the scenarios, and the bounds that are called Vector's here, are facts of the repository
//! `vectordotdev/vector` (licence MPL-2.0): `tests/data/adaptive-concurrency/*.yaml` (`*.toml` before 2026), and
//! `src/sinks/util/adaptive_concurrency/tests.rs` for their meaning. The code and the words are not.
//!
//! Two things differ. There, a request that failed keeps its permit until it is tried again; here each attempt is a call.
//! There, the limit begins with 1 and goes up by 1 for each round trip; here it begins with 2 and stays for a cohort of calls.
//! So a run of Vector's length is over before a question was asked, or shortly after: a second report covers the time after
//! that. A bound that only describes Vector's own steps is replaced by what the link gives. Each place says so.

mod levels;
mod link;

use limit_runtime::{Limiter, concurrency_limit};
use link::{Beyond, Failed, Link, Scenario, run};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Runs a scenario so many times over, under an attribute. Gives the reports of the first run and of the others.
macro_rules! reports {
    ($scenario:expr, $times:expr, $name:literal, $($limit:tt)+) => {{
        #[concurrency_limit($($limit)+, name = $name, overload = Result::is_err)]
        async fn send(link: Arc<Link>) -> Result<(), Failed> {
            link.send().await
        }
        run($scenario, $name, $times, send).await
    }};
}

/// Asserts that a figure is within bounds.
#[track_caller]
fn within(figure: f64, bounds: RangeInclusive<f64>) {
    assert!(bounds.contains(&figure), "{figure} is not within {bounds:?}");
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// `constant-link`: the link always takes the same time.
///
/// There is no queue, however many requests there are, so the limit goes to the end of its range. Vector's bounds (at most
/// 22 to 32, 16 to 18 in the mean) are as far as it comes in 500 requests.
#[tokio::test(start_paused = true)]
async fn a_constant_link_takes_all() {
    let (first, then) = reports!(Scenario::new(500, 100), 10, "vector-constant-link", 1..=200);
    within(first.limit.mean(), 8.0..=32.0);
    assert!(first.limit.max() >= 22, "{first:?}");
    assert_eq!((then.limit.max(), then.in_flight.mode()), (200, 200));
    assert!(then.limit.min() >= 22, "{then:?}");
    assert_eq!((first.failed, then.failed), (0, 0));
}

/// `jittery-link-small`: each request takes an exponential time more, of a tenth in the mean.
///
/// As before, chance is no queue. Vector's bounds are 20 to 40 at most, 8 to 20 in the mean.
#[tokio::test(start_paused = true)]
async fn a_little_jitter_holds_nothing_back() {
    let scenario = Scenario { jitter: 0.1, ..Scenario::new(1_000, 100) };
    let (first, then) = reports!(scenario, 10, "vector-jittery-link", 1..=200);
    assert!(first.limit.max() >= 20 && first.in_flight.mean() >= 8.0, "{first:?}");
    assert_eq!((then.limit.max(), then.in_flight.mode()), (200, 200));
    assert_eq!((first.failed, then.failed), (0, 0));
}

/// `defers-at-high-concurrency`: of more than 5 requests at a time, those beyond fail.
///
/// Vector's bounds: 5 to 18 at most, mostly 0 to 6, and 2.2 to 5.0 in the mean, which leaves out that a failed request keeps
/// its permit for a second or more. Here 6 is the limit at which one call in six fails, and a seventh would be cut.
#[tokio::test(start_paused = true)]
async fn deferred_requests_hold_the_limit_at_what_the_link_takes() {
    let scenario = Scenario { most: Some((5, Beyond::Defer)), ..Scenario::new(500, 100) };
    let (first, then) = reports!(scenario, 10, "vector-defers-concurrency", 1..=200);
    for report in [&first, &then] {
        assert!(report.in_flight.max() <= 18 && report.in_flight.mode() <= 6, "{report:?}");
        within(report.in_flight.mean(), 4.0..=6.0);
        within(report.limit.mean(), 4.0..=6.0);
        within(report.failing(), 0.0..=1.0 / 6.0);
    }
    // 50 in a second is all that the link gives. The first 32 requests run two at a time.
    within(first.answers(), 42.0..=50.0);
    within(then.answers(), 45.0..=50.0);
}

/// `defers-at-high-rate`: of more than 100 requests in a second, those beyond fail, and count.
///
/// Vector's bounds: 16 to 24 at most, 6 to 9 in the mean, and 31 to 75 requests a second. The link takes 10 at a time, but a
/// limit of 12 fails for as long as it lasts, so the limit saws. How long a tooth lasts
/// depends on when a question comes, and the first run begins with 2: here 5 to 9, and then 5 to 10.
#[tokio::test(start_paused = true)]
async fn a_rate_that_is_reached_lowers_the_limit() {
    let scenario = Scenario { rate: Some((100, Beyond::Defer)), ..Scenario::new(1_000, 100) };
    let (first, then) = reports!(scenario, 10, "vector-defers-rate", 1..=200);
    within(first.in_flight.mean(), 5.0..=9.0);
    within(then.in_flight.mean(), 5.0..=10.0);
    for report in [first, then] {
        assert!(report.in_flight.max() <= 24 && report.limit.max() <= 24, "{report:?}");
        within(report.rate.mean(), 31.0..=75.0);
        within(report.failing(), 0.0..=0.4);
        within(report.answers(), 33.0..=100.0);
    }
}

/// `drops-at-high-concurrency`: of more than 5 requests at a time, those beyond are never answered. They end after a second,
/// and are not on the link meanwhile.
///
/// Vector's bounds: on the link 4 or 5 at most, mostly 3 to 5, 31 to 54 requests a second. Its 3 to 4 in the mean is its
/// sawtooth; nothing is wrong with a link that is full. Its limit is 7 to 52 in the mean: here it must stay near 5.
#[tokio::test(start_paused = true)]
async fn dropped_requests_hold_the_limit_at_what_the_link_takes() {
    let scenario = Scenario { most: Some((5, Beyond::Drop)), ..Scenario::new(500, 100) };
    let (first, then) = reports!(scenario, 10, "vector-drops-concurrency", 1..=200);
    for report in [first, then] {
        assert_eq!((report.in_flight.max(), report.in_flight.mode()), (5, 5));
        within(report.in_flight.mean(), 4.0..=5.0);
        within(report.rate.mean(), 40.0..=54.0);
        assert!(report.limit.max() <= 10, "{report:?}");
        within(report.limit.mean(), 4.5..=8.0);
        within(report.failing(), 0.0..=0.1);
    }
}

/// `fixed-concurrency-simple`: a limit that is set stays. The bounds are Vector's, but for the rate, whose end is not 90 but
/// 100 in a second.
#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_stays_on_a_constant_link() {
    static HELD: Limiter = Limiter::adaptive("vector-fixed", 1..=200);
    #[concurrency_limit(limiter = HELD, overload = Result::is_err)]
    async fn send(link: Arc<Link>) -> Result<(), Failed> {
        link.send().await
    }
    HELD.set_limit(10);
    let (first, then) = run(Scenario::new(500, 100), "vector-fixed", 10, send).await;
    for report in [first, then] {
        assert_eq!((report.in_flight.max(), report.in_flight.mode()), (10, 10));
        within(report.in_flight.mean(), 8.0..=10.0);
        within(report.answers(), 90.0..=100.0);
        assert_eq!((report.limit.min(), report.limit.max()), (10, 10));
    }
}

/// `fixed-concurrency-jitter`: the same, and each request takes an exponential time more, of a half in the mean. The bounds
/// are Vector's, but the most requests in a second are left to chance.
#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_stays_on_a_jittery_link() {
    static HELD: Limiter = Limiter::adaptive("vector-fixed-jitter", 1..=200);
    #[concurrency_limit(limiter = HELD, overload = Result::is_err)]
    async fn send(link: Arc<Link>) -> Result<(), Failed> {
        link.send().await
    }
    HELD.set_limit(10);
    let scenario = Scenario { jitter: 0.5, ..Scenario::new(500, 100) };
    let (first, then) = run(scenario, "vector-fixed-jitter", 10, send).await;
    within(first.rate.mean(), 55.0..=66.0);
    for report in [first, then] {
        assert_eq!((report.in_flight.max(), report.in_flight.mode()), (10, 10));
        within(report.in_flight.mean(), 8.0..=10.0);
        assert_eq!((report.limit.min(), report.limit.max()), (10, 10));
    }
}

/// `medium-send`: a request every 25 ms, on a link that takes 100 ms.
///
/// Vector's bounds: 4.0 to 4.5 in the mean, mostly 4 or 5, at most 8, and a limit of at most 9. Here as well the limit begins
/// with the lowest. It keeps requests waiting at first, and goes up until none waits: how far depends on a question that may
/// come meanwhile. From then on it stays.
#[tokio::test(start_paused = true)]
async fn the_limit_goes_up_until_nobody_waits() {
    let scenario = Scenario { interval: millis(25), ..Scenario::new(500, 100) };
    let (first, then) = reports!(scenario, 10, "vector-medium-send", 1..=200, start = 1);
    assert!(first.limit.max() <= 50, "{first:?}");
    within(then.in_flight.mean(), 3.99..=4.5);
    assert!((4..=5).contains(&then.in_flight.mode()) && then.in_flight.max() <= 8, "{then:?}");
    assert_eq!(then.limit.min(), then.limit.max());
    assert!(then.limit.max() <= 50, "{then:?}");
}

/// `shallow-knee`: from 10 requests on, each further one makes all a tenth slower.
///
/// 10 or 11 get the most through the link, 100 requests in a second. Vector's bounds: 12 at most, mostly 9 to 12, 9 to 11 in
/// the mean, 87 to 89 requests a second. Here the limit is what works and its root more, which is 13, and the root is seen as a
/// longer time. The first run also climbs, and sees the knee only by its first question.
#[tokio::test(start_paused = true)]
async fn the_limit_rests_at_a_shallow_knee() {
    let scenario = Scenario { knee: Some((10, 1.1)), ..Scenario::new(1_000, 100) };
    let (first, then) = reports!(scenario, 10, "vector-shallow-knee", 1..=200);
    assert!(first.limit.max() <= 20, "{first:?}");
    within(first.in_flight.mean(), 9.0..=13.0);
    assert!((10..=13).contains(&then.in_flight.mode()) && then.in_flight.max() <= 14, "{then:?}");
    within(then.in_flight.mean(), 10.0..=13.0);
    within(then.answers(), 95.0..=101.0);
}

/// `slow-link`: each other request adds the time of a whole one, so that the link does one after another.
///
/// Vector's bounds: 2 to 7 at most, mostly 2 to 5, 1.5 to 5.0 in the mean. Here they hold after the first run, in whose 20
/// seconds the limit has one question or two to come down from where its start has taken it.
#[tokio::test(start_paused = true)]
async fn a_slow_link_gets_few_requests_at_a_time() {
    let scenario = Scenario { scale: 1.0, ..Scenario::new(200, 100) };
    let (first, then) = reports!(scenario, 20, "vector-slow-link", 1..=200);
    assert!(first.limit.max() <= 10 && then.limit.max() <= 10, "{first:?} {then:?}");
    assert!((2..=5).contains(&then.in_flight.mode()), "{then:?}");
    within(then.in_flight.mean(), 1.5..=5.0);
    within(then.limit.mean(), 1.7..=5.0);
    // Whatever the limit, the link is never idle.
    within(then.answers(), 9.9..=10.1);
}

/// `slow-send-1`: a request every 100 ms, on a link that takes 50 ms. The bounds are Vector's, but that the limit begins
/// with 2 and stays.
#[tokio::test(start_paused = true)]
async fn few_requests_change_nothing() {
    let scenario = Scenario { interval: millis(100), ..Scenario::new(100, 50) };
    let (first, then) = reports!(scenario, 10, "vector-slow-send-1", 1..=200);
    for report in [first, then] {
        assert_eq!((report.in_flight.max(), report.in_flight.mode()), (1, 1));
        within(report.in_flight.mean(), 0.49..=0.55);
        assert_eq!((report.limit.min(), report.limit.max()), (2, 2));
    }
}

/// `slow-send-2`: a request every 50 ms, on a link that takes 50 ms. The bounds are Vector's, but that the limit begins with
/// 2 and stays.
#[tokio::test(start_paused = true)]
async fn requests_that_just_fit_change_nothing() {
    let scenario = Scenario { interval: millis(50), ..Scenario::new(100, 50) };
    let (first, then) = reports!(scenario, 10, "vector-slow-send-2", 1..=200);
    for report in [first, then] {
        assert!(report.in_flight.max() <= 2 && report.in_flight.mode() == 1, "{report:?}");
        within(report.in_flight.mean(), 0.99..=1.2);
        assert_eq!((report.limit.min(), report.limit.max()), (2, 2));
    }
}

//! A load: visitors that come whether or not the previous visitor has an answer.

mod backup;
mod day;
mod tally;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, StatusCode};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::exchange;
use crate::load::backup::back_up_each_night;
use crate::load::day::Clock;
use crate::load::tally::{Outcome, Tally};
use crate::replica::Replica;
use crate::utc::time_of_day;

/// The time between two checks for new visitors.
const TICK: Duration = Duration::from_millis(10);
/// The delay after which the load skips visitors.
///
/// After a pause of the program, the visitors of the pause do not all come at once.
const MISSED: Duration = Duration::from_secs(1);
/// The time between two lines of news.
const NEWS: Duration = Duration::from_secs(2);

const LEGEND: &str = "\
each line: the time, the requests of the last 2 seconds, the limit of `search`, the longest queue, and the
hour (a day goes by in a minute); 3/3 in use: all 3 permits are taken, for `orders` those of the tenant that
is named. The limit of `search` finds itself; from 20:00 to 08:00 a backup takes most of the replica that it
searches";

/// A group of visitors that ask for the same function.
struct Visitors {
    /// The limited function that the visitors' requests reach.
    function: &'static str,
    path: fn() -> String,
    /// The number of visitors a second at the busiest hour.
    peak: f64,
    /// The number of visitors that come together.
    together: u32,
    /// `true` if the visitors come at the same rate by day and by night.
    tireless: bool,
}

const VISITORS: [Visitors; 7] = [
    Visitors::by_day("report", 36.0, || format!("report/{}", fastrand::u32(1..=12))),
    Visitors::by_day("exchange-rate", 40.0, || {
        format!("exchange/{}", one_of(&["chf", "jpy", "usd"]))
    }),
    // A job that sends twelve requests each time.
    Visitors {
        together: 12,
        ..Visitors::by_day("fingerprint", 12.0, || format!("fingerprint/{}", fastrand::u32(..)))
    },
    Visitors::by_day("orders", 16.0, || {
        format!("orders/{}", one_of(&["north", "east", "south", "west"]))
    }),
    // The noisy tenant sends more requests than all other tenants together.
    Visitors { tireless: true, ..Visitors::by_day("orders", 60.0, || "orders/noisy".to_owned()) },
    // More than the replica can do while it makes a backup.
    Visitors {
        tireless: true,
        ..Visitors::by_day("search", 45.0, || format!("search/{}", fastrand::u32(100..50_000)))
    },
    Visitors::by_day("download", 3.0, || format!("download/{}", fastrand::u32(3..12))),
];

fn one_of(names: &[&'static str]) -> &'static str {
    names[fastrand::usize(..names.len())]
}

impl Visitors {
    const fn by_day(function: &'static str, peak: f64, path: fn() -> String) -> Self {
        Self { function, path, peak, together: 1, tireless: false }
    }

    /// Returns the time until the next visitors come.
    fn gap(&self, clock: &Clock) -> Duration {
        let rate = if self.tireless { self.peak } else { self.peak * clock.business() };
        // Visitors are independent of each other, so the gaps are exponentially distributed.
        let gap = -(1.0 - fastrand::f64()).ln() * f64::from(self.together) / rate;
        Duration::from_secs_f64(gap)
    }

    /// Returns how many visitors come now, and moves `next` to the time of the next visitors.
    fn due(&self, next: &mut Instant, clock: &Clock) -> u32 {
        let now = Instant::now();
        if now.duration_since(*next) > MISSED {
            *next = now;
        }
        let mut due = 0;
        while *next <= now {
            *next += self.gap(clock);
            due += self.together;
        }
        due
    }
}

/// The running load, which has a thread and a runtime of its own.
pub(crate) struct Load {
    enough: oneshot::Sender<()>,
    tally: oneshot::Receiver<Tally>,
}

impl Load {
    pub(crate) fn begin(service: SocketAddr, replica: Replica) -> anyhow::Result<Self> {
        let client = exchange::client().build().context("cannot set up the load's HTTP client")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (enough, told) = oneshot::channel();
        let (sender, tally) = oneshot::channel();
        println!("{LEGEND}\n");
        let thread = thread::Builder::new().name("load".to_owned());
        thread.spawn(move || {
            let tally = runtime.block_on(come(client, service, replica, told));
            // An error means that the program ends without waiting for the tally.
            let _ = sender.send(tally);
        })?;
        Ok(Self { enough, tally })
    }

    /// Stops new visitors, and waits until the last visitor has an answer.
    pub(crate) async fn end(self) -> anyhow::Result<Tally> {
        // An error means that the load has already ended.
        let _ = self.enough.send(());
        self.tally.await.context("the load broke off")
    }
}

/// Sends visitors until `enough` resolves, then waits for the visits that still run.
async fn come(
    client: Client,
    service: SocketAddr,
    replica: Replica,
    mut enough: oneshot::Receiver<()>,
) -> Tally {
    let clock = Clock::start();
    let backups = tokio::spawn(back_up_each_night(replica, clock));
    let mut next = VISITORS.map(|visitors| Instant::now() + visitors.gap(&clock));
    let mut tally = Tally::of(VISITORS.map(|visitors| visitors.function));
    let mut visits = JoinSet::new();
    let (mut ticks, mut news) = (every(TICK), every(NEWS));
    loop {
        tokio::select! {
            _ = &mut enough => break,
            Some(visit) = visits.join_next() => tally.count(visit),
            _ = news.tick() => println!("{}  {}  ({clock})", time_of_day(), tally.news()),
            _ = ticks.tick() => for (visitors, next) in VISITORS.iter().zip(&mut next) {
                for _ in 0..visitors.due(next, &clock) {
                    let url = format!("http://{service}/{}", (visitors.path)());
                    tally.asked(visitors.function);
                    visits.spawn(visit(client.clone(), visitors.function, url));
                }
            },
        }
    }
    backups.abort();
    while let Some(visit) = visits.join_next().await {
        tally.count(visit);
    }
    tally
}

/// Returns an interval whose first tick comes after one period.
fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn visit(client: Client, function: &'static str, url: String) -> (&'static str, Outcome) {
    let answer = async {
        let response = client.get(url).send().await?;
        let (status, later) = (response.status(), response.headers().contains_key(RETRY_AFTER));
        // The visit reads the whole body, because a download that breaks off is a failure.
        let text = response.bytes().await?;
        reqwest::Result::Ok(match status {
            StatusCode::OK => Outcome::Answered,
            StatusCode::SERVICE_UNAVAILABLE if later => Outcome::Refused,
            status => Outcome::Failed(format!("{status}: {}", String::from_utf8_lossy(&text))),
        })
    };
    (function, answer.await.unwrap_or_else(|error| Outcome::Failed(format!("{error:?}"))))
}

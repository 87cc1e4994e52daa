//! Many processes under load: what Redis has to do, how much of the limit is used, and how long calls wait.

use std::error::Error;
use std::thread;
use std::time::Duration;

use limit_benches::median;
use serde_json::{Map, Value, json};

use crate::calls::{busy, idle_while_wanted, jain, most_at_once, percentile, started};
use crate::crew;
use crate::job::{Contender, Job, Load};
use crate::plan::{Plan, Row};
use crate::report::{Section, verdict};
use crate::server::Server;
use crate::worker::now;

/// A load on a fleet.
pub(crate) struct Scenario {
    row: Row,
    what: &'static str,
    limit: u32,
    workers: u32,
    /// The calls that come, as a part of those that the limit could serve; or, for a saturated limit, the tasks of
    /// each worker, which call again and again.
    load: Demand,
    /// The least and the most microseconds of a body.
    body: (u64, u64),
    is_long: bool,
    /// The most calls of Redis an acquisition.
    at_most: Option<f64>,
}

enum Demand {
    Part(f64),
    Tasks(u32),
}

impl Scenario {
    pub(crate) fn uncontended() -> Self {
        Self {
            row: Row::Uncontended,
            what: "limit 200, 8 processes, load 0.25, bodies of 5 to 20 ms",
            limit: 200,
            workers: 8,
            load: Demand::Part(0.25),
            body: (5_000, 20_000),
            is_long: false,
            at_most: Some(0.01),
        }
    }

    pub(crate) fn contended() -> Self {
        Self {
            row: Row::Contended,
            what: "limit 20, 8 processes of 8 tasks, saturated, bodies of 5 to 20 ms",
            limit: 20,
            workers: 8,
            load: Demand::Tasks(8),
            body: (5_000, 20_000),
            is_long: false,
            at_most: Some(0.05),
        }
    }

    pub(crate) fn few() -> Self {
        Self {
            row: Row::Few,
            what: "limit 3, 40 processes, load 0.8, bodies of 100 ms",
            limit: 3,
            workers: 40,
            load: Demand::Part(0.8),
            body: (100_000, 100_000),
            is_long: true,
            at_most: None,
        }
    }

    pub(crate) fn few_saturated() -> Self {
        Self {
            row: Row::FewSaturated,
            what: "limit 3, 40 processes of 2 tasks, saturated, bodies of 100 ms",
            load: Demand::Tasks(2),
            ..Self::few()
        }
    }

    fn job(&self, contender: Contender, url: String, lease: Duration, round: u32) -> Job {
        let name = format!("{}-{}-{round}", self.row.name(), contender.name());
        let load = match self.load {
            Demand::Tasks(tasks) => Load::Tasks(tasks),
            Demand::Part(part) => {
                #[expect(clippy::cast_precision_loss, reason = "a body takes less than a second")]
                let body = (self.body.0 + self.body.1) as f64 / 2e6;
                Load::Rate(part * f64::from(self.limit) / body / f64::from(self.workers))
            }
        };
        Job {
            contender,
            url,
            name,
            limit: self.limit,
            lease,
            load,
            body: self.body,
            seed: u64::from(round) * 1_000,
        }
    }

    fn is_saturated(&self) -> bool {
        matches!(self.load, Demand::Tasks(_))
    }
}

/// A figure: its heading, its digits, and its value in one round.
struct Figure {
    heading: &'static str,
    digits: usize,
    value: fn(&Round) -> f64,
}

const FIGURES: [Figure; 11] = [
    Figure { heading: "calls/acq.", digits: 4, value: |round| round.calls / round.acquisitions },
    Figure { heading: "pushes/acq.", digits: 4, value: |round| round.pushes / round.acquisitions },
    Figure { heading: "acq./s", digits: 0, value: |round| round.acquisitions / round.seconds },
    Figure { heading: "Redis calls/s", digits: 0, value: |round| round.calls / round.seconds },
    Figure { heading: "Redis core", digits: 3, value: |round| round.processor / round.seconds },
    Figure { heading: "utilisation", digits: 3, value: |round| round.utilisation },
    Figure { heading: "idle", digits: 3, value: |round| round.idle },
    Figure { heading: "Jain", digits: 3, value: |round| round.jain },
    Figure { heading: "wait p50 ms", digits: 2, value: |round| round.wait_p50 },
    Figure { heading: "p99 ms", digits: 2, value: |round| round.wait_p99 },
    Figure { heading: "lost leases", digits: 0, value: |round| round.lost },
];

/// The result of one round.
struct Round {
    seconds: f64,
    acquisitions: f64,
    calls: f64,
    pushes: f64,
    processor: f64,
    utilisation: f64,
    idle: f64,
    jain: f64,
    wait_p50: f64,
    wait_p99: f64,
    lost: f64,
    most: usize,
}

/// Runs every contender once a round. Each round starts with the next one.
pub(crate) fn measure(
    server: &mut Server,
    plan: &Plan,
    scenario: &Scenario,
) -> Result<Section, Box<dyn Error>> {
    let mut order = plan.contenders.clone();
    let mut rounds: Vec<(Contender, Vec<Round>)> =
        plan.contenders.iter().map(|contender| (*contender, Vec::new())).collect();
    // A ledger on a young server waits, so in the first round the others come first.
    if !order.is_empty() {
        order.rotate_left(1);
    }
    for number in 0..plan.rounds {
        for &contender in &order {
            let round = run(server, plan, scenario, contender, number)?;
            if let Some((_, rounds)) = rounds.iter_mut().find(|(one, _)| *one == contender) {
                rounds.push(round);
            }
        }
        order.rotate_left(1);
    }
    Ok(section(scenario, &rounds))
}

fn run(
    server: &mut Server,
    plan: &Plan,
    scenario: &Scenario,
    contender: Contender,
    round: u32,
) -> Result<Round, Box<dyn Error>> {
    let job = scenario.job(contender, server.url(), plan.lease, round);
    match contender {
        Contender::Lease => server.wait_until_older_than(plan.lease),
        Contender::Blpop => server.fill(&job.name, scenario.limit)?,
        Contender::Poll => {}
    }
    let mut crew = crew::start(scenario.workers, &job)?;
    crew.iter_mut().try_for_each(crew::Worker::go)?;
    thread::sleep(plan.warm_up);
    server.count_anew()?;
    let (processor, begin) = (server.processor_time()?, now());
    thread::sleep(if scenario.is_long { plan.long_window } else { plan.window });
    let (account, processor, end) =
        (server.account()?, server.processor_time()? - processor, now());
    let logs = crew::end(crew)?;

    let window = begin..end;
    let calls = started(&logs, &window);
    let mut waits: Vec<f64> =
        calls.iter().map(|call| seconds(call.start - call.asked) * 1e3).collect();
    let busy: Vec<f64> = logs.iter().map(|log| seconds(busy(log, &window))).collect();
    let length = seconds(end - begin);
    let allowed = f64::from(scenario.limit) * length;
    #[expect(clippy::cast_precision_loss, reason = "there are less than 2^52 calls")]
    let count = |calls: usize| calls as f64;
    Ok(Round {
        seconds: length,
        acquisitions: count(calls.len()),
        calls: account.calls,
        pushes: account.pushes,
        processor,
        utilisation: busy.iter().sum::<f64>() / allowed,
        idle: seconds(idle_while_wanted(&logs, scenario.limit, &window)) / allowed,
        // Where all that comes is served, the shares are those of the calls that came.
        jain: if scenario.is_saturated() { jain(&busy) } else { f64::NAN },
        wait_p50: percentile(&mut waits, 0.5),
        wait_p99: percentile(&mut waits, 0.99),
        lost: count(logs.iter().flatten().filter(|call| call.lost).count()),
        most: most_at_once(&logs),
    })
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

fn section(scenario: &Scenario, rounds: &[(Contender, Vec<Round>)]) -> Section {
    let headings = FIGURES.iter().map(|figure| figure.heading);
    let heading = ["contender"].into_iter().chain(headings).chain(["most at once"]);
    let mut lines = vec![heading.map(str::to_owned).collect::<Vec<_>>()];
    let (mut notes, mut json, mut is_sound) = (Vec::new(), Map::new(), true);
    for (contender, rounds) in rounds {
        let most = rounds.iter().map(|round| round.most).max().unwrap_or(0);
        if most > scenario.limit as usize {
            notes.push(format!("ERROR: {}: {most} calls ran at once", contender.name()));
            is_sound = false;
        }
        let each = |figure: &Figure| rounds.iter().map(figure.value).collect::<Vec<_>>();
        let middle = |figure: &Figure| median(each(figure));
        let mut line = vec![contender.name().to_owned()];
        line.extend(FIGURES.iter().map(|figure| match middle(figure) {
            value if value.is_nan() => "-".to_owned(),
            value => format!("{value:.*}", figure.digits),
        }));
        line.push(most.to_string());
        lines.push(line);
        if *contender == Contender::Lease {
            notes.extend(verdicts(scenario, &FIGURES.each_ref().map(middle)));
        }
        let figures = FIGURES.iter().map(|figure| (figure.heading.to_owned(), each(figure).into()));
        let mut object: Map<String, Value> = figures.collect();
        object.insert("most at once".to_owned(), most.into());
        json.insert(contender.name().to_owned(), object.into());
    }
    let title = format!("{}: {}", scenario.row.name(), scenario.what);
    Section { name: scenario.row.name(), title, lines, notes, json: json!(json), is_sound }
}

/// Holds the figures of leases against their targets.
fn verdicts(scenario: &Scenario, figures: &[f64; FIGURES.len()]) -> Vec<String> {
    let figure = |heading: &str| {
        let index = FIGURES.iter().position(|figure| figure.heading == heading);
        index.map_or(f64::NAN, |index| figures[index])
    };
    let mut verdicts = Vec::new();
    if let Some(most) = scenario.at_most {
        let calls = figure("calls/acq.");
        verdicts.push(format!("lease: calls/acq. at most {most}: {}", verdict(calls <= most)));
    }
    if scenario.row == Row::Contended {
        for (heading, least) in [("utilisation", 0.98), ("Jain", 0.99)] {
            let is_met = figure(heading) >= least;
            verdicts.push(format!("lease: {heading} at least {least}: {}", verdict(is_met)));
        }
    }
    verdicts
}

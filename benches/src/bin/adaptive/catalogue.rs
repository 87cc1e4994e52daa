//! The scenarios, by what they have in common.

use crate::scenarios::{Load, Scenario, Work};

/// All, in the order of the tables.
pub(crate) fn all() -> Vec<Scenario> {
    [works(), changes(), crowds(), extremes()].concat()
}

/// Work of several kinds that stays as it is.
fn works() -> Vec<Scenario> {
    let exponential = Work::Exponential(0.1);
    let mut all = vec![
        Scenario::steady("exponential", "40 servers, exponential work of 100 ms", 40, exponential),
        Scenario::steady("constant", "40 servers, work of 100 ms always", 40, Work::Constant(0.1)),
        Scenario::steady(
            "heavy-tailed",
            "40 servers, log-normal work of 100 ms (squared coefficient of variation 5.2)",
            40,
            Work::HeavyTailed(0.1, 1.35),
        ),
        Scenario::steady(
            "bimodal",
            "40 servers, 9 of 10 calls take 20 ms, the tenth 820 ms",
            40,
            Work::TwoKinds(0.02, 0.82, 0.1),
        ),
    ];
    let mut network = Scenario::steady(
        "network",
        "100 ms of network, then 10 servers of 20 ms",
        10,
        Work::Exponential(0.02),
    );
    network.network = 0.1;
    all.push(network);
    all
}

/// Work and backends that change.
fn changes() -> Vec<Scenario> {
    let exponential = Work::Exponential(0.1);
    let mut all = Vec::new();
    let mut slower =
        Scenario::steady("slower", "the work gets three times slower for 90 s", 40, exponential)
            .then(60.0, |phase| phase.speed = 1.0 / 3.0)
            .then(150.0, |phase| phase.speed = 1.0);
    slower.end = 210.0;
    let mut from_25 = slower.clone();
    (from_25.name, from_25.about) =
        ("from 25", "the work gets three times slower and stays so; a range of 25 to 200");
    from_25.range = (25, 200);
    from_25.phases.pop();
    all.push(slower);
    all.push(from_25);
    all.push(Scenario::falls_to("to 40 %", "40 servers, 16 for 90 s, 40 again", 16));
    all.push(Scenario::falls_to("to 10 %", "40 servers, 4 for 90 s, 40 again", 4));
    all.push(Scenario::falls_to("to 5 %", "40 servers, 2 for 90 s, 40 again", 2));
    let mut collapse = Scenario::steady(
        "collapse",
        "each call over 40 in the backend slows all of them by a fortieth",
        40,
        exponential,
    );
    collapse.collapse = 1.0;
    all.push(collapse);
    let mut pauses = Scenario::steady(
        "pauses",
        "the backend stands still for 1 s in every 10 s",
        40,
        exponential,
    );
    for pause in 1..15 {
        let from = 10.0 * f64::from(pause);
        pauses = pauses
            .then(from, |phase| phase.speed = 0.0)
            .then(from + 1.0, |phase| phase.speed = 1.0);
    }
    all.push(pauses);
    let mut mix = Scenario::steady(
        "mix",
        "calls of 20 ms and of 300 ms: 1 of 10 is long, then 6 of 10, then 1 of 10",
        40,
        Work::TwoKinds(0.02, 0.3, 0.1),
    )
    .then(60.0, |phase| phase.work = Work::TwoKinds(0.02, 0.3, 0.6))
    .then(150.0, |phase| phase.work = Work::TwoKinds(0.02, 0.3, 0.1));
    mix.end = 210.0;
    all.push(mix);
    let mut incident = Scenario::steady(
        "incident",
        "for five minutes a quarter of the servers, at half of the speed",
        40,
        exponential,
    )
    .then(60.0, |phase| (phase.servers, phase.speed) = (10, 0.5))
    .then(360.0, |phase| (phase.servers, phase.speed) = (40, 1.0));
    incident.end = 420.0;
    incident.settles_after = Some(60.0);
    all.push(incident);
    all
}

/// Several limiters, and loads that come and go.
fn crowds() -> Vec<Scenario> {
    let exponential = Work::Exponential(0.1);
    let mut all = Vec::new();
    let mut eight = Scenario::steady(
        "eight",
        "eight limiters before one backend of 40 servers",
        40,
        exponential,
    );
    eight.limiters = vec![0.0; 8];
    all.push(eight);
    let mut late =
        Scenario::steady("late comers", "four limiters, and four more after 60 s", 40, exponential);
    late.limiters = vec![0.0, 0.0, 0.0, 0.0, 60.0, 60.0, 60.0, 60.0];
    late.end = 210.0;
    all.push(late);
    let mut surge = Scenario::steady(
        "surge",
        "half of the load, three times that for 60 s, half again",
        40,
        exponential,
    )
    .then(60.0, |phase| phase.load = Load::Random(600.0))
    .then(120.0, |phase| phase.load = Load::Random(200.0));
    surge.phases[0].load = Load::Random(200.0);
    surge.end = 180.0;
    all.push(surge);
    let mut idle = Scenario::steady(
        "idle",
        "a minute of load, two hours of a call in 10 s, load again",
        40,
        exponential,
    )
    .then(60.0, |phase| phase.load = Load::Random(0.1))
    .then(7260.0, |phase| phase.load = Load::Backlog);
    idle.warm_up = 7260.0;
    idle.end = 7290.0;
    all.push(idle);
    all
}

/// Limits far from the knee, much time, little time, and a backend that refuses.
fn extremes() -> Vec<Scenario> {
    let exponential = Work::Exponential(0.1);
    let mut all = Vec::new();
    let mut wide =
        Scenario::steady("wide", "a range of 1 to 1,000 where the knee is 3", 3, exponential);
    wide.range = (1, 1_000);
    wide.warm_up = 60.0;
    wide.end = 180.0;
    all.push(wide);
    let about = "8 servers, work of 100 ms, after 50 minutes of load";
    let mut hour = Scenario::steady("an hour", about, 8, exponential);
    hour.warm_up = 3_000.0;
    hour.end = 3_600.0;
    all.push(hour);
    let mut two =
        Scenario::steady("two a second", "2 servers, work of 1 s", 2, Work::Exponential(1.0));
    two.warm_up = 120.0;
    two.end = 600.0;
    all.push(two);
    let about = "2 servers, work of 15 ms, in the first 10 s";
    let mut start = Scenario::steady("start", about, 2, Work::Exponential(0.015));
    start.warm_up = 0.0;
    start.end = 10.0;
    all.push(start);
    let mut quick =
        Scenario::steady("2 ms", "8 servers, work of 2 ms", 8, Work::Exponential(0.002));
    quick.warm_up = 20.0;
    quick.end = 60.0;
    all.push(quick);
    let mut slow = Scenario::steady("2 s", "40 servers, work of 2 s", 40, Work::Exponential(2.0));
    slow.warm_up = 120.0;
    slow.end = 600.0;
    all.push(slow);
    let mut refusing = Scenario::steady(
        "refusing",
        "40 servers that refuse calls while 60 are there",
        40,
        exponential,
    );
    refusing.refuses_over = Some(60);
    all.push(refusing);
    all
}

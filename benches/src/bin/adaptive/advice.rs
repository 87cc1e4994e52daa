//! The advice of a controller that changes nothing, and how wrong it is.

use std::fmt::Write as _;

use limit_benches::median;

use crate::contender::Contender;
use crate::contenders::Ours;
use crate::scenarios::{Load, Phase, Scenario, Work};
use crate::simulator::Simulation;

/// Half a minute of half of the load, half a minute of three times that, and so on.
fn tides(limit: u32, change: impl Fn(f64, &mut Phase)) -> (u32, Scenario) {
    let mut scenario = crate::catalogue::all().swap_remove(0);
    let first = scenario.phases[0];
    scenario.phases = (0..10_u32)
        .map(|tide| {
            let load = Load::Random(if tide % 2 == 0 { 200.0 } else { 600.0 });
            let mut phase = Phase { from: 30.0 * f64::from(tide), load, ..first };
            change(phase.from, &mut phase);
            phase
        })
        .collect();
    scenario.end = 300.0;
    (limit, scenario)
}

pub(crate) fn text() -> String {
    let is_quiet = |phase: &Phase| matches!(phase.load, Load::Random(rate) if rate < 300.0);
    let mut text = String::from(
        "The best limit is 46: 40 servers and their root.\n\n\
         | fixed limit, load | advice: median | least | most |\n|---|---:|---:|---:|\n",
    );
    let rows = [
        ("30; quiet and busy by turns", tides(30, |_, _| {})),
        ("80; quiet and busy by turns", tides(80, |_, _| {})),
        ("160; quiet and busy by turns", tides(160, |_, _| {})),
        (
            "80; a call takes twice as long in quiet times",
            tides(80, |_, phase| {
                if is_quiet(phase) {
                    phase.work = Work::Exponential(0.2);
                }
            }),
        ),
        (
            "80; a call takes half as long in quiet times",
            tides(80, |_, phase| {
                if is_quiet(phase) {
                    phase.work = Work::Exponential(0.05);
                }
            }),
        ),
        (
            "80; after the last quiet time a call takes three times as long",
            tides(80, |from, phase| {
                if from > 240.0 {
                    phase.speed = 1.0 / 3.0;
                }
            }),
        ),
        (
            "80; quiet in its first moments only",
            tides(80, |_, phase| phase.load = Load::Random(600.0)),
        ),
    ];
    for (name, (limit, scenario)) in rows {
        let advice = |seed: u64| {
            let make =
                |_| -> Box<dyn Contender> { Box::new(Ours::advising((1, 200), limit, seed)) };
            Simulation::new(&scenario, seed, make).run(0).advice.map(f64::from)
        };
        let advice: Vec<f64> = (46..=55).filter_map(advice).collect();
        if advice.is_empty() {
            let _ = writeln!(text, "| {name} | none | | |");
            continue;
        }
        let least = advice.iter().copied().fold(f64::INFINITY, f64::min);
        let most = advice.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(text, "| {name} | {:.0} | {least} | {most} |", median(advice));
    }
    text
}

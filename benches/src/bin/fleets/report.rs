//! The tables for people and the JSON for programs.

use std::fmt::Write as _;

use limit_benches::machine::{Machine, version};
use limit_benches::table::aligned;
use serde_json::{Map, Value, json};

use crate::job::Contender;
use crate::plan::Plan;

/// The results of one row.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// The table, with its heading.
    pub(crate) lines: Vec<Vec<String>>,
    /// Sentences below the table.
    pub(crate) notes: Vec<String>,
    pub(crate) json: Value,
    /// `false` if a limit was passed.
    pub(crate) is_sound: bool,
}

/// All results of one run.
pub(crate) struct Report {
    machine: Machine,
    plan: Plan,
    server: String,
    sections: Vec<Section>,
}

impl Report {
    pub(crate) fn new(plan: &Plan, server: String, sections: Vec<Section>) -> Self {
        Self { machine: Machine::here(), plan: plan.clone(), server, sections }
    }

    /// Returns whether every limit held.
    pub(crate) fn is_sound(&self) -> bool {
        self.sections.iter().all(|section| section.is_sound)
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let Machine { processor, cores, system, date, .. } = &self.machine;
        let Plan { rounds, lease, .. } = &self.plan;
        let _ = writeln!(
            out,
            "{processor}, {cores} cores, {system}, {date}\n{}, tokio {}, redis {}\n\
             Medians of {rounds} round{}; lease {} s; server and workers share the cores",
            self.server,
            version("tokio"),
            version("redis"),
            if *rounds == 1 { "" } else { "s" },
            lease.as_secs(),
        );
        for section in &self.sections {
            let _ = writeln!(out, "\n{}", section.title);
            aligned(&mut out, &section.lines);
            for note in &section.notes {
                let _ = writeln!(out, "  {note}");
            }
        }
        out.push('\n');
        for contender in Contender::ALL {
            let _ = writeln!(out, "  {}: {}", contender.name(), contender.what());
        }
        for (heading, what) in [
            ("calls/acq.", "commands that clients sent to the server, for each call that began"),
            (
                "pushes/acq.",
                "messages that the server published to processes, for each call that began",
            ),
            ("Redis core", "the server's processor time, as a part of one core"),
            ("utilisation", "the time of all bodies, as a part of what the limit allows"),
            (
                "idle",
                "the time of permits that were idle while a call waited, as a part of what the limit allows",
            ),
            ("Jain", "the fairness between processes, by the time of their bodies"),
            ("most at once", "calls that ran at once in any round, by the logs of all workers"),
        ] {
            let _ = writeln!(out, "  {heading}: {what}");
        }
        out
    }

    /// Returns one object with the machine, the plan, the versions, and all rounds of each row.
    pub(crate) fn json(&self) -> String {
        let rows =
            self.sections.iter().map(|section| (section.name.to_owned(), section.json.clone()));
        let rows: Map<String, Value> = rows.collect();
        let value = json!({
            "machine": {
                "processor": self.machine.processor,
                "cores": self.machine.cores,
                "system": self.machine.system,
                "date": self.machine.date,
            },
            "server": self.server,
            "rounds": self.plan.rounds,
            "lease_s": self.plan.lease.as_secs_f64(),
            "rows": rows,
        });
        format!("{value:#}\n")
    }
}

/// Says whether a target is met.
pub(crate) fn verdict(is_met: bool) -> &'static str {
    if is_met { "ok" } else { "MISSED" }
}

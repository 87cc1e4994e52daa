//! The report as JSON.

use serde_json::{Map, Value, json};

use super::bars::{Line, lines};
use super::contents::Report;

impl Report {
    /// Returns one JSON object with the machine, the plan, the bars, and all that each run has measured.
    pub(crate) fn json(&self) -> String {
        let machine = &self.machine;
        let versions: Map<String, Value> = machine
            .versions
            .iter()
            .map(|(name, version)| ((*name).to_owned(), json!(version)))
            .collect();
        let value = json!({
            "machine": {
                "processor": machine.processor,
                "cores": machine.cores,
                "system": machine.system,
                "date": machine.date,
                "tokio_lock": machine.tokio_lock,
                "versions": versions,
            },
            "rounds": self.plan.rounds,
            "turn_milliseconds": self.plan.turn.as_secs_f64() * 1e3,
            "waiters": self.waiters,
            "bars": lines(self).iter().map(bar).collect::<Vec<_>>(),
            "runs": self.runs,
        });
        format!("{value:#}\n")
    }
}

fn bar(line: &Line<'_>) -> Value {
    let subjects: Map<String, Value> = line
        .verdicts
        .iter()
        .map(|verdict| {
            let value = json!({
                "middle": verdict.spread.middle(),
                "lowest": verdict.spread.lowest(),
                "highest": verdict.spread.highest(),
                "best_peer": verdict.peer,
                "met": verdict.met,
            });
            (verdict.subject.to_owned(), value)
        })
        .collect();
    json!({
        "row": line.row.name,
        "processors": line.row.processors,
        "against": line.bar.against,
        "at_most": line.bar.at_most,
        "subjects": subjects,
    })
}

//! The report as JSON.

use serde_json::{Map, Value, json};

use super::contents::{Report, met};
use crate::rows::cost::Cost;
use crate::rows::{Row, Unit};

impl Report {
    /// Returns one JSON object with the machine, the plan, the rows, the costs and the notes.
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
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "costs": self.costs.iter().map(cost).collect::<Vec<_>>(),
            "notes": self.notes,
        });
        format!("{value:#}\n")
    }
}

fn row(row: &Row) -> Value {
    let cells: Map<String, Value> = row
        .cells
        .iter()
        .map(|cell| {
            let value = json!({
                "figure": cell.figure,
                "met": met(row, cell.subject, cell.figure),
                "ratios_of_rounds": cell.ratios,
                "nanoseconds": cell.nanos,
                "held_against_nanoseconds": cell.base_nanos,
                "ratio_of_medians": cell.nanos.zip(cell.base_nanos).map(|(own, base)| own / base),
                "note": cell.note,
            });
            (cell.subject.to_owned(), value)
        })
        .collect();
    let unit = match row.unit {
        Unit::TimesPeer => "ratio to the hand-written tokio semaphore",
        Unit::TimesSmaller => "ratio to the same in the smaller setting",
        Unit::Bytes => "bytes",
    };
    json!({
        "name": row.name,
        "what": row.what,
        "unit": unit,
        "at_most": row.at_most,
        "subjects": cells,
    })
}

fn cost(cost: &Cost) -> Value {
    let forms: Map<String, Value> = cost
        .forms
        .iter()
        .map(|form| {
            let allocations = form
                .allocations
                .map(|[task, block_on]| json!({ "in_task": task, "in_block_on": block_on }));
            let value = json!({
                "future_bytes": form.future_bytes,
                "allocations_per_call": allocations,
            });
            (form.name.to_owned(), value)
        })
        .collect();
    json!({ "function": cost.function, "forms": forms })
}

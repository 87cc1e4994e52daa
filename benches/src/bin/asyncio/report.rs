//! The tables for people and the JSON for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};
use std::process::Command;

use limit_benches::machine::Machine;
use limit_benches::median;
use limit_benches::table::aligned;
use serde_json::{Map, Value, json};

use crate::contender::Contender;
use crate::outcome::Outcome;
use crate::plan::Plan;

/// The table of one body: each contender with its rounds.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) body: &'static str,
    pub(crate) what: &'static str,
    pub(crate) rows: Vec<(Contender, Vec<Outcome>)>,
}

/// The reason why a contender has no figures.
#[derive(Clone, Debug)]
pub(crate) struct Skipped {
    pub(crate) contender: Contender,
    pub(crate) why: String,
    /// `true` if the run is then not to be trusted.
    pub(crate) fatal: bool,
}

impl Display for Skipped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = if self.fatal { "ERROR" } else { "SKIPPED" };
        write!(f, "{word}: {}: {}", self.contender.name(), self.why)
    }
}

/// All results of one run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    machine: Machine,
    plan: Plan,
    tables: Vec<Table>,
    skipped: Vec<Skipped>,
    compiler: String,
}

impl Report {
    pub(crate) fn new(plan: Plan, tables: Vec<Table>, skipped: Vec<Skipped>) -> Self {
        let rustc = Command::new("rustc").arg("--version").output();
        let compiler = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let compiler = compiler.ok().and_then(|text| Some(text.split(' ').nth(1)?.to_owned()));
        Self {
            machine: Machine::here(),
            plan,
            tables,
            skipped,
            compiler: compiler.unwrap_or_else(|| "unknown".to_owned()),
        }
    }

    /// Returns `true` if no limit was passed and all of our own calls were made.
    pub(crate) fn sound(&self) -> bool {
        self.skipped.iter().all(|skipped| !skipped.fatal)
    }

    /// Prints the tables.
    pub(crate) fn print(&self) {
        print!("{}", self.text());
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let Plan { calls, limit, rounds } = self.plan;
        let Machine { processor, cores, system, date, .. } = &self.machine;
        let _ = writeln!(
            out,
            "\n{processor}, {cores} cores, {system}, {date}\n{} calls made at once, limit {}; \
             medians of {rounds} round{}, each in a process of its own",
            grouped(f64::from(calls)),
            grouped(f64::from(limit)),
            if rounds == 1 { "" } else { "s" },
        );
        for table in &self.tables {
            let _ = writeln!(out, "\n{}", table.what);
            aligned(&mut out, &lines(table));
        }
        out.push('\n');
        for (contender, _) in self.tables.first().iter().flat_map(|table| &table.rows) {
            let _ = writeln!(out, "  {}: {}", contender.name(), contender.what());
        }
        for skipped in &self.skipped {
            let _ = writeln!(out, "  {skipped}");
        }
        let versions: Vec<String> =
            self.versions().iter().map(|(name, version)| format!("{name} {version}")).collect();
        let _ = writeln!(out, "  versions: {}", versions.join(", "));
        out
    }

    /// Returns one object with the machine, the plan, the bodies, the skipped contenders, and the
    /// versions.
    pub(crate) fn json(&self) -> String {
        let bodies: Map<String, Value> = self
            .tables
            .iter()
            .map(|table| {
                let subjects: Map<String, Value> = table
                    .rows
                    .iter()
                    .map(|(contender, outcomes)| (contender.name().to_owned(), rounds(outcomes)))
                    .collect();
                (table.body.to_owned(), subjects.into())
            })
            .collect();
        let skipped = |one: &Skipped| json!({ "subject": one.contender.name(), "why": one.why });
        let value = json!({
            "machine": {
                "processor": self.machine.processor,
                "cores": self.machine.cores,
                "system": self.machine.system,
                "date": self.machine.date,
            },
            "versions": self.versions(),
            "calls": self.plan.calls,
            "limit": self.plan.limit,
            "rounds": self.plan.rounds,
            "bodies": bodies,
            "skipped": self.skipped.iter().map(skipped).collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    }

    fn versions(&self) -> BTreeMap<&str, &str> {
        let outcomes = self.tables.iter().flat_map(|table| &table.rows).flat_map(|(_, row)| row);
        outcomes
            .flat_map(|outcome| &outcome.versions)
            .map(|(name, version)| (name.as_str(), version.as_str()))
            .chain([("rustc", self.compiler.as_str())])
            .collect()
    }
}

fn rounds(outcomes: &[Outcome]) -> Value {
    let each = |figure: fn(&Outcome) -> Value| outcomes.iter().map(figure).collect::<Vec<_>>();
    json!({
        "calls_a_second": each(|outcome| json!(outcome.calls_a_second)),
        "peak_kib": each(|outcome| json!(outcome.peak_kib)),
        "before_the_calls_kib": each(|outcome| json!(outcome.before_kib)),
        "most_at_once": each(|outcome| json!(outcome.most_at_once)),
        "lone_sleep_ms": each(|outcome| json!(outcome.lone_sleep_ms)),
    })
}

/// Returns the heading, and one line for each contender.
fn lines(table: &Table) -> Vec<Vec<String>> {
    let sleeps = table.rows.iter().flat_map(|(_, row)| row).any(|one| one.lone_sleep_ms.is_some());
    let mut heading = vec![
        "contender",
        "calls a second",
        "times ours",
        "peak memory",
        "before the calls",
        "most at once",
    ];
    if sleeps {
        heading.push("one sleep alone");
    }
    let speed = |outcomes: &[Outcome]| middle(outcomes, |outcome| Some(outcome.calls_a_second));
    let ours = table.rows.iter().find(|(contender, _)| *contender == Contender::Ours);
    let ours = ours.and_then(|(_, outcomes)| speed(outcomes));
    let mut lines = vec![heading.into_iter().map(str::to_owned).collect()];
    for (contender, outcomes) in &table.rows {
        let speed = speed(outcomes);
        let times = speed.zip(ours).map(|(speed, ours)| speed / ours);
        let most = outcomes.iter().map(|outcome| outcome.most_at_once).max().unwrap_or(0);
        let mut line = vec![
            contender.name().to_owned(),
            or_na(speed, grouped),
            or_na(times, |times| format!("{times:.3}")),
            or_na(middle(outcomes, |outcome| outcome.peak_kib), mebibytes),
            or_na(middle(outcomes, |outcome| outcome.before_kib), mebibytes),
            most.to_string(),
        ];
        if sleeps {
            let sleep = middle(outcomes, |outcome| outcome.lone_sleep_ms);
            line.push(or_na(sleep, |sleep| format!("{sleep:.2} ms")));
        }
        lines.push(line);
    }
    lines
}

/// Returns the median of a figure over the rounds, if every round has it.
fn middle(outcomes: &[Outcome], figure: impl Fn(&Outcome) -> Option<f64>) -> Option<f64> {
    let figures: Vec<f64> = outcomes.iter().map(figure).collect::<Option<_>>()?;
    (!figures.is_empty()).then(|| median(figures))
}

fn or_na(figure: Option<f64>, text: impl Fn(f64) -> String) -> String {
    figure.map_or_else(|| "n/a".to_owned(), text)
}

fn mebibytes(kib: f64) -> String {
    format!("{:.1} MiB", kib / 1_024.0)
}

/// Formats a whole number, with a comma after each three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(calls_a_second: f64, peak_kib: Option<f64>) -> Outcome {
        Outcome {
            calls_a_second,
            most_at_once: 3,
            before_kib: Some(512.0),
            peak_kib,
            lone_sleep_ms: None,
            versions: vec![("tokio".to_owned(), "1.0".to_owned())],
        }
    }

    fn report(rows: Vec<(Contender, Vec<Outcome>)>, fatal: bool) -> Report {
        let table = Table { body: "empty", what: "Empty body", rows };
        let why = "`python3` is not installed".to_owned();
        let skipped = Skipped { contender: Contender::Asyncio, why, fatal };
        let plan = Plan { calls: 12_345, limit: 3, rounds: 3 };
        Report::new(plan, vec![table], vec![skipped])
    }

    #[test]
    fn a_line_has_the_medians_and_the_ratio_to_ours() {
        let ours = [4e6, 1e6, 2e6].map(|speed| outcome(speed, Some(2_048.0))).to_vec();
        let other = vec![outcome(5e5, None)];
        let rows = vec![(Contender::Ours, ours), (Contender::PLimit, other)];
        let lines = lines(&report(rows, false).tables[0]);
        assert_eq!(lines[1], ["ours", "2,000,000", "1.000", "2.0 MiB", "0.5 MiB", "3"]);
        assert_eq!(lines[2], ["p-limit", "500,000", "0.250", "n/a", "0.5 MiB", "3"]);
    }

    #[test]
    fn what_was_skipped_stands_below_the_tables_and_is_no_error() {
        let report = report(vec![(Contender::Ours, vec![outcome(1e6, None)])], false);
        let text = report.text();
        assert!(text.contains("\n12,345 calls made at once, limit 3; medians of 3 rounds"));
        assert!(text.contains("\n  SKIPPED: asyncio: `python3` is not installed\n"));
        assert!(text.contains("tokio 1.0"));
        assert!(report.sound());
    }

    #[test]
    fn what_must_not_be_is_an_error() {
        let report = report(Vec::new(), true);
        assert!(report.text().contains("\n  ERROR: asyncio: "));
        assert!(!report.sound());
    }

    #[test]
    fn the_json_has_every_round() {
        let rows = vec![(Contender::Ours, vec![outcome(1.5, None), outcome(2.5, None)])];
        let value: Value = serde_json::from_str(&report(rows, false).json()).expect("JSON");
        assert_eq!(value["calls"], 12_345);
        assert_eq!(value["bodies"]["empty"]["ours"]["calls_a_second"], json!([1.5, 2.5]));
        assert_eq!(value["skipped"][0]["subject"], "asyncio");
        assert_eq!(value["versions"]["tokio"], "1.0");
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        let texts = [0.0, 999.0, 1_000.0, 1_234_567.0].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}

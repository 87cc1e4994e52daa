//! The files in `assets/` follow from the list of metrics, and Prometheus accepts the rules.

use crate::assets;
use crate::scraped::{find, say_that_it_is_missing};
use crate::support::{encoded, of_some_metrics};
use limit_exporters::METRICS;
use limit_exporters::prometheus::Collector;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[test]
fn assets_are_those_that_the_list_makes() {
    for (path, content) in assets::all() {
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            checked_in == content,
            "{} is not what it would be made now; to make it again:\n\
             cargo run -p limit-tests --example assets --features prometheus",
            path.display()
        );
    }
}

#[test]
fn dashboard_shows_every_metric() {
    let [(_, dashboard), _] = assets::all();
    for metric in METRICS {
        assert!(dashboard.contains(metric.prometheus), "{} is not shown", metric.name);
    }
}

#[test]
fn dashboard_answers_which_limiter_since_when_and_what_changed() {
    let [(_, dashboard), _] = assets::all();
    let dashboard: Value = serde_json::from_str(&dashboard).expect("it is JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let named = |of: &Value, field: &str| {
        let names = list(of).into_iter().map(|each| each[field].as_str().map(ToOwned::to_owned));
        names.map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    // Rows that are folded come after these.
    let panels = list(&dashboard["panels"]);
    let open: Vec<_> = panels.iter().filter(|panel| panel["collapsed"] != true).collect();
    let of_type = |kind| open.iter().filter(move |panel| panel["type"] == kind);
    assert_eq!([of_type("stat").count(), of_type("table").count()], [6, 1]);
    assert_eq!(of_type("heatmap").count(), 1);
    let asks_topk = |panel: &&&Value| {
        let queries = list(&panel["targets"]);
        queries.iter().all(|query| query["expr"].as_str().unwrap_or_default().starts_with("topk("))
    };
    assert_eq!(of_type("timeseries").filter(asks_topk).count(), of_type("timeseries").count());
    assert_eq!(of_type("table").filter(asks_topk).count(), 1);
    let steps =
        |panel: &Value| list(&panel["fieldConfig"]["defaults"]["thresholds"]["steps"]).len();
    assert!(open.iter().filter(|panel| steps(panel) > 1).count() >= 8);
    let variables = named(&dashboard["templating"]["list"], "name");
    assert_eq!(variables, ["datasource", "job", "instance", "limiter", "page"]);
    let marks = named(&dashboard["annotations"]["list"], "expr");
    for metric in ["limit_changes_total", "enforced", "max_waiting", "max_wait_seconds"] {
        let series = format!("(concurrency_limit_{metric}{{");
        assert!(marks.iter().any(|mark| mark.contains(&series)), "{metric}: {marks:?}");
    }
    assert_eq!(named(&dashboard["links"], "url"), ["${page}"]);
    let table = of_type("table").next().expect("there is one").to_string();
    assert!(table.contains("${page}#name=${__value.raw:percentencode}"), "{table}");
}

#[test]
fn each_alert_leads_to_its_section_of_the_runbook() {
    const RUNBOOK: &str = include_str!("../../integrations/limit-exporters/src/runbook.rs");
    let headings =
        RUNBOOK.lines().filter_map(|line| line.strip_prefix("//! # `")?.strip_suffix('`'));
    // As rustdoc makes anchors of headings.
    let anchors: Vec<_> = headings.map(str::to_lowercase).collect();
    let rules = assets::alerts::alerting_rules();
    for alert in &rules {
        let url = alert.runbook_url();
        let (page, anchor) = url.split_once('#').expect("it names a section");
        assert!(page.ends_with("/limit_exporters/runbook/index.html"), "{page}");
        assert!(anchors.iter().any(|known| known == anchor), "no section {anchor}: {anchors:?}");
    }
    assert_eq!(anchors.len(), rules.len(), "no section is of an alert that is gone");
}

#[test]
fn rules_are_valid() {
    let [_, (rules, _)] = assets::all();
    promtool(&["check", "rules"], &rules);
}

#[test]
fn alerts_fire_when_they_should() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("exporters/alerts_test.yml");
    promtool(&["test", "rules"], &tests);
}

fn promtool(command: &[&str], file: &Path) {
    let Some(promtool) = find("promtool") else { return say_that_it_is_missing("promtool") };
    let output = Command::new(promtool).args(command).arg(file).output().expect("it starts");
    assert!(output.status.success(), "{}", said(&output));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

#[test]
fn metrics_are_as_prometheus_likes_them() {
    let Some(promtool) = find("promtool") else { return say_that_it_is_missing("promtool") };
    let _some = of_some_metrics("alerts::lint");
    let mut promtool = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = promtool.stdin.take().expect("it is piped");
    // On another thread, so that neither end of the pipe waits for the other.
    let text = older_format(&encoded(Collector::new()));
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = promtool.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads everything");
    assert!(output.status.success(), "{}", said(&output));
}

/// The format that `promtool` reads. There the suffix of a counter is a part of its name.
fn older_format(text: &str) -> String {
    let mut older = String::new();
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT")) {
        let name = line.strip_prefix("# ").and_then(|line| line.split(' ').nth(1));
        let counter = name.map(|name| (name, format!("{name}_total")));
        match counter.filter(|(_, total)| METRICS.iter().any(|metric| metric.prometheus == total)) {
            Some((name, total)) => older.push_str(&line.replacen(name, &total, 1)),
            None => older.push_str(line),
        }
        older.push('\n');
    }
    older
}

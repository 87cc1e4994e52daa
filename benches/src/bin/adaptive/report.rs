//! The tables, in Markdown.

use std::fmt::Write as _;

use crate::contenders::Algorithm;
use crate::study::{Figures, Study, Subject};

pub(crate) fn text(study: &Study) -> String {
    let mut text = String::new();
    summary(study, &mut text);
    matrix(study, "power", |figures| figures.power, &mut text);
    matrix(study, "goodput, as a share of the ideal", |figures| figures.goodput, &mut text);
    matrix(study, "body time, as a multiple of the ideal", |figures| figures.time, &mut text);
    losses(study, &mut text);
    text
}

fn line(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn rule(text: &mut String, columns: usize) {
    let _ = writeln!(text, "|---|{}", "---:|".repeat(columns - 1));
}

/// The lowest or the greatest value of a subject, with the scenario.
fn worst(study: &Study, subject: usize, value: impl Fn(Figures) -> f64) -> (f64, &'static str) {
    let values = study.column(subject).map(|(scenario, figures)| (value(figures), scenario.name));
    values.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::NAN, ""))
}

fn mean_power(study: &Study, subject: usize) -> f64 {
    let sum: f64 = study.column(subject).map(|(_, figures)| figures.power).sum();
    sum / crate::number::count(study.scenarios.len())
}

fn summary(study: &Study, text: &mut String) {
    let settles: Vec<usize> = (0..study.scenarios.len())
        .filter(|index| study.scenarios[*index].settles_after.is_some())
        .collect();
    let mut head: Vec<String> =
        ["", "power: mean", "worst", "worst goodput", "worst body time", "fairness"]
            .map(str::to_owned)
            .to_vec();
    head.extend(settles.iter().map(|index| format!("{}: settles", study.scenarios[*index].name)));
    line(text, &head);
    rule(text, head.len());
    for (index, subject) in study.subjects.iter().enumerate() {
        let power = worst(study, index, |figures| figures.power);
        let goodput = worst(study, index, |figures| figures.goodput);
        let time = worst(study, index, |figures| -figures.time);
        let fairness = worst(study, index, |figures| figures.fairness);
        let mut cells = vec![
            subject.name().to_owned(),
            format!("{:.2}", mean_power(study, index)),
            format!("{:.2} ({})", power.0, power.1),
            format!("{:.2} ({})", goodput.0, goodput.1),
            format!("{:.1} × ({})", -time.0, time.1),
            format!("{:.2}", fairness.0),
        ];
        for scenario in &settles {
            let settled = study.figures[*scenario][index].settled;
            cells.push(if settled.is_finite() {
                format!("{settled:.1} s")
            } else {
                "–".to_owned()
            });
        }
        line(text, &cells);
    }
}

fn matrix(study: &Study, title: &str, value: impl Fn(Figures) -> f64, text: &mut String) {
    let mut head = vec![title.to_owned()];
    head.extend(study.subjects.iter().map(|subject| subject.name().to_owned()));
    let _ = writeln!(text);
    line(text, &head);
    rule(text, head.len());
    for (scenario, row) in study.scenarios.iter().zip(&study.figures) {
        let mut cells = vec![scenario.name.to_owned()];
        cells.extend(row.iter().map(|figures| format!("{:.2}", value(*figures))));
        line(text, &cells);
    }
}

/// Where another has more power than limit-runtime.
fn losses(study: &Study, text: &mut String) {
    let Some(ours) =
        study.subjects.iter().position(|subject| *subject == Subject::Algorithm(Algorithm::Ours))
    else {
        return;
    };
    let _ = writeln!(text);
    for (scenario, row) in study.scenarios.iter().zip(&study.figures) {
        let better: Vec<String> = row
            .iter()
            .zip(&study.subjects)
            .filter(|(figures, _)| figures.power > row[ours].power + 0.005)
            .map(|(figures, subject)| format!("{} {:.2}", subject.name(), figures.power))
            .collect();
        if !better.is_empty() {
            let power = row[ours].power;
            let _ = writeln!(
                text,
                "- **{}** ({}): {power:.2}; {}",
                scenario.name,
                scenario.about,
                better.join(", ")
            );
        }
    }
}

/// Returns the thresholds that limit-runtime's algorithm, the first subject, does not reach.
pub(crate) fn missed(study: &Study) -> Vec<String> {
    let mut missed = Vec::new();
    let mut check = |what: String, value: f64, least: f64| {
        if value < least || value.is_nan() {
            missed.push(format!("{what} is {value:.3}, and not {least} or more"));
        }
    };
    check("the mean power".to_owned(), mean_power(study, 0), 0.7);
    for (scenario, figures) in study.column(0) {
        let least = if scenario.name == "2 s" { 0.8 } else { 0.7 };
        check(format!("{}: power", scenario.name), figures.power, 0.45);
        check(format!("{}: goodput", scenario.name), figures.goodput, least);
    }
    missed
}

//! The program `adaptive`, started as a user would.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn adaptive(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adaptive"));
    command.args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the number at the begin of a cell of each row of the first table.
fn column(output: &Output, column: usize) -> Vec<f64> {
    let stdout = text(&output.stdout);
    let rows = stdout.lines().skip(2).take_while(|line| !line.is_empty());
    let number = |row: &str| row.split('|').nth(column)?.split_whitespace().next()?.parse().ok();
    rows.map(|row| number(row).unwrap_or_else(|| panic!("no number in {row}"))).collect()
}

#[test]
fn the_limit_reaches_its_thresholds_in_each_scenario() {
    let output = adaptive(&["--check", "--quick"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// The columns of the first table.
const POWER: usize = 2;
const GOODPUT: usize = 4;
const BODY_TIME: usize = 5;

/// Returns the ratio of a figure without a rule to the same figure with it.
fn without(rule: &str, scenario: &str, figure: usize) -> f64 {
    let output = adaptive(&["--seeds", "46..=55", "--scenario", scenario, "--ablate", rule]);
    let figures = column(&output, figure);
    assert_eq!(figures.len(), 2, "{}", text(&output.stdout));
    figures[1] / figures[0]
}

#[test]
fn each_rule_is_seen_to_earn_its_place() {
    for (rule, scenario, most) in [
        ("questions", "slower", 0.9),
        ("smoothing", "to 40 %", 0.94),
        ("floor", "mix", 0.9),
        ("start", "bimodal", 0.9),
        ("2lo", "from 25", 0.9),
    ] {
        let ratio = without(rule, scenario, GOODPUT);
        assert!(ratio < most, "{scenario} without {rule}: {ratio:.2} of the goodput");
    }
    let ratio = without("jump", "slower", POWER);
    assert!(ratio < 0.9, "slower without the jump: {ratio:.2} of the power");
    let ratio = without("lattice", "late comers", BODY_TIME);
    assert!(ratio > 1.5, "late comers without the lattice: {ratio:.2} of the body time");
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let run = || text(&adaptive(&["--seeds", "3", "--scenario", "eight", "--check"]).stdout);
    assert_eq!(run(), run());
}

#[test]
fn each_algorithm_runs_and_is_named() {
    let output = adaptive(&["--quick", "--scenario", "wide"]);
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for name in [
        "limit-runtime",
        "failsafe-go",
        "Vector ARC",
        "Envoy",
        "Gradient2",
        "Vegas",
        "BBR",
        "AIMD",
        "tower",
    ] {
        assert!(stdout.contains(name), "{name} in {stdout}");
    }
    assert_eq!(column(&output, 2).len(), 10, "{stdout}");
}

#[test]
fn it_draws_a_picture_of_a_scenario() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("adaptive");
    let path = folder.to_str().expect("the path is text");
    let output = adaptive(&["--scenario", "to 40 %", "--pictures", path]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let svg = fs::read_to_string(folder.join("to-40.svg")).expect("the picture is written");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("40 servers, 16 for 90 s, 40 again"), "{svg}");
}

#[test]
fn a_scenario_that_is_not_there_is_named_beside_those_that_are() {
    let output = adaptive(&["--scenario", "storm"]);
    assert!(!output.status.success());
    let stderr = text(&output.stderr);
    assert!(stderr.contains("\"storm\"") && stderr.contains("heavy-tailed"), "{stderr}");
}

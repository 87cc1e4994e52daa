//! The program `asyncio`, started as a user would.

use std::process::{Command, Output};

use serde_json::Value;

/// Makes a quick run without any other contender. Its JSON goes to a file of this name.
fn quick(name: &str, arguments: &[&str]) -> (Output, String) {
    let path = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_asyncio"))
        .args(["--quick", "--json", &path])
        .args(arguments)
        .env("PATH", "")
        .output()
        .expect("the program runs");
    (output, path)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_quick_run_makes_our_calls_and_names_what_is_missing() {
    let (output, path) = quick("quick", &[]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    for missing in [
        "SKIPPED: asyncio: `python3` is not installed",
        "SKIPPED: uvloop: `python3` is not installed",
        "SKIPPED: p-limit: `node` is not installed",
    ] {
        assert_eq!(stderr.matches(missing).count(), 1, "{stderr}");
        assert_eq!(stdout.matches(missing).count(), 1, "{stdout}");
    }
    let json = std::fs::read_to_string(path).expect("the JSON is written");
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    for body in ["empty", "sleep"] {
        for subject in ["ours", "ours-multi"] {
            let rounds = &json["bodies"][body][subject];
            assert!(rounds["calls_a_second"][0].as_f64() > Some(0.0), "{json:#}");
            assert!(rounds["most_at_once"][0].as_u64() <= Some(100), "{json:#}");
        }
    }
    // Bodies that sleep overlap, so the calls do fill the limit.
    assert_eq!(json["bodies"]["sleep"]["ours"]["most_at_once"][0], 100);
}

#[test]
fn only_ours_when_only_ours_is_asked_for() {
    let (output, _) = quick("ours", &["--subject", "ours", "--calls", "50", "--limit", "2"]);
    assert!(output.status.success());
    let stdout = text(&output.stdout);
    assert!(stdout.contains("50 calls made at once, limit 2;"), "{stdout}");
    assert!(!stdout.contains("ours-multi") && !stdout.contains("SKIPPED"), "{stdout}");
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let (output, _) = quick("nothing", &["--limit", "0"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("--limit"));
}

//! The program `fleets`, started as a user would.

use std::process::{Command, Output};

use serde_json::Value;

/// Makes a quick run. Its JSON goes to a file of this name.
fn quick(name: &str, path: Option<&str>) -> (Output, String) {
    let json = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleets"));
    command.args(["--quick", "--json", &json]);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    (command.output().expect("the program runs"), json)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_quick_run_measures_every_row_and_no_limit_is_passed() {
    let (output, path) = quick("fleets", None);
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{}\n{stderr}", text(&output.stdout));
    if stderr.contains("SKIPPED: ") {
        eprint!("{stderr}");
        return;
    }
    let json = std::fs::read_to_string(path).expect("the JSON is written");
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let rows = &json["rows"];
    for (row, limit) in [("uncontended", 200), ("contended", 20), ("few", 3), ("few-saturated", 3)]
    {
        for contender in ["lease", "poll", "blpop"] {
            let figures = &rows[row][contender];
            let most = figures["most at once"].as_u64().expect("a number");
            assert!((1..=limit).contains(&most), "{row}, {contender}: {most}");
            assert!(figures["calls/acq."][0].is_number(), "{row}, {contender}: {figures:#}");
        }
    }
    assert!(rows["hot"]["task"]["fleet"][0].as_f64() > Some(0.0), "{rows:#}");
    assert_eq!(rows["reclaim"][0]["first_s"].as_array().map(Vec::len), Some(1), "{rows:#}");
    assert_eq!(rows["script"].as_array().map(Vec::len), Some(5), "{rows:#}");
}

#[test]
fn without_a_server_it_says_how_to_install_one() {
    let (output, _) = quick("skipped", Some(""));
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("SKIPPED: fleets: ") && stderr.contains("apt-get install"),
        "{stderr}"
    );
    assert_eq!(text(&output.stdout), "");
}

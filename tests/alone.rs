//! Tests that need a process in which nobody else has used a limiter.

use std::process::Command;

const VARIABLE: &str = "LIMIT_TESTS_ALONE";

/// Runs a test of this binary, by its whole name, in a process of its own, when it is its turn.
pub(crate) fn alone<T>(test: &str, turn: impl FnOnce() -> T, body: impl FnOnce()) {
    if std::env::var(VARIABLE).as_deref() == Ok(test) {
        return body();
    }
    let _turn = turn();
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]).env(VARIABLE, test);
    let output = command.output().expect("this program can be started");
    let [out, err] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
    // That it was passed over, if it was.
    eprint!("{err}");
}

//! Other programs: a test's own program run again, and programs that may be installed.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Holds the name of the test that runs alone in this process.
const ALONE: &str = "LIMIT_TESTS_ALONE";

/// Runs a test again in a process of its own, in which no other test runs, and asserts that it
/// passes there. Returns true in that process and false in the first one.
///
/// `test` is the test's whole name in its program. A test that needs such a process begins with
/// `if !is_alone("module::name") { return; }`.
#[track_caller]
pub fn is_alone(test: &str) -> bool {
    is_alone_with(test, |_| {})
}

/// Does the same as [`is_alone`], with a command that `prepare` changes first, for instance its
/// environment.
#[track_caller]
pub fn is_alone_with(test: &str, prepare: impl FnOnce(&mut Command)) -> bool {
    if is_own_process(test) {
        return true;
    }
    let program = env::current_exe().expect("the test knows its program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture"]).env(ALONE, test);
    prepare(&mut command);
    let output = command.output().expect("the test can run itself");
    let [out, err] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success() && out.contains("1 passed"), "{command:?}: {out}{err}");
    // The other process may have said that it skips the test.
    eprint!("{err}");
    false
}

/// Returns true in the process that [`is_alone`] has started for this test.
pub fn is_own_process(test: &str) -> bool {
    env::var(ALONE).as_deref() == Ok(test)
}

/// Returns the path of a program, if it is installed.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

//! The example as its user runs it.
//!
//! Each test runs the example's program, which `cargo test` builds along with the tests.
#![forbid(unsafe_code)]

#[path = "../../../tests/support/program.rs"]
mod program;

use crate::program::Program;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::test]
async fn four_processes_keep_to_one_limit_while_one_is_killed() -> Result {
    let picture = tempfile::tempdir()?;
    let path = picture.path().join("run.svg");
    let args = ["--seconds", "6", "--picture", path.to_str().ok_or("a path that is no text")?];
    let end = Program::new(env!("CARGO_BIN_EXE_fleet")).args(&args).start()?.end().await?;
    if end.errors.contains("needs redis-server") {
        println!("redis-server is not installed: skipped; apt-get install redis-server");
        return Ok(());
    }
    assert_eq!(end.code, Some(0), "{}", end.errors);
    assert!(end.output.contains("worker 1 is killed"), "{}", end.output);
    assert!(end.output.contains("At most 10 calls ran at once with a lease."), "{}", end.output);
    assert!(std::fs::read_to_string(path)?.contains("<svg"));
    Ok(())
}

#[tokio::test]
async fn without_a_server_it_says_what_to_install() -> Result {
    let program = Program::new(env!("CARGO_BIN_EXE_fleet")).env("PATH", "/nowhere");
    let end = program.start()?.end().await?;
    assert_eq!(end.code, Some(1), "{}", end.output);
    assert!(end.errors.contains("apt-get install redis-server"), "{}", end.errors);
    Ok(())
}

#[tokio::test]
async fn an_option_that_it_does_not_have_is_an_error() -> Result {
    let program = Program::new(env!("CARGO_BIN_EXE_fleet")).args(&["--workers", "5"]);
    let end = program.start()?.end().await?;
    assert_eq!(end.code, Some(1), "{}", end.output);
    assert!(end.errors.contains("usage: fleet"), "{}", end.errors);
    Ok(())
}

//! The example as its user runs it.
//!
//! Each test runs the example's program, which `cargo test` builds along with the tests.
#![forbid(unsafe_code)]

#[path = "../../../tests/support/program.rs"]
mod program;

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use crate::program::{End, Program};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The time for which the program may run, on a machine under load.
const PATIENCE: Duration = Duration::from_mins(2);

async fn run(args: &[&str]) -> Result<End> {
    let program = Program::new(env!("CARGO_BIN_EXE_hazards")).args(args);
    timeout(PATIENCE, program.run()).await?
}

/// Returns the lines on a hazard.
fn output_of<'a>(output: &'a str, name: &str) -> Result<&'a str> {
    let mut blocks = output.split("\n\n");
    let block = blocks.find_map(|block| block.strip_prefix(name)?.strip_prefix('\n'));
    Ok(block.ok_or_else(|| format!("nothing about {name}:\n{output}"))?)
}

/// Asserts that a block has these texts, one after the other.
#[track_caller]
fn assert_says(block: &str, texts: &[&str]) {
    let mut rest = block;
    for text in texts {
        let Some((_, after)) = rest.split_once(text) else { panic!("no {text:?} here:\n{block}") };
        rest = after;
    }
}

#[tokio::test]
async fn each_program_goes_as_promised() -> Result {
    let end = run(&[]).await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{}", end.output);
    let output = end.output;
    for name in ["select", "once", "stream", "undriven"] {
        let taken_back = [
            "  semaphore: hangs\n  limiter:   goes on after ",
            " s: the grant was taken back\n",
            &format!("(limiter `{name}`, examples/hazards/src/programs/{name}.rs:"),
        ];
        assert_says(output_of(&output, name)?, &taken_back);
    }
    let deadlock = [
        "  semaphore: hangs\n  limiter:   hangs as well, and the log says why after ",
        "deadlock: 2 calls wait for each other:\n",
        "waits at `hazards::programs::deadlock::",
        "; held by examples/hazards/src/programs/deadlock.rs:",
    ];
    assert_says(output_of(&output, "deadlock")?, &deadlock);
    let refuse = [
        "  semaphore: hangs\n  limiter:   goes on after ",
        " s: one call was refused\n",
        "gave way in a deadlock at concurrency limit `hazards::programs::refuse::",
        "deadlock: 2 calls wait for each other:\n",
        "this one gives way: examples/hazards/src/programs/refuse.rs:",
    ];
    assert_says(output_of(&output, "refuse")?, &refuse);
    let reentry = [
        "  semaphore: hangs\n  limiter:   hangs as well, and the log says why after ",
        "deadlock: a call waits for permits that its own task holds:\n",
        "waits at `hazards::programs::reentry::walk`: examples/hazards/src/programs/reentry.rs:",
    ];
    assert_says(output_of(&output, "reentry")?, &reentry);
    let order = [
        "  semaphore: goes on, and nothing says that it can hang\n",
        "  limiter:   goes on, and the log says that it can hang:\n",
        "limiters are nested in two orders, so their calls can wait for each other",
        "here: `hazards::programs::order::book` at examples/hazards/src/programs/order.rs:",
        "elsewhere: `hazards::programs::order::author` at examples/hazards/src/programs/order.rs:",
    ];
    // Only debug builds warn of it.
    assert_says(
        output_of(&output, "order")?,
        if cfg!(debug_assertions) { &order } else { &order[..1] },
    );
    for name in ["select", "once", "stream", "undriven", "deadlock", "refuse", "reentry", "order"] {
        assert_says(output_of(&output, name)?, &["  limiter: ", "\n  fix:       "]);
    }
    assert!(output.ends_with("/guide/hazards/\n"), "{output}");
    assert!(!output.contains("               WARN"),);
    assert!(!output.contains('\x1b'), "no colour where nobody looks");
    Ok(())
}

#[tokio::test]
async fn hazards_are_chosen_by_their_names() -> Result {
    let end = run(&["undriven", "select"]).await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{}", end.output);
    assert_eq!(end.output.matches("semaphore: hangs").count(), 2, "{}", end.output);
    output_of(&end.output, "select")?;
    output_of(&end.output, "undriven")?;
    Ok(())
}

#[tokio::test]
async fn its_help_lists_the_hazards() -> Result {
    let end = run(&["--help"]).await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""));
    assert!(end.output.contains("usage: hazards [NAME]..."), "{}", end.output);
    assert!(end.output.contains("\n  undriven  The first call"), "{}", end.output);
    Ok(())
}

#[tokio::test]
async fn a_hazard_that_it_does_not_have_is_an_error() -> Result {
    let end = run(&["starvation"]).await?;
    assert_eq!((end.code, end.output.as_str()), (Some(2), ""));
    assert!(end.errors.starts_with("there is no hazard `starvation`\n"), "{}", end.errors);
    Ok(())
}

#[test]
fn it_ends_quietly_if_nobody_reads_on() -> Result {
    let (reader, writer) = io::pipe()?;
    drop(reader);
    let mut program = Command::new(env!("CARGO_BIN_EXE_hazards"));
    let end = program.arg("select").stdout(writer).stderr(Stdio::piped()).output()?;
    assert_eq!((end.status.code(), String::from_utf8(end.stderr)?), (Some(0), String::new()));
    Ok(())
}

//! The example as its user runs it.
//!
//! Each test runs the example's program, which `cargo test` builds along with the tests.
#![forbid(unsafe_code)]

#[path = "../../../tests/support/program.rs"]
mod program;

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
fn block<'a>(output: &'a str, name: &str) -> Result<&'a str> {
    let mut blocks = output.split("\n\n");
    let block = blocks.find_map(|block| block.strip_prefix(name)?.strip_prefix('\n'));
    Ok(block.ok_or_else(|| format!("nothing about {name}:\n{output}"))?)
}

#[tokio::test]
async fn each_program_hangs_with_a_semaphore_and_goes_as_promised_with_a_limiter() -> Result {
    let end = run(&[]).await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{}", end.output);
    for name in ["select", "once", "stream", "undriven"] {
        let block = block(&end.output, name)?;
        assert!(block.contains("\n  semaphore: hangs\n"), "{block}");
        assert!(block.contains("\n  limiter:   goes on after "), "{block}");
        let place = format!(
            " s: the grant was taken back\n             (limiter `{name}`, examples/hazards/src/programs/{name}.rs:"
        );
        assert!(block.contains(&place), "{block}");
    }
    assert!(!end.output.contains('\x1b'), "no colour where nobody looks");
    Ok(())
}

#[tokio::test]
async fn hazards_are_chosen_by_their_names() -> Result {
    let end = run(&["undriven", "select"]).await?;
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{}", end.output);
    assert_eq!(end.output.matches("semaphore: hangs").count(), 2, "{}", end.output);
    block(&end.output, "select")?;
    block(&end.output, "undriven")?;
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

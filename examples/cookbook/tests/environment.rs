//! A process reads each variable once, so each value has a process of its own: the test runs itself
//! again.

use std::process::Command;

use cookbook::Server;
use tokio::task::JoinSet;

use crate::programs::environment::fetch;
use crate::{NINE_BY_THREES, Result};

const PART: &str = "COOKBOOK_PART";

/// Makes nine calls in another process, with this value of the variable or without the variable.
/// Returns the text that the server and the figures print there.
fn nine_calls_with(value: Option<&str>, test: &str) -> Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([&format!("environment::{test}"), "--exact", "--nocapture"]);
    command.env_remove("MAX_FETCHES").env(PART, "1");
    if let Some(value) = value {
        command.env("MAX_FETCHES", value);
    }
    let output = command.output()?;
    let told = String::from_utf8(output.stdout)?;
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    Ok(told)
}

/// Makes the calls if the test started this process for them. Returns `true` if so.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn is_part() -> bool {
    if std::env::var_os(PART).is_none() {
        return false;
    }
    let server = Server::new();
    let calls: JoinSet<_> = (1..=9).map(|page| fetch(server.clone(), page)).collect();
    calls.join_all().await;
    println!("\n{server}");
    for limiter in limit_runtime::limiters() {
        println!("{}", limiter.snapshot());
    }
    true
}

#[test]
fn the_variable_is_the_limit() -> Result {
    if is_part() {
        return Ok(());
    }
    let told = nine_calls_with(Some("5"), "the_variable_is_the_limit")?;
    let by_fives = "after 0.0 s: 1, 2, 3, 4, 5\nafter 0.1 s: 6, 7, 8, 9\nat most 5 at once\n";
    assert!(told.contains(by_fives), "{told}");
    Ok(())
}

#[test]
fn without_it_the_limit_is_the_one_in_the_code() -> Result {
    if is_part() {
        return Ok(());
    }
    let told = nine_calls_with(None, "without_it_the_limit_is_the_one_in_the_code")?;
    assert!(told.contains(NINE_BY_THREES), "{told}");
    assert!(!told.contains("environment variable"), "{told}");
    Ok(())
}

#[test]
fn a_value_that_is_no_limit_changes_nothing_and_the_figures_tell() -> Result {
    if is_part() {
        return Ok(());
    }
    for value in ["", "0", "many"] {
        let test = "a_value_that_is_no_limit_changes_nothing_and_the_figures_tell";
        let told = nine_calls_with(Some(value), test)?;
        assert!(told.contains(NINE_BY_THREES), "{told}");
        let warning = format!("environment variable `MAX_FETCHES` is {value:?}");
        assert!(told.contains(&warning), "{told}");
    }
    Ok(())
}

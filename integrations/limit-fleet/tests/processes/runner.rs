//! Runs cases beside one another.

use std::io::{Write, stdout};
use std::pin::Pin;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::servers::are_installed;

/// The cases that run at once. They mostly sleep.
const AT_ONCE: usize = 8;

/// A test.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> Pin<Box<dyn Future<Output = ()>>>,
}

/// Runs the cases whose names contain one of the program's arguments, or all. Ends the program with an error if one
/// fails.
pub(crate) fn run(cases: &[Case]) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|text| !text.starts_with('-')).collect();
    let wanted =
        |case: &&Case| filters.is_empty() || filters.iter().any(|it| case.name.contains(*it));
    let cases: Vec<Case> = cases.iter().filter(wanted).copied().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for case in cases {
            println!("{}: test", case.name);
        }
        return;
    }
    if !are_installed() {
        return;
    }
    println!("\nrunning {} tests", cases.len());
    let began = Instant::now();
    let waiting = Mutex::new(cases.iter());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(case) = waiting.lock().expect("no case runs under it").next() else {
                        return;
                    };
                    if !succeeds(*case) {
                        failed.lock().expect("no case runs under it").push(case.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no case runs under it");
    let (passed, time) = (cases.len() - failed.len(), began.elapsed());
    println!("\n{passed} passed; {} failed {failed:?}; finished in {time:.1?}", failed.len());
    if !failed.is_empty() {
        std::process::exit(101);
    }
}

/// Runs a case on a thread that has its name, so that the message of a panic says it.
fn succeeds(case: Case) -> bool {
    let began = Instant::now();
    let thread = thread::Builder::new().name(case.name.to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on((case.run)());
    });
    let succeeded = thread.expect("a thread").join().is_ok();
    let result = if succeeded { "ok" } else { "FAILED" };
    let _ = writeln!(stdout(), "test {} ... {result} ({:.1?})", case.name, began.elapsed());
    succeeded
}

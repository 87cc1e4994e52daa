//! The cost of limit-runtime for a build: seconds and crates of a cold build, seconds for each 100 annotated functions,
//! and bytes of a program.
//!
//! `cargo run --release -p limit-benches --bin build-cost` makes throw-away crates under `target/build-cost` and builds
//! them without the network, with the versions of this workspace.
#![forbid(unsafe_code)]

mod cold;
mod functions;
mod project;

use std::error::Error;

use clap::Parser;
use limit_benches::machine::Machine;

/// Measures what limit-runtime adds to a build
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each build is made; the median counts
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = Arguments::parse().rounds.max(1);
    let machine = Machine::here();
    println!(
        "{}, {} cores, {}, {}; {rounds} rounds",
        machine.processor, machine.cores, machine.system, machine.date
    );
    print!("{}", cold::measure(rounds)?);
    print!("{}", functions::measure(rounds)?);
    Ok(())
}

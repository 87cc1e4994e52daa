//! Four processes share a limit of 10. One is killed, one is stopped and goes on.
//!
//! ```sh
//! cargo run -p fleet                            # 17 seconds
//! cargo run -p fleet -- --picture run.svg       # draws the run as well
//! ```
//!
//! The program starts a Redis server of its own on a free port, and itself four times as a worker. Each worker
//! calls one function under load, and writes when each call starts and ends. This process reads that, prints each
//! second who holds what, and checks that never more than 10 calls ran.
#![forbid(unsafe_code)]

mod fleet;
mod intervals;
mod picture;
mod redis;
mod worker;

use anyhow::{Result, bail};
use std::env;
use std::path::PathBuf;

/// The options of the command line.
struct Options {
    picture: Option<PathBuf>,
    seconds: u64,
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { picture: None, seconds: fleet::SECONDS };
        while let Some(arg) = args.next() {
            let value = args.next();
            match (arg.as_str(), value) {
                ("--picture", Some(path)) => options.picture = Some(path.into()),
                ("--seconds", Some(seconds)) => options.seconds = seconds.parse()?,
                _ => bail!("usage: fleet [--picture FILE.svg] [--seconds N]"),
            }
        }
        Ok(options)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    if let Ok(url) = env::var(worker::URL) {
        return worker::run(&url).await;
    }
    let options = Options::read(env::args().skip(1))?;
    let run = fleet::run(options.seconds).await?;
    if let Some(path) = options.picture {
        picture::draw(&run, &path)?;
        println!("The picture is {}.", path.display());
    }
    if run.most_with_a_lease() > worker::LIMIT {
        bail!("more than {} calls ran with a lease", worker::LIMIT);
    }
    Ok(())
}

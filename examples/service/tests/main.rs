//! The service as its clients and its operator see it.
//!
//! Each test runs the example's program, which `cargo test` builds along with the tests.
#![forbid(unsafe_code)]

mod clients;
mod end;
mod figures;
mod overload;
mod page;
#[path = "../../../tests/support/program.rs"]
mod program;
mod search;
mod start;

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::clients::Clients;
use crate::figures::Figures;
use crate::program::{Program, Running};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A path for each of the limited functions, by the name of its limiter.
const PATHS: [(&str, &str); 6] = [
    ("download", "download/1"),
    ("exchange-rate", "exchange/usd"),
    ("fingerprint", "fingerprint/hello"),
    ("orders", "orders/north"),
    ("report", "report/7"),
    ("search", "search/100"),
];

/// The service, running, with settings in a file of its own.
struct Service {
    program: Running,
    address: SocketAddr,
    clients: Clients,
    settings: TempDir,
}

impl Service {
    async fn start(settings: &str, args: &[&str]) -> Result<Self> {
        let directory = TempDir::new()?;
        let file = directory.path().join("service.toml");
        fs::write(&file, settings)?;
        let file = file.to_str().ok_or("a path that is not Unicode")?;
        let program = Program::new(env!("CARGO_BIN_EXE_service")).args(&[
            "--addr",
            "127.0.0.1:0",
            "--settings",
            file,
        ]);
        let mut program = program.args(args).start()?;
        let line = program.until_says("serving").await?;
        let (_, after) = line.split_once("http://").ok_or("it says no address")?;
        let address = after.split('/').next().unwrap_or_default().parse()?;
        Ok(Self { program, address, clients: Clients::of(address)?, settings: directory })
    }

    /// Edits the settings, and waits until `is_so` returns `true` for the figures.
    async fn edit(&self, settings: &str, is_so: impl Fn(&Figures) -> bool) -> Result<Figures> {
        // The rename replaces the file in one step, so that nobody reads it half-written.
        let file = self.settings.path().join("service.toml");
        let other = file.with_extension("new");
        fs::write(&other, settings)?;
        fs::rename(other, file)?;
        self.until(is_so).await
    }

    async fn figures(&self) -> Result<Figures> {
        Ok(Figures::read(&self.clients.get("metrics").await?.text))
    }

    /// Waits until `is_so` returns `true` for the figures, and returns them.
    async fn until(&self, is_so: impl Fn(&Figures) -> bool) -> Result<Figures> {
        let begun = Instant::now();
        loop {
            let figures = self.figures().await?;
            if is_so(&figures) {
                return Ok(figures);
            }
            if begun.elapsed() > Duration::from_mins(1) {
                return Err(format!("a minute, and still: {figures:#?}").into());
            }
            // The service is another process, which cannot notify this one of a change.
            sleep(Duration::from_millis(5)).await;
        }
    }
}

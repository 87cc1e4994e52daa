//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Serves six functions with limits, on loopback.
#[derive(Debug, Parser)]
#[command(name = "service", after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Listen here; with port 0 on any port that is free
    #[arg(long, value_name = "ADDRESS", value_parser = on_loopback, default_value = "127.0.0.1:3000")]
    pub(crate) addr: SocketAddr,

    /// Take the limits' settings from this file, now and whenever it is edited
    #[arg(long, value_name = "FILE", default_value = SETTINGS)]
    pub(crate) settings: PathBuf,

    /// At the end, wait up to this many seconds for running calls
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub(crate) patience: Duration,

    /// Token that allows changes of limits on the page [default: a random token]
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    pub(crate) token: Option<String>,

    /// Ask for a lot: a day takes a minute, one tenant is noisy, and a backup slows searches at night
    #[arg(long)]
    pub(crate) load: bool,
}

const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/service.toml");

const AFTER_HELP: &str = "\
Ctrl-C lets nobody new in and waits for those inside; a second one leaves at once.";

/// Parses an address on loopback. The service asks for no password, so only this machine may call.
fn on_loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "must be an address and a port, such as 127.0.0.1:3000".to_owned())?;
    if !address.ip().is_loopback() {
        return Err("must be on loopback, such as 127.0.0.1:3000 or [::1]:3000".to_owned());
    }
    Ok(address)
}

/// Parses a token that a header can carry.
fn token(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err("must be of letters, digits and signs of ASCII, at least one".to_owned());
    }
    Ok(text.to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.filter(|seconds| *seconds <= Duration::from_hours(24));
    seconds.ok_or_else(|| "must be a number of seconds up to 86400, such as 30 or 0.5".to_owned())
}

//! The command `limit-fleet`: shows the ledgers of a fleet.
#![forbid(unsafe_code)]

mod arguments;
mod json;
mod silence;
mod table;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use limit_fleet::{LeaseStore, RedisStore, StoreError, StoreErrorKind};

use self::arguments::{Arguments, Command};

/// The exit code when the ledgers cannot be read.
const NOT_READ: u8 = 1;
/// The exit code when the command is not understood.
const USAGE: u8 = 2;
/// The time between two looks of `--watch`.
const INTERVAL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(Command::Status(arguments)) => arguments,
        Ok(Command::Print(text)) => return print(&text),
        Err(text) => {
            eprintln!("limit-fleet: {text}\n\n{}", arguments::USAGE);
            return ExitCode::from(USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("limit-fleet: {error}");
            return ExitCode::from(NOT_READ);
        }
    };
    runtime.block_on(show(&arguments))
}

/// Prints the ledgers, once or again and again.
async fn show(arguments: &Arguments) -> ExitCode {
    let store = match RedisStore::new(&arguments.url) {
        Ok(store) => store,
        Err(error) => return fail(&error),
    };
    loop {
        let text = look(&store, arguments).await;
        if !arguments.watch {
            return text.map_or_else(|error| fail(&error), |text| print(&text));
        }
        // While it watches, the server may go and come back.
        let text = text.unwrap_or_else(|error| {
            if arguments.json { json::error(&error) } else { format!("limit-fleet: {error}\n") }
        });
        let clear = if io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        if write(&format!("{clear}{text}")).is_err() {
            return ExitCode::SUCCESS;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Reads the ledgers and returns the text for them.
async fn look(store: &RedisStore, arguments: &Arguments) -> Result<String, StoreError> {
    let ledgers = store.read(arguments.namespace.as_deref()).await?;
    Ok(if arguments.json { json::text(&ledgers) } else { table::text(&ledgers) })
}

fn fail(error: &StoreError) -> ExitCode {
    eprintln!("limit-fleet: {error}");
    let usage = error.kind() == StoreErrorKind::Address;
    ExitCode::from(if usage { USAGE } else { NOT_READ })
}

/// Prints a text. It is no error if nobody reads it to its end.
fn print(text: &str) -> ExitCode {
    match write(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(NOT_READ),
        _ => ExitCode::SUCCESS,
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

//! The arguments of the command.

use lexopt::{Arg, Parser, ValueExt};

/// The text that says how the command is used.
pub(crate) const USAGE: &str = "\
usage: limit-fleet status [ADDRESS] [--namespace NAME] [--json] [--watch]

Prints every ledger: its limit, its nodes, who has which share, and who waits.
A lease is \"over\" if the ledger has been silent for longer than what was left of it. Its node may be
gone. The ledger keeps the share for it until others have asked for a while.

  ADDRESS            redis://user:password@host:port/db, or another address of limit-fleet;
                     the environment's LIMIT_FLEET_URL if there is none
  --namespace NAME   only the ledgers of this namespace
  --json             one line of JSON in place of the table
  --watch            again each second, until it is interrupted
  --help, --version

Exit code: 0 if the ledgers were read, 1 if not, 2 if the command is not understood.
";

/// The arguments of the command.
#[derive(Debug)]
pub(crate) enum Command {
    Status(Arguments),
    Print(String),
}

/// The options of `status`.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) url: String,
    pub(crate) namespace: Option<String>,
    pub(crate) json: bool,
    pub(crate) watch: bool,
}

/// Reads the arguments of this process. The error is a text for the user.
pub(crate) fn parse() -> Result<Command, String> {
    read(Parser::from_env()).map_err(|error| error.to_string())
}

fn read(mut parser: Parser) -> Result<Command, lexopt::Error> {
    let mut arguments = Arguments::default();
    let mut command = None;
    let mut url = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Print(USAGE.to_owned())),
            Arg::Long("version") | Arg::Short('V') => {
                let text = concat!("limit-fleet ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Command::Print(text.to_owned()));
            }
            Arg::Long("namespace") => arguments.namespace = Some(parser.value()?.string()?),
            Arg::Long("json") => arguments.json = true,
            Arg::Long("watch") => arguments.watch = true,
            Arg::Value(value) if command.is_none() => command = Some(value.string()?),
            Arg::Value(value) if url.is_none() => url = Some(value.string()?),
            // Not by `unexpected`, which would repeat a value: it may be an address with a password.
            Arg::Value(_) => return Err("there is more than one address".into()),
            argument => return Err(argument.unexpected()),
        }
    }
    match command.as_deref() {
        Some("status") => {}
        Some(_) => return Err("the only command is status".into()),
        None => return Err("no command".into()),
    }
    let url = url.or_else(|| std::env::var("LIMIT_FLEET_URL").ok().filter(|url| !url.is_empty()));
    arguments.url = url.ok_or("no address, and no LIMIT_FLEET_URL in the environment")?;
    Ok(Command::Status(arguments))
}

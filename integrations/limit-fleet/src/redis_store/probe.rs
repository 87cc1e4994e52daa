//! A try of all that a message to a ledger does.

use redis::{Cmd, Script, Value};

use super::connection::READ_TIMEOUT;
use super::nodes::Nodes;
use crate::{StoreError, StoreErrorKind};

const SOURCE: &str = include_str!("probe.lua");
/// The key of the hash on which the commands are tried. The names of ledgers have two parts, so it is the key of none.
const KEY: &str = "limit:{probe}";

/// Calls the commands that the script calls, and fails as a message would. It leaves nothing behind.
///
/// A fault that only shows with the first call would come too late: a server gives no hint of it before.
pub(super) async fn run(nodes: &Nodes, channel: &str) -> Result<(), StoreError> {
    let eval = command("EVAL", SOURCE, channel);
    nodes.query::<Value>(KEY, &eval, READ_TIMEOUT).await?;
    // Messages begin with the hash of the script. The server has this script now.
    let evalsha = command("EVALSHA", Script::new(SOURCE).get_hash(), channel);
    match nodes.query::<Value>(KEY, &evalsha, READ_TIMEOUT).await {
        Err(error) if error.kind() != StoreErrorKind::NoScript => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn command(name: &str, script: &str, channel: &str) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(KEY).arg(channel);
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// Returns the words of a script in quotation marks that are all upper case.
    fn commands(script: &str) -> BTreeSet<&str> {
        let words = script.split('\'').skip(1).step_by(2);
        words
            .filter(|word| word.len() > 2 && word.bytes().all(|it| it.is_ascii_uppercase()))
            .collect()
    }

    fn without_comments(script: &str) -> String {
        script.lines().filter_map(|line| line.split("--").next()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_probe_calls_the_commands_of_the_script() {
        let (probe, script) =
            (without_comments(super::SOURCE), without_comments(crate::script::SOURCE));
        assert_eq!(commands(&probe), commands(&script));
        assert!(commands(&probe).contains("HGETALL"));
    }
}

//! The command that runs the script, and what comes back.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use redis::{Cmd, Script};

use crate::message::{Answer, Push, Renewal, Times};
use crate::{LedgerName, StoreError, StoreErrorKind, script};

/// The beginning of the channels for pushes. The process follows.
const CHANNELS: &str = "limit:push:";

/// The script, and where servers do not have it.
#[derive(Debug)]
pub(super) struct RenewScript {
    hash: String,
    /// The ledgers whose last message met a server without the script: the next one brings it along.
    missing: Mutex<HashSet<LedgerName>>,
}

impl RenewScript {
    pub(super) fn new() -> Self {
        Self { hash: Script::new(script::SOURCE).get_hash().to_owned(), missing: Mutex::default() }
    }

    /// Returns the command for a message.
    pub(super) fn command(&self, ledger: &LedgerName, times: &Times, renewal: &Renewal) -> Cmd {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(ledger);
        let mut command = if missing {
            let mut command = redis::cmd("EVAL");
            command.arg(script::SOURCE);
            command
        } else {
            let mut command = redis::cmd("EVALSHA");
            command.arg(&self.hash);
            command
        };
        command
            .arg(1)
            .arg(ledger.redis_key())
            .arg(&renewal.node.0)
            .arg(renewal.seq)
            .arg(renewal.claim)
            .arg(renewal.running)
            .arg(renewal.want)
            .arg(renewal.limit)
            .arg(renewal.token)
            .arg(times.ttl)
            .arg(times.hold)
            .arg(CHANNELS);
        command
    }

    /// Notes that the server of this ledger does not have the script.
    pub(super) fn note_missing(&self, ledger: &LedgerName) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(ledger.clone());
    }
}

/// Reads the answer of the script.
pub(super) fn answer(reply: &[i64]) -> Result<Answer, StoreError> {
    script::read_reply(reply).ok_or_else(|| {
        let message = format!("the answer {reply:?} of the script is not understood");
        StoreError::new(StoreErrorKind::Script, message)
    })
}

/// Returns the channel on which a process hears pushes.
pub(super) fn channel(process: &str) -> String {
    format!("{CHANNELS}{process}")
}

/// Reads a push. Returns `None` for a message of anything else.
pub(super) fn push(payload: &[u8]) -> Option<(LedgerName, Push)> {
    let (key, push) = script::read_push(std::str::from_utf8(payload).ok()?)?;
    Some((LedgerName::from_redis_key(key)?, push))
}

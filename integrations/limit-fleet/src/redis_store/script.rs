//! The script that a server runs for each message.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use redis::{Cmd, FromRedisValue, ParsingError, Script, Value};

use crate::message::{Answer, NodeId, Push, Renewal, Times, Verdict};
use crate::{LedgerName, StoreError, StoreErrorKind};

/// The source of the script: the part that reads the server, and the ledger.
const RENEW: &str =
    concat!(include_str!("../script/server.lua"), include_str!("../script/ledger.lua"));

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
        Self { hash: Script::new(RENEW).get_hash().to_owned(), missing: Mutex::default() }
    }

    /// Returns the command for a message.
    pub(super) fn command(&self, ledger: &LedgerName, times: &Times, renewal: &Renewal) -> Cmd {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(ledger);
        let mut command = if missing {
            let mut command = redis::cmd("EVAL");
            command.arg(RENEW);
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

/// The answer as the script returns it.
#[derive(Debug)]
pub(super) struct Reply(Vec<u64>);

impl FromRedisValue for Reply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        Vec::from_redis_value(value).map(Self)
    }
}

impl Reply {
    /// Reads the answer.
    pub(super) fn answer(&self) -> Result<Answer, StoreError> {
        self.read().ok_or_else(|| {
            let message = format!("the answer {:?} of the script is not understood", self.0);
            StoreError::new(StoreErrorKind::Script, message)
        })
    }

    fn read(&self) -> Option<Answer> {
        match *self.0 {
            [0, ref numbers @ ..] => answer(Verdict::Accepted, numbers),
            [1, ref numbers @ ..] => answer(Verdict::Refused, numbers),
            [2, seq, ttl, hold] => {
                answer(Verdict::OtherTimes(Times { ttl, hold }), &[seq, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            _ => None,
        }
    }
}

fn answer(verdict: Verdict, numbers: &[u64]) -> Option<Answer> {
    let [seq, share, target, queued, nodes, learning, token, limit, in_use] = *numbers else {
        return None;
    };
    Some(Answer {
        seq,
        verdict,
        share: share.try_into().ok()?,
        target: target.try_into().ok()?,
        queued: queued.try_into().ok()?,
        nodes: nodes.try_into().ok()?,
        learning: learning != 0,
        token,
        limit: limit.try_into().ok()?,
        in_use: u32::try_from(in_use).unwrap_or(u32::MAX),
    })
}

/// Returns the channel on which a process hears pushes.
pub(super) fn channel(process: &str) -> String {
    format!("{CHANNELS}{process}")
}

/// Reads a push: node, seq, share or `-`, token, and the key. Returns `None` for a message of anything else.
pub(super) fn push(payload: &str) -> Option<(LedgerName, Push)> {
    let mut words = payload.splitn(5, ' ');
    let node = NodeId(words.next()?.to_owned());
    let seq = words.next()?.parse().ok()?;
    let share = match words.next()? {
        "-" => None,
        share => Some(share.parse().ok()?),
    };
    let token = words.next()?.parse().ok()?;
    let ledger = LedgerName::from_redis_key(words.next()?)?;
    Some((ledger, Push { node, seq, share, token }))
}

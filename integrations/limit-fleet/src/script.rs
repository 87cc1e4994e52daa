//! The ledger as a script for Redis and Valkey.
//!
//! The script lies on the server and does there what [`Ledger::renew`](crate::ledger::Ledger::renew) does. `KEYS[1]` is
//! the hash of the ledger. `ARGV` is the node, seq, claim, running, want, limit and token of the message; ttl and hold;
//! and the prefix of the channels for pushes. A push goes to the channel with the prefix and the node's process.

use crate::message::{Answer, NodeId, Push, Times, Verdict};

/// The source of the script.
pub const SOURCE: &str =
    concat!(include_str!("script/server.lua"), include_str!("script/ledger.lua"));

/// Reads the reply of the script. Returns `None` if it is none.
#[must_use]
pub fn read_reply(reply: &[i64]) -> Option<Answer> {
    let (&verdict, rest) = reply.split_first()?;
    let mut numbers = rest.iter().map(|&number| u64::try_from(number).ok());
    let mut large = || numbers.next().flatten();
    let seq = large()?;
    let verdict = match verdict {
        0 => Verdict::Accepted,
        1 => Verdict::Refused,
        2 => {
            let times = Times { ttl: large()?, hold: large()? };
            return Some(Answer::refuse(seq, Verdict::OtherTimes(times)));
        }
        _ => return None,
    };
    // The numbers stand in the order of these lines.
    Some(Answer {
        seq,
        verdict,
        share: small(large()?),
        target: small(large()?),
        queued: small(large()?),
        nodes: small(large()?),
        learning: large()? != 0,
        token: large()?,
        limit: small(large()?),
        in_use: small(large()?),
        most: small(large()?),
    })
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads the payload of a push: the key of the ledger, and the push. Returns `None` if it is none.
#[must_use]
pub fn read_push(payload: &str) -> Option<(&str, Push)> {
    let mut words = payload.splitn(5, ' ');
    let node = NodeId(words.next()?.to_owned());
    let seq = words.next()?.parse().ok()?;
    let share = match words.next()? {
        "-" => None,
        share => Some(share.parse().ok()?),
    };
    let token = words.next()?.parse().ok()?;
    Some((words.next()?, Push { node, seq, share, token }))
}

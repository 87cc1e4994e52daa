//! The text in which a ledger is stored: the fields of a hash.
//!
//! | field | value |
//! |---|---|
//! | `m` | replication id, time, last, learning-until, low, high, scanned, busy, charges, running, queued, limit, token, tickets, nodes, ttl, hold |
//! | `q` | the heads of the queue: ticket and node, again and again |
//! | `n:` and the node | share, running, want, seq, end, limit, ticket, former ticket, raised, heard |
//!
//! A space stands between the values.

use std::{error, fmt};

use super::{Heads, Ledger, Level, Record};
use crate::message::{NodeId, Times};

/// The error for a hash that holds no ledger, or one of another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    field: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the field `{}` of the ledger is missing or not understood", self.field)
    }
}

impl error::Error for Malformed {}

impl Ledger {
    /// Reads a ledger from the fields of its hash.
    ///
    /// # Errors
    ///
    /// If a field is missing or is not as this version writes it.
    pub fn parse<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Malformed> {
        let (mut main, mut heads, mut nodes) = (None, None, Vec::new());
        for (field, text) in fields {
            match field {
                "m" => main = Some(parse_main(text).ok_or_else(|| malformed(field))?),
                "q" => heads = Some(parse_heads(text).ok_or_else(|| malformed(field))?),
                _ => {
                    let node = field.strip_prefix("n:").ok_or_else(|| malformed(field))?;
                    let record = parse_record(text).ok_or_else(|| malformed(field))?;
                    nodes.push((NodeId(node.to_owned()), record));
                }
            }
        }
        let (mut ledger, count) = main.ok_or_else(|| malformed("m"))?;
        if nodes.len() as u64 != count {
            return Err(malformed("m"));
        }
        ledger.heads = heads.ok_or_else(|| malformed("q"))?;
        ledger.nodes.extend(nodes);
        Ok(ledger)
    }
}

fn malformed(field: &str) -> Malformed {
    Malformed { field: field.to_owned() }
}

fn parse_main(text: &str) -> Option<(Ledger, u64)> {
    let (replid, numbers) = text.split_once(' ')?;
    let [
        time,
        last,
        learning_until,
        low,
        high,
        scanned,
        busy,
        charges,
        running,
        queued,
        limit,
        token,
        tickets,
        nodes,
        ttl,
        hold,
    ] = parse_numbers(numbers)?;
    let ledger = Ledger {
        replid: replid.to_owned(),
        times: Times { ttl, hold },
        time,
        last,
        learning_until,
        level: Level { low: low.try_into().ok()?, high: high.try_into().ok()? },
        scanned,
        busy,
        charges,
        running,
        queued: queued.try_into().ok()?,
        limit: limit.try_into().ok()?,
        token,
        tickets,
        heads: Heads::default(),
        nodes: [].into(),
    };
    Some((ledger, nodes))
}

fn parse_heads(text: &str) -> Option<Heads> {
    let mut words = text.split_ascii_whitespace();
    let mut heads = Vec::new();
    while let Some(ticket) = words.next() {
        heads.push((ticket.parse().ok()?, NodeId(words.next()?.to_owned())));
    }
    Some(Heads(heads))
}

fn parse_record(text: &str) -> Option<Record> {
    let [share, running, want, seq, end, limit, ticket, former_ticket, raised, heard] =
        parse_numbers(text)?;
    Some(Record {
        share: share.try_into().ok()?,
        running: running.try_into().ok()?,
        want: want.try_into().ok()?,
        seq,
        end,
        limit: limit.try_into().ok()?,
        ticket,
        former_ticket,
        raised,
        heard: heard.try_into().ok()?,
    })
}

fn parse_numbers<const N: usize>(text: &str) -> Option<[u64; N]> {
    let numbers: Vec<u64> = text.split(' ').map(|word| word.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

//! The form in which a ledger is stored: the fields of a hash.
//!
//! | field | value |
//! |---|---|
//! | `m` | time, last, learning-until, low, high, scanned, busy, charges, running, wanted, queued, limit, most, token, tickets, nodes, ttl, hold; replication id |
//! | `q` | the heads of the queue: ticket and node, again and again, with a space between |
//! | `n:` and the node | share, running, want, end, limit, ticket, heard, seq, former ticket, raised |
//!
//! Numbers are doubles of 8 bytes, the lowest byte first. A script reads them six times as fast as digits, and a scan
//! reads all of them.

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
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, Malformed> {
        let (mut main, mut heads, mut nodes) = (None, None, Vec::new());
        for (field, value) in fields {
            match field {
                b"m" => main = Some(parse_main(value).ok_or_else(|| malformed(field))?),
                b"q" => heads = Some(parse_heads(value).ok_or_else(|| malformed(field))?),
                _ => nodes.push(parse_node(field, value).ok_or_else(|| malformed(field))?),
            }
        }
        let (mut ledger, count) = main.ok_or_else(|| malformed(b"m"))?;
        if nodes.len() as u64 != count {
            return Err(malformed(b"m"));
        }
        ledger.heads = heads.ok_or_else(|| malformed(b"q"))?;
        ledger.nodes.extend(nodes);
        Ok(ledger)
    }
}

fn malformed(field: &[u8]) -> Malformed {
    Malformed { field: String::from_utf8_lossy(field).into_owned() }
}

fn parse_main(value: &[u8]) -> Option<(Ledger, u64)> {
    let (numbers, replid) = value.split_at_checked(18 * 8)?;
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
        wanted,
        queued,
        limit,
        most,
        token,
        tickets,
        nodes,
        ttl,
        hold,
    ] = parse_numbers(numbers)?;
    let ledger = Ledger {
        replid: String::from_utf8(replid.to_vec()).ok()?,
        times: Times { ttl, hold },
        time,
        last,
        learning_until,
        level: Level { low: low.try_into().ok()?, high: high.try_into().ok()? },
        scanned,
        busy,
        charges,
        running,
        wanted,
        queued: queued.try_into().ok()?,
        limit: limit.try_into().ok()?,
        most: most.try_into().ok()?,
        token,
        tickets,
        heads: Heads::default(),
        nodes: [].into(),
    };
    Some((ledger, nodes))
}

fn parse_heads(value: &[u8]) -> Option<Heads> {
    let mut words = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
    let mut heads = Vec::new();
    while let Some(ticket) = words.next() {
        heads.push((ticket.parse().ok()?, NodeId(words.next()?.to_owned())));
    }
    Some(Heads(heads))
}

fn parse_node(field: &[u8], value: &[u8]) -> Option<(NodeId, Record)> {
    let node = String::from_utf8(field.strip_prefix(b"n:")?.to_vec()).ok()?;
    let [share, running, want, end, limit, ticket, heard, seq, former_ticket, raised] =
        parse_numbers(value)?;
    let record = Record {
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
    };
    Some((NodeId(node), record))
}

fn parse_numbers<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let numbers = bytes.chunks(8).map(|bytes| parse_number(bytes.try_into().ok()?));
    numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is checked: an integer from 0 to 2^53"
)]
fn parse_number(bytes: [u8; 8]) -> Option<u64> {
    let number = f64::from_le_bytes(bytes);
    let exact = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
    exact.then_some(number as u64)
}

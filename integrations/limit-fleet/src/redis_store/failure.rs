//! The meaning of an error of the client for a message.

use std::time::Duration;

use redis::{ErrorKind, RedisError};
use tokio::task::JoinError;

use crate::{StoreError, StoreErrorKind};

/// A request without an answer.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) error: StoreError,
    /// The server has executed nothing, and names the one that has the key.
    pub(super) redirect: Option<Redirect>,
    /// The connection is of no more use.
    pub(super) closes: bool,
    /// No connection could be made, so nothing was sent.
    pub(super) unsent: bool,
}

/// Where a cluster has a key.
#[derive(Clone, Debug)]
pub(super) struct Redirect {
    pub(super) address: String,
    pub(super) slot: u16,
    /// The key is on its way there: only this request goes to the address, after `ASKING`.
    pub(super) asking: bool,
}

impl Failure {
    fn new(kind: StoreErrorKind, message: String) -> Self {
        // After these the connection may still carry the late answer, or lead to a server that is no master.
        let closes = matches!(
            kind,
            StoreErrorKind::Unreachable
                | StoreErrorKind::TimedOut
                | StoreErrorKind::NotRedis
                | StoreErrorKind::ReadOnly
        );
        let error = StoreError::new(kind, message);
        Self { error, redirect: None, closes, unsent: false }
    }

    /// Returns the failure of a request that took longer than `limit`.
    pub(super) fn timed_out(address: &str, limit: Duration) -> Self {
        let message = format!(
            "redis at {address} did not answer within {limit:?}: check the network, and what the server is busy with"
        );
        Self::new(StoreErrorKind::TimedOut, message)
    }

    /// Returns the failure of a connection whose task ended too early.
    pub(super) fn of_task(address: &str, error: &JoinError) -> Self {
        let message = format!("the connection to redis at {address} was not made: {error}");
        Self::new(StoreErrorKind::Other, message)
    }

    /// Says that nothing was sent.
    pub(super) fn unsent(self) -> Self {
        Self { unsent: true, ..self }
    }

    /// Returns the failure of a subscription that the server does not permit.
    pub(super) fn not_subscribed(address: &str) -> Self {
        let message = format!(
            "redis at {address} does not permit a subscription; the user needs the channels limit:*, SUBSCRIBE and PING"
        );
        Self::new(StoreErrorKind::Denied, message)
    }

    /// Returns the failure of a request that failed with `error`.
    pub(super) fn of(address: &str, error: &RedisError) -> Self {
        let mut failure = Self::new(kind(error), message(address, error));
        failure.redirect = redirect(error);
        // A replica answers with `MASTERDOWN`, too. A server may close a connection that it denies.
        failure.closes |= error.code() == Some("MASTERDOWN")
            || (kind(error) == StoreErrorKind::Denied && !lacks_permission(error));
        failure
    }
}

/// Returns the error code and text of a server, or nothing if the error is not a server's.
fn reply(error: &RedisError) -> Option<(&str, &str)> {
    let detail = error.detail().unwrap_or_default();
    match error.code() {
        // A server before 7.0 wraps the error of a command that a script has called.
        // So does the script that tries the commands.
        Some("ERR") => ["OOM", "READONLY", "NOPERM", "NOREPLICAS", "MISCONF"]
            .into_iter()
            .find(|code| detail.split(' ').any(|word| word.trim_start_matches('-') == *code))
            // Redis 7.0 gives no code of its own to a command, a key or a channel that a script may not use.
            .or_else(|| detail.contains("The user executing the script").then_some("NOPERM"))
            .or(Some("ERR"))
            .map(|code| (code, detail)),
        code => code.map(|code| (code, detail)),
    }
}

/// Returns whether the server knows the user, who may not do this.
fn lacks_permission(error: &RedisError) -> bool {
    reply(error).is_some_and(|(code, _)| code == "NOPERM")
}

fn kind(error: &RedisError) -> StoreErrorKind {
    match reply(error).map(|(code, _)| code) {
        Some("NOSCRIPT") => StoreErrorKind::NoScript,
        Some("READONLY") => StoreErrorKind::ReadOnly,
        Some("OOM") => StoreErrorKind::OutOfMemory,
        Some("NOPERM" | "NOAUTH" | "WRONGPASS" | "DENIED") => StoreErrorKind::Denied,
        Some(
            "LOADING" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" | "BUSY" | "NOREPLICAS"
            | "MISCONF" | "ASK",
        ) => StoreErrorKind::Busy,
        Some("MOVED") if cfg!(feature = "cluster") => StoreErrorKind::Busy,
        Some("MOVED") => StoreErrorKind::Address,
        Some("WRONGTYPE") => StoreErrorKind::Script,
        // A server with a password hears no long command before it.
        Some("ERR") if has(error, "unauthenticated") => StoreErrorKind::Denied,
        Some("ERR") if has(error, "DB index") => StoreErrorKind::Address,
        Some("ERR") if has(error, "user_script") => StoreErrorKind::Script,
        Some(_) => StoreErrorKind::Other,
        None => match error.kind() {
            ErrorKind::AuthenticationFailed => StoreErrorKind::Denied,
            ErrorKind::Parse => StoreErrorKind::NotRedis,
            ErrorKind::UnexpectedReturnType => StoreErrorKind::Script,
            ErrorKind::Io if error.is_timeout() => StoreErrorKind::TimedOut,
            ErrorKind::Io
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel => StoreErrorKind::Unreachable,
            ErrorKind::InvalidClientConfig | ErrorKind::EmptySentinelList => {
                StoreErrorKind::Address
            }
            _ => StoreErrorKind::Other,
        },
    }
}

/// Returns the text of an error of the client, without the name that it gives to the kind.
fn fixed_text(error: &RedisError) -> String {
    let text = error.to_string();
    text.split(" - ").next().unwrap_or_default().to_lowercase()
}

fn has(error: &RedisError, text: &str) -> bool {
    error.detail().is_some_and(|detail| detail.contains(text))
}

fn message(address: &str, error: &RedisError) -> String {
    let text = match reply(error) {
        Some((code, detail)) => format!("{code} {detail}"),
        // These texts are the client's or the system's own, and have no password in them.
        None => error.detail().map_or_else(|| fixed_text(error), str::to_owned),
    };
    let (what, advice) = match kind(error) {
        StoreErrorKind::Unreachable if error.kind() == ErrorKind::MasterNameNotFoundBySentinel => {
            ("is not known or not up", "check its name, and what the sentinels say of it")
        }
        StoreErrorKind::Unreachable => {
            ("cannot be reached", "check that it runs, and that the address and the port are right")
        }
        StoreErrorKind::TimedOut => ("did not answer in time", "check the network"),
        StoreErrorKind::Denied if lacks_permission(error) => (
            "does not permit a command, a key or a channel",
            "the user needs the keys limit:*, the channels limit:*, and the commands that the docs of RedisStore list under Permissions",
        ),
        StoreErrorKind::Denied if error.code() == Some("NOAUTH") => {
            ("wants a password", "check the user and the password of the address")
        }
        StoreErrorKind::Denied => (
            "refuses the user",
            "check the user and the password of the address, or leave them out if the server has none",
        ),
        StoreErrorKind::NotRedis => (
            "does not answer as a redis does",
            "check the host and the port, and whether the server wants TLS (rediss://)",
        ),
        StoreErrorKind::ReadOnly => (
            "is a replica and takes no writes",
            "use the address of the master, or redis+sentinel:// to follow it",
        ),
        StoreErrorKind::NoScript => ("does not have the script", "attempt again"),
        StoreErrorKind::Script => ("cannot execute the script", "check its version: at least 6.2"),
        StoreErrorKind::OutOfMemory => ("has reached its maxmemory", "give it more, or free some"),
        StoreErrorKind::Busy => ("cannot serve the ledger now", "wait until it can"),
        StoreErrorKind::Address if error.code() == Some("MOVED") => {
            ("is a node of a cluster", "build limit-fleet with its feature `cluster`")
        }
        StoreErrorKind::Address => ("cannot be used with this address", "correct the address"),
        StoreErrorKind::Other => ("failed", "see the text of the server"),
    };
    // The parser of the client writes several lines.
    let text = text.trim().trim_end_matches('.').lines().collect::<Vec<_>>().join(": ");
    format!("redis at {address} {what}: {text}; {advice}")
}

fn redirect(error: &RedisError) -> Option<Redirect> {
    if !cfg!(feature = "cluster") {
        return None;
    }
    let (address, slot) = error.redirect_node()?;
    Some(Redirect { address: address.to_owned(), slot, asking: error.code() == Some("ASK") })
}

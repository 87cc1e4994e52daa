//! Addresses as text.

use redis::io::tcp::TcpSettings;
use redis::{Client, ConnectionInfo, IntoConnectionInfo};

use super::origin::Origin;
use crate::{StoreError, StoreErrorKind};

/// The advice for an address that begins with none of them.
const SCHEMES: &str =
    "begin it with redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://";

/// The parts of an address.
struct Parts<'a> {
    tls: bool,
    /// User and password, with the `@`.
    user: &'a str,
    hosts: Vec<&'a str>,
    /// From the `/` or the `?` on.
    #[cfg_attr(not(feature = "sentinel"), expect(dead_code, reason = "only Sentinels have one"))]
    rest: &'a str,
}

/// Settings of a connection: a message is sent at once.
fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// Reads an address. Several origins are nodes of one cluster.
pub(super) fn parse(url: &str) -> Result<Vec<Origin>, StoreError> {
    if url.trim().is_empty() {
        let message = "the address is empty; write redis://host:6379, for example";
        return Err(StoreError::new(StoreErrorKind::Address, message));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return fail(url, "has no scheme", SCHEMES);
    };
    let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    let tls = match base {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        "unix" => return Ok(vec![server(url, url)?]),
        _ => return fail(url, "has an unknown scheme", SCHEMES),
    };
    if tls && !cfg!(feature = "tls") {
        return fail(url, "wants TLS", "build limit-fleet with its feature `tls`");
    }
    let parts = split(tls, rest);
    match kind {
        "" if parts.hosts.len() > 1 => {
            let advice = "use redis+cluster:// for the nodes of a cluster, or redis+sentinel:// for Sentinels";
            fail(url, "names several servers", advice)
        }
        "" | "unix" => Ok(vec![server(url, url)?]),
        "cluster" if !cfg!(feature = "cluster") => {
            fail(url, "is of a cluster", "build limit-fleet with its feature `cluster`")
        }
        "cluster" => {
            parts.hosts.iter().map(|host| server(url, &parts.with_host(host, ""))).collect()
        }
        "sentinel" if !cfg!(feature = "sentinel") => {
            fail(url, "is of Sentinels", "build limit-fleet with its feature `sentinel`")
        }
        "sentinel" => sentinels(url, &parts).map(|it| vec![it]),
        _ => fail(url, "has an unknown scheme", "after the + it may be cluster or sentinel"),
    }
}

fn split(tls: bool, rest: &str) -> Parts<'_> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let hosts = authority.rfind('@').map_or(0, |at| at + 1);
    let (user, hosts) = authority.split_at(hosts);
    Parts { tls, user, hosts: hosts.split(',').collect(), rest }
}

impl Parts<'_> {
    /// Returns the address of one of the hosts.
    fn with_host(&self, host: &str, path: &str) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://{}{host}{path}", self.user)
    }
}

/// Reads the address of one server. `url` is the whole, for messages.
fn info(url: &str, one: &str) -> Result<ConnectionInfo, StoreError> {
    match one.into_connection_info() {
        Ok(info) => Ok(info.set_tcp_settings(tcp_settings())),
        Err(error) => {
            // Only the fixed part of the text: what follows may repeat a part of the address.
            let text = error.to_string();
            let reason = text.split(" - ").next().unwrap_or_default();
            let reason = format!("cannot be read ({})", reason.to_lowercase());
            fail(
                url,
                &reason,
                "write redis://user:password@host:port/db, with %40 for an @ in the password",
            )
        }
    }
}

fn server(url: &str, one: &str) -> Result<Origin, StoreError> {
    match Client::open(info(url, one)?) {
        Ok(client) => Ok(Origin::server(client)),
        Err(error) => fail(url, "cannot be used", &error.to_string()),
    }
}

#[cfg(feature = "sentinel")]
fn sentinels(url: &str, parts: &Parts<'_>) -> Result<Origin, StoreError> {
    const FORM: &str = "write redis+sentinel://user:password@host:port,host:port/master/db";
    /// The port of a Sentinel.
    const PORT: &str = ":26379";

    let (path, query) = parts.rest.split_once('?').unwrap_or((parts.rest, ""));
    let (name, db) =
        path.trim_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), "0"));
    if name.is_empty() {
        return fail(url, "does not name the master", FORM);
    }
    let has_port = |host: &str| host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let mut addresses = Vec::with_capacity(parts.hosts.len());
    let mut server = None;
    for host in &parts.hosts {
        let port = if has_port(host) { "" } else { PORT };
        let info = info(url, &parts.with_host(host, &format!("{port}/{db}")))?;
        addresses.push(info.addr().clone());
        server = Some(info.redis_settings().clone());
    }
    let mut sentinel = redis::RedisConnectionInfo::default();
    let options = redis::parse_redis_url(&format!("redis://host?{query}"));
    for (option, value) in options.iter().flat_map(|options| options.query_pairs()) {
        sentinel = match &*option {
            "sentinel_username" => sentinel.set_username(value),
            "sentinel_password" => sentinel.set_password(value),
            _ => {
                return fail(
                    url,
                    "has an unknown option",
                    "there are sentinel_username and sentinel_password",
                );
            }
        };
    }
    super::sentinel::Sentinels::new(
        addresses,
        name,
        &server.unwrap_or_default(),
        &sentinel,
        tcp_settings(),
    )
    .map(Origin::Sentinels)
    .or_else(|error| fail(url, "cannot be used", &error.to_string()))
}

#[cfg(not(feature = "sentinel"))]
fn sentinels(url: &str, _: &Parts<'_>) -> Result<Origin, StoreError> {
    fail(url, "is of Sentinels", "build limit-fleet with its feature `sentinel`")
}

fn fail<T>(url: &str, reason: &str, advice: &str) -> Result<T, StoreError> {
    let message = format!("the address {} {reason}; {advice}", without_password(url));
    Err(StoreError::new(StoreErrorKind::Address, message))
}

/// Returns the address without what may be secret: the user, the password, and the options.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let rest = match rest.rsplit_once('@') {
        // The last @ may be one of a password in the options, or there is a ? in the password of the user.
        Some((before, _)) if before.contains(['?', '#']) => "…",
        Some((_, after)) => after,
        None => rest,
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

//! The name of a ledger, and the key under which a server keeps it.

use std::fmt;

/// The name of a ledger: a limiter of a namespace, or one key of such a limiter.
///
/// A server keeps the ledger under one [key](Self::redis_key). The whole name is the hash tag of that key,
/// so that the ledgers of a cluster are spread over its servers.
///
/// ```
/// use limit_fleet::LedgerName;
///
/// let whole = LedgerName::new("billing", "orders-db");
/// assert_eq!(whole.redis_key(), "limit:{billing/orders-db}");
///
/// let customer = LedgerName::new("billing", "orders-db").with_key("acme/eu {1}");
/// assert_eq!(customer.redis_key(), "limit:{billing/orders-db/acme%2Feu%20%7B1%7D}");
/// assert_eq!(LedgerName::from_redis_key(&customer.redis_key()), Some(customer));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerName {
    /// The namespace, which keeps the limiters of different systems apart.
    pub namespace: String,
    /// The limiter.
    pub limiter: String,
    /// The key, for a limiter with keys. `None` and an empty key are two names.
    pub key: Option<String>,
}

const PREFIX: &str = "limit:{";
const SUFFIX: &str = "}";

impl LedgerName {
    /// Names the ledger of a limiter without keys.
    pub fn new(namespace: impl Into<String>, limiter: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), limiter: limiter.into(), key: None }
    }

    /// Names the ledger of one key of the limiter.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Returns the key under which a server keeps this ledger.
    ///
    /// Two names never have the same key. Braces, `%`, `/`, spaces, control characters, and the characters
    /// that a pattern of Redis gives a meaning to are percent-encoded in each part.
    #[must_use]
    pub fn redis_key(&self) -> String {
        format!("{PREFIX}{self}{SUFFIX}")
    }

    /// Returns the name whose [key](Self::redis_key) this is, or `None` for the key of anything else.
    #[must_use]
    pub fn from_redis_key(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split('/');
        let name = Self {
            namespace: decode(parts.next()?)?,
            limiter: decode(parts.next()?)?,
            key: parts.next().map_or(Some(None), |key| decode(key).map(Some))?,
        };
        // A key that this crate would not write is another program's, although it can be read.
        (parts.next().is_none() && name.redis_key() == key).then_some(name)
    }

    /// Returns the pattern that matches the keys of all ledgers, or of those in a namespace.
    pub(crate) fn redis_pattern(namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => format!("{PREFIX}{}/*{SUFFIX}", Encoded(namespace)),
            None => format!("{PREFIX}*{SUFFIX}"),
        }
    }
}

/// Writes the parts with `/` between them, each percent-encoded as in the [key](LedgerName::redis_key).
impl fmt::Display for LedgerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Encoded(&self.namespace), Encoded(&self.limiter))?;
        self.key.as_deref().map_or(Ok(()), |key| write!(f, "/{}", Encoded(key)))
    }
}

/// A part of a name, as it stands in a key.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            // `{` and `}` delimit the hash tag, `/` the parts. `*?[]^\` are special in patterns.
            '{' | '}' | '%' | '/' | '*' | '?' | '[' | ']' | '^' | '\\' | '\0'..=' ' | '\x7f' => {
                write!(f, "%{:02X}", u32::from(char))
            }
            char => fmt::Write::write_char(f, char),
        })
    }
}

/// Reads a part of a key. Returns `None` if it is not percent-encoded text.
fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

//! Names of ledgers, and their keys.

use std::collections::HashMap;

use limit_fleet::LedgerName;

/// Texts that try to break out of their part of a key.
const PARTS: &[&str] = &[
    "", "a", "b", "a/b", "/", "//", "%", "%2F", "%2f", "{", "}", "{}", "}{", "{a}", "a}b{c", "*",
    "?[a]^\\", " ", "\n\r\t", "\0", "\x7f", "é", "漢字", "🦀", "#", "limit:{", "..", "a:b",
];

fn names() -> impl Iterator<Item = LedgerName> {
    PARTS.iter().flat_map(|namespace| {
        PARTS.iter().flat_map(move |limiter| {
            let whole = LedgerName::new(*namespace, *limiter);
            let keyed = PARTS.iter().map({
                let whole = whole.clone();
                move |key| whole.clone().with_key(*key)
            });
            std::iter::once(whole).chain(keyed)
        })
    })
}

#[test]
fn a_key_of_each_name_is_read_back_and_no_two_names_share_one() {
    let mut seen = HashMap::new();
    for name in names() {
        let key = name.redis_key();
        assert_eq!(LedgerName::from_redis_key(&key).as_ref(), Some(&name), "{key}");
        assert_eq!(seen.insert(key, name), None);
    }
}

#[test]
fn the_whole_name_is_the_one_hash_tag_of_its_key() {
    for name in names() {
        let key = name.redis_key();
        // As a cluster does: from the first brace to the first closing brace after it, if it is not empty.
        let open = key.find('{').expect("a brace");
        let close = open + key[open..].find('}').expect("a closing brace");
        assert_eq!(key[open + 1..close], name.to_string(), "{key}");
        assert_eq!(close, key.len() - 1, "{key}");
        assert!(!name.to_string().is_empty());
    }
}

#[test]
fn keys_of_other_programs_are_no_ledgers() {
    for key in [
        "",
        "limit:",
        "limit:{}",
        "limit:{a}",
        "limit:{a/b",
        "limit:a/b",
        "limit:{a/b/c/d}",
        "limit:{a/b}x",
        "xlimit:{a/b}",
        "limit:{a/b%}",
        "limit:{a/b%2}",
        "limit:{a/%2f}",
        "limit:{a/%41}",
        "limit:{a/%+1}",
        "limit:{a/%FF}",
        "limit:{a/b c}",
        "limit:{a/{b}}",
    ] {
        assert_eq!(LedgerName::from_redis_key(key), None, "{key}");
    }
}

#[test]
fn ordinary_names_stay_readable() {
    let name = LedgerName::new("billing", "orders-db");
    assert_eq!(name.redis_key(), "limit:{billing/orders-db}");
    assert_eq!(name.with_key("acme").redis_key(), "limit:{billing/orders-db/acme}");
    let name = LedgerName::new("eu", "payments::charge").with_key("42/ü");
    assert_eq!(name.redis_key(), "limit:{eu/payments::charge/42%2Fü}");
}

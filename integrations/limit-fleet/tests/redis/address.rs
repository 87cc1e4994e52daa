//! Addresses.

use limit_fleet::{RedisStore, StoreErrorKind};

#[test]
fn addresses_that_can_be_read() {
    for url in [
        "redis://localhost",
        "redis://localhost:6379/3",
        "valkey://u:p%40q@[::1]:6379/3",
        "unix:///run/redis.sock?db=1",
        "redis+unix:///run/redis.sock",
    ] {
        RedisStore::new(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    #[cfg(feature = "cluster")]
    RedisStore::new("redis+cluster://u:p@a:1,b:2,[::1]:3").expect("an address");
    #[cfg(feature = "tls")]
    RedisStore::new("rediss://u:p@a:1").expect("an address");
    #[cfg(feature = "sentinel")]
    RedisStore::new("redis+sentinel://u:p@a:1,b,[::1]/main/2?sentinel_password=s")
        .expect("an address");
}

const SCHEMES: &str = "redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://";

#[test]
fn an_error_names_the_address_without_secrets_and_says_what_to_do() {
    for (url, reason) in [
        ("", "is empty; write redis://host:6379"),
        (" ", "is empty; write redis://host:6379"),
        ("localhost:6379", "no scheme"),
        ("localhost:6379", SCHEMES),
        ("user:s3cret@localhost", "no scheme"),
        ("http://u:s3cret@host", "unknown scheme"),
        ("https://u:s3cret@host", SCHEMES),
        ("redis+tower://u:s3cret@host", "unknown scheme"),
        ("redis://u:s3cret@host:port", "cannot be read"),
        ("redis://u:s3cret@/", "cannot be read"),
        ("redis://u:s3cret@host/main", "cannot be read"),
        ("redis://u:s3/cret@host:1", "cannot be read"),
        ("redis://u:s3cret@host:1?protocol=s3cret", "cannot be read"),
        ("redis://u:s3?cret@host:1/main", "cannot be read"),
        ("unix:///run/redis.sock?db=main&pass=a@s3cret", "cannot be read"),
        ("redis+tower://host?sentinel_password=a@s3cret", "unknown scheme"),
        ("redis://u:s3cret@a:1,b:2", "redis+cluster://"),
        #[cfg(not(feature = "cluster"))]
        ("redis+cluster://u:s3cret@a:1", "feature `cluster`"),
        #[cfg(not(feature = "sentinel"))]
        ("redis+sentinel://u:s3cret@a:1/main", "feature `sentinel`"),
        #[cfg(not(feature = "tls"))]
        ("rediss://u:s3cret@a:1", "feature `tls`"),
        #[cfg(feature = "sentinel")]
        ("redis+sentinel://u:s3cret@a:1", "does not name the master"),
        #[cfg(feature = "sentinel")]
        ("redis+sentinel://u:s3cret@a:1/main?password=s3cret", "unknown option"),
    ] {
        let error = RedisStore::new(url).expect_err(url);
        let text = error.to_string();
        assert_eq!(error.kind(), StoreErrorKind::Address, "{url}: {text}");
        assert!(text.contains(reason), "{url}: {text}");
        assert!(!text.contains("s3") && !text.contains("u:"), "{url}: {text}");
    }
}

//! The Sentinels that know the master.

use std::fmt;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, RedisConnectionInfo, RedisResult, TlsMode};
use tokio::sync::Mutex;

use super::failure::Failure;

/// The time in which one of the Sentinels must name a master that answers.
///
/// It is longer than the time of a message, because some Sentinels may be gone together with the master.
const FIND_TIMEOUT: Duration = Duration::from_secs(5);

/// The Sentinels of one master.
pub(super) struct Sentinels {
    client: Mutex<SentinelClient>,
    address: String,
}

impl Sentinels {
    /// Returns the Sentinels at `addresses`, which know the master as `name`.
    pub(super) fn new(
        addresses: Vec<ConnectionAddr>,
        name: &str,
        server: &RedisConnectionInfo,
        sentinel: &RedisConnectionInfo,
        settings: TcpSettings,
    ) -> RedisResult<Self> {
        let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        let tls = addresses.iter().any(|it| matches!(it, ConnectionAddr::TcpTls { .. }));
        let mut builder = SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?
            .set_client_to_redis_db(server.db())
            .set_client_to_redis_tcp_settings(settings.clone())
            .set_client_to_sentinel_tcp_settings(settings);
        if tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(username) = server.username() {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = server.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(username) = sentinel.username() {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = sentinel.password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        let address = format!("{name} of the sentinels {}", shown.join(","));
        Ok(Self { client: Mutex::new(builder.build()?), address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks the Sentinels for the master, and asks the master whether it is one.
    pub(super) async fn find_master(&self) -> Result<Client, Failure> {
        let mut client = self.client.lock().await;
        match tokio::time::timeout(FIND_TIMEOUT, client.async_get_client()).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(Failure::of(&self.address, &error).unsent()),
            Err(_) => Err(Failure::timed_out(&self.address, FIND_TIMEOUT).unsent()),
        }
    }
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels").field("address", &self.address).finish_non_exhaustive()
    }
}

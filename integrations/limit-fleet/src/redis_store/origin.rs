//! Where a connection leads to.

use redis::Client;

use super::failure::Failure;
#[cfg(feature = "sentinel")]
use super::sentinel::Sentinels;

/// Where a connection leads to.
#[derive(Debug)]
pub(super) enum Origin {
    /// One server.
    Server { client: Client, address: String },
    /// The server that is the master now.
    #[cfg(feature = "sentinel")]
    Sentinels(Sentinels),
}

impl Origin {
    pub(super) fn server(client: Client) -> Self {
        let address = client.get_connection_info().addr().to_string();
        Self::Server { client, address }
    }

    /// Returns the address for a message, without a password.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Server { address, .. } => address,
            #[cfg(feature = "sentinel")]
            Self::Sentinels(sentinels) => sentinels.address(),
        }
    }

    /// Returns whether the server changes with a fail-over.
    pub(super) fn follows_master(&self) -> bool {
        !matches!(self, Self::Server { .. })
    }

    /// Finds the server.
    #[cfg_attr(not(feature = "sentinel"), expect(clippy::unused_async, reason = "Sentinels wait"))]
    pub(super) async fn client(&self) -> Result<Client, Failure> {
        match self {
            Self::Server { client, .. } => Ok(client.clone()),
            #[cfg(feature = "sentinel")]
            Self::Sentinels(sentinels) => sentinels.find_master().await,
        }
    }
}

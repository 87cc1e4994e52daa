//! Semaphores in Redis with a call for each acquisition, in two forms.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Script};
use tokio::time::sleep;

/// The time after which a waiter tries again.
const PAUSE: Duration = Duration::from_millis(10);

/// The time after which the server takes a permit back that nobody has released.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Removes the holders whose time is over, and adds one if there is room.
///
/// The counting semaphore of J. Carlson, *Redis in Action*, section 6.3.1, in one script as in section 11.2.3, and
/// with the server's clock, so that it has neither the race nor the skew that section 6.3 repairs.
const ACQUIRE: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
        return 0
    end
    redis.call('ZADD', KEYS[1], now, ARGV[1])
    return 1
";

/// A sorted set of holders, which waiters poll. All calls share one connection.
pub(crate) struct PollSemaphore {
    connection: MultiplexedConnection,
    acquire: Script,
    key: String,
    limit: u32,
}

impl PollSemaphore {
    pub(crate) async fn open(url: &str, key: &str, limit: u32) -> RedisResult<Self> {
        Ok(Self {
            connection: connect(&Client::open(url)?).await?,
            acquire: Script::new(ACQUIRE),
            key: key.to_owned(),
            limit,
        })
    }

    /// Waits until `holder` has a permit.
    pub(crate) async fn acquire(&self, holder: &str) -> RedisResult<()> {
        let mut connection = self.connection.clone();
        loop {
            let mut invocation = self.acquire.key(&self.key);
            invocation.arg(holder).arg(self.limit).arg(TIMEOUT.as_millis().to_string());
            if invocation.invoke_async(&mut connection).await? {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }

    pub(crate) async fn release(&self, holder: &str) -> RedisResult<()> {
        let mut connection = self.connection.clone();
        redis::cmd("ZREM").arg(&self.key).arg(holder).query_async(&mut connection).await
    }
}

/// A list of tokens. A call that waits blocks its connection, so each has one of its own.
///
/// Two commands a call, and the server serves those who block in the order in which they came: no semaphore with a
/// call of Redis for each acquisition is cheaper. It has no time-outs.
pub(crate) struct BlockingSemaphore {
    client: Client,
    idle: Mutex<Vec<MultiplexedConnection>>,
    key: String,
}

impl BlockingSemaphore {
    pub(crate) fn open(url: &str, key: &str) -> RedisResult<Self> {
        Ok(Self { client: Client::open(url)?, idle: Mutex::default(), key: key.to_owned() })
    }

    /// Waits for a token.
    pub(crate) async fn acquire(&self) -> RedisResult<()> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.client).await?,
        };
        let _: (String, String) =
            redis::cmd("BLPOP").arg(&self.key).arg(0).query_async(&mut connection).await?;
        self.idle().push(connection);
        Ok(())
    }

    pub(crate) async fn release(&self) -> RedisResult<()> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.client).await?,
        };
        let _: u64 = redis::cmd("RPUSH").arg(&self.key).arg(1).query_async(&mut connection).await?;
        self.idle().push(connection);
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<MultiplexedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    // A call may wait for its permit for as long as the run lasts.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

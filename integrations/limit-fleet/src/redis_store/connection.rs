//! One connection to one server, which all ledgers on that server share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisResult};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::failure::Failure;
use super::origin::Origin;

/// The time in which a connection is made, with TLS and the password.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The connection to one server: made when it is needed, and made anew after it broke.
///
/// Nothing is ever sent a second time.
#[derive(Debug)]
pub(super) struct SharedConnection {
    origin: Origin,
    /// The attempt to connect that is under way or was the last.
    current: Mutex<Arc<Attempt>>,
}

type Attempt = OnceCell<Result<Connected, Failure>>;

#[derive(Clone, Debug)]
struct Connected {
    connection: MultiplexedConnection,
    address: Arc<str>,
}

/// What is sent to a server.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    One(&'a Cmd),
    /// After `ASKING`: the key is on its way to the server.
    Asking(&'a Cmd),
}

impl SharedConnection {
    pub(super) fn new(origin: Origin) -> Arc<Self> {
        Arc::new(Self { origin, current: Mutex::default() })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Sends a request once and returns its answer, or fails at the deadline, `limit` after the start.
    pub(super) async fn query<T: FromRedisValue>(
        self: &Arc<Self>,
        request: Request<'_>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<T, Failure> {
        let attempt = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner));
        let connected = tokio::time::timeout_at(deadline, self.connect(&attempt))
            .await
            .unwrap_or_else(|_| Err(Failure::timed_out(self.origin.address(), limit).unsent()))?;
        let Connected { mut connection, address } = connected;
        let result = match tokio::time::timeout_at(deadline, send(request, &mut connection)).await {
            Ok(result) => result.map_err(|error| Failure::of(&address, &error)),
            Err(_) => Err(Failure::timed_out(&address, limit)),
        };
        if result.as_ref().is_err_and(|failure| failure.closes) {
            self.forget(&attempt);
        }
        result
    }

    /// Waits until the connection is made.
    async fn connect(self: &Arc<Self>, attempt: &Arc<Attempt>) -> Result<Connected, Failure> {
        if let Some(result) = attempt.get() {
            return result.clone();
        }
        let (this, attempt) = (Arc::clone(self), Arc::clone(attempt));
        // In a task of its own: a caller with little time gives up, and its next message finds the connection.
        let task = tokio::spawn(async move {
            let result = attempt.get_or_init(|| connect(&this.origin)).await.clone();
            // Those who wait now share the failure; those who come later try again.
            if result.is_err() {
                this.forget(&attempt);
            }
            result
        });
        task.await
            .unwrap_or_else(|error| Err(Failure::of_task(self.origin.address(), &error).unsent()))
    }

    /// Lets the next request make a connection, unless another request has seen to it.
    fn forget(&self, attempt: &Arc<Attempt>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let last = if Arc::ptr_eq(&current, attempt) {
            std::mem::take(&mut *current)
        } else {
            return;
        };
        drop(current);
        // After unlocking: the end of a connection wakes its task.
        drop(last);
    }
}

async fn send<T: FromRedisValue>(
    request: Request<'_>,
    connection: &mut MultiplexedConnection,
) -> RedisResult<T> {
    match request {
        Request::One(cmd) => cmd.query_async(connection).await,
        Request::Asking(cmd) => {
            let mut pipeline = Pipeline::with_capacity(2);
            pipeline.cmd("ASKING").ignore().add_command(cmd.clone()).ignore_errors();
            let [answer]: [RedisResult<T>; 1] = pipeline.query_async(connection).await?;
            answer
        }
    }
}

/// Makes a connection to the server that the origin leads to now.
async fn connect(origin: &Origin) -> Result<Connected, Failure> {
    let client = origin.client().await?;
    let address: Arc<str> = client.get_connection_info().addr().to_string().into();
    // Each request has a limit of time of its own.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(None);
    match client.get_multiplexed_async_connection_with_config(&config).await {
        Ok(connection) => Ok(Connected { connection, address }),
        Err(error) => Err(Failure::of(&address, &error).unsent()),
    }
}

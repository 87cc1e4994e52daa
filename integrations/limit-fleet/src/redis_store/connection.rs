//! One connection to one server, which all ledgers on that server share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisResult, Value};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::failure::Failure;
use super::origin::Origin;

/// The time in which a connection is made, with TLS and the password.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time for which a command waits that is no message of a node.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// The time without an answer after which a connection is tested before a message is sent.
const IDLE: Duration = Duration::from_secs(5);

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
    /// The last time at which the server answered.
    heard: Arc<Mutex<Instant>>,
}

impl Connected {
    /// Returns whether the connection was unused for so long that it may be gone.
    fn is_idle(&self) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= IDLE
    }

    /// Asks the server for a sign of life, in half of the time.
    ///
    /// This may be repeated, a message may not. So a connection that was closed meanwhile costs no message.
    async fn answers_until(&self, deadline: Instant) -> bool {
        let mut connection = self.connection.clone();
        let (command, limit) = (redis::cmd("PING"), (deadline - Instant::now()) / 2);
        let ping = command.query_async::<Value>(&mut connection);
        match tokio::time::timeout(limit, ping).await {
            Ok(Ok(_)) => true,
            // An error of the server, such as `LOADING`, is a sign of life.
            Ok(Err(error)) => error.code().is_some(),
            Err(_) => false,
        }
    }
}

/// A request to a server.
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
        let (mut attempt, mut connected) = self.connect_until(deadline, limit).await?;
        if connected.is_idle() && !connected.answers_until(deadline).await {
            self.forget(&attempt);
            (attempt, connected) = self.connect_until(deadline, limit).await?;
        }
        let Connected { mut connection, address, heard } = connected;
        let result = match tokio::time::timeout_at(deadline, send(request, &mut connection)).await {
            Ok(result) => result.map_err(|error| Failure::of(&address, &error)),
            Err(_) => Err(Failure::timed_out(&address, limit)),
        };
        if result.as_ref().is_err_and(|failure| failure.closes) {
            self.forget(&attempt);
        } else {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        result
    }

    /// Sends a command that is no message of a node, and returns its answer.
    pub(super) async fn ask<T: FromRedisValue>(
        self: &Arc<Self>,
        command: &Cmd,
    ) -> Result<T, Failure> {
        self.query(Request::One(command), Instant::now() + READ_TIMEOUT, READ_TIMEOUT).await
    }

    /// Returns the connection and the attempt that made it.
    async fn connect_until(
        self: &Arc<Self>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<(Arc<Attempt>, Connected), Failure> {
        let attempt = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::time::timeout_at(deadline, self.connect(&attempt)).await {
            Ok(connected) => Ok((attempt, connected?)),
            Err(_) => Err(Failure::timed_out(self.origin.address(), limit).unsent()),
        }
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
    #[cfg(feature = "tls")]
    super::tls::choose_provider();
    let client = origin.client().await?;
    let address: Arc<str> = client.get_connection_info().addr().to_string().into();
    // Each request has a limit of time of its own.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(None);
    match client.get_multiplexed_async_connection_with_config(&config).await {
        Ok(connection) => {
            let heard = Arc::new(Mutex::new(Instant::now()));
            Ok(Connected { connection, address, heard })
        }
        Err(error) if error.is_timeout() => {
            Err(Failure::timed_out(&address, CONNECT_TIMEOUT).unsent())
        }
        Err(error) => Err(Failure::of(&address, &error).unsent()),
    }
}

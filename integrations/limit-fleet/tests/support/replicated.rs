//! A master that Sentinels know.

use crate::servers::Server;
use crate::waiting::until;

/// A master with a replica, and a Sentinel that watches both.
pub(crate) struct Set {
    pub(crate) master: Server,
    pub(crate) replica: Server,
    sentinel: Server,
}

impl Set {
    pub(crate) async fn start() -> Self {
        let password = ["--requirepass", "s3cret", "--masterauth", "s3cret"];
        let master = Server::start(&password);
        let port = master.port.to_string();
        let replica =
            Server::start(&[&password[..], &["--replicaof", "127.0.0.1", &port]].concat());
        let configuration = format!(
            "sentinel monitor main 127.0.0.1 {port} 1\n\
             sentinel auth-pass main s3cret\n\
             sentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 2000\n"
        );
        let sentinel = Server::start_program("redis-sentinel", Some(&configuration), &[]);
        until("the Sentinel's list", async || {
            let known: Vec<Vec<String>> = sentinel.ask("SENTINEL REPLICAS main").ok()?;
            (known.len() == 1).then_some(())
        })
        .await;
        Self { master, replica, sentinel }
    }

    /// Returns the address. The first of the two Sentinels is down.
    pub(crate) fn url(&self) -> String {
        let down = crate::servers::free_port();
        format!("redis+sentinel://:s3cret@127.0.0.1:{down},127.0.0.1:{}/main/0", self.sentinel.port)
    }
}

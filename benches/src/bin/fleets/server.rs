//! The server that this program starts for itself, and its account of what it did.

use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Client, Connection, InfoDict};

/// The time within which the server must answer after its start.
const START: Duration = Duration::from_secs(10);

/// The commands that the contenders send. The commands of a script are others.
const COMMANDS: [&str; 5] = ["evalsha", "eval", "zrem", "blpop", "rpush"];

/// A Redis or Valkey server on a port of its own. Dropping it ends it.
pub(crate) struct Server {
    process: Child,
    since: Instant,
    port: u16,
    connection: Connection,
}

/// The work of the server since it was asked to count anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    /// The commands that clients sent.
    pub(crate) calls: f64,
    /// The messages that scripts published to processes.
    pub(crate) pushes: f64,
    /// The mean time of a script, in microseconds.
    pub(crate) script_micros: f64,
    /// The time below which 99 of 100 scripts stay, in microseconds; `NaN` before Redis 7.
    pub(crate) script_p99: f64,
}

impl Server {
    /// Starts a server. Returns `None` if none is installed.
    pub(crate) fn start() -> Result<Option<Self>, Box<dyn Error>> {
        // Another program may take the port before the server does. Then the server ends, and this says so.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        for program in ["redis-server", "valkey-server"] {
            let mut command = Command::new(program);
            command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
            command.args(["--appendonly", "no", "--dir"]).arg(std::env::temp_dir());
            match command.stdin(Stdio::null()).stdout(Stdio::null()).spawn() {
                Ok(process) => return Self::wait_until_ready(process, port).map(Some),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(format!("cannot start {program}: {error}").into()),
            }
        }
        Ok(None)
    }

    fn wait_until_ready(mut process: Child, port: u16) -> Result<Self, Box<dyn Error>> {
        let since = Instant::now();
        let client = Client::open(("127.0.0.1", port))?;
        loop {
            let error = match client.get_connection() {
                Ok(connection) => return Ok(Self { process, since, port, connection }),
                Err(error) => error,
            };
            if let Some(status) = process.try_wait()? {
                return Err(format!("the server has ended: {status}").into());
            }
            if since.elapsed() > START {
                process.kill()?;
                process.wait()?;
                return Err(format!("the server does not answer: {error}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn version(&mut self) -> Result<String, Box<dyn Error>> {
        let info: InfoDict = redis::cmd("INFO").arg("server").query(&mut self.connection)?;
        // Valkey tells a version of Redis as well, with which it is compatible.
        let valkey =
            info.get::<String>("valkey_version").map(|version| format!("Valkey {version}"));
        let redis =
            || info.get::<String>("redis_version").map(|version| format!("Redis {version}"));
        Ok(valkey.or_else(redis).unwrap_or_else(|| "unknown".to_owned()))
    }

    /// Waits until the server is older than a lease. A new ledger on a younger server grants nothing yet.
    pub(crate) fn wait_until_older_than(&self, lease: Duration) {
        // The server counts whole seconds.
        let age = lease + Duration::from_secs(1);
        thread::sleep(age.saturating_sub(self.since.elapsed()));
    }

    /// Fills a list with tokens.
    pub(crate) fn fill(&mut self, list: &str, tokens: u32) -> Result<(), Box<dyn Error>> {
        let tokens: Vec<u32> = (0..tokens).collect();
        Ok(redis::cmd("RPUSH").arg(list).arg(tokens).exec(&mut self.connection)?)
    }

    /// Lets the server count anew.
    pub(crate) fn count_anew(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut self.connection)?)
    }

    /// Returns what the server did since.
    pub(crate) fn account(&mut self) -> Result<Account, Box<dyn Error>> {
        let info: InfoDict = redis::cmd("INFO").arg("everything").query(&mut self.connection)?;
        let field = |command: &str, name: &str| {
            let text = info.get::<String>(&format!("cmdstat_{command}"))?;
            number(&text, name)
        };
        let latency = info.get::<String>("latency_percentiles_usec_evalsha");
        Ok(Account {
            calls: COMMANDS.iter().filter_map(|command| field(command, "calls")).sum(),
            pushes: field("publish", "calls").unwrap_or(0.0),
            script_micros: field("evalsha", "usec_per_call").unwrap_or(f64::NAN),
            script_p99: latency.and_then(|text| number(&text, "p99")).unwrap_or(f64::NAN),
        })
    }

    /// Returns the processor time that the server has used, in seconds.
    pub(crate) fn processor_time(&mut self) -> Result<f64, Box<dyn Error>> {
        let info: InfoDict = redis::cmd("INFO").arg("cpu").query(&mut self.connection)?;
        let seconds = |name: &str| info.get::<f64>(name).unwrap_or(f64::NAN);
        Ok(seconds("used_cpu_user") + seconds("used_cpu_sys"))
    }

    /// Lets the server tell each command that it executes.
    pub(crate) fn monitor(&self) -> Result<Monitor, Box<dyn Error>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(b"MONITOR\r\n")?;
        let mut input = BufReader::new(stream.try_clone()?);
        input.read_line(&mut String::new())?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            // It fails when the monitor is dropped.
            for line in input.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Monitor { stream, lines })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails if the server has ended.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// Returns a number of a list such as `calls=3,usec=40`.
fn number(text: &str, name: &str) -> Option<f64> {
    let mut fields = text.split(',').filter_map(|field| field.split_once('='));
    fields.find(|(key, _)| *key == name)?.1.parse().ok()
}

/// The commands that a server executes, until it is dropped.
pub(crate) struct Monitor {
    stream: TcpStream,
    lines: Receiver<String>,
}

impl Monitor {
    /// Returns when the server executed the last script so far that a process sent: in microseconds of the server's
    /// wall clock.
    pub(crate) fn last_message_of(&self, process: u32) -> Option<u64> {
        let part = format!("/{process}/");
        let last = self.lines.try_iter().filter(|line| line.contains(&part)).last()?;
        let (seconds, micros) = last.strip_prefix('+')?.split_once(' ')?.0.split_once('.')?;
        Some(seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // It fails if the server has ended.
        let _ended = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_name() {
        let text = "calls=3,usec=40,usec_per_call=13.33";
        assert_eq!(number(text, "usec_per_call"), Some(13.33));
        assert_eq!(number(text, "usec"), Some(40.0));
        assert_eq!(number(text, "failed_calls"), None);
    }
}

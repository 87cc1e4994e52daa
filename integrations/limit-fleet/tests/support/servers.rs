//! Servers that tests start and end.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis::{Client, FromRedisValue, RedisResult};
use rustix::process::{Pid, Signal, kill_process};

use crate::waiting::until_blocking;

/// A server, which ends with this value: also when its test panics.
pub(crate) struct Server {
    program: &'static str,
    arguments: Vec<String>,
    directory: Directory,
    child: Child,
    pub(crate) port: u16,
}

/// Returns whether servers can be started. Says so loudly, once, if not; the tests then pass.
pub(crate) fn are_installed() -> bool {
    static INSTALLED: LazyLock<bool> = LazyLock::new(|| {
        let exists =
            |program| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        let installed = exists("redis-server") && exists("redis-sentinel");
        if !installed {
            let text = "redis-server is not installed: skipped; apt-get install redis-server redis-sentinel";
            // Not by `eprintln`, which a test that passes keeps to itself.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        installed
    });
    *INSTALLED
}

impl Server {
    /// Starts a Redis that keeps nothing on disk.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let memory = ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        Self::start_program("redis-server", None, &[&memory[..], arguments].concat())
    }

    /// Starts a program with a configuration, which it may write to, and with arguments.
    pub(crate) fn start_program(
        program: &'static str,
        configuration: Option<&str>,
        arguments: &[&str],
    ) -> Self {
        let directory = Directory::new();
        let mut all = Vec::new();
        if let Some(configuration) = configuration {
            let path = directory.0.join("server.conf");
            std::fs::write(&path, configuration).expect("a configuration");
            all.push(path.to_string_lossy().into_owned());
        }
        all.extend(["--bind", "127.0.0.1", "--daemonize", "no"].map(str::to_owned));
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        // Another program may take a port between the look and the start.
        for _ in 0..20 {
            let port = free_port();
            if let Some(child) = spawn(program, &all, &directory.0, port) {
                return Self { program, arguments: all, directory, child, port };
            }
        }
        panic!("{program} does not start with {arguments:?}");
    }

    /// Returns the address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends the server at once, without a chance to write anything.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&self, signal: Signal) {
        send_signal(&self.child, signal);
    }

    /// Starts the server again on its port, after it was killed.
    pub(crate) fn start_again(&mut self) {
        self.child = until_blocking("start again", || {
            spawn(self.program, &self.arguments, &self.directory.0, self.port)
        });
    }

    /// Sends a command and returns its answer.
    pub(crate) fn ask<T: FromRedisValue>(&self, command: &str) -> RedisResult<T> {
        ask(self.port, command)
    }

    /// Returns a field of `INFO`.
    pub(crate) fn info(&self, field: &str) -> String {
        let info: redis::InfoDict = self.ask("INFO").expect("INFO");
        info.get(field).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn ask<T: FromRedisValue>(port: u16, command: &str) -> RedisResult<T> {
    let mut connection = Client::open(("127.0.0.1", port))?.get_connection()?;
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query(&mut connection)
}

/// Starts a program and waits until it answers. Returns `None` if it ends at once.
fn spawn(program: &str, arguments: &[String], directory: &Path, port: u16) -> Option<Child> {
    let mut child = Command::new(program)
        .args(arguments)
        .args(["--port", &port.to_string(), "--dir"])
        .arg(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    until_blocking("an answer", || {
        if child.try_wait().expect("wait").is_some() {
            return Some(false);
        }
        // With a password the answer is an error, and an answer as well.
        let answer = ask::<String>(port, "PING");
        answer.is_ok_and(|text| text == "PONG").then_some(true).or_else(|| {
            ask::<String>(port, "PING")
                .is_err_and(|error| error.code() == Some("NOAUTH"))
                .then_some(true)
        })
    })
    .then_some(child)
}

/// Sends a signal to a process that this one has started.
pub(crate) fn send_signal(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(id, signal).expect("a signal");
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A directory, which is removed with this value.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("limit-fleet-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

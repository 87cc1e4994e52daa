//! A Redis server for one test, and the script as tests run it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, io, process};

use redis::{Client, Connection, Script};

/// The script with another first part: the test says what the server is, and gets the pushes and the hash as well.
pub(super) const COMPARED: &str = concat!(
    "local pushed = {}
    local function look() return tonumber(ARGV[11]), ARGV[13], ARGV[14] == '1' end
    local function uptime() return tonumber(ARGV[12]) end
    local function push(node, seq, share, token)
      pushed[#pushed + 1] = string.format('%s %.0f %s %.0f %s', node, seq, share, token, KEYS[1])
    end
    local function renew()\n",
    include_str!("../../src/script/ledger.lua"),
    "\nend
    local reply = renew()
    -- One text, because the client takes long for many.
    local texts = {}
    for i, text in ipairs(ARGV[15] == 'look' and redis.call('HGETALL', KEYS[1]) or {}) do
      texts[i] = struct.pack('<I4', #text) .. text
    end
    return { reply, pushed, table.concat(texts) }"
);

/// Loads a script, and returns its hash.
pub(super) fn load(connection: &mut Connection, source: &str) -> String {
    Script::new(source).load(connection).expect("the script compiles")
}

/// A server of its own, on a socket in a directory of its own. It ends with this value.
pub(super) struct RedisServer {
    child: Child,
    directory: PathBuf,
}

impl RedisServer {
    /// Starts a server. Says so and returns `None` if there is no program for it.
    pub(super) fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("limit-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory for the server");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--dir"])
            .arg(&directory)
            .arg("--unixsocket")
            .arg(directory.join("socket"))
            .stdout(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Some(Self { child, directory }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::remove_dir_all(&directory).expect("the directory is removed");
                // `eprintln` is not shown for a test that passes.
                let _ = writeln!(
                    io::stderr(),
                    "redis-server is not installed: skipped; apt-get install redis-server"
                );
                None
            }
            Err(error) => panic!("redis-server does not start: {error}"),
        }
    }

    /// Connects to the server, once it is there.
    pub(super) fn connect(&self) -> Connection {
        let url = format!("redis+unix://{}", self.directory.join("socket").display());
        let client = Client::open(url).expect("a URL");
        let begun = Instant::now();
        loop {
            match client.get_connection() {
                Ok(connection) => return connection,
                Err(error) if begun.elapsed() > Duration::from_secs(30) => panic!("{error}"),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

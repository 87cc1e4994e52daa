//! A database server for one test. It has its own directory and port, and ends with the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{Result, site};

/// A running server. Dropping this value, also by a panic, stops the server and deletes its data.
pub(crate) struct MariaDb {
    server: Child,
    address: SocketAddr,
    _directory: TempDir,
}

/// The SQL that prepares the server. The database is `latin1`, because the crawler's tables must
/// not depend on the database's character set.
const SETUP: &str = "\
CREATE DATABASE crawl CHARACTER SET latin1;
CREATE USER crawler@'127.0.0.1' IDENTIFIED BY 'secret';
GRANT ALL ON crawl.* TO crawler@'127.0.0.1';
";

impl MariaDb {
    /// Starts a server and waits until it takes connections. Returns `None` if no server is
    /// installed.
    pub(crate) fn start() -> Result<Option<Self>> {
        let (Some(server), Some(install)) = (find("mariadbd"), find("mariadb-install-db")) else {
            return Ok(None);
        };
        let directory = TempDir::new()?;
        let path = |name: &str| directory.path().join(name);
        let (data, setup) = (path("data"), path("setup.sql"));
        std::fs::write(&setup, SETUP)?;
        // The server refuses to run as root unless the option names root. For any other user the
        // option changes nothing.
        let user = Command::new("id").arg("-un").output()?.stdout;
        let user = format!("--user={}", String::from_utf8(user)?.trim());

        let installed = Command::new(install)
            .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
            .arg(&user)
            .arg(format!("--datadir={}", data.display()))
            .output()?;
        if !installed.status.success() {
            return Err(String::from_utf8_lossy(&installed.stderr).into());
        }

        // The port is free now. If another program takes it meanwhile, the server reports that.
        let address = site::closed_port()?.address;
        let mut server = Command::new(server)
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"])
            .arg(user)
            .arg(format!("--port={}", address.port()))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", path("socket").display()))
            .arg(format!("--pid-file={}", path("pid").display()))
            .arg(format!("--init-file={}", setup.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let errors = server.stderr.take().ok_or("no stderr")?;
        let mariadb = Self { server, address, _directory: directory };
        mariadb_is_ready(BufReader::new(errors))?;
        Ok(Some(mariadb))
    }

    /// Returns the value of `DATABASE_URL` for this server.
    pub(crate) fn url(&self) -> String {
        format!("mysql://crawler:secret@{}/crawl", self.address)
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // The test keeps no data, so the server need not shut down in order.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Reads the server's log until the server is ready. Another thread then reads the rest, so that
/// the server never waits for a reader.
fn mariadb_is_ready(log: BufReader<impl std::io::Read + Send + 'static>) -> Result {
    let mut lines = log.lines();
    let mut seen = String::new();
    loop {
        let Some(line) = lines.next() else {
            return Err(format!("mariadbd ended before it was ready:\n{seen}").into());
        };
        let line = line?;
        if line.contains("ready for connections") {
            break;
        }
        seen.push_str(&line);
        seen.push('\n');
    }
    std::thread::spawn(move || lines.for_each(drop));
    Ok(())
}

/// Looks for a program in `PATH`, and then in the directories of servers, which only an
/// administrator's `PATH` has.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

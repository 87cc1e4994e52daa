//! The server that this example starts for itself.

use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A Redis or Valkey server on a port of its own. Dropping it ends it.
pub(crate) struct Server {
    process: Child,
    _folder: TempDir,
    pub(crate) url: String,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // Another program may take the port before the server does. Then the server ends, and so does this.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        for program in ["redis-server", "valkey-server"] {
            let mut command = Command::new(program);
            let options = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""];
            command.args(options).current_dir(folder.path()).stdout(Stdio::null());
            match command.kill_on_drop(true).spawn() {
                Ok(process) => {
                    let url = format!("redis://127.0.0.1:{port}");
                    let mut server = Self { process, _folder: folder, url };
                    server.until_ready(port).await?;
                    return Ok(server);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).context(program),
            }
        }
        bail!(
            "this example needs redis-server or valkey-server, and finds neither; install one: \
             `apt-get install redis-server`, `dnf install valkey`, or `brew install redis`"
        )
    }

    async fn until_ready(&mut self, port: u16) -> Result<()> {
        loop {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("redis-server has ended: {status}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

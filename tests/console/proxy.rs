//! A proxy between the console and the page: nginx with its defaults.

use crate::support::{http_client, served};
use flate2::write::GzDecoder;
use limit_console::serve;
use limit_runtime::Limiter;
use limit_tests::programs::{find_program, is_alone};
use serde_json::Value;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any message takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// An nginx of this test's own, ended when it is dropped.
struct Nginx {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts nginx before a server. Returns `None` and prints a loud line if it is not installed.
    fn start(server: SocketAddr) -> Option<Self> {
        let Some(program) = find_nginx() else {
            eprintln!("SKIPPED: `nginx` is not installed (apt-get install nginx-light)");
            return None;
        };
        // Another program may take the free port before nginx does.
        loop {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
            let address = free.and_then(|free| free.local_addr()).expect("a free port");
            let folder = tempfile::tempdir().expect("a folder");
            let process = Self::run(&program, folder.path(), address, server);
            let mut nginx = Self { address, process, _folder: folder };
            if nginx.listens() {
                return Some(nginx);
            }
        }
    }

    /// Runs nginx with its defaults in all that concerns a proxy.
    fn run(program: &Path, folder: &Path, address: SocketAddr, server: SocketAddr) -> Child {
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;
             events {{}}
             http {{
                 access_log off; {folders}
                 server {{ listen {address}; location /limits/ {{ proxy_pass http://{server}/; }} }}
             }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config).expect("a file");
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(file).args(["-e", "stderr"]);
        command.stdin(Stdio::null()).spawn().expect("nginx can be started")
    }

    /// Waits until it listens. Returns `false` if it has ended.
    fn listens(&mut self) -> bool {
        while TcpStream::connect(self.address).is_err() {
            if self.process.try_wait().expect("it is a child").is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Finds nginx, which Debian has where only an administrator's shell looks.
fn find_nginx() -> Option<PathBuf> {
    let installed = PathBuf::from("/usr/sbin/nginx");
    find_program("nginx").or_else(|| installed.is_file().then_some(installed))
}

/// The text of a stream, as it arrives.
struct Heard {
    stream: reqwest::Response,
    text: String,
    decoder: Option<GzDecoder<Vec<u8>>>,
}

impl Heard {
    /// Waits for some words. Returns the text before them, and forgets it.
    async fn until(&mut self, words: &str) -> String {
        let told = async {
            loop {
                if let Some((before, rest)) = self.text.split_once(words) {
                    let (before, rest) = (before.to_owned(), rest.to_owned());
                    self.text = rest;
                    return before;
                }
                let more = self.stream.chunk().await.expect("no error").expect("it goes on");
                let more = match &mut self.decoder {
                    None => more.into(),
                    Some(decoder) => {
                        decoder.write_all(&more).expect("it is gzip");
                        std::mem::take(decoder.get_mut())
                    }
                };
                self.text.push_str(&String::from_utf8_lossy(&more));
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("nobody collects what is sent")
    }

    /// Waits for the next message of the stream, and returns the number of its reading.
    async fn tick(&mut self) -> u64 {
        self.until("event: changes").await;
        self.until("\"tick\":").await;
        self.until(",").await.parse().expect("a number")
    }
}

#[test]
fn stream_arrives_through_nginx_with_its_defaults() {
    // Alone, because large messages of other tests would fill the buffers of nginx at once.
    if !is_alone("proxy::stream_arrives_through_nginx_with_its_defaults") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let limiter = Limiter::new("proxy::nginx", 2);
        drop(limiter.acquire().await);
        let (address, _server) = served(Ipv4Addr::LOCALHOST, serve).await;
        let Some(nginx) = Nginx::start(address) else { return };
        let client = http_client();
        let url = format!("http://{}/limits/", nginx.address);
        let page = client.get(&url).send().await.expect("it answers");
        assert!(page.status().is_success());

        for accepted in ["identity", "gzip"] {
            let stream = client.get(format!("{url}api/stream")).header("accept-encoding", accepted);
            let stream = stream.send().await.expect("it answers");
            assert_eq!(stream.headers()["content-type"], "text/event-stream");
            let encoding = stream.headers().get("content-encoding");
            assert_eq!(encoding.is_some(), accepted == "gzip");
            let decoder = encoding.map(|_| GzDecoder::new(Vec::new()));
            let mut heard = Heard { stream, text: String::new(), decoder };
            heard.until("proxy::nginx").await;
            for _ in 0..5 {
                let told = heard.tick().await;
                let now = client.get(format!("http://{address}/api/limiters")).send().await;
                let now = now.expect("it answers").text().await.expect("the whole body");
                let now: Value = serde_json::from_str(&now).expect("JSON");
                let late = now["tick"].as_u64().expect("a number").saturating_sub(told);
                assert!(late < 10, "a message arrives {late} readings late");
            }
            let _permit = limiter.acquire().await;
            heard.until("\"name\":\"proxy::nginx\"").await;
        }
    });
}

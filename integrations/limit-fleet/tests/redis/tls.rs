//! Connections with TLS.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::servers::{Server, are_installed};
use crate::waiting::until_blocking;

/// Makes a certificate for 127.0.0.1 that signs itself. Returns `false` if there is no `openssl`.
fn make_certificate(directory: &Path) -> bool {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=limit-fleet",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(directory)
        .stderr(Stdio::null())
        .status();
    if made.is_err() {
        let _ = writeln!(
            std::io::stderr(),
            "openssl is not installed: skipped; apt-get install openssl"
        );
    }
    made.is_ok_and(|status| status.success())
}

#[test]
fn a_server_with_tls_is_reached_if_the_system_trusts_its_certificate() {
    if !are_installed() {
        return;
    }
    let directory = crate::servers::Directory::new();
    if !make_certificate(&directory.0) {
        return;
    }
    let file = |name: &str| directory.0.join(name).to_string_lossy().into_owned();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let port = crate::servers::free_port().to_string();
    let server = Server::start(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://127.0.0.1:{port}");
    let run = |trusted: &str| {
        // The certificates of the system are those of this variable.
        let mut command = Command::new(env!("CARGO_BIN_EXE_limit-fleet"));
        command
            .args(["status", &url])
            .env("SSL_CERT_FILE", trusted)
            .output()
            .expect("the command runs")
    };
    until_blocking("the port for TLS", || (!server.info("tcp_port").is_empty()).then_some(()));
    let output = run(&certificate);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"no ledgers\n"[..]), "{text}");
    let other = file("key.pem");
    let output = run(&other);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");

    // A server without TLS, and TLS without need.
    let plain = format!("rediss://127.0.0.1:{}", server.port);
    let output = Command::new(env!("CARGO_BIN_EXE_limit-fleet")).args(["status", &plain]).output();
    assert_eq!(output.expect("the command runs").status.code(), Some(1));
}

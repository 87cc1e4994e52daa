//! The command, as its user runs it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use limit_fleet::LedgerName;

use crate::node::{LONG, Node, SHORT, store};
use crate::servers::{Server, are_installed, free_port};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_limit-fleet"));
    command.args(arguments).env_remove("LIMIT_FLEET_URL");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the command runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Starts a server with two ledgers: one is full and has a waiter.
async fn start() -> Server {
    let server = Server::start(&[]);
    let store = store(&server.url());
    let orders = LedgerName::new("billing", "orders-db");
    let mut holder = Node::new("web-1#1", orders.clone(), SHORT);
    holder.renew_until(&store, 10, |answer| answer.share == 10).await;
    holder.renewal.running = 8;
    holder.renewal.seq += 1;
    holder.renew(&store, 12).await.expect("an answer");
    let mut waiter = Node::new("web-2#1", orders, SHORT);
    waiter.renew(&store, 4).await.expect("an answer");
    let long = "a very long name ".repeat(8);
    let mut other = Node::new(&format!("{}#1", "n".repeat(90)), LedgerName::new("eu", long), LONG);
    other.renew(&store, 3).await.expect("an answer");
    server
}

#[tokio::test]
async fn status_prints_an_aligned_row_for_each_ledger_and_node() {
    if !are_installed() {
        return;
    }
    let server = start().await;
    let output = run(&["status", &server.url()]);
    let text = out(&output);
    assert_eq!((output.status.code(), &*err(&output)), (Some(0), ""), "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{text}");
    let words = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
    assert_eq!(&words(0)[2..7], ["limit", "share", "running", "want", "lease"], "{text}");
    assert_eq!(words(1), ["billing/orders-db", "10", "10", "8", "16", "1", "wait"], "{text}");
    assert_eq!(&words(2)[..5], ["web-1#1", "10", "10", "8", "12"], "{text}");
    assert_eq!(&words(3)[..5], ["web-2#1", "10", "0", "0", "4"], "{text}");
    assert_eq!(words(3).last(), Some(&"#1"), "{text}");
    assert!(lines[4].starts_with("eu/a%20very%20long") && lines[4].contains("learning"), "{text}");
    assert!(lines[5].contains("nnn…nnn") && lines[5].contains("3600.0 s"), "{text}");

    let output = run(&["status", "--namespace", "billing", &server.url()]);
    assert_eq!(out(&output).lines().count(), 4, "{}", out(&output));
    let output = run(&["status", "--namespace=nothing", &server.url()]);
    assert_eq!((output.status.code(), &*out(&output)), (Some(0), "no ledgers\n"));
    let output = command(&["status"]).env("LIMIT_FLEET_URL", server.url()).output().expect("runs");
    assert_eq!(out(&output).lines().count(), 6, "{}", err(&output));
}

#[tokio::test]
async fn status_prints_a_line_of_json() {
    if !are_installed() {
        return;
    }
    let server = start().await;
    let output = run(&["status", "--json", &server.url(), "--namespace", "billing"]);
    let text = out(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let ledger = &json["ledgers"][0];
    assert_eq!(
        (&ledger["namespace"], &ledger["limiter"]),
        (&"billing".into(), &"orders-db".into())
    );
    assert_eq!((&ledger["key"], &ledger["limit"]), (&serde_json::Value::Null, &10.into()));
    let node = &ledger["nodes"][0];
    assert_eq!(
        (&node["node"], &node["share"], &node["want"]),
        (&"web-1#1".into(), &10.into(), &12.into())
    );
    assert!(ledger["nodes"][1]["ticket"].is_number(), "{text}");
}

#[tokio::test]
async fn watch_goes_on_when_the_server_goes_and_comes_back() {
    if !are_installed() {
        return;
    }
    let mut server = start().await;
    let mut child = command(&["status", "--watch", "--json", &server.url()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let mut wait_for = |text: &str| {
        lines
            .find(|line| line.as_ref().is_ok_and(|line| line.contains(text)))
            .expect("a line")
            .expect("text")
    };
    wait_for("orders-db");
    server.kill();
    wait_for("cannot be reached");
    server.start_again();
    wait_for("\"ledgers\":[]");
    child.kill().expect("kill");
    child.wait().expect("wait");
}

#[tokio::test]
async fn a_reader_that_stops_early_is_no_error() {
    if !are_installed() {
        return;
    }
    let server = start().await;
    let mut child = command(&["status", "--watch", &server.url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut byte = [0];
    child.stdout.take().expect("an output").read_exact(&mut byte).expect("a byte");
    let output = child.wait_with_output().expect("wait");
    assert_eq!((output.status.code(), &*err(&output)), (Some(0), ""));
}

#[test]
fn a_server_that_cannot_be_reached_is_exit_code_1() {
    let output = run(&["status", &format!("redis://u:s3cret@127.0.0.1:{}", free_port())]);
    assert_eq!((output.status.code(), &*out(&output)), (Some(1), ""));
    let text = err(&output);
    assert!(text.starts_with("limit-fleet: redis at 127.0.0.1:"), "{text}");
    assert!(text.contains("cannot be reached") && !text.contains("s3cret"), "{text}");
}

#[test]
fn a_command_that_is_not_understood_is_exit_code_2() {
    for (arguments, reason) in [
        (&[][..], "no command"),
        (&["status"], "LIMIT_FLEET_URL"),
        (&["stats", "redis://a"], "only command is status"),
        (&["status", "redis://a", "redis://u:s3cret@b"], "more than one address"),
        (&["status", "--verbose", "redis://a"], "--verbose"),
        (&["status", "redis://a", "--namespace"], "--namespace"),
        (&["status", "http://u:s3cret@a"], "unknown scheme"),
    ] {
        let output = run(arguments);
        let text = err(&output);
        assert_eq!((output.status.code(), &*out(&output)), (Some(2), ""), "{arguments:?}: {text}");
        assert!(text.contains(reason) && !text.contains("s3cret"), "{arguments:?}: {text}");
    }
}

#[test]
fn help_and_version_are_printed() {
    let output = run(&["--help"]);
    assert!(output.status.success() && out(&output).starts_with("usage: limit-fleet status"));
    assert!(out(&output).lines().all(|line| line.len() <= 100));
    let output = run(&["status", "--version"]);
    assert_eq!(out(&output), concat!("limit-fleet ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[tokio::test]
async fn a_ledger_of_which_nobody_speaks_is_marked() {
    if !are_installed() {
        return;
    }
    let server = start().await;
    let long = LedgerName::new("eu", "a very long name ".repeat(8));
    let mut connection =
        redis::Client::open(server.url()).and_then(|it| it.get_connection()).expect("a connection");
    // The leases of the first are shorter than the silence, and that of the second is longer.
    for (name, silence) in [(LedgerName::new("billing", "orders-db"), 3 * 86_400), (long, 600)] {
        let key = name.redis_key();
        let mut main: Vec<u8> =
            redis::cmd("HGET").arg(&key).arg("m").query(&mut connection).expect("the ledger");
        // The second number is the server's clock at the last message.
        let last = f64::from_le_bytes(main[8..16].try_into().expect("a number"));
        main[8..16].copy_from_slice(&(last - f64::from(silence) * 1e6).to_le_bytes());
        redis::cmd("HSET").arg(&key).arg("m").arg(main).exec(&mut connection).expect("HSET");
    }
    let text = out(&run(&["status", &server.url()]));
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].contains("silent 3 d") && lines[4].contains("silent 10 min"), "{text}");
    assert!(lines[2].ends_with("over") && lines[3].contains(" over "), "{text}");
    assert!(lines[5].contains("3600.0 s"), "{text}");
    let text = out(&run(&["status", "--json", &server.url()]));
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let over = |ledger: usize, node: usize| &json["ledgers"][ledger]["nodes"][node]["lease_over"];
    assert_eq!((over(0, 0), over(0, 1), over(1, 0)), (&true.into(), &true.into(), &false.into()));
}

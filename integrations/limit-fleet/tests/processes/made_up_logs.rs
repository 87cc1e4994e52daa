//! The checker finds what is in logs that nobody has written.

use crate::calls::{Log, Which, fairness, most_at_once, utilisation};

fn log(lines: &[&str]) -> Log {
    let mut log = Log::default();
    for line in lines {
        log.read(line);
    }
    log
}

pub(crate) async fn calls_of_all_processes_are_counted_together() {
    let logs = [
        log(&["10 begin 0 db leased -", "20 begin 1 db leased -", "30 end 0", "40 end 1"]),
        log(&["25 begin 0 db leased -", "29 end 0", "30 begin 1 db leased -", "35 end 1"]),
    ];
    assert_eq!(most_at_once(&logs, "db", Which::All, 0), 3);
    assert_eq!(most_at_once(&logs[..1], "db", Which::All, 0), 2);
    assert_eq!(most_at_once(&logs, "db", Which::All, 29), 2, "one passes its permit on at 30");
    assert_eq!(most_at_once(&logs, "db", Which::All, 35), 1);
    assert_eq!(most_at_once(&logs, "other", Which::All, 0), 0);
}

pub(crate) async fn calls_that_lost_their_lease_count_apart() {
    let logs = [
        log(&["10 begin 0 db leased -", "50 lost 0 30", "60 end 0"]),
        log(&["20 begin 0 db leased -", "29 end 0", "40 begin 1 db leased 7", "70 end 1"]),
        log(&["45 begin 0 db unleased -", "70 end 0"]),
    ];
    assert_eq!(most_at_once(&logs, "db", Which::WithLease, 0), 2);
    assert_eq!(most_at_once(&logs, "db", Which::WithLease, 29), 1);
    assert_eq!(most_at_once(&logs, "db", Which::All, 0), 3);
    assert_eq!(logs[1].calls[1].token, Some(7));
}

pub(crate) async fn calls_of_a_killed_process_end_with_it() {
    let mut killed = log(&["10 begin 0 db leased -", "11 begin 1 db leased -", "15 end 1"]);
    let other = log(&["30 begin 0 db leased -", "40 end 0"]);
    assert_eq!(most_at_once(&[killed.clone()], "db", Which::All, 15), 0, "its end is not known");
    killed.end(35);
    assert_eq!(most_at_once(&[killed.clone(), other.clone()], "db", Which::WithLease, 0), 2);
    assert_eq!(most_at_once(&[killed, other], "db", Which::WithLease, 35), 1);
}

pub(crate) async fn utilisation_and_fairness_are_worked_out() {
    let logs = [
        log(&["0 begin 0 db leased -", "100 end 0", "100 begin 1 db leased -", "150 end 1"]),
        log(&["50 begin 0 db leased -", "90 end 0"]),
    ];
    let close =
        |left: f64, right: f64| assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    close(utilisation(&logs, "db", 2, 50, 150), 0.7);
    close(fairness(&logs, 0, 200), 0.9);
    close(fairness(&logs[..1], 0, 200), 1.0);
}

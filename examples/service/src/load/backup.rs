//! The backup of the replica, each night.

use tokio::time::sleep;

use crate::load::day::{Clock, EVENING, MORNING};
use crate::replica::Replica;
use crate::utc::time_of_day;

/// Makes a backup each night, for ever.
pub(crate) async fn back_up_each_night(replica: Replica, clock: Clock) {
    loop {
        sleep(clock.until(EVENING)).await;
        let backup = replica.begin_backup().await;
        let searches = Replica::WORKERS_DURING_BACKUP;
        println!("{}  a backup: the replica works on {searches} searches at a time", time_of_day());
        sleep(clock.until(MORNING)).await;
        drop(backup);
        let searches = Replica::WORKERS;
        println!("{}  no backup: the replica works on {searches} again", time_of_day());
    }
}

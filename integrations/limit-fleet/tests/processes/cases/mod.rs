//! The cases, by what fails.

mod chaos;
#[cfg(feature = "cluster")]
mod cluster;
mod limits;
mod load;
mod network;
mod nodes;
mod redis;
mod starting;
mod tokens;

use crate::made_up_logs;
use crate::runner::Case;

macro_rules! cases {
    ($($(#[$attribute:meta])? $module:ident::$name:ident,)*) => {
        vec![$($(#[$attribute])? Case {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: || Box::pin($module::$name()),
        },)*]
    };
}

/// Returns all cases. Those that take long come first.
pub(crate) fn all() -> Vec<Case> {
    cases![
        made_up_logs::calls_of_all_processes_are_counted_together,
        made_up_logs::calls_that_lost_their_lease_count_apart,
        made_up_logs::calls_of_a_killed_process_end_with_it,
        made_up_logs::utilisation_and_fairness_are_worked_out,
        nodes::a_clean_end_gives_the_shares_back_at_once,
        load::calls_that_come_while_permits_are_given_back,
        chaos::many_faults_together,
        redis::a_server_that_restarts_empty_grants_nothing_new_for_a_lease,
        network::a_silent_network_with_calls_that_wait,
        network::a_silent_network_with_calls_that_are_refused,
        network::a_silent_network_with_local_permits,
        network::a_network_that_resets_connections,
        network::a_network_that_resets_connections_after_the_message,
        network::a_network_that_delays_answers_for_longer_than_anybody_waits,
        network::half_open_connections,
        network::answers_that_are_always_late,
        nodes::a_killed_process_leaves_its_share_to_the_others,
        nodes::a_stopped_process_starts_nothing_after_its_lease,
        redis::a_server_that_is_stopped_and_goes_on,
        redis::a_server_that_is_down_for_longer_than_a_lease,
        redis::a_server_without_memory,
        redis::a_server_that_forgets_its_scripts_and_closes_connections,
        #[cfg(feature = "sentinel")]
        redis::a_fail_over_of_sentinels,
        #[cfg(feature = "cluster")]
        cluster::a_slot_moves_while_its_limiter_is_used,
        tokens::tokens_grow_from_holder_to_holder,
        load::a_saturated_fleet_uses_all_permits_fairly,
        load::calls_that_never_wait_get_a_share,
        limits::the_smallest_limit_holds_and_each_process_shows_it,
        starting::a_limiter_that_was_used_before_the_fleet_started,
        starting::a_process_starts_one_fleet_at_a_time,
        starting::a_process_with_another_lease_gets_permits_when_the_others_have_left,
        starting::errors_say_what_to_do,
        starting::a_lazy_start_joins_when_the_server_comes,
    ]
}

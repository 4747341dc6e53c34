//! Every scenario of the lying server, on the real client and on the one with a guard out; docs/evilsrv.md says how.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod columns;
mod matrix;
mod switch;
mod two;
mod uploads;

use casevault_e2e::binary::root;
use casevault_e2e::evil::scenario::Scenario;
use casevault_e2e::evil::stage::Stage;

/// Plays a scenario; one that is known to fail must still fail.
fn play(name: &str) {
    let scenario = Scenario::named(name).unwrap_or_else(|| panic!("no scenario {name}"));
    match scenario.open {
        None => scenario.play().unwrap_or_else(|why| panic!("{name}: {why}")),
        Some(fault) => {
            let told = scenario.tell(&Stage::set(scenario.begins));
            let why = told.expect_err(&format!("mended: take `{fault}` off this scenario"));
            println!("{name}: open: {fault}: {why}");
        }
    }
}

/// One test a scenario, by its name.
macro_rules! scenarios {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })+

        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

scenarios! {
    attack_01_a_log_key_with_a_flipped_bit_spoils_nothing
    attack_03_a_log_key_of_another_name_is_not_taken
    attack_03_a_log_key_that_the_server_does_not_hold_is_not_taken
    attack_03_another_key_for_a_colleague_is_refused
    attack_04_a_root_with_another_recovery_key_is_refused
    attack_05_a_member_whom_the_server_adds_is_refused
    attack_06_a_device_that_the_server_adds_is_refused
    attack_13_a_checkpoint_for_a_challenge_is_not_signed
    attack_14_a_link_at_anothers_leaf_is_refused
    attack_14_another_link_at_a_leaf_is_refused
    attack_14_others_entries_at_the_leaves_that_are_named_are_refused
    attack_14_the_checkpoint_of_another_agency_is_refused
    attack_18_a_clock_a_year_ahead_is_not_read
    attack_18_a_clock_a_year_behind_is_not_read
    attack_19_a_bit_of_a_record_that_comes_is_refused
    attack_21_a_leaf_that_is_there_twice_is_refused
    attack_21_an_older_link_again_in_a_page_is_refused
    attack_21_leaves_told_the_wrong_way_round_are_refused
    attack_22_a_leaf_put_between_is_refused
    attack_22_a_note_that_the_server_writes_again_is_refused
    attack_31_a_leaf_far_behind_the_end_is_refused
    attack_31_a_page_of_empty_blobs_takes_no_memory
    attack_31_a_token_of_a_megabyte_is_refused
    attack_31_a_tree_of_2_to_the_63_leaves_is_not_fetched
    attack_31_an_answer_of_160_mebibytes_is_not_read
    attack_31_an_answer_that_takes_for_ever_is_not_waited_for
    attack_31_answers_that_come_a_byte_at_a_time_are_waited_for
    attack_31_ten_million_outcomes_take_no_memory
    attack_39_a_link_that_is_refused_names_the_check_and_loses_nothing
    attack_40_a_client_that_is_sent_elsewhere_does_not_go
    attack_42_an_older_log_behind_an_append_is_refused
    attack_42_an_older_log_is_not_followed
    attack_42_an_older_log_whose_tiles_do_not_come_is_still_a_rollback
    attack_42_an_older_log_whose_tiles_fail_is_still_a_rollback
    attack_44_a_shorter_log_of_another_history_that_a_witness_saw_is_refused_with_evidence
    attack_44_another_history_behind_an_append_is_refused_with_evidence
    attack_44_another_history_from_its_first_leaf_is_refused_with_evidence
    attack_44_another_history_is_refused_with_evidence
    attack_44_another_log_than_a_witness_saw_is_refused_with_evidence
    attack_44_two_leaves_of_one_place_are_refused_with_evidence
    attack_45_a_server_that_holds_everything_back_for_a_day_is_an_alarm
    attack_45_a_server_that_says_it_is_busy_for_a_year_is_not_waited_for
    attack_45_a_time_that_the_witness_never_said_is_refused
    attack_45_cosignatures_that_are_kept_back_are_an_alarm_in_the_end
    attack_45_leaves_that_a_witness_saw_and_that_are_not_shown_are_missed
    attack_46_a_leaf_taken_out_of_the_log_is_missed
    attack_46_a_leaf_without_its_link_is_named
    attack_46_a_link_left_out_of_a_page_is_named
    attack_46_a_record_said_to_be_erased_is_missed
    attack_46_links_that_are_held_back_are_named
    attack_46_the_last_link_of_an_append_left_out_is_missed
    attack_46_what_is_said_to_be_stored_and_is_not_in_the_log_is_not_stored
    attack_46_what_was_not_tried_is_not_stored
    attack_47_leaves_in_another_order_are_refused
    attack_47_links_of_a_page_in_another_order_are_refused
    attack_47_links_of_one_append_in_another_order_are_refused
    attack_48_a_checkpoint_that_the_log_key_did_not_sign_is_refused
    attack_48_two_roots_of_one_size_are_refused_with_evidence
    attack_58_a_conflict_that_there_is_not_loses_nothing
    attack_58_an_append_that_is_delivered_twice_is_there_once
    attack_58_an_append_that_is_lost_is_sent_again
    attack_58_an_append_whose_answer_is_lost_is_there_once_after_the_next
    attack_58_an_outcome_too_few_is_refused
    attack_58_an_outcome_too_many_is_refused
}

#[test]
fn every_scenario_is_a_test_and_every_test_a_scenario() {
    let mut known: Vec<&str> = Scenario::all().iter().map(|scenario| scenario.name).collect();
    known.sort_unstable();
    assert_eq!(known, NAMES);
}

/// What is open is not told as covered.
#[test]
fn the_threat_table_names_no_scenario_that_is_open() {
    let table = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    for scenario in Scenario::all() {
        let is_named = table.contains(&format!("`{}`", scenario.name));
        assert_eq!(is_named, scenario.open.is_none(), "{}", scenario.name);
    }
}

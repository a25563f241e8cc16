//! Every pitfall of mytoken servers (mytoken-api.md §12) that a client can meet, and the tests that hold it.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::path::Path;

/// Where a test stands.
const RECORDED: &str = "tests/mytoken_recorded.rs";
const CLIENT: &str = "tests/mytoken_client.rs";
const WALLET: &str = "tests/wallet/mytoken.rs";
const MET: &str = "tests/wallet/pitfalls.rs";
const REFUSALS: &str = "tests/wallet/refusals.rs";
const LOOK_UP: &str = "tests/wallet/look_up.rs";
const ORDER: &str = "src/mytoken/order.rs";
const REPLY: &str = "src/mytoken/reply/tests.rs";
const REFUSAL: &str = "src/mytoken/refusal.rs";
const LISTING: &str = "src/mytoken/listing.rs";
const ASKED: &str = "src/mytoken/asked/tests.rs";
const WEIGH: &str = "src/domain/verdict/weigh.rs";
const PLACE: &str = "src/domain/verdict/place.rs";
const FAMILIES: &str = "tests/wallet/families.rs";
const MAKING: &str = "tests/wallet/making.rs";

/// A pitfall by its number, in words, and the tests that hold it.
struct Pitfall(u8, &'static str, &'static [(&'static str, &'static str)]);

const MET_BY_US: [Pitfall; 40] = [
    Pitfall(
        1,
        "404 instead of 405, 428 for pending, 278 and 555",
        &[
            (REFUSALS, "every_refusal_has_its_sentence_and_its_exit_code_at_every_verb"),
            (REFUSAL, "each_other_refusal_is_named_for_what_it_means"),
        ],
    ),
    Pitfall(
        2,
        "201 and 429 are text",
        &[
            (REFUSALS, "every_refusal_has_its_sentence_and_its_exit_code_at_every_verb"),
            (RECORDED, "an_answer_that_may_have_lost_a_new_copy_says_so"),
            (
                FAMILIES,
                "pitfall_2_a_server_that_asks_to_wait_is_left_alone_by_every_verb_and_nothing_is_tried_again",
            ),
        ],
    ),
    Pitfall(
        3,
        "`valid` is never false; revoked and rotated away look the same",
        &[
            (RECORDED, "revoked_and_rotated_away_look_the_same_and_are_not_guessed_apart"),
            (LOOK_UP, "a_rotated_away_copy_is_recognised_and_not_sent"),
            (FAMILIES, "pitfall_3_the_journal_tells_rotated_away_from_revoked"),
        ],
    ),
    Pitfall(
        4,
        "a 204 proves no revocation; what has expired is not revoked",
        &[
            (RECORDED, "a_204_to_a_revocation_is_no_more_than_accepted_and_an_old_copy_is_named"),
            (WALLET, "revoking_is_proven_and_what_was_revoked_before_is_said_so"),
            (WALLET, "what_cannot_be_revoked_says_why"),
            (FAMILIES, "pitfall_4_a_revocation_is_proven_by_the_next_list_or_not_claimed"),
            (FAMILIES, "pitfalls_4_and_5_what_cannot_end_itself_is_ended_by_its_id"),
        ],
    ),
    Pitfall(
        5,
        "revoking by an old copy or the own id is a 500; before its time nothing is revoked",
        &[
            (RECORDED, "a_204_to_a_revocation_is_no_more_than_accepted_and_an_old_copy_is_named"),
            (RECORDED, "what_the_server_would_misunderstand_is_not_sent"),
            (WALLET, "what_cannot_be_revoked_says_why"),
            (FAMILIES, "pitfall_5_the_one_that_asks_is_revoked_by_itself_and_never_by_its_own_id"),
            (FAMILIES, "pitfall_5_an_older_copy_cannot_revoke_and_says_so"),
        ],
    ),
    Pitfall(
        6,
        "some uses never rotate, others only where there are restrictions",
        &[
            (MET, "pitfall_6_a_history_turns_an_unrestricted_mytoken_not_over_and_leaves_no_doubt"),
            (WALLET, "the_history_marks_new_addresses_costs_an_other_use_and_keeps_the_rotation"),
            (
                FAMILIES,
                "pitfall_6_a_list_by_a_restricted_mytoken_costs_a_use_and_its_new_copy_is_saved_first",
            ),
        ],
    ),
    Pitfall(
        7,
        "a new copy may be another short token, or be in the cookie only",
        &[
            (REPLY, "the_new_copy_is_found_wherever_it_is"),
            (REPLY, "the_cookie_is_the_last_resort_and_never_the_copy_that_was_sent"),
            (WALLET, "two_hundred_draws_of_a_rotating_mytoken_never_send_an_old_copy_whoever_goes_away"),
            (FAMILIES, "pitfall_7_the_new_copy_that_comes_with_a_revocation_is_kept"),
        ],
    ),
    Pitfall(
        8,
        "a first copy with a rotation lifetime dies silently",
        &[
            (
                "src/domain/mytoken/mod.rs",
                "the_first_copy_of_a_rotating_mytoken_ends_with_its_rotation_lifetime",
            ),
            (WEIGH, "a_first_copy_past_its_rotation_lifetime_is_expired_and_not_unknown"),
        ],
    ),
    Pitfall(
        9,
        "audiences are a text in requests and a list in answers",
        &[
            (RECORDED, "a_request_is_json_in_the_body_and_carries_the_mytoken_nowhere_else"),
            (RECORDED, "every_recorded_answer_is_read_as_it_is_meant"),
        ],
    ),
    Pitfall(
        10,
        "an unrestricted mytoken ignores the scopes that are asked for",
        &[(
            MET,
            "pitfall_10_an_unrestricted_mytoken_gives_more_scopes_than_were_asked_for_and_they_are_shown",
        )],
    ),
    Pitfall(
        11,
        "0 uses is never, none is any number",
        &[
            (MET, "pitfall_11_no_access_tokens_at_all_is_not_the_same_as_any_number_of_them"),
            ("src/domain/mytoken/clause.rs", "an_unused_clause_has_all_its_uses_left"),
        ],
    ),
    Pitfall(
        12,
        "other uses alone are a 500 from the second on",
        &[(ORDER, "orders_that_the_server_would_break_on_are_not_sent")],
    ),
    Pitfall(
        13,
        "subtokens are tightened in silence",
        &[
            (MET, "pitfall_13_a_subtoken_that_its_server_tightened_in_silence_says_so"),
            (MAKING, "what_falls_away_from_a_subtoken_is_told"),
        ],
    ),
    Pitfall(
        14,
        "the consent page changes everything, rotation too",
        &[
            (RECORDED, "what_the_user_changed_on_the_consent_page_is_all_named"),
            (ASKED, "a_rotation_that_was_switched_off_is_an_alarm"),
        ],
    ),
    Pitfall(
        15,
        "a transfer code is the same mytoken twice, and its answer tells no rotation",
        &[
            (RECORDED, "a_redeemed_mytoken_tells_its_rotation_although_the_answer_does_not"),
            (
                MET,
                "pitfalls_15_and_38_a_code_from_before_a_rotation_gives_a_dead_copy_which_is_said_to_be_one",
            ),
            (MAKING, "what_is_redeemed_knows_that_it_rotates"),
        ],
    ),
    Pitfall(
        16,
        "null and empty members mean something else than absent ones",
        &[
            (ORDER, "a_bare_order_sends_nothing_that_is_absent"),
            (RECORDED, "what_the_server_would_misunderstand_is_not_sent"),
        ],
    ),
    Pitfall(
        17,
        "ids hold slashes, plus and equals signs, and are never shortened",
        &[
            (RECORDED, "the_later_requests_hold_what_they_need_and_nothing_else"),
            ("src/domain/mytoken/mod.rs", "the_mom_id_of_a_recorded_mytoken_is_computed_as_its_server_does"),
            (FAMILIES, "pitfalls_17_and_18_histories_of_others_are_asked_for_by_full_ids"),
        ],
    ),
    Pitfall(
        18,
        "`this` and `children` fail for managers",
        &[
            (RECORDED, "what_the_server_would_misunderstand_is_not_sent"),
            (FAMILIES, "pitfalls_17_and_18_histories_of_others_are_asked_for_by_full_ids"),
        ],
    ),
    Pitfall(
        19,
        "lists are null, names are missing, children are roots",
        &[
            (LISTING, "an_empty_list_is_told_from_one_that_is_none"),
            (LISTING, "a_list_is_read_in_the_words_of_every_version"),
            (FAMILIES, "pitfall_19_children_whose_parent_is_gone_are_roots_and_names_may_be_missing"),
        ],
    ),
    Pitfall(
        20,
        "country codes are upper case",
        &[
            (ORDER, "a_full_order_is_sent_in_numbers_and_capitals"),
            (PLACE, "a_country_in_lower_case_matches_nobody"),
        ],
    ),
    Pitfall(
        21,
        "revocation reads no Authorization header",
        &[
            (RECORDED, "a_request_is_json_in_the_body_and_carries_the_mytoken_nowhere_else"),
            (FAMILIES, "pitfalls_21_and_22_no_mytoken_is_in_a_header_and_no_cookie_comes_back"),
        ],
    ),
    Pitfall(
        22,
        "a kept cookie would authenticate with an old copy",
        &[
            (RECORDED, "a_cookie_with_a_new_copy_is_read_once_and_never_sent"),
            (FAMILIES, "pitfalls_21_and_22_no_mytoken_is_in_a_header_and_no_cookie_comes_back"),
        ],
    ),
    Pitfall(
        23,
        "discovery names what is off, and does not name all that is on",
        &[
            (RECORDED, "what_is_switched_off_is_not_asked_for"),
            (RECORDED, "a_server_with_features_off_says_so_and_is_not_asked_for_them"),
            (MAKING, "a_server_without_profiles_offers_all_the_rest"),
        ],
    ),
    Pitfall(
        24,
        "no life in the answer is for ever, or over already; of a code it is the code's",
        &[
            (MET, "pitfall_24_a_subtoken_that_would_be_dead_at_once_is_not_made"),
            ("src/mytoken/transfer.rs", "a_code_is_read_with_its_life"),
            (MAKING, "what_has_ended_before_it_is_made_is_not_made"),
        ],
    ),
    Pitfall(
        25,
        "the two clocks differ",
        &[
            (WEIGH, "the_servers_clock_goes_before_ours_and_the_difference_is_said"),
            ("tests/wallet/clocks.rs", "no_clock_ends_a_token_early_or_hands_out_an_ended_one"),
        ],
    ),
    Pitfall(
        26,
        "polling codes and consent addresses are secrets",
        &[
            ("src/mytoken/consent.rs", "neither_the_address_nor_the_code_is_in_the_debug_output"),
            ("src/mytoken/transfer.rs", "the_code_is_not_in_the_debug_output"),
            ("tests/proof/canaries.rs", "no_secret_is_left_behind_said_or_seen_at_the_highest_level"),
        ],
    ),
    Pitfall(
        27,
        "its documentation is wrong: forms, `updated_token`, lists without the one that asks",
        &[
            (RECORDED, "a_request_is_json_in_the_body_and_carries_the_mytoken_nowhere_else"),
            (REPLY, "nothing_else_is_taken_for_a_new_copy"),
            (CLIENT, "a_rotating_parent_makes_children_and_shows_them_below_itself"),
        ],
    ),
    Pitfall(
        28,
        "unknown capabilities fall away, or fail at the consent page",
        &[(ASKED, "capabilities_are_compared_by_what_they_cover")],
    ),
    Pitfall(
        30,
        "an access token is no mytoken",
        &[
            ("src/domain/specimen/tests.rs", "each_token_is_told_for_what_it_is"),
            (LOOK_UP, "other_tokens_are_named_for_what_they_are_and_nobody_is_asked"),
        ],
    ),
    Pitfall(
        31,
        "the provider can refuse later: alive, and useless",
        &[
            (REFUSAL, "a_provider_that_refuses_is_quoted_and_never_mistaken_for_a_dead_mytoken"),
            (LOOK_UP, "a_mytoken_that_lives_and_gives_nothing_is_useless_until_it_gives_again"),
        ],
    ),
    Pitfall(
        32,
        "a failed request did not rotate, a lost answer did",
        &[
            (WALLET, "a_lost_answer_leaves_a_mytoken_that_does_not_rotate_as_it_was"),
            (WALLET, "a_copy_in_doubt_that_would_revoke_its_family_is_not_sent_unless_the_user_insists"),
        ],
    ),
    Pitfall(
        33,
        "a 200 without an access token was counted, and rotated",
        &[
            (WALLET, "an_empty_answer_is_a_failure_that_cost_a_use_and_whose_rotation_is_saved"),
            (RECORDED, "a_rotation_is_told_together_with_a_success_that_holds_no_access_token"),
        ],
    ),
    Pitfall(
        34,
        "a login comes back wider than asked",
        &[
            (RECORDED, "recorded_logins_that_came_back_wider_raise_the_alarm"),
            (WALLET, "what_comes_back_wider_than_asked_is_an_alarm"),
        ],
    ),
    Pitfall(
        35,
        "polling goes on after a login that failed late",
        &[(MET, "pitfall_35_a_login_that_fails_late_is_ended_by_our_own_clock_with_a_look_at_the_browser")],
    ),
    Pitfall(
        36,
        "a short token that rotates hangs",
        &[(ORDER, "orders_that_the_server_would_break_on_are_not_sent")],
    ),
    Pitfall(
        37,
        "uses at once ruin all copies but one",
        &[
            (MET, "pitfall_37_uses_of_one_mytoken_go_out_one_after_the_other_whatever_they_are"),
            ("tests/proof/races.rs", "a_hundred_that_find_the_token_expired_share_one_renewal"),
        ],
    ),
    Pitfall(
        38,
        "a code from before a rotation gives a dead copy",
        &[
            (
                MET,
                "pitfalls_15_and_38_a_code_from_before_a_rotation_gives_a_dead_copy_which_is_said_to_be_one",
            ),
            (MAKING, "a_dead_copy_behind_a_code_is_told_as_such"),
        ],
    ),
    Pitfall(
        39,
        "a name over 89 characters is a 500",
        &[
            (ORDER, "orders_that_the_server_would_break_on_are_not_sent"),
            (MAKING, "what_the_server_would_do_badly_stops_before_it_is_sent"),
        ],
    ),
    Pitfall(
        40,
        "profiles are added to what was chosen; payloads count from when they were read",
        &[(CLIENT, "pitfall_40_a_profile_that_adds_to_what_was_chosen_is_seen")],
    ),
    Pitfall(
        41,
        "lower-case codes of refused countries protect against nothing",
        &[
            (ORDER, "pitfall_41_refused_countries_are_sent_in_capitals_too"),
            (PLACE, "a_country_in_lower_case_matches_nobody"),
        ],
    ),
];

/// What nobody meets here, and why.
const NOT_MET: [(u8, &str); 1] = [(29, "errors over SSH: nothing of ours goes over SSH to a mytoken server")];

/// The known bugs of mytoken's own command-line client (peers.md §6 item 11), and the tests that they are none of ours.
const CLIENT_BUGS: [(&str, &str, &str); 6] = [
    (
        "a lone refusal of countries is lost",
        "src/cli/mytoken/order.rs",
        "a_lone_refusal_of_countries_is_a_restriction_in_capitals",
    ),
    (
        "a new copy is not written back as a whole",
        "tests/proof/kills.rs",
        "killed_at_a_random_instant_a_renewal_loses_nothing_that_had_arrived",
    ),
    (
        "a new copy is printed once where the old one came from elsewhere",
        WALLET,
        "the_history_of_a_pasted_mytoken_is_read_unless_it_would_rotate_away",
    ),
    (
        "a recursive revocation is none",
        FAMILIES,
        "with_its_subtokens_all_that_is_held_of_them_is_marked_under_whatever_name",
    ),
    ("a polling interval above 15 s crashes it", MAKING, "a_polling_interval_above_fifteen_seconds_is_kept"),
    (
        "only the first line of a token's file is read",
        "tests/commands/making.rs",
        "a_code_goes_through_a_pipe_from_one_machine_to_another",
    ),
];

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default()
}

/// Whether this text has a test of this name.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let opens = [format!("fn {name}("), format!("async fn {name}(")];
    lines.iter().enumerate().any(|(at, line)| {
        let marks = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        opens.iter().any(|open| line.starts_with(open))
            && marks.clone().any(|line| matches!(*line, "#[test]" | "#[tokio::test]"))
            && !marks.clone().any(|line| line.starts_with("#[ignore"))
    })
}

#[test]
fn every_pitfall_that_a_client_can_meet_has_tests_that_are_there_and_run() {
    let mut seen = BTreeSet::new();
    let mut missing = Vec::new();
    for Pitfall(number, words, tests) in &MET_BY_US {
        assert!(seen.insert(*number), "{number} stands there twice");
        assert!(!tests.is_empty(), "{number}: {words}");
        for (file, name) in *tests {
            if !has_test(&text(file), name) {
                missing.push(format!("{number} ({words}): {name} in {file}"));
            }
        }
    }
    seen.extend(NOT_MET.map(|(number, _)| number));
    assert_eq!(seen, (1..=41).collect());
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_known_bug_of_the_command_line_client_has_a_test_that_is_there_and_runs() {
    let missing: Vec<&str> = CLIENT_BUGS
        .iter()
        .filter(|(_, file, name)| !has_test(&text(file), name))
        .map(|(bug, _, _)| *bug)
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn a_test_that_is_not_there_or_does_not_run_is_noticed() {
    let text = "#[test]\nfn there() {}\nfn no_test() {}\n#[test]\n#[ignore = \"needs time\"]\nfn idle() {}\n";
    let found = ["there", "no_test", "idle", "ther", "gone"].map(|name| has_test(text, name));
    assert_eq!(found, [true, false, false, false, false]);
}

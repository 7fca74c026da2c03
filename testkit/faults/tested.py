"""Faults that a test of their own holds against: they need no long run, and most need no process."""

from dataclasses import dataclass

from testkit.markdown import table


@dataclass(frozen=True, slots=True)
class Tested:
    """What was slow, odd or false; what must hold; the tests that show it, as FILE::NAME below tests/."""

    fault: str
    must_hold: str
    tests: tuple[str, ...]


TESTED = (
    Tested(
        "another room, or another danger, joins an alarm that was acknowledged",
        "one alert per danger, with all its rooms; a new room or danger rings and escalates again; an "
        "alarm that has ended takes in nothing",
        (
            "rules/test_dangers.py::test_every_danger_in_every_room_is_alerted",
            "rules/test_dangers.py::test_a_danger_that_has_ended_takes_in_nothing",
        ),
    ),
    Tested(
        "a switch or an automation presses the test button 3,000 times",
        "one test in 10 s, marked as a test; it is last in every queue, dropped first, and not escalated",
        (
            "pipeline/test_decisions.py::test_a_flood_of_tests_is_one_test_in_ten_seconds",
            "delivery/test_outbox.py::test_tests_are_the_first_to_go",
            "delivery/test_coalescer.py::test_a_test_holds_back_no_real_alarm",
            "delivery/test_escalation.py::test_a_test_calls_the_first_and_nobody_after",
        ),
    ),
    Tested(
        "an alarm of a kind that no standard describes",
        "every example informs at once, and warns after 45 s or when the model agrees",
        (
            "config/test_guides.py::test_an_alarm_of_an_unknown_kind_is_alerted_by_every_example",
            "rules/test_lasting.py::test_an_unknown_alarm_warns_when_it_goes_on_or_is_confirmed",
            "recordings/test_shipped_rules.py::test_a_machine_that_beeps_informs_and_an_alarm_that_goes_on_warns",
        ),
    ),
    Tested(
        "a model's scores overflow, or a server sends NaN",
        "it is an error of the classifier, for every label and emotion; no event begins",
        (
            "runtime/test_worker.py::test_a_score_that_is_not_finite_is_an_error_of_its_classifier",
            "runtime/test_worker.py::test_an_emotion_that_is_not_finite_is_an_error_too",
            "rules/test_check.py::test_a_score_that_no_rhythm_reaches_is_an_error",
        ),
    ),
    Tested(
        "two similar alarms in one room, out of step by 0.4 to 3 s, down to -10 dB (-6 if whole seconds "
        "apart)",
        "a suspected smoke alarm, whatever the lag; none from a truck, a metronome or other beeps",
        (
            "rhythm/test_folded.py::test_two_like_alarms_are_suspected_whatever_the_lag",
            "rhythm/test_folded.py::test_two_like_alarms_are_suspected_in_noise",
            "rhythm/test_folded.py::test_what_only_resembles_them_is_no_smoke_alarm",
        ),
    ),
    Tested(
        "T3 whose beeps are cut to 50-150 ms by a camera's noise suppressor",
        "a suspected smoke alarm",
        ("rhythm/test_folded.py::test_beeps_that_were_cut_short_are_suspected",),
    ),
    Tested(
        "a smoke alarm that speaks after every three beeps",
        "an unknown alarm after the third group, which warns when it goes on; none from an oven or from "
        "television",
        (
            "rhythm/test_folded.py::test_an_alarm_that_speaks_after_three_beeps_is_suspected",
            "rhythm/test_folded.py::test_beeps_without_words_or_in_other_numbers_are_no_voice_alarm",
            "rhythm/test_folded.py::test_words_that_go_on_between_the_beeps_are_a_television",
        ),
    ),
    Tested(
        "the process stands still for seconds, or judges a sound late",
        "one sound is one event, which ends by the time of its sound; more than 5 s of delay is trouble, "
        "and events decided then are marked late",
        (
            "runtime/test_decider.py::test_a_stall_makes_no_second_event_of_one_sound",
            "runtime/test_decider.py::test_an_event_ends_by_its_sound_once_all_of_it_was_judged",
            "runtime/test_progress.py::test_a_source_that_is_behind_is_trouble",
            "delivery/test_outbox.py::test_what_was_judged_late_is_late",
        ),
    ),
    Tested(
        "a camera's timestamps are in a wrong unit, are of the moment of sending, or have 250 ms of jitter",
        "all its sound is heard, and its alarms are found",
        (
            "sources/stream/test_odd_cameras.py::test_whatever_a_camera_stamps_its_sound_is_heard_whole",
            "sources/timing/test_framer.py::test_a_partial_frame_survives_a_small_gap",
        ),
    ),
    Tested(
        "one source hangs",
        "it goes offline with the reason; the watchdog is fed",
        (
            "runtime/test_supervision.py::test_a_source_that_hangs_is_offline_with_the_reason_and_opened_anew",
            "runtime/test_health.py::test_a_single_source_that_hangs_starves_nobody",
        ),
    ),
    Tested(
        "a camera announces 8 kHz and sends 16",
        "the rate is measured by the clock and logged, and the true rate is used",
        (
            "sources/stream/test_odd_cameras.py::test_a_camera_that_lies_about_its_rate_is_heard_at_the_true_one",
            "sources/timing/test_rate.py::test_a_rate_that_nobody_uses_is_found_within_a_minute",
        ),
    ),
    Tested(
        "several audio tracks, the first one silent; a stream that cannot be decoded",
        "the track that carries sound is used; a stream without such a track is offline, with the reason",
        (
            "sources/stream/test_odd_cameras.py::test_the_track_that_carries_sound_is_heard",
            "sources/stream/test_odd_cameras.py::test_a_stream_that_cannot_be_decoded_is_offline_with_the_reason",
        ),
    ),
    Tested(
        "one stereo channel is inverted",
        "one channel is used instead of silence, and this is logged; live and in files",
        (
            "sources/test_mixing.py::test_an_inverted_channel_does_not_cancel_the_other",
            "sources/test_recording.py::test_an_inverted_channel_does_not_cancel_the_other_in_a_file",
            "sources/stream/test_odd_cameras.py::test_inverted_stereo_over_the_network_is_heard",
        ),
    ),
    Tested(
        "recordings with estimated lengths, wrong header fields or gaps in their time",
        "heard with a warning, every sound at its place; none of them ends an evaluation",
        (
            "sources/test_odd_recordings.py::test_an_estimated_length_is_no_promise",
            "sources/test_odd_recordings.py::test_a_variable_bit_rate_without_a_table_is_heard_whole",
            "sources/test_odd_recordings.py::test_a_hole_in_the_containers_time_keeps_its_place",
            "cli/test_recordings.py::test_odd_recordings_are_classified_and_evaluated",
            "recordings/evaluation/test_evaluate.py::test_a_damaged_recording_ends_no_evaluation",
        ),
    ),
    Tested(
        "a microphone that flickers by one step (-92 to -110 dBFS), or delivers only mains hum",
        "reported after 2 min, or after 10 if the source is not known yet; never for a quiet or humming "
        "room, or for a camera that gates noise",
        (
            "gate/test_life.py::test_a_source_without_life_is_said",
            "gate/test_life.py::test_a_living_source_is_left_alone",
            "history/test_habits.py::test_what_was_learnt_outlasts_a_restart",
            "test_daemon.py::test_a_microphone_without_life_is_a_problem",
        ),
    ),
    Tested(
        "a driver or camera repeats a buffer of 10 ms to 2 s",
        "reported within 8 s, also through a resampler; never for noise or for an alarm in a room",
        (
            "gate/test_loops.py::test_a_loop_is_found_whatever_its_length",
            "gate/test_loops.py::test_what_repeats_but_for_the_room_is_no_loop",
        ),
    ),
    Tested(
        "digital silence that once ended by itself, then a dead microphone",
        "only digital silence is excused: for 14 days, and for a day or twice its longest time at most",
        (
            "rules/test_outage.py::test_an_excuse_is_for_digital_silence_alone",
            "rules/test_outage.py::test_an_excuse_expires",
        ),
    ),
    Tested(
        "logrotate renames the file of JSON lines",
        "a new file is written",
        ("publishers/test_jsonl.py::test_a_rotated_file_is_opened_anew",),
    ),
    Tested(
        "two daemons with the same node at one broker",
        "reported in the log and in health, with the fix; also under MQTT 3.1.1, and if packets have a limit",
        (
            "publishers/mqtt/test_connection.py::test_two_daemons_of_one_name_are_named",
            "publishers/mqtt/acceptance/test_twins.py::"
            "test_connections_that_are_cut_off_with_nothing_on_their_way_have_a_twin",
            "publishers/mqtt/acceptance/test_twins.py::test_a_broker_that_minds_a_size_is_no_twin",
        ),
    ),
    Tested(
        "a sound is taught while the daemon runs",
        "heard from the next look on; no source is interrupted, and Home Assistant gets its entity; if a "
        "sound is forgotten, listening starts again in order",
        ("test_lifecycle.py::test_what_is_taught_is_heard_without_a_pause",),
    ),
    Tested(
        "SIGHUP after a right or wrong change of the configuration",
        "rules are exchanged without a pause, with their cool-downs, counts and alerts; for other changes "
        "listening starts again in order; a wrong configuration changes nothing and is logged",
        (
            "test_lifecycle.py::test_a_hangup_exchanges_rules_without_a_pause",
            "test_lifecycle.py::test_a_hangup_begins_anew_with_other_sources",
            "test_lifecycle.py::test_a_new_configuration_that_cannot_be_opened_gives_way_to_the_former",
            "rules/test_exchange.py::test_an_alarm_that_goes_on_keeps_its_alert",
        ),
    ),
    Tested(
        "nobody reads the log: a pager waits, or a journal is stuck",
        "alerts are sent and the daemon stops in order; lines that do not fit are dropped and counted",
        ("test_lifecycle.py::test_a_log_that_nobody_reads_holds_up_no_alert",),
    ),
    Tested(
        "a thread ends, because of a bug or SystemExit",
        "the daemon ends with the error, and systemd starts it again; it never goes on without that thread",
        ("test_threads.py::test_the_daemon_ends_with_a_thread_that_ends",),
    ),
    Tested(
        "a channel delivers nothing while something waits",
        "an alert over the other channels after a minute, and trouble in health; messages held back on "
        "purpose do not count",
        (
            "delivery/test_stuck.py::test_a_minute_without_a_move_is_alerted_once",
            "delivery/test_stuck.py::test_every_notifier_that_moves_is_notified",
            "delivery/test_sender.py::test_a_channel_stands_still_while_something_waits_and_nothing_arrives",
            "delivery/test_sender.py::test_what_is_held_back_on_purpose_is_no_standstill",
        ),
    ),
    Tested(
        "a notifier's service sends its answer slowly, or never ends it, or its process is killed",
        "the call ends in time and within 256 MB; the next alert is sent",
        (
            "notifiers/test_workers.py::test_a_server_that_drips_holds_nobody",
            "notifiers/test_workers.py::test_an_answer_without_end_does_not_fill_the_memory",
            "notifiers/test_workers.py::test_whoever_is_killed_is_replaced",
        ),
    ),
    Tested(
        "the loudspeaker, or the server of its voice, hangs or sends slowly",
        "the call ends at its time limit; the alert is kept and tried again",
        (
            "notifiers/test_spoken.py::test_a_loudspeaker_that_hangs_is_left_after_its_time",
            "notifiers/test_spoken.py::test_a_voice_that_drips_gets_no_more_than_its_time",
        ),
    ),
    Tested(
        "the terminal is closed",
        "the daemon stops in order",
        ("test_lifecycle.py::test_a_closed_terminal_ends_the_daemon_in_order",),
    ),
    Tested(
        "a broker accepts only small packets or messages (2000 to 12000 bytes), over MQTT 5 and 3.1.1",
        "no alert is lost or wrongly counted as delivered; every entity is announced, in parts; one bad "
        "message blocks nothing",
        (
            "publishers/mqtt/test_limits.py::test_every_alert_arrives_whatever_the_brokers_limit",
            "publishers/mqtt/acceptance/test_size.py::test_the_limit_is_found_and_no_document_above_it_is_sent",
            "publishers/mqtt/acceptance/test_size.py::test_where_nothing_may_be_read_no_limit_is_believed",
            "publishers/mqtt/test_limits.py::test_a_picture_that_a_broker_swallows_is_named",
            "publishers/mqtt/test_limits.py::test_no_more_is_on_its_way_than_the_broker_takes_at_once",
            "publishers/mqtt/acceptance/test_suspects.py::test_one_message_that_ends_every_connection_blocks_nothing",
            "publishers/mqtt/test_publisher.py::test_alerts_go_out_before_everything_else",
        ),
    ),
    Tested(
        "the broker accepts late once; over 3.1.1 it acknowledges messages that its access list drops",
        "MQTT 5 stays in use; nothing is wrongly counted as delivered, or health and Trouble report the "
        "unproven delivery",
        (
            "publishers/mqtt/test_connection.py::test_one_late_answer_does_not_cost_version_5",
            "publishers/mqtt/acceptance/test_echo.py::test_what_an_access_list_throws_away_is_not_delivered",
            "publishers/mqtt/acceptance/test_echo.py::test_a_user_who_may_not_read_loses_no_alert_and_no_event",
        ),
    ),
    Tested(
        "two Home Assistants on one broker, and one of them leaves",
        "every alert is sent at once, and again, late, when that one is back; no trouble meanwhile",
        ("publishers/mqtt/homeassistant/test_two_houses.py::test_one_that_leaves_silences_neither",),
    ),
    Tested(
        "a proxy keeps a connection to the broker open although the other end is gone",
        "asked after 5 s whether it is there, closed after 5 more; an alert on its way is sent again",
        ("publishers/mqtt/test_connection.py::test_a_connection_whose_other_end_is_gone_is_left_soon",),
    ),
    Tested(
        "nobody subscribes to the alerts; a retained or forged `offline` of Home Assistant",
        "the alerts do not count as delivered, are kept and published again; nothing is held back; health "
        "has the age and origin of the status",
        (
            "publishers/mqtt/test_publisher.py::test_what_nobody_subscribes_to_is_not_delivered",
            "publishers/mqtt/test_publisher.py::test_home_assistants_restart_withholds_nothing",
            "publishers/mqtt/test_publisher.py::test_the_age_and_origin_of_home_assistants_status_are_in_the_figures",
        ),
    ),
    Tested(
        "Home Assistant is dead and the broker works: alerts wait, and nobody takes them",
        "an alert over the other channels after a minute if somebody ever took one, else only in health; "
        "the broker's return does not count as a delivery",
        (
            "delivery/test_nobody.py::test_alerts_that_nobody_takes_any_more_are_alerted",
            "delivery/test_nobody.py::test_a_house_without_a_subscriber_is_not_alarmed",
        ),
    ),
    Tested(
        "the clock jumps by days, or was weeks behind, while an alert waits and the daemon restarts",
        "no age changes in the same boot; after another boot the smaller age counts",
        (
            "delivery/test_age.py::test_setting_the_clock_makes_nothing_older_in_the_same_boot",
            "delivery/test_age.py::test_after_another_boot_the_younger_reading_counts",
        ),
    ),
    Tested(
        "the clock is years ahead for a while, or in 1970 at every start",
        "no history, loudness or clip is removed for its age until the daemon has run for a day with the new "
        "time; the log and health report it; when the clock is right again, the digest, the test of the "
        "chain and the question of the week come as before, and a mute from then is over",
        (
            "store/test_believed_time.py::test_a_clock_that_is_years_ahead_for_a_while_makes_nothing_old",
            "store/test_believed_time.py::test_a_clock_that_is_behind_at_every_start_costs_no_day",
            "store/test_believed_time.py::test_scores_outlast_a_clock_that_is_years_ahead",
            "store/test_believed_time.py::test_where_room_is_made_a_row_from_years_ahead_costs_no_others",
            "evidence/test_keeper.py::test_clips_outlast_a_clock_that_is_years_ahead",
            "history/digest/test_daily.py::test_a_clock_that_was_years_ahead_costs_no_digest",
            "delivery/chain/test_tester.py::test_a_test_from_the_time_to_come_does_not_hold_back_the_next",
            "teaching/taught/test_naming.py::test_a_question_from_the_time_to_come_makes_way",
            "web/test_mutes.py::test_a_mute_that_was_made_while_the_clock_was_ahead_is_over_when_it_is_right",
        ),
    ),
    Tested(
        "a message of 200 MB to a command's topic",
        "less than 20 MB of memory; it is refused, and the next command is carried out",
        ("publishers/mqtt/test_inbound.py::test_a_message_of_200_mb_takes_no_memory",),
    ),
    Tested(
        "a broker keeps no retained messages, or accepts only QoS 0",
        "connected without them, every alert delivered, the broker's option named in the log and in health",
        (
            "publishers/mqtt/test_limits.py::test_every_alert_arrives_where_nothing_is_retained_or_acknowledged",
            "publishers/mqtt/test_limits.py::test_a_broker_that_was_mended_is_asked_for_all_again",
            "publishers/mqtt/test_versions.py::test_a_broker_of_version_3_1_1_that_hangs_up_is_asked_for_less",
            "publishers/mqtt/test_probe.py::test_a_broker_that_keeps_no_messages_takes_us",
        ),
    ),
    Tested(
        "the state folder is deleted under the running daemon",
        "it is locked again; a second daemon is refused, or reported while it runs; everything is kept in "
        "the new folder",
        (
            "runtime/test_instance.py::test_a_folder_that_was_deleted_is_locked_anew",
            "runtime/test_instance.py::test_another_daemon_on_the_same_folder_is_named_while_it_runs",
            "history/test_scores.py::test_a_deleted_file_is_begun_anew",
            "history/test_verdicts.py::test_a_folder_that_was_deleted_meanwhile_is_begun_anew",
            "evidence/test_clips.py::test_a_folder_that_was_deleted_is_made_anew",
        ),
    ),
    Tested(
        "nothing can be written to the disk for a while, then everything",
        "one warning for each thing that is not kept, and one line when it is kept again",
        (
            "test_logs.py::test_a_fault_that_lasts_is_logged_at_its_beginning_and_at_its_end",
            "history/test_scores.py::test_a_disk_that_fails_loses_nothing_at_first",
            "history/test_answers.py::test_what_the_disk_refuses_waits",
            "history/test_habits.py::test_a_disk_that_takes_it_again_is_logged",
            "delivery/test_settings.py::test_a_disk_that_takes_nothing_is_said_once",
            "evidence/test_keeper.py::test_a_full_disk_is_said_and_survived",
            "publishers/test_jsonl.py::test_a_missing_folder_is_said_once_and_events_stay",
        ),
    ),
    Tested(
        "the daemon is killed, or its disk is full, while people are asked, judge, say what was missed or "
        "what a nameless sound is, take a suggestion or take it back, teach a sound, hold a drill or "
        "acknowledge its alert, or while the weekly silent test of the chain ends, the daily digest comes, "
        "the sound model has another version, an alert waits, somebody mutes a room or sets its sensitivity, "
        "or the time and how quiet rooms are is kept",
        "all that was acknowledged is there and whole; if the disk refuses something, that is an error "
        "and damages nothing; what the daemon keeps for itself is kept when the disk has room",
        (
            "teaching/test_kept.py::test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged",
            "teaching/test_kept.py::test_a_full_disk_refuses_each_and_spoils_none",
            "delivery/chain/test_tester.py::test_what_a_full_disk_did_not_take_is_kept_when_it_has_room",
            "delivery/test_settings.py::test_what_the_disk_did_not_take_is_kept_when_it_has_room",
            "history/digest/test_daily.py::test_a_day_that_a_full_disk_did_not_keep_is_kept_when_it_has_room",
            "teaching/test_mine.py::test_a_version_that_a_full_disk_did_not_keep_is_kept_when_it_has_room",
            "teaching/test_vetoes.py::test_a_disk_that_fails_leaves_the_vetoes_as_they_are",
        ),
    ),
    Tested(
        "the daemon is killed again and again after a house has taught it",
        "each start has the taught sounds, the thresholds, the last drill, and what holds back the like of "
        "what was called wrong",
        ("test_lifecycle.py::test_what_was_taught_is_in_force_after_a_kill",),
    ),
    Tested(
        "the page is off while people judge, say what was missed or what a nameless sound is, take a "
        "suggestion or take it back, teach a sound or hold a drill",
        "all of it works on the command line; the daemon reads it from its state folder",
        (
            "cli/test_teach.py::test_a_suggestion_changes_nothing_until_it_is_taken",
            "cli/test_teach.py::test_what_was_missed_is_noted_with_the_reason",
            "teaching/test_vetoes.py::test_a_running_daemon_learns_within_a_minute",
            "teaching/taught/test_naming.py::test_what_came_most_is_asked_about_once_a_week_at_most",
            "test_lifecycle.py::test_what_is_taught_is_heard_without_a_pause",
            "test_lifecycle.py::test_a_drill_that_is_asked_for_begins",
        ),
    ),
    Tested(
        "the file of a taught sound is damaged, hostile, or made for another model",
        "a rule that names it stays right, everything else is heard, and `check` names the fix",
        (
            "classifiers/taught/test_sound.py::test_a_hostile_or_damaged_file_costs_its_sound_alone",
            "config/test_taught.py::test_a_damaged_sound_stops_nothing",
            "config/test_taught.py::test_a_sound_of_another_model_is_to_be_taught_again",
        ),
    ),
    Tested(
        "somebody calls every smoke alarm wrong, teaches a sound like one, or gives a sound such a name",
        "smoke alarms are reported as before: no verdict and no taught sound holds them back",
        (
            "teaching/test_vetoes.py::test_nothing_that_people_judge_holds_an_alarm_back",
            "classifiers/taught/test_classifier.py::test_nothing_that_is_taught_changes_what_the_model_says",
            "cli/test_sounds.py::test_a_smoke_alarm_cannot_be_taught",
        ),
    ),
    Tested(
        "the disk takes nothing when the daemon starts, and has room again later",
        "nobody can sign in to the page at first; with the disk the page comes back, without a restart",
        ("web/test_access.py::test_keys_come_back_with_the_disk",),
    ),
    Tested(
        "the disk hangs while somebody mutes a room for a while from the page",
        "only that visitor waits; decisions and the watchdog go on",
        ("web/test_mutes.py::test_a_disk_that_hangs_holds_up_only_who_mutes",),
    ),
    Tested(
        "a stranger sends the page something that is not HTTP, headers without end, or a later request "
        "letter by letter",
        "the connection is closed after 64 kB or 10 s; nothing is answered, and nothing of it is in the log",
        (
            "web/test_access.py::test_whatever_a_stranger_sends_gets_nothing",
            "web/test_server.py::test_headers_without_end_are_given_up",
            "web/test_server.py::test_a_later_request_that_is_never_whole_is_given_up",
        ),
    ),
    Tested(
        "somebody else publishes a status of ours, retained or not; a last will comes late",
        "corrected at once, for the node and for every source; our own last message stays",
        (
            "publishers/mqtt/test_publisher.py::test_a_foreign_status_is_put_right",
            "publishers/mqtt/test_publisher.py::test_our_own_farewell_is_left_as_it_is",
        ),
    ),
    Tested(
        "a pipe, a device, a socket or a folder in the place of a recording",
        "refused at once; the message says what it is, and the fix",
        ("sources/test_file.py::test_what_is_no_file_is_refused_at_once",),
    ),
    Tested(
        "a pipe, a device, a socket or a folder at any other path, or in the place of a database; links "
        "in a circle",
        "`check` reports it with file and line, and the start refuses it; nothing waits for it",
        (
            "cli/test_external_files.py::test_what_is_no_file_is_named_wherever_it_stands",
            "cli/test_external_files.py::test_what_is_no_folder_is_no_model",
            "cli/test_external_files.py::test_links_that_lead_nowhere_are_no_state_folder",
            "classifiers/taggers/test_onnx.py::test_a_pipe_is_no_list_of_classes_and_no_calibration",
            "classifiers/taggers/test_onnx.py::test_a_pipe_is_no_model",
            "publishers/mqtt/test_connection.py::test_a_pipe_is_no_certificate",
            "publishers/test_jsonl.py::test_a_pipe_is_no_file",
            "history/test_explain.py::test_a_pipe_in_place_of_a_database_is_named",
        ),
    ),
    Tested(
        "the clock is set back while a drill goes on",
        "the drill closes; alarms that still sound or begin are real; its report is written in time",
        (
            "rules/test_drill.py::test_a_clock_that_is_set_back_makes_no_alarm_a_test",
            "drill/test_runner.py::test_a_clock_that_is_set_makes_a_drill_no_longer",
        ),
    ),
    Tested(
        "SIGHUP while the disk with the configuration hangs",
        "the main thread goes on and feeds the watchdog; the configuration is read when the disk answers",
        ("test_lifecycle.py::test_a_hangup_while_the_disk_hangs_stops_nobody",),
    ),
    Tested(
        "the disk for temporary files is full, or hangs, while an alert goes to a `command`",
        "the program still gets the alert",
        ("publishers/test_command.py::test_a_full_disk_holds_up_no_alert",),
    ),
    Tested(
        "started with closed standard streams, by a user without a home folder, or with a page's host "
        "that is not a name",
        "no file becomes standard error; one line has the fix; only the page is off",
        (
            "cli/test_main.py::test_closed_streams_are_no_error_and_no_file_takes_their_place",
            "config/test_model.py::test_a_user_without_a_home_is_told_what_to_set",
            "web/test_server.py::test_a_name_that_no_resolver_takes_is_no_bug",
        ),
    ),
    Tested(
        "another program answers in Frigate's place, for example with JSON that is nested 60,000 deep",
        "tried again, with that as the reason; the sender's thread goes on",
        ("publishers/test_frigate.py::test_an_answer_that_is_none_is_tried_again",),
    ),
    Tested(
        "a time without a zone in a request for a drill, a former drill, or a message that was kept",
        "only that file counts as damaged, and this is logged; the daemon goes on",
        (
            "drill/test_runner.py::test_a_request_that_is_none_begins_nothing",
            "drill/test_runner.py::test_a_former_drill_without_a_zone_in_its_time_is_damage",
            "store/test_codec.py::test_a_time_without_a_zone_is_damage",
        ),
    ),
    Tested(
        "a camera sends 50 times as much sound as time passes",
        "reported in the log and in health, with the factor; the machine is not blamed",
        (
            "sources/timing/test_rate.py::test_a_source_that_sends_more_than_time_passes_is_measured",
            "runtime/test_progress.py::test_a_source_that_sends_too_much_is_to_blame_and_not_the_machine",
            "sources/timing/test_rate.py::test_a_rate_that_no_microphone_has_is_never_believed",
        ),
    ),
    Tested(
        "the daemon ends while a notifier's process works, also in the middle of a line",
        "the process ends in order, without a traceback",
        ("notifiers/test_workers.py::test_a_daemon_that_leaves_is_no_error",),
    ),
    Tested(
        "the server of a camera redirects in a circle",
        "given up, with that as the reason",
        ("sources/stream/test_source.py::test_a_server_that_redirects_in_a_circle_is_unavailable",),
    ),
)


def tested_section() -> str:
    """The section of docs/reliability.md."""
    rows = ((each.fault, each.must_hold, "<br>".join(f"`{test}`" for test in each.tests)) for each in TESTED)
    return HEADING + table(("fault", "must hold", "tests"), rows)


HEADING = """
## Faults with a test of their own

These tests run with every change, in `tests/`. They need no long run.

"""

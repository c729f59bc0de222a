"""Which tests `make test` leaves to `make test-all`, in one place.

    make quick       lint, types, and what needs no server: tests/unit and test_layers.py
    make test        every test but those that are marked `thorough` here
    make test-all    every test

A test is thorough if its id begins as THOROUGH says, and with no more of it as KEPT does, or if it
runs on another server than the newest. Of each promise at least one test is kept.
"""

from collections import Counter
from collections.abc import Iterable

import pytest

THOROUGH: dict[str, str] = {
    "adopt/test_documents.py": "other tools themselves",
    "adopt/test_real_tools.py": "other tools themselves",
    "adopt/test_real_plans.py": "other tools themselves",
    "adopt/test_contract.py": "adopting from more tools",
    "adopt/test_alembic.py": "adopting from more tools",
    "adopt/test_output.py::test_the_table_fits": "adopting from more tools",
    "adopt/test_sizes.py::test_all_of_it": "adopting from more tools",
    "faults/test_terminal.py": "terminals of other kinds",
    "faults/test_trouble.py::test_more_relations": "faults at other points",
    "fleet/test_interrupted.py": "interrupted fleets",
    "fleet/test_pool.py": "interrupted fleets",
    "fleet/test_queue.py": "the queue of a fleet",
    "fleet/test_queue_attacked.py": "attacks on the queue of a fleet",
    "fleet/test_release.py::test_the_manifests": "the queue of a fleet",
    "fleet/test_release.py::test_a_release": "the queue of a fleet",
    "fleet/test_one_at_a_time.py::test_while_a_program": "a fleet's results elsewhere",
    "fleet/test_one_at_a_time.py::test_whoever_watches": "the queue of a fleet",
    "fleet/test_between.py": "more gates of a fleet",
    "fleet/test_live.py": "terminals of other kinds",
    "fleet/test_passwords.py": "more passwords of a fleet",
    "fleet/test_states.py": "more states of a fleet's databases",
    "fleet/test_queue_killed.py": "interrupted fleets",
    "integration/test_annotations.py::test_a_coloured_name": "terminals of other kinds",
    "integration/test_completion.py::test_a_tab": "more tabs in more shells",
    "integration/test_completion.py::test_what_follows": "more tabs in more shells",
    "integration/test_delta_of_what_is_touched.py::test_the_delta_of_what": "random schemas",
    "integration/test_delta_of_what_is_touched.py::test_what_others_do": "random schemas",
    "integration/test_delta_versions.py::test_the_locale": "more locales",
    "integration/test_delta_without_a_scan.py::test_what_is_written": "more ways to write unseen",
    "integration/test_delta_without_a_scan.py::test_where": "more ways to write unseen",
    "integration/test_fold_live.py::test_random": "random schemas",
    "integration/test_json_log.py::test_what_runs": "logs of slow runs",
    "plugin/test_plugin.py::test_a_run_that_is_killed": "the plugin's own server killed",
    "plugin/test_plugin.py::test_a_wrong_address": "more wrong addresses",
    "mistakes/": "mutants and careless changes",
    "nasty/test_large.py": "files of 20 MB",
    "nasty/test_cases.py::test_the_headline": "headlines of nasty files",
    "security/test_ledger_trust.py::test_what_is_refused": "flaws of a ledger",
    "security/test_ledger_trust.py::test_what_a_fleet_copies": "flaws of a ledger",
    "deploying/": "deploying",
    "deploying/test_least_privilege.py::test_a_runner_that_was_killed": "deploying",
    "supabase/": "sign-ins to a Supabase meanwhile",
    "faults/test_cut.py": "faults at other points",
    "faults/test_dead_network.py": "dead networks",
    "faults/test_kill.py::test_the_network_is_gone": "dead networks",
    "faults/test_kill.py": "faults at other points",
    "faults/test_lost_answer.py": "lost answers to other statements",
    "faults/test_output.py": "encodings and streams",
    "faults/test_race.py::test_the_others": "races",
    "faults/test_stopped.py": "stopped runners",
    "integration/test_captures.py": "captures of the terminal",
    "integration/test_delta_mutations.py": "mutations of the delta",
    "integration/test_delta_property.py": "random schemas",
    "integration/test_library.py::test_a_type_checker": "a wheel, installed",
    "integration/test_inverse.py::test_what_does_not": "rollbacks that do not undo",
    "integration/test_other_tools.py": "adopting from more tools",
    "integration/test_squash.py::test_what_the_dump": "squashing what is unusual",
    "integration/test_squash.py::test_it_is_squashed_again": "squashing what is unusual",
    "integration/test_squash.py::test_roles": "squashing what is unusual",
    "integration/test_squash.py::test_default": "squashing what is unusual",
    "integration/test_squash.py::test_partitions": "squashing what is unusual",
    "integration/test_server.py": "the embedded server's bad days",
    "integration/test_stamp_rollback.py::test_whatever": "random names",
    "unit/test_stamp_names.py::test_an_expansion_names_exactly_its_names": "random names",
    "unit/test_stamp_names.py::test_no_name_adds_or_hides_a_check": "random names",
    "unit/test_pythons.py::test_texts_are_read_alike": "Debian's Python",
    "systems/coding_sessions/test_queries.py::test_other": "more key queries",
    "systems/coding_sessions/test_queries.py::test_plan": "more key queries",
    "systems/feature_planner/": "the other systems' own",
    "systems/learning_plans/": "the other systems' own",
    "systems/monthly_planner/": "the other systems' own",
    "systems/workouts/": "the other systems' own",
    "systems/test_always.py::test_it_is_named": "the other systems' own",
    "systems/test_systems.py::test_every_rollback": "the other systems' own",
    "systems/test_systems.py::test_a_rollback_that_undoes_nothing": "the other systems' own",
    "systems/test_systems.py::test_promises_hold": "the other systems' own",
    "systems/test_systems.py::test_the_delta_is_compared": "the other systems' own",
    "systems/test_systems.py::test_psql_gives": "the other systems' own",
    "systems/test_systems.py::test_what_the_platform": "the other systems' own",
    "systems/test_systems.py::test_all_at_once": "long ways back",
    "systems/test_systems.py::test_what_psql_made": "systems that psql made",
    "security/test_migrations_among_shadows.py": "shadows beside other systems",
    "security/test_systems_among_shadows.py": "shadows beside other systems",
    "browser/test_report.py::test_it_is_read": "the report in other windows",
    "examples/test_notes.py::test_its": "the example's own tests",
    "plugin/test_plugin.py::test_the_embedded_server": "the plugin's own server killed",
    "plugin/test_plugin.py::test_the_server_is_named": "the plugin's own server killed",
    "test_benchmarks.py": "the benchmarks, with small figures",
    "test_wheel.py": "a wheel, installed",
    "test_docs.py::test_the_make_targets": "the targets of make in a copy",
    "test_docs.py::test_tests_that_the_tiers": "the names in tests/tiers.py",
    "test_docs.py::test_the_console_of_a_page_is_real[docs/fleets": "the console of a page of fleets",
}
"""Beginnings of test ids below tests/, and what is found there."""
KEPT = (
    "fleet/test_between.py::test_a_control_database_that_is_gone_is_no_yes",
    "fleet/test_between.py::test_a_command_says_whether_to_go_on",
    "fleet/test_passwords.py::test_a_password_is_in_nothing_that_is_told",
    "fleet/test_passwords.py::test_from_a_command_that_is_run_once",
    "fleet/test_queue.py::test_workers_do_what_is_enqueued",
    "fleet/test_queue.py::test_a_stranger_s_operators",
    "fleet/test_queue_killed.py::test_the_control_database_is_killed",
    "mistakes/test_mutants.py::test_no_mutant_survives[coding_sessions-000",
    "deploying/test_entrypoint.py::test_a_restart_after_it_was_killed[command",
    "deploying/test_entrypoint.py::test_a_signal_reaches_it[command",
    "deploying/test_entrypoint.py::test_the_server_comes_up_later[command",
    "deploying/test_guide.py",
    "deploying/test_least_privilege.py",
    "deploying/test_waiting.py::test_it_waits_for_the_database_and_for_the_newest_file[command",
    "supabase/test_live.py::test_checks_lock_nothing_of_the_platform[pg18-learning_plans",
    "faults/test_dead_network.py::test_a_signal_ends_it_while_nobody_answers[migrate-15]",
    "faults/test_dead_network.py::test_the_kernel_watches_the_other_machine",
    "faults/test_kill.py::test_the_program_is_killed[18",
    "faults/test_kill.py::test_the_program_is_killed[48",
    "faults/test_kill.py::test_the_server_crashes_and_comes_back[18",
    "faults/test_kill.py::test_its_disk_is_full[33",
    "faults/test_lost_answer.py::test_what_the_answer_was_is_found_out[create unique index "
    "concurrently i on t (email)-migrate-after]",
    "faults/test_output.py::test_a_ledger_that_cannot_be_made",
    "faults/test_output.py::test_a_full_disk_behind_stdout[migrate]",
    "faults/test_output.py::test_a_reader_who_is_gone[plan]",
    "faults/test_stopped.py::test_a_stopped_runner_tells_what_the_ledger_says[migrate-create index "
    "concurrently i-silent]",
    "systems/test_systems.py::test_what_psql_made_is_taken_over_as_the_guide_says[monthly_planner]",
    "security/test_migrations_among_shadows.py::test_a_migration_binds_and_runs_nothing_of_them"
    "[pg18-coding_sessions]",
    "security/test_systems_among_shadows.py::test_neither_verify_nor_a_rollback_runs_anything_of_them"
    "[pg18-coding_sessions]",
    "systems/test_always.py::test_it_is_named[_supabase",
    "systems/feature_planner/test_busy.py",
    "systems/feature_planner/test_users.py",
    "systems/test_systems.py::test_every_rollback_returns_the_schema_to_where_it_was"
    "[pg18-coding_sessions]",
    "systems/test_systems.py::test_a_rollback_that_undoes_nothing_is_refused[pg18-monthly_planner]",
    "systems/test_systems.py::test_promises_hold_before_and_after_the_seed_and_leave_nothing"
    "[pg18-coding_sessions]",
    "systems/test_systems.py::test_the_delta_is_compared_on_every_server[pg18-coding_sessions]",
    "systems/test_systems.py::test_psql_gives_the_same_schema_byte_for_byte[pg18-coding_sessions]",
    "systems/test_systems.py::test_what_the_platform_has_already_is_provided[pg18-coding_sessions]",
    "browser/test_report.py::test_it_is_read_at_any_width_and_asks_for_nothing[390-dark",
    "adopt/test_output.py::test_the_table_fits[80-alembic",
    "adopt/test_sizes.py::test_all_of_it_in_one_command[alembic",
    "faults/test_terminal.py::test_it_shows_the_seconds",
    "fleet/test_pool.py::test_a_killed",
    "fleet/test_release.py::test_a_release_that_is_broken_at_the_canary[_alone",
    "fleet/test_one_at_a_time.py::test_while_a_program_is_at_one_no_other_begins[file",
    "integration/test_captures.py::test_status",
    "integration/test_inverse.py::test_what_does_not_is_rolled_back[left over",
    "integration/test_inverse.py::test_what_does_not_is_rolled_back[is new",
    "integration/test_completion.py::test_what_follows[pgvouch migrate --to 001_b",
    "integration/test_completion.py::test_what_follows[pgvouch new x --database -",
    "integration/test_completion.py::test_what_follows[pgvouch 'migrate-",
    "integration/test_completion.py::test_what_follows[pgvouch up --rehe",
    "integration/test_delta_without_a_scan.py::test_where_the_server_counts_nothing_everything_is_scanned"
    "[pg18-grant",
    "nasty/test_cases.py::test_the_headline_has_a_subject[pg",
    "nasty/test_cases.py::test_the_headline_has_a_subject[un",
    "security/test_ledger_trust.py::test_what_is_refused_is_never_plain[pg18-p",
    "security/test_ledger_trust.py::test_what_a_fleet_copies_is_its_own[pg18-p",
    "integration/test_completion.py::test_a_tab_at_a_prompt[bash-pgvouch migrate alpha",
    "integration/test_delta_without_a_scan.py::test_what_is_written_without_a_lock_is_found"
    "[pg18-grant select on s.far",
    "integration/test_other_tools.py::test_its_delta_is_accepted_and_it_is_rehearsed[golang-migrate]",
    "integration/test_other_tools.py::test_one_half_goes_forward_and_the_other_back_and_no_row_is_lost"
    "[golang-migrate]",
    "plugin/test_plugin.py::test_a_wrong_address_names_where_it_is_from[PGVOUCH_TEST_URL-mysql",
    "integration/test_server.py::test_start_url_psql_stop",
    "integration/test_server.py::test_it_starts_on_demand_and_outlives_the_program",
)
CONTRACTS = ("adopt/test_contract.py", "integration/test_other_tools.py")
KEPT_TOOLS = ("[dbmate", "[flyway")
"""Of the contracts that every tool passes, these are kept."""
LEFT_OUT = pytest.StashKey[Counter[str]]()


def why_thorough(item: pytest.Item, old_servers: Iterable[str]) -> str | None:
    """Say why a test is left to `make test-all`, None if it is not."""
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        for name in old_servers:
            if value == name or (isinstance(value, tuple) and name in value):
                return f"PostgreSQL {name.removeprefix('pg')}"
    below = item.nodeid.removeprefix("tests/")
    if below.startswith(CONTRACTS) and ("[" not in below or any(n in below for n in KEPT_TOOLS)):
        return None
    start = max(filter(below.startswith, [*THOROUGH, *KEPT]), key=len, default="")
    return THOROUGH.get(start)


def mark(items: Iterable[pytest.Item], old_servers: Iterable[str]) -> None:
    """Mark what is thorough, for `-m 'not thorough'` to leave it out."""
    for item in items:
        if why := why_thorough(item, old_servers):
            item.add_marker(pytest.mark.thorough(why))


def count(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Remember what was left out, by the reason."""
    marks = [item.get_closest_marker("thorough") for item in items]
    config.stash.setdefault(LEFT_OUT, Counter()).update(m.args[0] for m in marks if m)


def told(left_out: Counter[str]) -> str:
    """The line at the end of `make test`."""
    listed = ", ".join(f"{count} {why}" for why, count in left_out.most_common())
    return f"left to `make test-all`: {listed}"

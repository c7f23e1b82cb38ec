"""The store: who may write a row, what is stored once, what each message is claimed by."""

from __future__ import annotations

from tests.planted.change import change

CLAIMS = "tests/store/test_claims.py"
POSTGRES = "tests/store/test_two_at_once.py::test_what_each_brings_back"

STORE = (
    # ---- claims -------------------------------------------------------------------------------
    change(
        "a holder that lost its claim writes the row",
        "tests/store/test_claims.py::test_a_lost_claim_writes_nothing",
        'requests.c.version == bindparam("held_version")',
        'requests.c.version >= bindparam("held_version")',
    ),
    change(
        "a row is claimed though its lease still runs",
        "tests/store/test_claims.py::test_each_row_has_one_holder_however_many_want_it",
        "lease_over(requests.c.lease_until, now),",
        "",
        within="claimable",
    ),
    change(
        "two copies claim a row at once",
        POSTGRES,
        ".limit(1).with_for_update(skip_locked=True)",
        ".limit(1)",
        within="claimable",
    ),
    change(
        "a row with an event is not due before its own time",
        "tests/store/test_claims.py::test_no_release_hides_a_click",
        "requests.c.id.in_(union(due, with_event, held)),",
        "requests.c.id.in_(union(due, held)),",
    ),
    change(
        "a dead holder's request waits for its old time",
        "tests/store/test_claims.py::test_a_dead_holders_row_is_due_when_its_lease_is_over",
        '"lease_until": lease_until, "due_at": lease_until}',
        '"lease_until": lease_until}',
    ),
    change(
        "a release writes over what came meanwhile",
        CLAIMS,
        'freed = {"lease_until": 0, "due_at": due_at, "version": claim.version + 1}\n'
        "conn.execute(UPDATE_HELD, {**named, **freed})",
        "conn.execute(requests.update().where(requests.c.id == claim.request.id)"
        ".values(lease_until=0, due_at=due_at))",
    ),
    change(
        "a lease stamped by a clock that was ahead keeps its row for hours",
        "tests/store/test_claims.py::test_a_lease_that_a_clock_which_was_ahead_has_stamped_is_over",
        "requests.c.id.in_(union(due, with_event, held)),",
        "requests.c.id.in_(union(due, with_event)),",
    ),
    # ---- the intent ---------------------------------------------------------------------------
    change(
        "an intent is stored from any state",
        "tests/store/test_delete_intent.py::test_not_from_another_state",
        "now, goes_on, approved, in_time, its_time)",
        "now, goes_on, in_time, its_time)",
    ),
    change(
        "an intent is stored after its time",
        "tests/store/test_delete_intent.py::test_not_after_its_time",
        "now, goes_on, approved, in_time, its_time)",
        "now, goes_on, approved, its_time)",
    ),
    change(
        "an intent is stored while a Withdraw waits",
        "tests/store/test_delete_intent.py::test_not_while_what_may_stop_it_waits",
        "false() if may_stop(claim.request, waiting, now) else true()",
        "true()",
    ),
    change(
        "presses of strangers refuse the intent",
        "tests/store/test_delete_intent.py::test_presses_that_change_nothing_do_not_hold_it_up",
        "false() if may_stop(claim.request, waiting, now) else true()",
        "false() if waiting else true()",
    ),
    change(
        "the inbox is asked before the wait for the row",
        POSTGRES,
        'if not db.one_writer: conn.execute(_LOCKED, {"id": claim.request.id})',
        "",
    ),
    change(
        "an event is stored beside an intent that does not see it",
        POSTGRES,
        "_QUEUE_AND_LOCK = _QUEUE.with_for_update(read=True)",
        "_QUEUE_AND_LOCK = _QUEUE",
    ),
    change(
        "what time does is stored though an event waits",
        "tests/store/test_delete_intent.py::test_what_time_does_is_stored_once_and_not_while_a_click_waits",
        "return self._told(step, *save_unless_an_event_waits(self.db, claim, step))",
        "return self.save(claim, step)",
    ),
    # ---- once ---------------------------------------------------------------------------------
    change(
        "a pairing may have two open requests",
        "tests/store/test_one_open_request.py::test_a_second_request_is_refused_while_the_first_is_open",
        "CREATE UNIQUE INDEX one_open_request_per_pairing",
        "CREATE INDEX one_open_request_per_pairing",
    ),
    change(
        "both ends of a pairing may have an open request",
        "tests/store/test_one_open_request.py::test_of_two_at_the_same_moment_one_is_refused",
        "CREATE UNIQUE INDEX one_open_request_per_pair ON",
        "CREATE INDEX one_open_request_per_pair ON",
    ),
    change(
        "the same click is stored twice",
        "tests/store/test_stored_once.py::test_the_same_origin_is_stored_once",
        "origin TEXT NOT NULL UNIQUE,",
        "origin TEXT NOT NULL,",
    ),
    change(
        "an event is absorbed twice",
        "tests/store/test_stored_once.py::test_of_two_copies_one_answers_what_has_no_request",
        'inbox.c.number == bindparam("of_number"), inbox.c.absorbed_at.is_(None)',
        'inbox.c.number == bindparam("of_number")',
    ),
    change(
        "a row that cannot be read stops who claims it",
        CLAIMS,
        "if request is None: return self.claim(queue, wait_s, left)",
        "if request is None: raise ValueError(row.id)",
    ),
    change(
        "an event that cannot be read is passed over",
        "tests/store/test_stored_once.py::test_an_event_that_a_hand_has_broken_is_named_once_and_holds_up_nobody",
        "if event is None: raise Unreadable",
        "if event is None: continue",
    ),
    change(
        "a record that a hand has put behind the last one is taken for a row that is there already",
        "tests/store/test_stored_once.py::test_a_record_put_behind_the_last_one_stops_what_would_be_recorded_and_is_named",
        'if there.rule != "requests_pkey": raise',
        "",
    ),
    change(
        "a click is stored in PostgreSQL after its time",
        "tests/store/test_stored_once.py::test_a_click_that_has_to_wait_is_not_stored_after_its_time",
        'conn.exec_driver_sql(f"SET LOCAL statement_timeout = {left_ms}")',
        "pass",
        "if within_s is not None and time.monotonic() > began + within_s:",
        "if False:",
    ),
    # ---- messages -----------------------------------------------------------------------------
    change(
        "two copies claim the same message",
        POSTGRES,
        ".limit(1).with_for_update(skip_locked=True)",
        ".limit(1)",
        within="sendable",
    ),
    change(
        "a message that is being sent is claimed again",
        "tests/store/test_stored_once.py::test_a_message_that_is_sent_holds_back_all_of_its_request",
        "messages.c.due_at <= now, lease_over(messages.c.lease_until, now), ~held",
        "messages.c.due_at <= now",
    ),
    change(
        "who lost a message's lease writes its outcome over the next one's",
        "tests/slack/listeners/test_poster_threads.py"
        "::test_a_copy_that_was_frozen_writes_nothing_over_what_the_next_one_has_found",
        "_one(due).where(messages.c.lease_until == due.lease_until)",
        "_one(due)",
    ),
    change(
        "two calls are made under the lease of a message, which lasts for one",
        "tests/slack/listeners/test_poster_threads.py"
        "::test_a_message_is_held_for_longer_than_all_calls_of_a_try",
        "return _post(client, due.channel, drawn, due.thread_ts, broadcast=broadcast)",
        "_post(client, due.channel, drawn, due.thread_ts, broadcast=broadcast)\n"
        "    return _post(client, due.channel, drawn, due.thread_ts, broadcast=broadcast)",
    ),
    change(
        "what changes while a message is sent is never shown",
        "tests/store/test_stored_once.py::test_what_changes_while_a_message_is_sent_is_shown_afterwards",
        "changed_since, free = messages.c.wanted != due.wanted, now + gap_ms",
        "changed_since, free = messages.c.wanted != messages.c.wanted, now + gap_ms",
    ),
    change(
        "a response_url is kept for ever",
        "tests/slack/lookups/test_asking_by_form.py::test_its_address_is_used_for_thirty_minutes_and_then_erased",
        'conn.execute(_ERASE, {"since": now - RESPONSE_URL_MS})',
        "pass",
    ),
    change(
        "errors of SQLite quote what was stored",
        "tests/store/test_hidden_values.py::test_a_logged_error_quotes_nothing",
        "hide_parameters=True,",
        "",
        within="sqlite",
    ),
    change(
        "errors of PostgreSQL quote what was stored",
        "tests/store/test_hidden_values.py::test_a_logged_error_quotes_nothing",
        "hide_parameters=True,",
        "",
        within="postgres",
    ),
    change(
        "the database may be read by others on the machine",
        "tests/store/test_file_modes.py",
        "os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))",
        "pass",
        "os.chmod(name, mode & 0o700)",
        "pass",
    ),
    # ---- the trail ----------------------------------------------------------------------------
    change(
        "two writers go on from the same head of the trail",
        "tests/store/test_audit_trail.py::test_writers_at_once_keep_one_chain",
        "_HEAD_LOCKED = select(audit_head).with_for_update()",
        "_HEAD_LOCKED = select(audit_head)",
    ),
    change(
        "a cut-off tail of the trail is not noticed",
        "tests/store/test_audit_trail.py::test_each_hand_is_found",
        "if end.count != head.count:",
        "if end.count > head.count:",
    ),
    change(
        "a record may be changed when its hash is made anew",
        "tests/rules/test_audit_chain.py::test_a_change_with_its_hash_made_anew_is_found",
        "elif record.previous != previous:",
        "elif False:",
    ),
    change(
        "the detail of a record is not hashed",
        "tests/rules/test_audit_chain.py::test_a_change_in_any_column_is_found",
        "canonical = json.dumps(columns,",
        'canonical = json.dumps({**columns, "detail": None},',
    ),
    change(
        "one person may ask without end",
        "tests/slack/listeners/test_command_typed.py::test_one_person_may_not_ask_for_everything_at_once",
        "if counted_for is not None:",
        "if False:",
    ),
    change(
        "one person may look without end",
        "tests/slack/lookups/test_lookups.py::test_whoever_looks_without_end_waits_and_nobody_else_does",
        "with db.write() as conn: take(conn, db, by)",
        "pass",
    ),
    change(
        "whoever presses all day fills the trail",
        "tests/rules/test_every_click.py::test_whoever_presses_all_day_is_answered_and_fills_no_trail",
        'if str(times).strip("0") == "1":',
        "if True:",
    ),
    change(
        "the DELETE that a dry run never sends keeps its place in the minute",
        "tests/delete/test_dry_run.py::test_everything_but_the_delete",
        "self.driver.effects.give_back(work.request)",
        "pass",
    ),
    change(
        "what a reading has counted and not made stays counted",
        "tests/appliance/test_budget_fairness.py::test_what_is_counted_and_not_made_is_given_back",
        "api.effect.give_back()",
        "if isinstance(found, CallFailed): api.effect.give_back()",
    ),
    change(
        "copies count the calls to an appliance from the same old number",
        "tests/store/test_stored_once.py::test_what_copies_share_is_changed_by_one_after_the_other",
        "_LOCKED = _READ.with_for_update()",
        "_LOCKED = _READ",
    ),
    change(
        "a record may be written in another way as long as it reads the same",
        "tests/store/test_audit_trail.py",
        'if _json(detail) == row["detail"]:',
        "if True:",
    ),
    change(
        "a record may hold other types as long as they read the same",
        "tests/store/test_audit_trail.py",
        'return Record.model_validate({**row, "detail": detail}, strict=True)',
        'return Record.model_validate({**row, "detail": detail})',
    ),
    change(
        "what is in attention loses its messages with the years",
        "tests/store/test_prune.py::test_what_is_in_attention_can_be_looked_at_for_ever",
        "_KEPT = sorted({*OPEN, State.ATTENTION})",
        "_KEPT = sorted(OPEN)",
    ),
    change(
        "an event that nobody has absorbed is cleared away",
        "tests/store/test_prune.py::test_an_event_that_waits_is_kept_however_old_it_is",
        "over = oldest.c.at <= before, oldest.c.absorbed_at.isnot(None)",
        "over = (oldest.c.at <= before,)",
    ),
    change(
        "an open request loses its events with the years",
        "tests/store/test_prune.py::test_who_asked_hears_of_a_refusal_that_comes_after_keep_for",
        "select(*columns).where(~_needed_by(inbox.c.request_id))",
        "select(*columns)",
    ),
    change(
        "a secret that is not set any more is lost",
        "tests/operate/settings/test_read_again.py::test_a_token_that_cannot_be_read_now_stays_as_it_was",
        "self._secrets |= found",
        "self._secrets = found",
    ),
    change(
        "an old card that is pressed is posted again",
        "tests/store/test_prune.py::test_a_late_click_on_an_old_card_is_answered_and_posts_nothing_again",
        "if request.pruned_at is not None:",
        "if False:",
        within="messages",
    ),
    change(
        "a request is shortened while an event waits for it",
        "tests/store/test_prune.py::test_a_row_that_somebody_holds_and_an_event_that_waits_stay",
        "or conn.execute(select(waits)).scalar_one():",
        ":",
    ),
    change(
        "a record whose line a kill left out is never told",
        "tests/store/test_audit_log_lines.py::test_lines_that_a_kill_left_out_are_written_at_the_next_start",
        "return last if last <= head(self._db).count else 0",
        "return head(self._db).count",
    ),
    change(
        "a cut-off tail is not held against its lines",
        "tests/store/test_audit_log_lines.py::test_what_the_chain_cannot_see_its_lines_show",
        "broken=min([*broken, *told], default=None),",
        "broken=min(broken, default=None),",
    ),
    change(
        "a forged record is not held against its line",
        "tests/store/test_audit_log_lines.py::test_what_the_chain_cannot_see_its_lines_show",
        "if hashes is not None and hashes != {row.hash}:",
        "if hashes is None:",
    ),
    # ---- signatures, and a witness before the act --------------------------------------------
    change(
        "any signature of a record is a right one",
        "tests/store/test_audit_signed.py::test_each_forged_record_is_named",
        "if not self._valid(self._public[key], record.hash, record.signature):",
        "if False:",
    ),
    change(
        "a record behind the first signed one needs no signature",
        "tests/store/test_audit_signed.py::test_each_forged_record_is_named",
        "signed = self.first is not None or record.action == LISTED",
        "signed = record.action == LISTED",
    ),
    change(
        "a key that is retired goes on to sign",
        "tests/store/test_audit_signed.py::test_a_retired_key_signs_nothing_more",
        'kept.pop(str(entry.detail.get("retired")), None)',
        "pass",
    ),
    change(
        "a key lists itself in a trail that is signed already",
        "tests/store/test_audit_signed.py::test_each_forged_record_is_named",
        "if not self.keys:",
        "if record.action == LISTED:",
        within="_wrong",
    ),
    change(
        "a given key vouches for keys that it has not listed",
        "tests/store/test_audit_signed.py::test_a_key_given_alone_vouches_for_no_other_that_it_has_not_listed",
        "elif self.proven:",
        "elif False:",
    ),
    change(
        "a copy without a key writes into a signed trail",
        "tests/store/test_audit_signed.py::test_no_key_comes_in_but_by_one_that_is_listed",
        "if keys: may_sign(signer, keys)",
        "if False: may_sign(signer, keys)",
    ),
    change(
        "another time beside a record passes in an export",
        "tests/operate/cli/test_audit_keys.py::test_what_was_changed_in_an_export_is_named",
        "same = time == iso(record.at)",
        "same = True",
    ),
    change(
        "a key that others may read is used",
        "tests/operate/settings/test_values.py::test_the_key_is_read_from_a_file_that_is_private_or_from_secrets_dir",
        "if mode & (stat.S_IRWXG | stat.S_IRWXO):",
        "if False:",
    ),
    change(
        "a witness is told what the database says later",
        "tests/delete/test_witness.py::test_it_is_told_what_was_in_hand_and_not_what_the_database_says_later",
        "self._tell([hand.get(n) or record_of(found[n]) for n in ordered], by)",
        "self._tell([record_of(found[n]) for n in ordered if n in found], by)",
    ),
    change(
        "a DELETE leaves though its witness has not got the intent",
        "tests/delete/test_witness.py::test_without_its_witness_nothing_is_sent",
        "if unwitnessed := effects.witness(send_by - effects.monotonic()):",
        "if (unwitnessed := effects.witness(send_by - effects.monotonic())) and False:",
    ),
    change(
        "simulated: a DELETE leaves before its witness has the intent",
        "tests/life/simulation/test_other_settings.py::test_no_delete_leaves_without_its_witness",
        "if unwitnessed := effects.witness(send_by - effects.monotonic()):",
        "if unwitnessed := None:",
    ),
    change(
        "an intent is stored though its witness is away",
        "tests/delete/test_witness.py::test_without_its_witness_nothing_is_sent",
        "if unwitnessed := effects.witness(by - effects.monotonic()):",
        "if (unwitnessed := effects.witness(by - effects.monotonic())) and False:",
    ),
    change(
        "a DELETE leaves however long its witness took",
        "tests/delete/test_witness.py::test_a_witness_that_takes_longer_than_the_second_is_too_late",
        "if effects.monotonic() > send_by:",
        "if False:",
        within="send_delete",
    ),
    change(
        "the collector's redirect counts",
        "tests/delete/test_witness.py::test_only_2xx_counts_and_no_redirect_is_followed",
        "if not 200 <= status < 300:",
        "if not 200 <= status < 400:",
    ),
    change(
        "a redirect of the collector is followed",
        "tests/delete/test_witness.py::test_only_2xx_counts_and_no_redirect_is_followed",
        "allow_redirects=False,",
        "allow_redirects=True,",
    ),
    change(
        "any certificate of a collector is trusted",
        "tests/delete/test_witness.py::test_a_certificate_that_nobody_trusts_is_refused",
        'conn.cert_reqs = "CERT_REQUIRED"',
        'conn.cert_reqs = "CERT_NONE"',
        "**kwargs, ssl_context=ssl.create_default_context())",
        "**kwargs, ssl_context=ssl._create_unverified_context())",
    ),
    change(
        "a log that lacks lines is a whole witness",
        "tests/operate/cli/test_audit_verify.py::test_the_logs_of_all_copies_together_have_every_line",
        "gap=next((a + 1 for a, b in pairwise(numbers) if b != a + 1), None),",
        "gap=None,",
    ),
)

"""The life of a request: what is decided, sent, followed and told."""

from __future__ import annotations

from tests.planted.change import Swap, change

SETTINGS = "tests/life/simulation/test_other_settings.py"
HISTORIES = "tests/life/simulation/test_histories.py"
FIRST = f"{HISTORIES}::test_every_rule_holds[0]"
SECOND = f"{FIRST} {HISTORIES}::test_every_rule_holds[500]"

LIFE = (
    # ---- the intent and the DELETE ------------------------------------------------------------
    change(
        "the DELETE is sent before its intent is committed",
        FIRST,
        "claim = requests.save_intent(claim, intended)",
        "outcome = appliance.delete(pairing, force=request.force, send_by=by, by=by);"
        " claim = requests.save_intent(claim, intended)",
        "outcome = appliance.delete(pairing, force=request.force, send_by=send_by, by=by)",
        "",
    ),
    change(
        "an unanswered DELETE is sent again",
        "tests/delete/test_delete_answers.py::TestFateUnknown::test_a_task_of_before_is_never_adopted",
        "if problem.kind is ProblemKind.REFUSED: return fail",
        "if problem.kind is ProblemKind.UNANSWERED: return step.change(state=State.APPROVED)\n"
        "    if problem.kind is ProblemKind.REFUSED: return fail",
        within="answered",
    ),
    change(
        "it is sent although the intent's commit was not answered",
        FIRST,
        "raise IntentUnanswered(_unsent(intended.request, NOT_TOLD)) from error",
        "return claim, appliance.delete(pairing, force=request.force, send_by=by, by=by)",
    ),
    change(
        "a lost commit's outcome is told as not sent, whatever it was",
        FIRST,
        "self._leave(claim, outcome)",
        'self._leave(claim, __import__("bot.request.events", fromlist=["_"])'
        ".DeleteNotAccepted(problem=SLOW, intent=claim.request.intent))",
        within="_run",
    ),
    change(
        "a process that froze after the intent sends when it wakes up",
        FIRST,
        "if effects.monotonic() > send_by:",
        "if False:",
        Swap("send_by=send_by, by=by", "send_by=by, by=by", within="send_delete"),
    ),
    change(
        "a machine that was suspended after the intent sends when it wakes up",
        "tests/delete/test_old_readings.py"
        "::test_a_machine_that_stood_between_intent_and_send_sends_nothing_of_that_intent",
        "if jump > JUMP_SECONDS:",
        "if False:",
    ),
    change(
        "an answer that says not accepted undoes the next intent as well",
        SECOND,
        "return about is None or intent is None or about.at == intent.at",
        "return True",
    ),
    change(
        "a task that was taken for ours is followed though nothing of ours began",
        "tests/delete/test_answers_that_come_late.py"
        "::test_what_was_not_accepted_is_sent_again_and_the_task_found_meanwhile_is_not_ours",
        "return of_this_intent(step, event) and (isinstance(event, DeleteNotAccepted) or no_task)",
        "return False",
    ),
    change(
        "readings of an earlier claim count before the intent",
        "tests/delete/test_old_readings.py",
        'if _changes_only(claim.request, absorbed, "readings"):',
        "if False:",
        "readings: Readings = Field(default=Readings(), exclude=True)",
        "readings: Readings = Field(default=Readings())",
    ),
    change(
        "a second 401 to the DELETE logs in for ever",
        "tests/delete/test_delete_answers.py::test_401_twice_is_failed",
        "problem.kind is ProblemKind.UNAUTHORIZED and request.unauthorized >= 1",
        "problem.kind is ProblemKind.UNAUTHORIZED and request.unauthorized >= 99",
    ),
    # ---- rights -------------------------------------------------------------------------------
    change(
        "the requester's own approval counts",
        "tests/rules/test_approvals.py::test_the_requesters_own_approval_never_counts",
        "elif event.by == request.requester:",
        "elif event.by == '':",
        within="_why_not",
    ),
    change(
        "one person's two approvals count twice",
        "tests/rules/test_approvals.py::test_two_of_two_are_needed_and_one_person_counts_once",
        'if event.action == "approve" and any(d.by == event.by for d in request.approvals):',
        "if False:",
        "if any(d.somebody == approval.somebody for d in step.request.approvals):",
        "if False:",
        "people.setdefault(decision.somebody, tuple(decision.pools))",
        'people[f"{len(people)}"] = tuple(decision.pools)',
        "return {d.by: pools[d.somebody] for d in self.approvals if d.somebody in pools}",
        'return {d.by: "" for d in self.approvals}',
    ),
    change(
        "rights are not read again before the intent",
        "tests/delete/test_old_readings.py"
        "::test_a_right_that_was_lost_after_it_was_read_does_not_count",
        "if not _fresh(readings.rights_at, now):",
        "if False:",
    ),
    change(
        "who has lost the right stays counted",
        "tests/rules/test_approvals.py::TestTheWorldMoved::test_a_right_that_is_lost_before_the_last_click_does_not_count",
        "lost.append(decision)",
        "kept.append(decision)",
    ),
    change(
        "rights that cannot be read before the intent are taken for a yes",
        "tests/rules/test_groups.py::TestGroups::test_a_group_that_fails_before_the_intent_is_waited_for",
        "if missing(said, step.request.terms.pools):",
        "if False:",
        within="before_delete.rights_read_before_intent",
    ),
    change(
        "a click counts though the right could not be read",
        "tests/rules/test_approvals.py::test_unreadable_rights_are_a_no",
        "if not verdict.yes:",
        "if not verdict.yes and not verdict.unread:",
        within="clicks.rights_read_at_click",
    ),
    change(
        "whoever clicked Approve is taken for an approver",
        "tests/rules/test_approvals.py::test_a_stranger_decides_nothing",
        "if user in listed:",
        "if True:",
    ),
    change(
        "who is called and cannot see the channel hears of no request",
        "tests/rules/test_rights.py::TestWhoCannotSeeTheChannel",
        "if event.unseeing or event.unread_groups:",
        "if False:",
    ),
    change(
        "who is called and cannot see the channel hears of no approval",
        "tests/rules/test_rights.py::TestWhoCannotSeeTheChannel",
        "_tell_who_cannot_see(step)",
        "pass",
        within="rights_read_at_click",
    ),
    change(
        "a channel that Slack does not tell of is taken for a public one",
        "tests/rules/test_rights.py::TestWhoCannotSeeTheChannel",
        "if seeing is None:",
        "if seeing is None or isinstance(seeing, Verdict):",
    ),
    change(
        "the trail names an approver's id where a group made the right",
        "tests/rules/test_groups.py::TestGroups::test_the_trail_has_through_which_entry_each_approval_counted",
        "return Verdict(reason=Reason.YES, through=group)",
        "return Verdict(reason=Reason.YES, through=user)",
    ),
    change(
        "a guest counts",
        "tests/rules/test_approvals.py::test_listed_people_who_do_not_count",
        "if person.guest:",
        "if False:",
    ),
    change(
        "a bot counts",
        "tests/rules/test_approvals.py::test_listed_people_who_do_not_count",
        "if person.bot:",
        "if False:",
    ),
    change(
        "a closed account counts",
        "tests/rules/test_approvals.py::test_listed_people_who_do_not_count",
        "if person.deleted:",
        "if False:",
    ),
    change(
        "somebody of another workspace counts",
        "tests/rules/test_approvals.py::test_listed_people_who_do_not_count",
        "if person.stranger or not (same_team or same_grid):",
        "if False:",
    ),
    change(
        "a click from another workspace counts",
        "tests/rules/test_rights.py::TestTheTeamOfTheClick::test_another_one_although_users_info_says_ours",
        "not acts_from_home(team, person, home)",
        "False",
    ),
    change(
        "a group that cannot be read is one without members",
        "tests/rules/test_groups.py::TestGroups::test_of_two_groups_the_one_that_can_be_read_is_enough",
        "return unread or Verdict(reason=Reason.NOT_LISTED)",
        "return Verdict(reason=Reason.NOT_LISTED)",
    ),
    change(
        "a group is read once and remembered",
        "tests/rules/test_groups.py::TestGroups::test_a_group_is_asked_once_in_one_reading_and_again_in_the_next",
        "_groups: dict[str, frozenset[str] | Verdict] = field(default_factory=dict)",
        "@property\n    def _groups(self):\n"
        "        return self.people.__dict__.setdefault('_remembered', {})",
        within="Reading",
    ),
    change(
        "after a 429 for somebody's rights nobody is told when to try again",
        "tests/slack/listeners/test_people.py::test_a_limit_says_when_to_ask_again",
        'return verdict.model_copy(update={"retry_at": retry_at})',
        "return verdict",
    ),
    change(
        "the glass is broken on a card that never had the button",
        "tests/rules/test_break_glass.py",
        Swap("if not request.terms.break_glass:", "if False:", within="_why_not"),
        Swap("if not step.request.terms.break_glass:", "if False:"),
    ),
    change(
        "anybody may withdraw somebody else's request",
        "tests/rules/test_approvals.py::test_only_the_requester_cancels",
        "if event.by != request.requester:",
        "if False:",
        within="_why_not",
    ),
    change(
        "the glass is broken without a reason",
        "tests/rules/test_break_glass.py",
        "if not click.reason:",
        "if False:",
    ),
    change(
        "after a broken glass no approver gets a direct message",
        "tests/rules/test_break_glass.py::test_every_approver_is_told_once_through_groups_too",
        "told=tuple(each for each in event.approving if each != click.by),",
        "",
    ),
    # ---- what was approved --------------------------------------------------------------------
    change(
        "the fingerprint in the button is not compared",
        "tests/rules/test_fingerprint.py::test_a_click_on_another_one_never_counts",
        "if event.fingerprint != request.fingerprint:",
        "if False:",
    ),
    change(
        "what is there before the DELETE is not compared",
        "tests/rules/test_approvals.py::TestTheWorldMoved::test_what_rule_3_names_is_changed",
        "if found:",
        "if False:",
        within="pairing_read_before_intent",
    ),
    change(
        "other replications, as many as before, are no change",
        "tests/rules/test_fingerprint.py::test_covered",
        "if shown.replications_digest != now.replications_digest:",
        "if False:",
    ),
    change(
        "a replication that came into a recovery plan is no change",
        "tests/rules/test_fingerprint.py"
        "::test_one_that_came_into_a_recovery_plan_counts_and_one_that_left_does_not",
        "found += _newly_protected(shown, now)",
        "pass",
    ),
    change(
        "a reading that was whole for the card may be partial before the DELETE",
        "tests/rules/test_approvals.py::TestTheWorldMoved"
        "::test_a_reading_that_was_whole_and_is_partial_waits_until_the_time_to_begin_is_over",
        "if problem := _unread(shown, event.snapshot):",
        "if False:",
    ),
    change(
        "presses of strangers are absorbed before the DELETE",
        "tests/rules/test_approvals.py::test_presses_of_strangers_do_not_hold_up_the_delete",
        "if not _goes_first(claim.request, events, now):",
        "if True:",
    ),
    change(
        "the number of replications is not compared",
        "tests/rules/test_fingerprint.py::test_covered",
        '"number of replications": (snapshot.count, str(snapshot.count)),',
        "",
    ),
    change(
        "force is not part of the fingerprint",
        "tests/rules/test_fingerprint.py::test_force_and_dry_run_are_covered",
        '"force": force, ',
        "",
        within="fingerprint",
    ),
    change(
        "a one-sided break goes on though the remote site is back",
        "tests/rules/test_fingerprint.py::test_a_remote_site_that_is_back_takes_the_reason_from_force",
        "if force and shown.remote_down and not now.remote_down:",
        "if False:",
    ),
    change(
        "an id in capitals is another one than in small letters",
        "tests/rules/test_fingerprint.py::test_ids_are_compared_without_case",
        "return None if vendor_id is None else vendor_id.strip().casefold()",
        "return vendor_id",
    ),
    change(
        "a click on any message counts",
        "tests/rules/test_approvals.py::test_clicks_from_elsewhere_never_count",
        "if event.channel != request.channel or event.message_ts != request.card_ts"
        " or not event.ours:",
        "if False:",
    ),
    change(
        "a request of a dry run is sent",
        "tests/delete/test_dry_run.py::test_everything_but_the_delete",
        Swap("if request.terms.dry_run:", "if False:", within="pairing_read_before_intent"),
        Swap("effects.policy.dry_run or request.terms.dry_run", "False"),
    ),
    change(
        "DRY_RUN that was switched since the approval is no change",
        "tests/delete/test_dry_run.py::test_switched_in_between_is_changed",
        "if event.dry_run != request.terms.dry_run:",
        "if False:",
    ),
    change(
        "the sender sends in a dry run",
        "tests/delete/test_dry_run.py",
        "if effects.policy.dry_run or request.terms.dry_run:",
        "if False:",
    ),
    # ---- the time that was asked for ----------------------------------------------------------
    change(
        "the DELETE is sent before the time that was asked for",
        FIRST,
        Swap("if at is not None and now < at:", "if False:", within="_approved"),
        Swap(
            "return at is not None and (step.now if begun is None else begun) < at",
            "return False",
        ),
        Swap("if late or early or", "if late or", place="tests/life/simulation"),
    ),
    change(
        "rights are those of the approval, not those of the time",
        FIRST,
        "if not _fresh(readings.rights_at, now):",
        "if request.scheduled_at is None and not _fresh(readings.rights_at, now):",
    ),
    change(
        "a window that was missed is sent all the same",
        FIRST,
        "execute_by=begins + self.request.terms.execution_ttl_ms,",
        "execute_by=begins + self.request.terms.execution_ttl_ms"
        " * (1 if self.request.scheduled_at is None else 99),",
    ),
    change(
        "a denial that waits for its owner's rights is overtaken by the DELETE",
        SECOND,
        "if request.clicks:  # a denial, which counts until it is sent",
        "if False:",
    ),
    change(
        "the store takes an intent before the time that was asked for",
        "tests/store/test_delete_intent.py::test_not_before_the_time_that_was_asked_for",
        "or_(at.is_(None), at <= now)",
        "or_(at.is_(None), at <= 10**15)",
    ),
    change(
        "what was read before the time counts at the time",
        "tests/rules/test_schedule.py::TestReadAgain::test_a_reading_from_before_decides_nothing",
        "(step.now if begun is None else begun) < at",
        "step.now < at",
    ),
    change(
        "a time that comes twice is the first of the two",
        "tests/rules/test_schedule_times.py::test_what_is_not_guessed",
        'return "twice" if back == local else "missing"',
        'return first if back == local else "missing"',
    ),
    change(
        "the time is not part of the fingerprint",
        "tests/rules/test_schedule_times.py::test_the_fingerprint_covers_it",
        ', "not before": scheduled_at',
        "",
    ),
    # ---- time ---------------------------------------------------------------------------------
    change(
        "an approval does not run out",
        FIRST,
        "later = _later(request.execute_by, request, now)",
        "later = _later(None, request, now)",
        Swap("in_time = requests.c.execute_by > now", "in_time = true()", within="save_intent"),
    ),
    change(
        "a click that was stored in time is lost to the deadline",
        "tests/rules/test_approvals.py::TestTime::test_a_click_stored_before_the_deadline_counts_after_it",
        "if request.clicks:",
        "if request.clicks and now < (request.decide_by or 0):",
        within="_pending",
    ),
    change(
        "a click that comes after the deadline counts",
        "tests/rules/test_approvals.py::TestTime::test_a_click_after_the_deadline_does_not",
        'return "too_late" if too_late and request.state is State.PENDING else None',
        "return None",
    ),
    change(
        "an effect may outlast the lease",
        "tests/store/test_claims.py::test_no_effect_outlasts_its_lease",
        "time_ms = min(most, left_ms - kept)",
        "time_ms = 3 * most",
    ),
    change(
        "what moves to another queue is due to nobody there",
        FIRST,
        "return effect.until if isinstance(effect, Wait) else now",
        "return effect.until if isinstance(effect, Wait) else None",
    ),
    change(
        "the outcome of a DELETE is thrown away with a lost claim",
        FIRST,
        "self.inbox.put(outcome, origin=origin, request_id=claim.request.id)",
        "pass",
        within="_leave",
    ),
    change(
        "the outcome of a DELETE is thrown away while the database is away",
        FIRST,
        "if not isinstance(outcome, DeleteOutcome):",
        "if True:",
        within="_run",
    ),
    change(
        "each wait of a request is told in a notice of its own",
        "tests/life/outages/test_appliance_away.py",
        "if before is None:",
        "if True:",
        within="_tell_of_wait",
    ),
    # ---- after the DELETE ---------------------------------------------------------------------
    change(
        "a task from before the intent is taken for ours",
        "tests/delete/test_delete_answers.py::TestFateUnknown::test_a_task_of_before_is_never_adopted",
        "Intent(at=step.now, task_ids=request.readings.task_ids)",
        "Intent(at=step.now, task_ids=())",
    ),
    change(
        "a task of another pairing is taken for ours",
        "tests/delete/test_following.py::test_it_names_somebody_else_or_nobody",
        'return bool(wanted) and wanted in (entity, entity.partition(":")[2])',
        "return True",
    ),
    change(
        "after a 404 to the DELETE somebody else's task is taken for ours",
        "tests/delete/test_following.py::test_after_a_404_no_task_is_ours",
        "listed=not nothing_began",
        "listed=True",
    ),
    change(
        "without a whole list one 404 proves that the pairing is gone",
        "tests/delete/test_gone.py",
        "return step.now - since >=",
        "return True or step.now - since >=",
        within="is_gone",
    ),
    change(
        "SUCCESS of the task is the end, without a look at the pairing",
        "tests/delete/test_delete_answers.py::TestTheTask::test_success_with_the_pairing_still_there",
        "step.change(polling_since=None, not_before=None)",
        'succeed(step, "proved")',
        within="watch",
    ),
    change(
        "a person is called after the first look in vain",
        "tests/delete/test_delete_answers.py::TestFateUnknown::test_a_task_of_before_is_never_adopted",
        "return since is not None and now - since >= span",
        "return since is not None",
    ),
    change(
        "a later look sends again where nothing is found",
        "tests/delete/test_delete_answers.py::test_a_500_and_a_new_task",
        'attention(step, "outcome_unknown")',
        "step.change(state=State.APPROVED)",
        within="tasks_read",
    ),
    change(
        "anybody settles an unclear end",
        "tests/delete/test_settling.py::test_only_approvers_settle_and_never_whoever_asked",
        "if not verdict.yes:",
        "if False:",
        within="_right_to_settle_read",
    ),
    change(
        "whoever asked settles it, being an approver",
        "tests/delete/test_settling.py::test_only_approvers_settle_and_never_whoever_asked",
        "if event.by == request.requester:",
        "if False:",
        within="_why_not",
    ),
    change(
        "a guest looks again",
        "tests/delete/test_settling.py::test_who_settles_nothing_and_does_not_look",
        "elif verdict.yes:",
        "elif True:",
        within="rights_read_after_the_end",
    ),
    change(
        "all names of a card are shown to whoever presses",
        "tests/slack/lookups/test_lookups.py::test_all_names_of_a_card_are_for_those_who_could_ask_in_its_channel",
        "if channel is not None:",
        "if False:",
        within="Lookups._refused",
    ),
    change(
        "looks again have no pace",
        "tests/delete/test_settling.py::test_looks_have_a_pace_whoever_presses",
        'return "look_too_soon" if early else None',
        "return None",
    ),
    change(
        "an unclear end is settled without words",
        "tests/delete/test_settling.py::test_without_words_nothing_is_settled",
        'return None if event.reason else "settled_without_words"',
        "return None",
    ),
    # ---- pools of approvers -------------------------------------------------------------------
    change(
        "one person counts for two pools",
        "tests/rules/test_pools.py",
        "if pool not in room or pool in tried:\n                continue",
        "if pool not in room:\n                continue",
        "if len(seats[pool]) < room[pool]:\n                seats[pool].append(person)\n"
        "                return True",
        "if len(seats[pool]) < room[pool] and person not in seats[pool]:\n"
        "                seats[pool].append(person)",
    ),
    change(
        "nobody gives their seat up for somebody who has no other",
        "tests/rules/test_pools.py",
        "if seat(owner, tried):",
        "if False:",
    ),
    change(
        "a pool is not asked about again before the intent",
        "tests/rules/test_pools.py",
        "verdict.yes:\n            kept.append(_approval(decision, verdict, event))",
        "verdict.yes:\n            kept.append(decision)",
        "if missing(said, step.request.terms.pools):",
        "if False:",
    ),
    change(
        "two accounts of one person count twice",
        "tests/rules/test_pools.py::TestSamePerson",
        '"person": event.persons.get(decision.by)',
        '"person": None',
    ),
    change(
        "the requester approves with a second account",
        "tests/rules/test_pools.py::TestSamePerson",
        "if user != request.requester and policy.person(user) == asker",
        "if False",
    ),
    # ---- settings that have changed meanwhile, and what a kill finds --------------------------
    change(
        "what APPROVALS_REQUIRED is now is not asked",
        f"{SETTINGS}::test_every_rule_holds[0]",
        "pools=pools,",
        "pools=request.terms.pools,",
        within="read_rights",
    ),
    change(
        "who may break the glass now is not asked",
        f"{SETTINGS}::test_every_rule_holds[0]",
        "user: now.right(user, teams.get(user), policy.break_glass)",
        "user: Verdict(reason=Reason.YES)",
    ),
    change(
        "a process that froze takes the time after the events that it has read",
        "tests/delete/test_old_readings.py"
        "::test_a_click_stored_while_the_process_was_frozen_beats_the_deadline",
        "effect = plan(claim.request, now)",
        "now = self.requests.now(); effect = plan(claim.request, now)",
        Swap(
            "now, ~exists().where(mine, new))",
            "now)",
            within="save_unless_an_event_waits",
        ),
    ),
    change(
        "a pause after slow readings goes past the deadline",
        "tests/rules/test_slow_readings.py::test_a_pause_after_slow_readings_ends_with_the_time_to_begin",
        "due_at = next_at(claim.request, now)",
        "due_at = claim.request.not_before or now",
    ),
    change(
        "the DELETE is sent before its intent is committed, as a kill sees it",
        "tests/life/kills/test_every_line.py::test_killed_at[intent]",
        "claim = requests.save_intent(claim, intended)",
        "outcome = appliance.delete(pairing, force=request.force, send_by=by, by=by);"
        " claim = requests.save_intent(claim, intended)",
        "outcome = appliance.delete(pairing, force=request.force, send_by=send_by, by=by)",
        "",
    ),
    change(
        "all threads serve all appliances",
        "tests/life/test_queues.py::test_an_appliance_that_hangs_holds_up_nobody_at_another",
        "if queue is Queue.DECIDE or len(sites) == 1: return [()]",
        "return [()]",
        within="left_to_others",
    ),
)

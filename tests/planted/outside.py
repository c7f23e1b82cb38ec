"""What meets the outside: the appliance, the way in from Slack, the words, the logs."""

from __future__ import annotations

from tests.planted.change import Swap, change

DELETE = "tests/appliance/test_appliance_delete.py"
TRUST = "tests/appliance/test_trusted_certificate.py"
DOOR = "tests/slack/listeners/test_http_requests.py"

APPLIANCE = (
    change(
        "every DELETE is forced",
        "tests/appliance/test_appliance_delete.py::test_an_accepted_delete",
        '{"force": "true" if force else "false"}',
        '{"force": "true"}',
    ),
    change(
        "no DELETE is forced",
        "tests/appliance/test_appliance_delete.py::test_an_accepted_delete",
        '{"force": "true" if force else "false"}',
        "{}",
    ),
    change(
        "the sender forgets force",
        "tests/rules/test_break_glass.py::test_one_person_alone_is_enough_the_own_request_included",
        "force=request.force, send_by=send_by",
        "force=False, send_by=send_by",
    ),
    change(
        "an id can reach another path of the appliance",
        "tests/appliance/test_appliance_listings.py::test_ids_are_one_part_of_the_path",
        'quote(value, safe="")',
        'quote(value, safe="/?")',
    ),
    change(
        "urllib3 repeats a DELETE whose answer was lost",
        "tests/appliance/test_appliance_delete.py::test_exactly_one_whatever_comes_back",
        "Retry(total=0, connect=0, read=False, redirect=0, status=0, other=0)",
        "Retry(total=2, allowed_methods=None)",
    ),
    change(
        "redirects of the appliance are followed",
        "tests/appliance/test_appliance_errors.py::test_a_redirect_never_gets_the_token",
        "with way.send(",
        'with ((a := requests.Session()).mount("https://", way) or a).send(',
    ),
    change(
        "a DELETE goes out on a connection that was kept",
        "tests/appliance/test_appliance_delete.py::test_a_delete_leaves_on_a_connection_of_its_own",
        "way = TrustingAdapter(self.trust) if alone else self._kept",
        "way = self._kept",
    ),
    change(
        "a DELETE goes out on a connection that the appliance has closed",
        "tests/appliance/test_appliance_delete.py::test_a_prepared_connection_that_was_closed",
        "if opened is not None and opened.is_open():",
        "if opened is not None:",
    ),
    change(
        "the connection of a DELETE is made only after its intent",
        "tests/appliance/test_appliance_delete.py::test_an_appliance_that_is_slow_to_connect",
        "self._sessions.transport.open(delete_of(pairing_id), self.effect.by)",
        "",
    ),
    change(
        "bytes leave after the second that a DELETE has",
        "tests/appliance/test_appliance_delete.py::test_frozen_while_the_connection_is_made",
        "if late or self.only_open:",
        "if self.only_open:",
    ),
    change(
        "a DELETE that may have arrived is told as not sent",
        DELETE,
        "self.sent = True",
        "self.sent = self.send_by is None",
        within="Flight.leave",
    ),
    change(
        "a 503 without Retry-After is told as not accepted",
        "tests/appliance/test_appliance_delete.py::test_exactly_one_whatever_comes_back",
        "case 503 if (wait := retry_after(self._headers)) is not None:",
        "case 503 if (wait := retry_after(self._headers) or 60.0):",
    ),
    change(
        "a 502 is told as a refusal by the appliance",
        "tests/appliance/test_appliance_delete.py::test_exactly_one_whatever_comes_back",
        "500: ProblemKind.SERVER_ERROR,",
        "500: ProblemKind.SERVER_ERROR, 502: ProblemKind.SERVER_ERROR,",
    ),
    change(
        "a 404 alone says that the pairing is gone",
        "tests/appliance/test_appliance_gone.py",
        "missing = error",
        'return "gone"',
        within="pairing_or_presence",
    ),
    change(
        "a gateway's 404 is taken for the appliance's",
        "tests/appliance/test_appliance_gone.py",
        'case 404 if about_one and not self._empty and call.method != "DELETE":',
        "case 404 if False:",
    ),
    change(
        "a 404 to something else is taken for one about the pairing",
        "tests/appliance/test_appliance_gone.py",
        'about_one = call.template.endswith("_id}")',
        "about_one = True",
    ),
    change(
        "a DELETE is sent again after any answer but 202",
        "tests/appliance/test_appliance_delete.py::test_exactly_one_whatever_comes_back",
        "if task.problem.kind in NOT_ACCEPTED:",
        "if True:",
    ),
    change(
        "another pairing's answer is taken for this one's",
        "tests/appliance/test_appliance_listings.py::test_one_of_each",
        "if not same_id(found.id, asked):",
        "if False:",
    ),
    change(
        "a DELETE logs in by itself",
        "tests/appliance/test_appliance_delete.py::test_after_a_401_the_session_is_gone_and_nothing_is_sent_without_one",
        "session = self._sessions.held if session is None or not"
        " self._sessions.ready(session, pairing_id):",
        "session = self._sessions.current(self.effect)\n        if False:",
        within="delete_pairing",
    ),
    change(
        "a refused log-in does not rest the appliance",
        "tests/appliance/test_appliance_sessions.py::test_a_refused_log_in_is_tried_once_for_all_and_then_rests",
        "self.budget.change(partial(refused_login.login_refused, why=why))",
        "",
    ),
    change(
        "a password that was changed is tried however many were refused",
        "tests/appliance/test_budget.py::test_log_ins_never_lock_an_account",
        "if changed_ms is not None and len(lately) == 1 and changed_ms > lately[0]:",
        "if changed_ms is not None and lately and changed_ms > lately[-1]:",
    ),
    change(
        "an appliance at another address gets the password",
        "tests/operate/settings/test_read_again.py",
        "if now is not None and now.host == self._site.host:",
        "if now is not None:",
    ),
    change(
        "a secret of before is shown in the words of an appliance",
        "tests/appliance/test_changed_secrets.py",
        "self._hidden = tuple(dict.fromkeys((*self._hidden, *found.hidden())))",
        "self._hidden = found.hidden()",
    ),
    change(
        "what is trusted no more is asked on a connection that is open",
        "tests/appliance/test_changed_secrets.py",
        "self.transport.use(found.trust)",
        "pass",
    ),
    change(
        "the certificate's fingerprint is not compared",
        f"{TRUST}::test_a_wrong_pin_gets_not_one_byte",
        '"assert_fingerprint": self._pin,',
        "",
    ),
    change(
        "any certificate is trusted",
        "tests/appliance/test_trusted_certificate.py::test_an_unknown_authority",
        "context = ssl.create_default_context(cafile=ca_file)",
        "context = ssl._create_unverified_context(cafile=ca_file)",
    ),
    change(
        "a certificate for another host is trusted",
        "tests/appliance/test_trusted_certificate.py::test_another_host_name",
        "context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT",
        "context.check_hostname = False",
    ),
    change(
        "an answer of the appliance may be compressed",
        "tests/appliance/test_hostile_answers.py"
        "::test_nothing_is_asked_for_packed_and_nothing_is_unpacked",
        '"Accept-Encoding": "identity",',
        '"Accept-Encoding": "gzip",',
    ),
    change(
        "an answer of the appliance may be as large as it likes",
        "tests/appliance/test_hostile_answers.py"
        "::test_an_answer_as_large_as_may_be_is_read_and_a_larger_one_is_not",
        "if self.bytes_received > ANSWER_MAX_BYTES:",
        "if False:",
    ),
    change(
        "credentials of a .netrc file are sent",
        "tests/appliance/test_trusted_certificate.py::test_a_netrc_file_sends_no_credentials_and_cookies_do_not_travel",
        "auth=auth,",
        "auth=requests.utils.get_netrc_auth(self._url) or auth,",
        within="_exchange",
    ),
    change(
        "secrets are shown in the words of an answer",
        "tests/appliance/test_appliance_secrets.py::test_a_server_that_echoes_the_request",
        'self._redact(as_text(said.get(name), READ_LENGTH_MAX) or "") or None',
        "as_text(said.get(name), READ_LENGTH_MAX)",
    ),
)

SLACK = (
    change(
        "a part of a name is taken for a pairing",
        "tests/rules/test_pairing.py::test_a_part_of_a_name_is_no_name",
        "or any(wanted in _names(s) for s in _servers(p))",
        "or any(wanted in name for s in _servers(p) for name in _names(s))",
    ),
    change(
        "a suggestion shows somebody else what was typed",
        "tests/slack/listeners/test_request_form.py::test_what_opens_no_form",
        "(suggested.refused and (not refused or refused.requester != click.by))",
        "(suggested.refused and not refused)",
    ),
    change(
        "the signature is not verified",
        "tests/slack/listeners/test_http_requests.py::test_a_forged_one_is_refused_and_counted",
        "if SignatureVerifier(self._secret(False), self._clock).is_valid(*signed):",
        "if True:",
    ),
    change(
        "an old signed request is taken once more",
        "tests/slack/listeners/test_http_requests.py::test_old_and_future_ones_are_refused",
        "if SignatureVerifier(self._secret(False), self._clock).is_valid(*signed):",
        "if signature == SignatureVerifier(self._secret(False)).generate_signature("
        "timestamp=timestamp, body=body):",
    ),
    change(
        "the signing secret of before goes on to count",
        "tests/slack/listeners/test_http_requests.py::test_a_secret_that_has_changed_is_the_one_that_counts",
        "SignatureVerifier(self._secret(True), self._clock)",
        "SignatureVerifier(self._secret(False), self._clock)",
    ),
    change(
        "a token that was refused is not read again",
        "tests/slack/listeners/test_web_api.py::test_a_refused_token_that_has_changed_is_not_the_end",
        "self.token_now(True)) == used:",
        "self.token_now(False)) == used:",
    ),
    change(
        "a body is parsed before its signature is verified",
        "tests/slack/listeners/test_http_requests.py::test_the_signature_comes_before_the_parser",
        "if problem := self._not_from_slack(body, timestamp, signature):",
        "parse(body)\n        if problem := self._not_from_slack(body, timestamp, signature):",
    ),
    change(
        "a body may be as large as it likes",
        "tests/slack/listeners/test_http_requests.py::test_a_larger_one_is_413",
        "(len(announced) > 12 or int(announced) > LARGEST_BODY)",
        "False",
        Swap("if len(self._body) > LARGEST_BODY:", "if False:"),
    ),
    change(
        "a body may arrive as slowly as it likes",
        "tests/slack/listeners/test_http_server.py::test_a_request_has_its_time_as_a_whole",
        "body_timeout=self._within_s,",
        "",
    ),
    change(
        "connections that say nothing keep others out",
        "tests/slack/listeners/test_http_server.py::test_too_many_connections_keep_nobody_out",
        "next(iter(self._waiting)).close()",
        "stream.close()",
    ),
    change(
        "bodies that never end fill the memory",
        "tests/slack/listeners/test_http_server.py"
        "::test_bodies_that_never_end_do_not_fill_the_memory",
        "elif self._server.held > ALL_BODIES:",
        "elif False:",
    ),
    change(
        "a 500 shows what went wrong",
        "tests/slack/listeners/test_http_requests.py::test_a_page_that_fails_shows_nothing_of_it",
        "except Exception:",
        "except Exception as error:",
        Swap('reply = Reply(500, b"failed\\n")', "reply = Reply(500, repr(error).encode())"),
        within="Server._answer",
    ),
    change(
        "a response_url may lead anywhere",
        "tests/slack/listeners/test_web_api.py::test_nothing_is_sent_to_another_host",
        "if not is_of_slack(url, api_url):",
        "if False:",
    ),
    change(
        "redirects of a response_url are followed",
        "tests/slack/listeners/test_web_api.py::test_no_redirect_of_a_response_url_is_followed",
        "retries=False,",
        "retries=5,",
        Swap("redirect=False,", "redirect=True,"),
        within="post_once",
    ),
    change(
        "a payload that is nested without end is an error of ours",
        f"{DOOR} tests/slack/listeners/test_malformed.py",
        "except (ValueError, RecursionError) as error:",
        "except ValueError as error:",
        within="payload.parse",
    ),
    change(
        "health and metrics stay on the port that Slack reaches",
        "tests/whole/scenarios/test_http_door.py::test_probes_have_a_port_of_their_own",
        "Paths(pages if settings.operate_port is None else {}, None)",
        "Paths(pages, None)",
    ),
    change(
        "the bot's token may go over the network in the clear",
        "tests/operate/settings/test_values.py",
        'address.scheme == "http" and address.hostname not in {"localhost", "127.0.0.1", "::1"}',
        "False",
    ),
    change(
        "a corrected form is taken for the one that was sent before",
        "tests/slack/listeners/test_request_form.py",
        "same = deps.inbox.stored(key) == event",
        "same = True",
    ),
    change(
        "what Slack may have taken is posted again and again",
        "tests/slack/listeners/test_poster.py"
        "::test_what_slack_may_have_taken_is_repeated_five_times_at_most",
        "case Kind.PASSING if problem.maybe_taken and due.ts is None:",
        "case Kind.PASSING if False:",
    ),
    change(
        "every poster may be at a method that hangs",
        "tests/slack/listeners/test_poster_threads.py"
        "::test_while_a_method_hangs_what_needs_another_goes_out",
        "if calls >= most",
        "if calls >= 99",
    ),
    change(
        "what is due soon waits for the thread whose call hangs",
        "tests/slack/listeners/test_poster_threads.py"
        "::test_what_is_due_soon_does_not_wait_behind_a_call_that_hangs",
        "if more is not None and more < now + NET_SECONDS * 1000:",
        "if False:",
    ),
    change(
        "final words overtake the answer to the click",
        "tests/slack/listeners/test_poster_threads.py"
        "::test_who_clicked_hears_of_it_before_the_thread_hears_how_it_ended",
        "            ~answer_first,\n",
        "",
    ),
    change(
        "what Slack may have taken twice waits for two hours",
        "tests/life/outages/test_slack_away_refused.py"
        "::test_a_card_whose_answers_are_all_lost_is_not_posted_for_ever",
        "LOST_GAPS_MS = (5_000, 30_000, 2 * 60_000, 10 * 60_000, 60 * 60_000)",
        "LOST_GAPS_MS = (5_000, 2 * 60 * 60_000)",
    ),
    change(
        "what people and the appliance wrote is not escaped",
        "tests/slack/listeners/test_command_text.py::test_sentences_are_escaped",
        "_cut((_ENTITIES.get(c, c) for c in text), limit)",
        "_cut(iter(text), limit)",
    ),
    change(
        "a name stands in a sentence like words of ours",
        "tests/slack/cards/test_calls_nobody_and_fits.py::test_a_name_never_reads_as_words_of_ours",
        'return f"`{_escaped(_one_line(text), limit - 2)}`"',
        "return _escaped(_one_line(text), limit - 2)",
    ),
    change(
        "a name in a header is an emoji",
        "tests/slack/cards/test_calls_nobody_and_fits.py::test_a_name_never_reads_as_words_of_ours",
        "PlainTextObject(text=words, emoji=False)",
        "PlainTextObject(text=words, emoji=True)",
    ),
    change(
        "a message has more blocks than Slack takes",
        "tests/slack/cards/test_markup.py"
        "::test_more_blocks_than_slack_takes_are_counted_and_the_last_one_stays",
        "if len(blocks) > most:",
        "if False:",
    ),
    change(
        "a list of many appliances is longer than a message",
        "tests/slack/cards/test_lists.py"
        "::test_a_list_of_many_pairings_is_read_and_says_what_it_leaves_out",
        "if fits(blocks):",
        "if True:",
    ),
    change(
        "texts are cut within an entity",
        "tests/slack/cards/test_markup.py",
        "_cut((_ENTITIES.get(c, c) for c in text), limit)",
        '_cut(iter("".join(_ENTITIES.get(c, c) for c in text)), limit)',
    ),
    change(
        "a block of code can be left by its content",
        "tests/slack/cards/test_markup.py",
        "tidy(text).replace(_FENCE, GRAVE * 3)",
        "tidy(text)",
    ),
    change(
        "a known secret is logged",
        "tests/operate/running/test_logs.py::test_what_looks_secret_is_masked",
        "value = value.replace(secret, MASK)",
        "pass",
    ),
    change(
        "of two secrets that begin alike the end of the longer one is logged",
        "tests/operate/running/test_logs.py::test_of_two_secrets_that_begin_alike_none_shows_its_end",
        "key=len, reverse=True)",
        "key=len)",
        within="mask_too",
    ),
    change(
        "the password of a proxy and of the database is logged",
        "tests/operate/running/test_logs.py::test_passwords_in_addresses_are_secrets_in_every_form",
        "found += values.passwords_in(address)",
        "pass",
    ),
    change(
        "a spreadsheet runs a formula that stands behind a semicolon",
        "tests/operate/cli/test_audit_verify.py::test_both_exports_hold_every_column_of_every_record",
        """_FORMULA = re.compile(r\"\"\"((?:^|[,;|\\t\\r\\n\"])""",
        """_FORMULA = re.compile(r\"\"\"((?:^|[,|\\t\\r\\n\"])""",
    ),
    change(
        "what somebody named a machine bears witness against the trail",
        "tests/operate/cli/test_audit_verify.py::test_a_trail_that_is_as_its_log_tells",
        "_CONSOLE.fullmatch(text)",
        "_CONSOLE.search(text)",
    ),
    change(
        "the words of an error bear witness against the trail",
        "tests/operate/cli/test_audit_verify.py::test_a_trail_that_is_as_its_log_tells",
        'f"> {printable(line)}"',
        "printable(line)",
    ),
    change(
        "what looks like a token is logged",
        "tests/operate/running/test_logs.py::test_what_looks_secret_is_masked",
        "return _LOOKS_SECRET.sub(MASK, value)",
        "return value",
    ),
    change(
        "a response_url is logged",
        "tests/operate/running/test_logs.py::test_what_looks_secret_is_masked",
        "key: MASK if key in SECRET_KEYS else",
        "key:",
    ),
    change(
        "a terminal obeys what others wrote into the log",
        "tests/operate/cli/test_hostile_text.py::test_a_log_shows_escapes",
        "shown = {key: printable(v) if isinstance(v, str) else v for key, v in event.items()}",
        "shown = dict(event)",
    ),
    change(
        "libraries log whole requests at debug",
        "tests/operate/running/test_logs.py",
        "logging.getLogger(library).setLevel(max(logging.WARNING, root.level))",
        "pass",
    ),
)

"""Whoever names things at the appliance, or writes a reason, calls nobody with it."""

from __future__ import annotations

from sandbox.appliance import Replication
from sandbox.slack import mentions
from tests.support.stage import ALAN, ANNA, RITA, STAN, Stage

EVERYBODY = "<!channel> <!here> <!everyone|all> <!subteam^S0ADMINS>"
VICTIM = f"<@{STAN}>"


def test_names_issues_and_a_task_error_from_the_appliance(stage: Stage) -> None:
    pairing = stage.appliance.add_pairing(
        local=f"a{VICTIM}",
        remote="b<!channel>",
        replications=[
            Replication(f"{VICTIM}<!here>", "r-1"),
            Replication("`<!channel>` *", "r-2"),
            Replication("```\n<!channel>", "r-3"),
        ],
    )
    stage.appliance.add_issue(pairing, f"{EVERYBODY} {VICTIM}", entity_name="<!here>`<!channel>")
    stage.appliance.set_task_outcome(
        "ERROR",
        {
            "message": f"{EVERYBODY} {VICTIM} ``` <!channel>",
            "details": f"&lt;!channel&gt; {VICTIM}\n```\n<!here>",
        },
    )
    asked = stage.asks_to_break(pairing, "it must go")
    assert "&lt;!channel&gt;" in asked.card.all_text, "the hostile name is on the card"
    assert mentions(asked.card) == {RITA, ALAN, ANNA}
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    asked.wait_for_record()

    assert "&lt;!everyone|all&gt;" in final.text
    assert stage.called() == {RITA, ALAN}
    assert len(stage.appliance.deletes) == 1


def test_what_people_type(shared_stage: Stage) -> None:
    """As Slack hands it over, escaped, and as a forger or an older client would."""
    stage = shared_stage
    escaped = "&lt;!channel&gt; &lt;@U0STAN&gt;"
    pairing = stage.pairing()
    asked = stage.asks_to_break(pairing, f"{EVERYBODY} {VICTIM} {escaped}\n&gt; `<!here>`")
    assert "&lt;!channel&gt;" in asked.card.all_text, "the hostile reason is on the card"
    assert mentions(asked.card) == {RITA, ALAN, ANNA}
    taken = stage.asks(f"{pairing} {EVERYBODY}")
    stage.answer(taken.delivery)
    unknown = stage.asks(f"nowhere{VICTIM}<!channel> {EVERYBODY}")
    stage.answer(unknown.delivery)
    stage.asks(f"--{VICTIM} <!channel>")
    stage.asks(f"status {VICTIM} <!channel>")

    asked.denies(ALAN, f"{EVERYBODY} {VICTIM} ``` <!channel>")
    final = asked.wait_for_final()
    record = asked.wait_for_record()

    for message in (final, record):
        assert f"&lt;@{STAN}&gt;" in message.all_text
    assert stage.called() == {RITA, ALAN}
    shown = stage.console.show(asked.id)
    assert "<!channel>" in shown["reason"] or "@channel" in shown["reason"]
    assert stage.appliance.deletes == []

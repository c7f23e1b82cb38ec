"""Whoever names things at the appliance, or writes a reason, calls nobody with it."""

from __future__ import annotations

from bot.sandbox.appliance import Answer, Replication
from bot.sandbox.slack import mentions
from tests.support.bot_on_stage import ALAN, ANNA, RITA, STAN, World

EVERYBODY = "<!channel> <!here> <!everyone|all> <!subteam^S0ADMINS>"
VICTIM = f"<@{STAN}>"


def test_names_issues_and_a_task_error_from_the_appliance(world: World) -> None:
    pairing = world.appliance.add_pairing(
        local=f"a{VICTIM}",
        remote="b<!channel>",
        replications=[
            Replication(f"{VICTIM}<!here>", "r-1"),
            Replication("`<!channel>` *", "r-2"),
            Replication("```\n<!channel>", "r-3"),
        ],
    )
    world.appliance.add_issue(pairing, f"{EVERYBODY} {VICTIM}", entity_name="<!here>`<!channel>")
    world.appliance.set_task_outcome(
        "ERROR",
        {
            "message": f"{EVERYBODY} {VICTIM} ``` <!channel>",
            "details": f"&lt;!channel&gt; {VICTIM}\n```\n<!here>",
        },
    )
    asked = world.asks_to_break(pairing, "it must go")
    assert "&lt;!channel&gt;" in asked.card.all_text, "the hostile name is on the card"
    assert mentions(asked.card) == {RITA, ALAN, ANNA}
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    asked.wait_for_record()

    assert "&lt;!everyone|all&gt;" in final.text
    assert world.called() == {RITA, ALAN}
    assert len(world.appliance.deletes) == 1


def test_the_words_of_a_refusal(world: World) -> None:
    world.appliance.on_delete(
        Answer(400, f"CODE_{VICTIM}", f"{EVERYBODY} {VICTIM}\n```<!channel>```", "<!everyone>")
    )
    asked = world.asks_to_break(world.pairing(), "it must go")
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    asked.wait_for_record()

    assert "&lt;!everyone&gt;" in final.text
    assert f"&lt;@{STAN}&gt;" in final.text
    assert world.called() == {RITA, ALAN}
    assert world.appliance.accepted_deletes == []


def test_what_people_type(shared_world: World) -> None:
    """As Slack hands it over, escaped, and as a forger or an older client would."""
    world = shared_world
    escaped = "&lt;!channel&gt; &lt;@U0STAN&gt;"
    pairing = world.pairing()
    asked = world.asks_to_break(pairing, f"{EVERYBODY} {VICTIM} {escaped}\n&gt; `<!here>`")
    assert "&lt;!channel&gt;" in asked.card.all_text, "the hostile reason is on the card"
    assert mentions(asked.card) == {RITA, ALAN, ANNA}
    taken = world.asks(f"{pairing} {EVERYBODY}")
    world.answer(taken.delivery)
    unknown = world.asks(f"nowhere{VICTIM}<!channel> {EVERYBODY}")
    world.answer(unknown.delivery)
    world.asks(f"--{VICTIM} <!channel>")
    world.asks(f"status {VICTIM} <!channel>")

    asked.denies(ALAN, f"{EVERYBODY} {VICTIM} ``` <!channel>")
    final = asked.wait_for_final()
    record = asked.wait_for_record()

    for message in (final, record):
        assert f"&lt;@{STAN}&gt;" in message.all_text
    assert world.called() == {RITA, ALAN}
    shown = world.console.show(asked.id)
    assert "<!channel>" in shown["reason"] or "@channel" in shown["reason"]
    assert world.appliance.deletes == []

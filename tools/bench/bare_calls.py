"""The calls between a click and its DELETE made bare: kept connections, no rights, no store.

A process of its own, as the bot is one. On stdin one JSON object that names the two servers, then
the id of one pairing per line; for each it answers with the second (epoch) at which it began, and
with how many seconds its first call took, one to Slack.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from urllib.parse import quote, urlencode

from tools.bench.kept_connection import Kept

FORM = "application/x-www-form-urlencoded"


def main() -> None:
    where = json.loads(sys.stdin.readline())
    appliance_host, _, appliance_port = where["appliance"].partition(":")
    base = where["base_path"]
    with (
        Kept(appliance_host, int(appliance_port), where["ca_file"]) as appliance,
        Kept("127.0.0.1", where["slack_port"]) as slack,
    ):
        pair = f"{where['username']}:{where['password']}".encode()
        basic = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        session = json.loads(appliance.call("POST", f"{base}/session", basic))["session_id"]
        mine = {"x-dr-session": session, "Accept": "application/json"}
        token = {"Authorization": f"Bearer {where['token']}", "Content-Type": FORM}
        who = urlencode({"user": where["user"]}).encode()

        def ask_slack() -> None:
            slack.call("POST", "/api/users.info", token, who)

        ask_slack()
        print("ready", flush=True)
        for line in sys.stdin:
            pairing = f"{base}/pairings/{quote(line.strip(), safe='')}"
            began = time.time()
            ask_slack()
            one_call = time.time() - began
            ask_slack()
            appliance.call("GET", pairing, mine)
            appliance.call("GET", f"{pairing}/replications/count", mine)
            appliance.call("GET", f"{pairing}/replications", mine)
            appliance.call("GET", f"{base}/tasks", mine)
            appliance.call("DELETE", f"{pairing}?force=false", mine)
            print(began, one_call, flush=True)


if __name__ == "__main__":
    main()

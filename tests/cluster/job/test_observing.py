"""What a scraper and a collector of logs get from the running operator."""

import json

from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop

SYSTEM = ("-n", stage.OPERATOR_NAMESPACE)


def scraped(shop: Shop) -> dict[str, float]:
    """Read the metrics page of the operator's pod; return each sample by its name and labels."""
    pod = shop.lab.kubectl(
        *SYSTEM, "get", "pods", "-l", "app.kubernetes.io/component=operator",
        "-o", "jsonpath={.items[0].metadata.name}",
    )  # fmt: skip
    path = f"/api/v1/namespaces/{stage.OPERATOR_NAMESPACE}/pods/{pod}:8081/proxy/metrics"
    lines = shop.lab.kubectl("get", "--raw", path).splitlines()
    samples = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return {name.removeprefix("disksnapshot_"): float(value) for name, _, value in samples}


def test_a_snapshot_shows_on_the_metrics_page_of_the_running_operator(shop: Shop) -> None:
    before = scraped(shop)
    body = shop.ready(shop.snapshot())
    ready = 'snapshots_total{consistency="ApplicationConsistent",reason="Ready",result="Ready"}'
    until(lambda: scraped(shop).get(ready, 0) == before.get(ready, 0) + 1, "it is counted")
    seen = scraped(shop)
    count = 'quiesce_duration_seconds_count{method="mysql+freeze"}'
    assert seen[count] == before.get(count, 0) + 1
    assert (seen["leader"], seen["quiesced_now"]) == (1, 0)
    claim = f'namespace="{shop.namespace}",pvc="{shop.database.claim}"'
    until(lambda: f"last_success_timestamp_seconds{{{claim}}}" in scraped(shop), "the claim's age")
    created = 'tencent_api_requests_total{action="CreateSnapshot",code="OK"}'
    assert seen[created] == before.get(created, 0) + 1
    assert seen['events_total{reason="SnapshotReady",type="Normal"}'] >= 1
    assert body["status"]["quiesce"]["holdMilliseconds"] > 0


def test_every_line_of_the_log_is_an_object_and_names_the_snapshot(shop: Shop) -> None:
    body = shop.ready(shop.snapshot())
    text = shop.lab.kubectl(*SYSTEM, "logs", stage.DEPLOYMENT, "--since=60s")
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"ts", "level", "logger", "msg"} <= line.keys() for line in lines)
    about = [line for line in lines if line.get("name") == body["metadata"]["name"]]
    assert {line["namespace"] for line in about} == {shop.namespace}
    made = body["status"]["snapshotID"]
    assert any(made in line["msg"] and "requestId" in line for line in about), "for the support"

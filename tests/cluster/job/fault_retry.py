"""What takes over a minute on purpose: an attempt that failed in its hold is made again."""

from lab.demo.shop import Shop


def test_a_snapshot_whose_proof_was_lost_is_taken_again_and_proven(shop: Shop) -> None:
    body, _ = shop.lose_proof()
    shop.lab.cbs.settings(visibilityDelayMilliseconds=50)
    end = shop.ready(body, seconds=180)["status"]
    assert end["consistency"] == "ApplicationConsistent"
    assert end["intent"]["attempt"] == 2
    assert [s["id"] for s in shop.in_the_cloud(body)] == [end["snapshotID"]]

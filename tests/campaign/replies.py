"""What may become of one request over the network, and of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
import urllib3

from campaign.points import Over
from campaign.window import Silence
from campaign.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaign.clock import Clock
    from campaign.points import Act
    from campaign.world import World

    Meet = Callable[[Act], object]


class Reset(requests.ConnectionError, urllib3.exceptions.ProtocolError, Silence):
    """The connection was closed: as each client that may have asked calls it."""


class TimedOut(requests.ReadTimeout, urllib3.exceptions.HTTPError, Silence):
    """No answer in time, the same."""


def answered(reply: Reply) -> Meet:
    """Something in between answers, and the request goes no further."""
    return lambda _: reply


def lost_before(_: Act) -> object:
    raise Reset("the connection was reset")


def lost_after(act: Act) -> object:
    act()
    raise Reset("the connection was reset")


def silent(clock: Clock, seconds: float) -> Meet:
    """Nobody answers, and nothing is done; it is noticed after the time-out."""

    def meet(_: Act) -> object:
        clock.advance(seconds)
        raise TimedOut("no answer in time")

    return meet


def late(clock: Clock, seconds: float) -> Meet:
    """The answer comes, though late."""

    def meet(act: Act) -> object:
        answer = act()
        clock.advance(seconds)
        return answer

    return meet


def for_a_while(clock: Clock, seconds: float, meet: Meet) -> Meet:
    """Let every such request meet this until the while is over; it begins with the first."""
    begun: list[float] = []

    def lasting(act: Act) -> object:
        begun.append(clock.seconds)  # the first of them counts
        if clock.seconds >= begun[0] + seconds:
            raise Over
        return meet(act)

    return lasting


def refusing(said: str) -> Callable[[World], Meet]:
    """The cloud refuses with this code; made when it is met, as each answer tells the time."""
    return lambda world: lambda _: world.cloud.refuse(said)


HTML = b"<html><body>502 Bad Gateway</body></html>"
GARBAGE = {
    "HTTP 500": Reply.of({"message": "it broke"}, 500),
    "HTTP 502, a page": Reply(status=502, body=HTML, headers={"Content-Type": "text/html"}),
    "HTTP 503": Reply.of({"message": "away"}, 503),
    "HTTP 504": Reply(status=504),
    "HTTP 200, a page": Reply(body=HTML, headers={"Content-Type": "text/html"}),
    "HTTP 200, cut short": Reply(body=b'{"Response": {"SnapshotId": "snap-0'),
    "HTTP 200, empty": Reply(),
}

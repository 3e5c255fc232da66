"""Walk an object through every error code, and write the page of what came of each."""

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from disksnapshot.cbs import errors
from disksnapshot.window.launch import prepare_server
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.disks.store import Store
from lab.lives.life import Life, NewLife, clean
from lab.lives.page import page
from lab.lives.walk import meet

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cloud-errors-seen.md"
_NOWHERE = "127.0.0.1:0"


def main() -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ.pop(name, None)  # the cloud is on loopback
    warnings.filterwarnings("ignore", r"\w+ fileds are useless", UserWarning)
    prepare_server()
    with tempfile.TemporaryDirectory(prefix="dsl-") as folder, _lives(Path(folder)) as new_life:
        print(f"Meeting {len(errors.TABLE)} error codes for an hour each, which takes a minute")
        seen = [meet(new_life, code) for code in sorted(errors.TABLE)]
    PAGE.write_text(page(seen), encoding="utf-8")
    print(f"Written: {PAGE.name}")


@contextmanager
def _lives(folder: Path) -> Iterator[NewLife]:
    secret = ("AKIDlab" + "x" * 29, secrets.token_hex(16))
    store = Store.at(folder / "store")
    try:
        with _emulator(folder, store.path, secret) as emulator:
            control = Control(emulator.control_url)
            control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
            disk_id = str(control.create_disk()["DiskId"])

            def begin(**spec: Any) -> Life:
                ca_file = str(folder / "ca.pem")
                return Life(control, emulator.endpoint, ca_file, secret, [disk_id], **spec)

            with clean(control):
                yield begin
    finally:
        store.remove()


def _emulator(folder: Path, store: Path, secret: tuple[str, str]) -> Emulator:
    authority, server = trustme.CA(), folder / "server.pem"
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
    return Emulator(store, _NOWHERE, server, server, _NOWHERE, dict([secret]))


if __name__ == "__main__":
    main()

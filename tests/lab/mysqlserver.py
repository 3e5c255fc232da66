"""MySQL on this machine: Debian's newest, run out of its root file system by its own loader."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lab.database import LocalServer, run_quietly
from lab.disks import rootfs
from lab.layout import Layout

# All that the server opens of its own packages.
_PARTS: Final = ("./usr/lib", "./usr/lib64", "./usr/sbin/mysqld", "./usr/share/mysql")


@dataclass(frozen=True, slots=True)
class MySQL:
    """A mysqld below `root`, with the libraries that lie beside it there.

    No chroot: its data may lie anywhere on this machine, such as on a disk that is frozen.
    """

    root: Path

    name = "mysql"

    @classmethod
    def ensured(cls) -> Self:
        """Return the server, its packages fetched and unpacked if that wasn't done before."""
        archive = rootfs.ensure(rootfs.MYSQL, Layout.from_environment().cache / "rootfs")
        root = archive.with_suffix("")
        if not root.exists():
            # Named otherwise until it is whole: a crash in here leaves no half of a server behind.
            unfinished = Path(tempfile.mkdtemp(prefix=".mysql-", dir=archive.parent))
            subprocess.run(["tar", "-xf", archive, "-C", unfinished, *_PARTS], check=True)
            unfinished.rename(root)
        return cls(root)

    def make_data(self, server: LocalServer) -> None:
        run_quietly(
            *self.command(server),
            "--initialize-insecure",
            "--user=root",
            f"--datadir={server.datadir}",
            f"--tmpdir={server.run / 'tmp'}",
        )

    def command(self, server: LocalServer) -> list[str]:  # noqa: ARG002  # the same for all
        usr = self.root / "usr"
        loader = next(usr.glob("lib*/ld-linux-*.so.*"))
        libraries = [*usr.glob("lib/*-linux-gnu"), usr / "lib" / "mysql" / "private"]
        return [
            str(loader),
            "--library-path",
            ":".join(map(str, libraries)),
            str(usr / "sbin" / "mysqld"),
            "--no-defaults",
            f"--basedir={usr}",
            f"--lc-messages-dir={usr / 'share' / 'mysql'}",
            f"--character-sets-dir={usr / 'share' / 'mysql' / 'charsets'}",
            f"--plugin-dir={usr / 'lib' / 'mysql' / 'plugin'}",
            "--secure-file-priv=NULL",
            "--mysqlx=OFF",
        ]

    def users(self, password: str) -> list[str]:
        return [
            f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{password}'",
            "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION",
        ]

# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels of other distributions' releases, fetched with apt under a configuration of our own: the host's
sources and package lists are neither read nor changed (only its apt.conf.d is, for a proxy that may be set
there).  apt checks the signatures and the hashes; the keys are those of debian-archive-keyring.
"""

import os
import re
import subprocess
from pathlib import Path

MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECURITY = ("bullseye", "bookworm", "trixie")

# By the name that KERNELS= selects: the release, and the package that depends on its present kernel.
KERNELS = {
    "5.10": ("bullseye", "linux-image-{arch}"),
    "6.1": ("bookworm", "linux-image-{arch}"),
    "6.12": ("trixie", "linux-image-{arch}"),
    "newest": ("sid", "linux-image-{arch}"),
}
# linux-image-ARCH depends on the real package; since 6.19 that one on its parts.
PARTS = re.compile(r"\b(linux-(?:image|binary|modules)-[\w.+-]+)")


class Unavailable(Exception):
    """What could not be had, and why."""


def run(command, **more):
    """Output of a command, or Unavailable with what it said."""
    done = subprocess.run([str(word) for word in command], text=True, errors="replace",
                          capture_output=True, check=False, **more)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(f"{command[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def sources_of(suite, arch):
    signed = f"[arch={arch} signed-by={KEYRING}]"
    lines = [f"deb {signed} {MIRROR}/debian {suite} main"]
    if suite in SECURITY:
        lines.append(f"deb {signed} {MIRROR}/debian-security {suite}-security main")
    return "\n".join(lines) + "\n"


class Apt:
    """apt for one release, its state below one directory."""

    def __init__(self, root, suite, arch):
        self.root = root / f"{suite}-{arch}"
        for directory in ("state/lists/partial", "cache/archives/partial"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        (self.root / "status").touch()
        (self.root / "sources.list").write_text(sources_of(suite, arch))
        settings = {
            "Dir::State": self.root / "state", "Dir::State::status": self.root / "status",
            "Dir::Cache": self.root / "cache", "Dir::Etc::SourceList": self.root / "sources.list",
            "Dir::Etc::SourceParts": "-", "Acquire::Languages": "none", "Acquire::Retries": 3,
            "APT::Architecture": arch, "APT::Architectures": arch,
            "APT::Get::AllowUnauthenticated": "false", "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
        }
        self.options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def update(self):
        run(["apt-get", "-q", *self.options, "update"])

    def show(self, package):
        """(version, depends) of the candidate."""
        text = run(["apt-cache", *self.options, "show", "--no-all-versions", package])
        fields = dict(re.findall(r"^(\w[\w-]*): (.*)$", text, re.M))
        return fields["Version"], fields.get("Depends", "")

    def parts(self, package):
        """The packages that hold the kernel `package` stands for: [(name, version)]."""
        found, open_names, seen = [], [package], set()
        while open_names:
            name = open_names.pop()
            if name in seen:
                continue
            seen.add(name)
            version, depends = self.show(name)
            found.append((name, version))
            open_names += PARTS.findall(depends)
        return found[1:]  # without the one that only depends

    def download(self, package, version, directory):
        run(["apt-get", "-q", *self.options, "download", f"{package}={version}"], cwd=directory)

    def download_with_needs(self, packages):
        """Those packages and all they depend on: [path of a .deb]."""
        run(["apt-get", "-q", "-y", "--no-install-recommends", *self.options, "--download-only", "install", *packages])
        return sorted((self.root / "cache/archives").glob("*.deb"))


def unpack(deb, into):
    run(["dpkg-deb", "-x", deb, into])


def fetch(name, cache, arch="amd64", offline=False):
    """The directory the kernel `name` is unpacked in, and its Debian version.  Fetched once a version."""
    suite, package = KERNELS[name]
    known = cache / f"{name}-{arch}.current"
    if offline:
        if not known.exists():
            raise Unavailable(f"no kernel {name} in {cache}, and OFFLINE is set")
        version = known.read_text().strip()
        return cache / f"{name}-{arch}-{version}", version
    apt = Apt(cache / "apt", suite, arch)
    apt.update()
    parts = apt.parts(package.format(arch=arch))
    version = parts[0][1]
    target = cache / f"{name}-{arch}-{version}"
    if not target.exists():
        debs, fresh = cache / "deb", cache / f"{target.name}.new"
        debs.mkdir(exist_ok=True)
        run(["rm", "-rf", fresh])
        fresh.mkdir(parents=True)
        for part, part_version in parts:
            apt.download(part, part_version, debs)
            for deb in debs.glob(f"{part}_*.deb"):
                unpack(deb, fresh)
                deb.unlink()
        fresh.rename(target)
    known.write_text(version + "\n")
    return target, version

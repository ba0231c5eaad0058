# SPDX-License-Identifier: GPL-2.0-or-later
"""The initramfs of a test machine: this machine's own programs with the libraries they need (or, for
another architecture, the packages of debian.py), the build, the tests, and one kernel's modules.  Written as
cpio "newc" without compression: no unpacking time, no tool.
"""

import lzma
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

from archive import Unavailable

ROOT = Path(__file__).resolve().parents[2]
GUEST_ROOT = Path("/tcpguard")

# In front of busybox, whose versions of these differ too much.
PROGRAMS = """bash python3 ip tc ss nsenter unshare mount umount curl iperf3 sysctl pgrep ps ethtool bpftool
	setpriv flock date sleep timeout grep sed sort find mktemp stat env tail head wc cat tr cut awk id
	rm mkdir chmod seq cmp touch ln ls kill uname dd""".split()
BUSYBOX = "sh insmod poweroff dmesg mv cp rmdir mkfifo test true false readlink basename dirname".split()
# What Debian builds as modules of all the tests need.
MODULES = """veth tun bridge dummy sch_ingress cls_bpf sch_netem tcp_diag inet_diag unix af_packet ipv6
	sch_fq_codel""".split()
# Of other packages, what no program reads here.
SHARE_WITHOUT = {"include", "doc", "man", "locale", "info", "perl", "perl5", "perl-base", "zoneinfo", "i18n", "gconv",
                 "systemd", "bash-completion", "lintian", "pkgconfig", "dpkg", "apt"}
# Parts of Python nobody asks for here.
PYTHON_WITHOUT = {"test", "tests", "idlelib", "lib2to3", "ensurepip", "distutils", "tkinter", "turtledemo",
                  "pydoc_data", "dist-packages", "site-packages"}
SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"


class Image:
    """Files by their path in the guest."""

    def __init__(self):
        self.files = {}

    def directory(self, path):
        path = Path(path)
        if path != Path("/") and str(path) not in self.files:
            self.directory(path.parent)
            self.files[str(path)] = (stat.S_IFDIR | 0o755, b"")

    def add(self, path, data, mode=0o644):
        self.directory(Path(path).parent)
        self.files[str(path)] = (stat.S_IFREG | mode, data)

    def link(self, path, target):
        self.directory(Path(path).parent)
        self.files[str(path)] = (stat.S_IFLNK | 0o777, str(target).encode())

    def copy(self, source, path):
        self.add(path, Path(source).read_bytes(), 0o755 if os.access(source, os.X_OK) else 0o644)

    def tree(self, source, path, leave_out=frozenset()):
        for directory, names, files in os.walk(source):
            names[:] = [name for name in names if name not in leave_out]
            for name in files:
                file = Path(directory) / name
                if file.is_file():
                    self.copy(file, Path(path) / file.relative_to(source))

    def packages(self, root):
        """What packages unpacked at root hold, links as links."""
        for directory, names, files in os.walk(root):
            names[:] = [name for name in names if name not in SHARE_WITHOUT | PYTHON_WITHOUT]
            for name in files + names:
                file = Path(directory) / name
                path = Path("/") / file.relative_to(root)
                if file.is_symlink():
                    self.link(path, os.readlink(file))
                elif file.is_file() and file.suffix != ".a":
                    self.copy(file, path)

    def program(self, source, path):
        """An executable and the libraries the dynamic linker would load for it."""
        self.copy(source, path)
        listed = subprocess.run(["ldd", str(source)], capture_output=True, text=True, check=False)
        for library in re.findall(r"(/\S+) \(0x", listed.stdout):
            if library not in self.files:
                self.copy(library, library)

    def write(self, path):
        with open(path, "wb") as out:
            for number, (name, (mode, data)) in enumerate(sorted(self.files.items()), 1):
                write_entry(out, number, name.lstrip("/"), mode, data)
            write_entry(out, 0, "TRAILER!!!", 0, b"")


def write_entry(out, inode, name, mode, data):
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + encoded)
    out.write(b"\0" * (-(110 + len(encoded)) % 4))
    out.write(data + b"\0" * (-len(data) % 4))


# --- modules ----------------------------------------------------------------------------------------

def modules_directory(kernel):
    found = [path for path in kernel.glob("**/lib/modules/*") if path.is_dir()]
    if len(found) != 1:
        raise Unavailable(f"{kernel} holds {len(found)} directories of modules, not one")
    return found[0]


def kernel_image(kernel):
    found = list(kernel.glob("boot/vmlinuz-*")) + list(kernel.glob("**/lib/modules/*/vmlinuz"))
    if not found:
        raise Unavailable(f"{kernel} holds no kernel image")
    return found[0]


def plain_name(path):
    return path.name.split(".")[0].replace("-", "_")


def module_data(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def depends_of(data):
    found = re.search(rb"\0depends=([^\0]*)\0", data)
    return [name.decode().replace("-", "_") for name in found[1].split(b",") if name] if found else []


def add_modules(image, kernel, wanted=MODULES):
    """Adds the modules this kernel has of those wanted; lists them in an order they can be loaded in."""
    paths = {plain_name(path): path for path in modules_directory(kernel).glob("kernel/**/*.ko*")}
    order = []

    def visit(name):
        if name in order or name not in paths:  # built in, or unknown to this kernel
            return
        data = module_data(paths[name])
        for other in depends_of(data):
            visit(other)
        order.append(name)
        image.add(f"/modules/{name}.ko", data)

    for name in wanted:
        visit(name)
    image.add("/modules/order", "".join(f"{name}\n" for name in order).encode())
    return order


# --- the rest ---------------------------------------------------------------------------------------

def find_program(name):
    found = shutil.which(name, path=SEARCHED)
    if not found:
        raise Unavailable(f"no program {name} on this machine")
    return Path(found).resolve()


def add_programs(image):
    image.copy(find_program("busybox"), "/bin/busybox")
    for name in BUSYBOX:
        image.link(f"/bin/{name}", "/bin/busybox")
    for name in PROGRAMS:
        image.program(find_program(name), f"/usr/bin/{name}")
    for name in ("bash", "env"):  # as the first lines of scripts name them
        image.link(f"/bin/{name}", f"/usr/bin/{name}")
    for name in ("ip", "tc", "bpftool"):
        image.link(f"/usr/sbin/{name}", f"/usr/bin/{name}")


def add_python(image):
    asked = subprocess.run([find_program("python3"), "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"],
                           capture_output=True, text=True, check=True)
    library = Path(asked.stdout.strip())
    image.tree(library, library, PYTHON_WITHOUT)
    for extension in (library / "lib-dynload").glob("*.so"):
        image.program(extension, extension)


def built(build):
    """The programs the tests run."""
    programs = [build / "tcpguard", build / "demo/attack", build / "tests/kernels/neighbour",
                *sorted((build / "layouts").glob("*/tcpguard")), *sorted((build / "tests/bpf").glob("test_*"))]
    programs = [program for program in programs if program.suffix not in (".o", ".d")]
    missing = [program for program in programs if not program.exists()]
    if missing:
        raise Unavailable(f"no {missing[0]}: run 'make all tests' first")
    return programs


def add_tests(image, build):
    image.copy(build / "tests/kernels/neighbour.bpf.o", GUEST_ROOT / "build/tests/kernels/neighbour.bpf.o")
    for directory in ("demo", "tests/net", "tests/kernels"):
        image.tree(ROOT / directory, GUEST_ROOT / directory, {"__pycache__"})
    image.copy(ROOT / "tests/kernels/guest/init", "/init")
    image.add("/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n")
    image.add("/etc/group", b"root:x:0:\nnogroup:x:65534:\n")


def find_dispatchers():
    """libxdp's own BPF objects."""
    for directory in (Path("/usr/lib/x86_64-linux-gnu/bpf"), Path("/usr/lib/bpf")):
        if (directory / "xdp-dispatcher.o").exists():
            return directory
    raise Unavailable("no xdp-dispatcher.o: package libxdp1 is missing")


def empty():
    image = Image()
    for directory in ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/run", "/root", "/sbin", "/etc"):
        image.directory(directory)
    return image


def base():
    """What every kernel's image has."""
    image, build = empty(), ROOT / "build"
    add_programs(image)
    add_python(image)
    for program in built(build):
        image.program(program, GUEST_ROOT / program.relative_to(ROOT))
    dispatchers = find_dispatchers()
    image.tree(dispatchers, dispatchers)
    add_tests(image, build)
    return image


def base_of_packages(root, build):
    """The same of another architecture: programs of packages, and what was built for it."""
    image = empty()
    image.packages(root)
    for name in PROGRAMS:  # where the first lines of scripts and the first process look
        found = [path for path in (f"{place}/{name}" for place in SEARCHED.split(":")) if path in image.files]
        if f"/usr/bin/{name}" not in found:
            image.link(f"/usr/bin/{name}", found[0] if found else "/bin/busybox")
    for name in BUSYBOX:
        if f"/bin/{name}" not in image.files:
            image.link(f"/bin/{name}", "/bin/busybox")
    for program in built(build):
        image.copy(program, GUEST_ROOT / "build" / program.relative_to(build))
    add_tests(image, build)
    return image


def make(common, kernel, path):
    """The image of one kernel: what is common, and its modules."""
    image = Image()
    image.files.update(common.files)
    order = add_modules(image, kernel)
    image.write(path)
    return order

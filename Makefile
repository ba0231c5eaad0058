# SPDX-License-Identifier: GPL-2.0-or-later
# Build, test and install tcpguard.  `make help` lists the targets; V=1 shows the commands.

VERSION := 0.1.0
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/lib/tcpguard
LIBEXECDIR ?= $(PREFIX)/libexec/tcpguard
SHAREDIR ?= $(PREFIX)/share/tcpguard
# Where the system looks for units and the like, whatever the prefix: a unit in /usr/local is not
# found.
UNITDIR ?= $(or $(shell $(PKG_CONFIG) --variable=systemdsystemunitdir systemd 2> /dev/null),/usr/lib/systemd/system)
SYSUSERSDIR ?= /usr/lib/sysusers.d
TMPFILESDIR ?= /usr/lib/tmpfiles.d
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
BUILD := build

CC ?= cc
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
PKG_CONFIG ?= pkg-config
PYTHON := /usr/bin/python3

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# Looked up when used, not when read: `make check` installs the packages first.
LIBRARIES := libbpf libxdp libuv jansson libpcap zlib ncursesw libmicrohttpd yaml-0.1
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(LIBRARIES))
LIB_LIBS = $(shell $(PKG_CONFIG) --libs $(LIBRARIES))
CMOCKA = $(shell $(PKG_CONFIG) --cflags --libs cmocka)

WARN := -Wall -Wextra -Werror
CFLAGS ?= -O2 -g
# tests/net/test_hardening.sh looks at what came out.  The last four depend on compiler and machine.
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE -Wformat-security \
	-fno-strict-overflow -fno-delete-null-pointer-checks -ffile-prefix-map=$(CURDIR)=. \
	$(foreach flag,-fstack-clash-protection -fcf-protection=full -mbranch-protection=standard \
		-ftrivial-auto-var-init=zero,$(shell $(CC) -Werror $(flag) -x c -c /dev/null -o /dev/null \
		2> /dev/null && echo $(flag)))
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
# Code shared with the data path: `#pragma unroll` means nothing to gcc, and headers in a packet lie
# at odd offsets by nature.
COMMON := -std=gnu11 $(WARN) -Wno-unknown-pragmas -Wno-address-of-packed-member -Iinclude -iquote . -I$(BUILD) -MMD -MP
USER_CFLAGS = $(COMMON) $(HARDEN) -D_GNU_SOURCE -DTCPGUARD_VERSION='"$(VERSION)"' $(CFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -std=gnu11 -O2 -g -ffile-prefix-map=$(CURDIR)=. $(WARN) -Iinclude -Ivmlinux -Ibpf -iquote . -MMD -MP
SANITIZE := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -D_GNU_SOURCE -O1 -g -pthread

SKELETONS := $(BUILD)/tcpguard.skel.h $(BUILD)/tcpguard_shared.skel.h $(BUILD)/seed.skel.h $(BUILD)/cookie_accept.skel.h
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard daemon/*.c))
HARNESS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/bpf/test_*.c),$(wildcard tests/bpf/*.c)))
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c tests/bpf/test_*.c))
TOOLS := $(BUILD)/demo/attack

# `make bench` (docs/performance.md).
BENCH_SKELETONS := $(addprefix $(BUILD)/tests/bench/,guard.skel.h maps.skel.h generator.skel.h flood.skel.h)
BENCH_TOOLS := $(addprefix tests/bench/,fill.c flood.c flood_kinds.c generate.c lists.c live.c segments.c verifier.c)
BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c $(BENCH_TOOLS),$(wildcard tests/bench/*.c)) \
	tests/bpf/frame.c daemon/ager.c daemon/ager_pressure.c $(addprefix daemon/,list_image.c list_levels.c list_nodes.c \
	list_slots.c list_rules.c prefix.c options.c log.c))
BENCH_JSON := $(BUILD)/bench/bench.json

# What a test links besides its own file, one line for each test that needs any, in tests/tests.mk:
#   sources_test_format := daemon/format.c      (for a unit test built again, with the sanitizers)
#   flags_test_race = $(tsan_flags)             (unit tests: instead of SANITIZE)
#   libs_test_format := -ljansson
-include tests/tests.mk

# Objects of those sources.  Not spelt out in the rules: a % there is the stem of the target.
sanitized = $(patsubst %.c,$(BUILD)/$(if $(flags_$(1)),tsan,san)/%.o,$(sources_$(1)))
compiled = $(patsubst %.c,$(BUILD)/%.o,$(sources_$(1)))

.PHONY: all tests check bench bench-peers bench-floods bench-independent bench-product bench-record bench-document check-kernels check-arm64 check-asan check-valgrind check-faults check-races soak demo lint install clean help deps need need-tests deb check-deb
.DELETE_ON_ERROR:
.SECONDARY:

all: need $(BUILD)/tcpguard

help:
	@echo 'make            build build/tcpguard'
	@echo 'make demo       install what is missing (apt), build, run tcpguard between network namespaces'
	@echo 'make check      install what is missing (apt), build, run every test'
	@echo 'make check-kernels  boot other kernels in qemu, run tests inside (KERNELS="6.1 6.12")'
	@echo 'make check-arm64    unit tests and attaching on arm64, in qemu'
	@echo 'make check-asan     the network tests with a sanitized daemon (long)'
	@echo 'make check-valgrind every command below valgrind'
	@echo 'make check-faults   attach and upgrade interrupted at each system call that matters (long)'
	@echo 'make check-races    two processors on the same flows, 10^8 packets (RACE_PACKETS)'
	@echo 'make soak       mixed traffic, floods and operations for SOAK_MINUTES=30; docs/soak.md'
	@echo 'make bench      install what is missing, measure; BENCH_ARGS="--quick hot", see BENCH_ARGS=--help'
	@echo 'make bench-peers  against nftables, synproxy and the listener; bench-independent: rows of bench again'
	@echo 'make bench-floods  floods beside real clients, against synproxy and the kernel; writes docs/floods.md'
	@echo 'make lint       format, static analysis, shell scripts (installs the tools)'
	@echo 'make fuzz       every fuzz target for FUZZ_SECONDS=60 (T=path: one); docs/fuzzing.md'
	@echo 'make deps       install what building and testing need (apt)'
	@echo 'make install    DESTDIR= PREFIX=$(PREFIX)'
	@echo 'make deb        build/deb/tcpguard_*.deb (installs the tools)'
	@echo 'make check-deb  build it twice, lintian, its contents, its own test'
	@echo 'make clean      remove build/'
	@echo 'V=1 shows commands; make check T=net/router runs the tests whose name contains T'

deps:
	$(Q)scripts/install-deps build test demo
	-$(Q)scripts/promtool --fetch > /dev/null

check:
	$(Q)scripts/install-deps build test
	-$(Q)scripts/promtool --fetch > /dev/null
	$(Q)$(MAKE) --no-print-directory all tests
	$(Q)CC='$(CC)' CLANG='$(CLANG)' $(PYTHON) scripts/run-tests $(T)

# The network tests with a daemon built with the sanitizers; T=net/replay for some of them.
check-asan:
	$(Q)scripts/install-deps build test
	$(Q)$(MAKE) --no-print-directory all units $(TOOLS) $(LAYOUT_PROGRAMS) $(BUILD)/asan/tcpguard
	$(Q)scripts/check-memory asan $(T)

# Every command below valgrind.
check-valgrind:
	$(Q)scripts/install-deps build test valgrind
	$(Q)$(MAKE) --no-print-directory all $(TOOLS) $(LAYOUT_PROGRAMS)
	$(Q)scripts/check-memory valgrind $(T)

# The system calls of attach, update, detach, upgrade and resize that matter, refused or killed before.
check-faults:
	$(Q)scripts/install-deps build test
	$(Q)$(MAKE) --no-print-directory all $(TOOLS) $(LAYOUT_PROGRAMS)
	$(Q)scripts/check-faults $(T)

# Everything at once for half an hour; docs/soak.md.
soak:
	$(Q)scripts/install-deps build test
	$(Q)$(MAKE) --no-print-directory all $(TOOLS)
	$(Q)tests/soak/soak.sh

# The races between the two programs for longer than make check has time.
check-races:
	$(Q)scripts/install-deps build test
	$(Q)$(MAKE) --no-print-directory need-tests $(BUILD)/tests/bpf/test_race
	$(Q)RACE_PACKETS=$(or $(RACE_PACKETS),100000000) $(BUILD)/tests/bpf/test_race

demo:
	$(Q)scripts/install-deps build demo
	$(Q)$(MAKE) --no-print-directory all $(TOOLS)
	$(Q)demo/run.sh

# Writes tests/bench/recorded.json: the costs that make check guards.
bench-record:
	$(Q)scripts/install-deps build test
	$(Q)$(MAKE) --no-print-directory need $(addprefix $(BUILD)/tests/bench/,segments verifier)
	$(Q)CC='$(CC)' CLANG='$(CLANG)' $(PYTHON) tests/bench/recorded.py

bench:
	$(Q)scripts/install-deps build bench
	$(Q)$(MAKE) --no-print-directory need $(BUILD)/tests/bench/bench
	$(Q)mkdir -p $(BUILD)/bench
	$(Q)$(BUILD)/tests/bench/bench --json $(BENCH_JSON) $(BENCH_ARGS)
	$(Q)$(PYTHON) tests/bench/show.py plot $(BENCH_JSON) $(BUILD)/bench

# Against other programs, in network namespaces.
bench-peers:
	$(Q)scripts/install-deps build bench
	$(Q)$(MAKE) --no-print-directory need $(BUILD)/tcpguard $(addprefix $(BUILD)/tests/bench/,generate)
	$(Q)mkdir -p $(BUILD)/bench
	$(Q)$(PYTHON) tests/bench/peers.py --json $(BUILD)/bench/peers.json $(BENCH_ARGS)

# Floods of every kind beside real clients, against the same; docs/floods.md.
bench-floods:
	$(Q)scripts/install-deps build bench
	$(Q)$(MAKE) --no-print-directory need $(BUILD)/tcpguard $(addprefix $(BUILD)/tests/bench/,flood)
	$(Q)mkdir -p $(BUILD)/bench
	$(Q)$(PYTHON) tests/bench/floods.py --json $(BUILD)/bench/floods.json $(BENCH_ARGS)
	$(Q)$(PYTHON) tests/bench/floods.py --document $(BUILD)/bench/floods.json docs/floods.md

# Some rows of make bench a second time, by a program that shares nothing with it.
bench-independent:
	$(Q)scripts/install-deps build bench
	$(Q)$(MAKE) --no-print-directory need $(BUILD)/tcpguard
	$(Q)$(PYTHON) tests/bench/independent.py $(BENCH_ARGS)

# What the whole takes: attaching, tables of up to 16 Mi flows, an idle daemon, throughput.
bench-product:
	$(Q)scripts/install-deps build test bench
	$(Q)$(MAKE) --no-print-directory need $(BUILD)/tcpguard $(BUILD)/tests/bench/fill $(BUILD)/tests/bench/generate
	$(Q)mkdir -p $(BUILD)/bench
	$(Q)$(PYTHON) tests/bench/product.py --json $(BUILD)/bench/product.json $(BENCH_ARGS)

# The figures of docs/performance.md: of what was measured last, or of the files of several runs.
BENCH_RUNS ?= $(wildcard $(BENCH_JSON) $(BUILD)/bench/peers.json $(BUILD)/bench/product.json)
bench-document:
	$(Q)$(PYTHON) tests/bench/show.py document $(BENCH_RUNS) docs/performance.md

lint:
	$(Q)scripts/install-deps build test lint
	$(Q)$(MAKE) --no-print-directory need $(SKELETONS)
	$(Q)CFLAGS='-std=gnu11 -D_GNU_SOURCE -Iinclude -iquote . -isystem $(BUILD)' scripts/lint

need:
	$(Q)PKG_CONFIG='$(PKG_CONFIG)' CLANG='$(CLANG)' BPFTOOL='$(BPFTOOL)' LLVM_STRIP='$(LLVM_STRIP)' scripts/need build

need-tests: need
	$(Q)PKG_CONFIG='$(PKG_CONFIG)' scripts/need test

tests: need-tests $(TESTS) $(TOOLS) $(addprefix $(BUILD)/tests/bench/,bench fill flood generate segments verifier)

.SECONDEXPANSION:

# Order matters only to the first build: later ones know from the .d files what includes what.
$(OBJECTS) $(HARNESS) $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bpf/test_*.c)): | $(SKELETONS)

$(BUILD)/%.bpf.o: bpf/%.bpf.c Makefile | need
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c))): | $(SKELETONS) $(BENCH_SKELETONS)

$(BUILD)/tests/bench/%.bpf.o: tests/bench/%.bpf.c Makefile | need
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/tests/bench/%.skel.h: $(BUILD)/tests/bench/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(BUILD)/%.o: %.c Makefile | need
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/san/%.o: %.c Makefile | need
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(or $(flags_$(*F)),$(SANITIZE)) -c $< -o $@

$(BUILD)/tsan/%.o: %.c Makefile | need
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(tsan_flags) -c $< -o $@

$(BUILD)/tcpguard: $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(BUILD)/asan/%.o: %.c Makefile | need $(SKELETONS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(SANITIZE) -DTCPGUARD_VERSION='"$(VERSION)"' $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/asan/tcpguard: $(OBJECTS:$(BUILD)/%=$(BUILD)/asan/%)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANITIZE) $^ $(LIB_LIBS) -o $@

$(BUILD)/tests/unit/%: $(BUILD)/san/tests/unit/%.o $$(call sanitized,$$*)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(or $(flags_$*),$(SANITIZE)) $^ $(CMOCKA) -lm $(libs_$*) -o $@

$(BUILD)/tests/bpf/%: $(BUILD)/tests/bpf/%.o $(HARNESS) $$(call compiled,$$*)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ $(CMOCKA) $(LIB_LIBS) -o $@

$(BUILD)/tests/bench/bench: $(BENCH_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ $(LIB_LIBS) -lm -o $@

$(BUILD)/tests/bench/segments: $(BUILD)/tests/bench/segments.o $(BUILD)/tests/bpf/frame.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(CMOCKA) -o $@

$(BUILD)/tests/bench/verifier: $(BUILD)/tests/bench/verifier.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(BUILD)/tests/bench/generate: $(patsubst %,$(BUILD)/tests/bench/%.o,generate live measure)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(BUILD)/tests/bench/flood: $(patsubst %,$(BUILD)/tests/bench/%.o,flood flood_kinds live measure)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(BUILD)/tests/bench/fill: $(patsubst %.c,$(BUILD)/%.o,tests/bench/fill.c daemon/resource.c $(pins))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(BUILD)/demo/attack: $(BUILD)/demo/attack_plan.o

$(BUILD)/demo/%: $(BUILD)/demo/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

UNITS := $(BUILD)/systemd/tcpguard.service $(BUILD)/systemd/tcpguard-attach.service
CONFDIR ?= /etc/tcpguard
SCRIPTS := $(addprefix $(BUILD)/completion/,bash zsh fish)

# Made anew each time: SBINDIR may be another.
.PHONY: units
units:
	$(Q)mkdir -p $(BUILD)/systemd
	$(Q)for unit in $(notdir $(UNITS)); do cat packaging/systemd/$$unit.in packaging/systemd/hardening.conf | \
		sed 's|@SBINDIR@|$(SBINDIR)|' > $(BUILD)/systemd/$$unit || exit; done

tests: units

$(BUILD)/completion/%: $(BUILD)/tcpguard
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/tcpguard completion $* > $@

install: all units $(SCRIPTS)
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(DATADIR)
	install -m 755 $(BUILD)/tcpguard $(DESTDIR)$(SBINDIR)/tcpguard
	install -m 644 $(BUILD)/tcpguard.bpf.o $(BUILD)/tcpguard_shared.bpf.o $(BUILD)/seed.bpf.o $(BUILD)/cookie_accept.bpf.o $(DESTDIR)$(DATADIR)/
	install -D -m 755 packaging/crowdsec/tcpguard-bouncer $(DESTDIR)$(LIBEXECDIR)/tcpguard-bouncer
	install -D -m 644 docs/dashboard/tcpguard.json $(DESTDIR)$(SHAREDIR)/dashboard/tcpguard.json
	install -D -m 644 docs/alerts/tcpguard.rules.yaml $(DESTDIR)$(SHAREDIR)/alerts/tcpguard.rules.yaml
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(TMPFILESDIR)
	install -m 644 $(UNITS) $(DESTDIR)$(UNITDIR)/
	install -m 644 packaging/systemd/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/tcpguard.conf
	install -m 644 packaging/systemd/tmpfiles.conf $(DESTDIR)$(TMPFILESDIR)/tcpguard.conf
	install -d $(DESTDIR)$(CONFDIR)/conf.d
	$(BUILD)/tcpguard config default > $(BUILD)/tcpguard.yaml
	[ -e $(DESTDIR)$(CONFDIR)/tcpguard.yaml ] || install -m 644 $(BUILD)/tcpguard.yaml $(DESTDIR)$(CONFDIR)/tcpguard.yaml
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 644 $(BUILD)/completion/bash $(DESTDIR)$(BASHDIR)/tcpguard
	install -m 644 $(BUILD)/completion/zsh $(DESTDIR)$(ZSHDIR)/_tcpguard
	install -m 644 $(BUILD)/completion/fish $(DESTDIR)$(FISHDIR)/tcpguard.fish
	@command -v scdoc > /dev/null || echo 'no scdoc (Debian package scdoc): the manual pages are left out'
	@if command -v scdoc > /dev/null; then $(MAKE) --no-print-directory install-manual; fi

# Pages written by hand, docs/NAME.SECTION.scd, and those made from the tables in the code.
MANUAL = $(patsubst docs/%.scd,$(BUILD)/man/%,$(wildcard docs/*.scd)) $(BUILD)/man/tcpguard-reasons.7 $(BUILD)/man/tcpguard-metrics.7

.PHONY: manual install-manual
manual: $(MANUAL)

install-manual: manual
	for page in $(MANUAL); do install -D -m 644 $$page \
		$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit; done

$(BUILD)/man/%: docs/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc < $< > $@

$(BUILD)/man/tcpguard-reasons.7: scripts/verdict-table include/tcpguard/verdict.h
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/verdict-table --manual | scdoc > $@

$(BUILD)/man/tcpguard-metrics.7: scripts/metrics-table daemon/metrics_families.h
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) scripts/metrics-table | scdoc > $@

deb:
	$(Q)scripts/install-deps build package
	$(Q)scripts/build-deb $(BUILD)/deb

check-deb:
	$(Q)scripts/install-deps build test package
	$(Q)$(PYTHON) scripts/run-tests --package

clean:
	rm -rf $(BUILD)

include tests/fuzz/fuzz.mk
include tests/layouts/layouts.mk

# The differential test (tests/oracle/differential.py) runs the data path through this.
$(BUILD)/tests/oracle/runner.o: | $(SKELETONS)

$(BUILD)/tests/oracle/runner: $(BUILD)/tests/oracle/runner.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

tests: $(BUILD)/tests/oracle/runner

# Other kernels: `make check-kernels KERNELS="6.1 6.12"`.
$(BUILD)/tests/kernels/%.bpf.o: tests/kernels/%.bpf.c Makefile | need
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/tests/kernels/%: $(BUILD)/tests/kernels/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

check-kernels:
	$(Q)scripts/install-deps build test kernels
	$(Q)$(MAKE) --no-print-directory all tests $(BUILD)/tests/kernels/neighbour $(BUILD)/tests/kernels/neighbour.bpf.o
	$(Q)$(PYTHON) tests/kernels/check.py $(KERNELS)

# Another architecture: the unit tests under qemu-user, the rest on its kernels under qemu-system.
check-arm64:
	$(Q)scripts/install-deps build test arm64
	$(Q)$(PYTHON) tests/kernels/arm64.py units $(T)
	$(Q)$(PYTHON) tests/kernels/arm64.py kernels $(KERNELS)

# Not what other systems' packages hold: check-arm64 unpacks them there.
-include $(shell find $(BUILD) -path $(BUILD)/kernels -prune -o -type f -name '*.d' -print 2> /dev/null)

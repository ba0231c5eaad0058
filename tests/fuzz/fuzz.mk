# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets: each tests/fuzz/fuzz_NAME.c is one, with its inputs in tests/fuzz/corpus/NAME.
# Included by the Makefile.  What a target links besides its own file:
#   sources_fuzz_NAME := daemon/x.c        (built again, with the sanitizers)
#   libs_fuzz_NAME := -lpcap
sources_fuzz_path := tests/bpf/frame.c
libs_fuzz_path := -lcmocka
sources_fuzz_arguments := daemon/options.c daemon/filter.c daemon/flow_table.c daemon/flow_name.c daemon/listener.c \
	daemon/names.c daemon/replay_options.c daemon/format.c tests/fuzz/quiet_log.c
sources_fuzz_capture := daemon/capture.c daemon/capture_ng.c daemon/capture_stream.c daemon/replay_frame.c \
	tests/fuzz/quiet_log.c
libs_fuzz_capture := -lpcap -lz
sources_fuzz_config := daemon/config_read.c daemon/config_read_values.c daemon/config_text.c daemon/config_check.c \
	daemon/config_schema.c daemon/config_print.c daemon/config_fill.c daemon/settings.c daemon/flood_options.c \
	daemon/listener.c daemon/list_rules.c daemon/prefix.c daemon/options.c daemon/names.c tests/fuzz/quiet_log.c
libs_fuzz_config := -lyaml
sources_fuzz_lists := daemon/list_file.c daemon/list_guard.c daemon/list_image.c daemon/list_rules.c \
	daemon/list_levels.c daemon/list_nodes.c daemon/list_slots.c daemon/lists.c daemon/lists_exchange.c \
	daemon/prefix.c daemon/options.c daemon/progress.c daemon/format.c \
	tests/fuzz/pinned_image.c tests/fuzz/quiet_log.c
sources_fuzz_server := daemon/event_server.c daemon/event_reader.c daemon/events.c \
	tests/fuzz/event_world.c tests/fuzz/late_clock.c tests/fuzz/turns.c tests/fuzz/quiet_log.c
sources_fuzz_client := daemon/event_client.c daemon/event_filter.c daemon/filter.c daemon/flow_table.c \
	daemon/options.c daemon/names.c daemon/format.c daemon/output_event_text.c daemon/output_event_json.c \
	daemon/output_json_values.c daemon/output_text.c tests/fuzz/quiet_log.c
libs_fuzz_client := -ljansson
sources_fuzz_http := daemon/metrics_server.c daemon/metrics_accept.c daemon/listener.c daemon/options.c \
	tests/fuzz/late_clock.c tests/fuzz/quiet_log.c
libs_fuzz_http := -lmicrohttpd -Wl,--wrap=clock_gettime
libs_fuzz_server := -Wl,--wrap=clock_gettime

FUZZ_SECONDS ?= 60
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=alignment \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g
FUZZ_COVERAGE := -fprofile-instr-generate -fcoverage-mapping -O1 -g
fuzzed = $(patsubst %.c,$(BUILD)/fuzz/%.o,$(sources_$(1)))
covered = $(patsubst %.c,$(BUILD)/coverage/%.o,$(sources_$(1)))
LLVM_PROFDATA ?= llvm-profdata
LLVM_COV ?= llvm-cov

.PHONY: fuzz fuzz-targets fuzz-coverage

# In `make check`: every corpus once, with the compiler and sanitizers of the unit tests.
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/san/tests/fuzz/fuzz_%.o $(BUILD)/san/tests/fuzz/corpus.o $$(call sanitized,fuzz_$$*)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) $^ -o $@ $(libs_fuzz_$*)

tests: $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/fuzz_%)

# With libFuzzer, and for coverage without sanitizers.
$(BUILD)/fuzz/%.o: %.c Makefile tests/fuzz/fuzz.mk | need
	$(call say,FUZZCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(COMMON) -D_GNU_SOURCE $(FUZZ_FLAGS) -c $< -o $@

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o $$(call fuzzed,fuzz_$$*)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ -o $@ $(libs_fuzz_$*)

$(BUILD)/coverage/%.o: %.c Makefile tests/fuzz/fuzz.mk | need
	$(call say,COVCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(COMMON) -D_GNU_SOURCE $(FUZZ_COVERAGE) -c $< -o $@

$(BUILD)/coverage/fuzz_%: $(BUILD)/coverage/tests/fuzz/fuzz_%.o $(BUILD)/coverage/tests/fuzz/corpus.o \
		$$(call covered,fuzz_$$*)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_COVERAGE) $^ -o $@ $(libs_fuzz_$*)

fuzz-targets: need $(FUZZ_NAMES:%=$(BUILD)/fuzz/fuzz_%)

# Every target FUZZ_SECONDS long, from the corpus on; T=NAME for one.  What it finds lands in
# build/fuzz/found.
fuzz:
	$(Q)scripts/install-deps build test fuzz
	$(Q)$(MAKE) --no-print-directory fuzz-targets
	$(Q)scripts/fuzz run $(FUZZ_SECONDS) $(or $(T),$(FUZZ_NAMES))

# How much of what a target tests its corpus reaches.
fuzz-coverage: need $(FUZZ_NAMES:%=$(BUILD)/coverage/fuzz_%)
	$(Q)LLVM_PROFDATA='$(LLVM_PROFDATA)' LLVM_COV='$(LLVM_COV)' scripts/fuzz coverage $(or $(T),$(FUZZ_NAMES))

# What opens the pinned maps needs.
pins := daemon/pins.c daemon/layout.c daemon/layout_rows.c daemon/pins_lock.c daemon/pins_path.c daemon/log.c daemon/privilege.c \
	daemon/netdev.c daemon/netdev_upper.c daemon/netlink.c
sources_test_options := daemon/options.c daemon/log.c
sources_test_format := daemon/format.c
sources_test_filter := daemon/filter.c daemon/flow_table.c daemon/names.c daemon/options.c daemon/log.c
sources_test_event_filter := daemon/event_filter.c daemon/filter.c daemon/flow_table.c daemon/names.c daemon/options.c \
	daemon/log.c
sources_test_plain := daemon/log.c
sources_test_event_client := daemon/event_client.c daemon/event_socket.c $(sources_test_event_filter)
sources_test_event_log := daemon/events.c daemon/log.c
sources_test_capture_ng := daemon/capture_ng_write.c daemon/capture_ng.c daemon/log.c daemon/private_file.c
libs_test_capture_ng := -lpcap
sources_test_ager := daemon/ager.c daemon/ager_pressure.c
sources_test_flow_ends := daemon/flow_ends.c
sources_test_seed := daemon/seed_flow.c
sources_test_ager_race := daemon/ager.c daemon/ager_pressure.c
sources_test_race := daemon/ager.c daemon/ager_pressure.c
sources_test_service := daemon/service.c daemon/options.c daemon/log.c
sources_test_completion := daemon/completion.c daemon/names.c
sources_test_explain := daemon/explain.c daemon/explain_words.c
sources_test_capture := daemon/capture.c daemon/capture_ng.c daemon/capture_stream.c daemon/capture_write.c \
	daemon/replay_frame.c daemon/private_file.c daemon/log.c
libs_test_capture := -lpcap -lz
sources_test_replay_frame := daemon/replay_frame.c
sources_test_output_json_flow := daemon/output_json_flow.c daemon/flow_table.c daemon/format.c daemon/names.c
libs_test_output_json_flow := -ljansson
libs_test_key := -lm
libs_test_flow_table := -lm
sources_test_parse_random := tests/bpf/frame.c
sources_test_parse_ip := tests/bpf/frame.c
sources_test_parse_fragments := tests/bpf/frame.c
sources_test_parse_tcp := tests/bpf/frame.c
sources_test_flow_advance := tests/bpf/frame.c
sources_test_transitions := tests/bpf/frame.c

# ThreadSanitizer where the compiler has it (gcc's, see tests/unit/races.h) and this kernel's address layout
# allows it; else these tests are built like the others, and skip the case that says so.
tsan := -fsanitize=thread --param=tsan-distinguish-volatile=1 -fno-omit-frame-pointer -D_GNU_SOURCE -O1 -g -pthread
tsan_wrap := -Wl,--wrap=__tsan_atomic32_compare_exchange_val
tsan_works = $(shell t=$$(mktemp) && \
	echo 'int main(void) { return __SANITIZE_THREAD__ - 1; }' | \
	$(CC) -Werror $(tsan) -x c - -o $$t 2> /dev/null && $$t && $$t && $$t && echo yes; rm -f $$t)
tsan_flags = $(eval tsan_flags := $(if $(tsan_works),$(tsan) $(tsan_wrap)))$(tsan_flags)
flags_test_flow_race = $(tsan_flags)
flags_test_ager_race = $(tsan_flags)
sources_test_doctor := daemon/doctor.c daemon/doctor_kernel.c daemon/doctor_host.c daemon/doctor_netdev.c \
	daemon/format.c
sources_test_doctor_iface := daemon/doctor.c daemon/doctor_kernel.c daemon/doctor_host.c daemon/doctor_netdev.c \
	daemon/format.c
sources_test_doctor_filter := daemon/doctor.c daemon/doctor_kernel.c daemon/doctor_host.c daemon/doctor_netdev.c \
	daemon/doctor_filter.c daemon/netlink.c daemon/format.c
sources_test_source_count := daemon/source_count.c
list_sources := daemon/list_image.c daemon/list_levels.c daemon/list_nodes.c daemon/list_slots.c daemon/list_rules.c daemon/prefix.c daemon/options.c daemon/log.c
sources_test_list_image := $(list_sources)
sources_test_list_image_random := $(list_sources)
sources_test_list_levels := daemon/list_levels.c
sources_test_list_rules := $(list_sources)
sources_test_lists := $(list_sources)
sources_test_lists_established := $(list_sources)
sources_test_reasons := $(list_sources)

# What a look-up in the lists costs; a minute, on a machine that does nothing else.
.PHONY: bench-lists
bench-lists: need $(BUILD)/tests/bench/lists
	$(Q)$(BUILD)/tests/bench/lists

$(BUILD)/tests/bench/lists.bpf.o: tests/bench/lists.bpf.c Makefile | need
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/tests/bench/lists.skel.h: $(BUILD)/tests/bench/lists.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name lists_bench > $@

$(BUILD)/tests/bench/lists.o: | $(BUILD)/tests/bench/lists.skel.h

$(BUILD)/tests/bench/lists: $(patsubst %.c,$(BUILD)/%.o,tests/bench/lists.c tests/bench/rules.c $(list_sources))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@
sources_test_top_heap := daemon/top_heap.c
# What a snapshot of everything needs.
snapshot := daemon/snapshot.c daemon/flow_table.c daemon/resource.c daemon/netdev.c daemon/netdev_upper.c daemon/netlink.c daemon/names.c \
	daemon/pins_note.c daemon/settings.c $(pins)
sources_test_top_rates := daemon/top_rates.c $(snapshot)
libs_test_top_rates := -lbpf
sources_test_top_flows := daemon/top_heap.c daemon/top_flows.c daemon/flow_table.c daemon/names.c
sources_test_metrics := daemon/output_metrics.c daemon/output_metrics_packets.c daemon/output_metrics_flows.c \
	daemon/output_metrics_self.c daemon/guard.c daemon/metrics_writer.c $(snapshot)
libs_test_metrics := -lbpf
sources_test_listener := daemon/listener.c daemon/options.c daemon/log.c
sources_test_metrics_accept := daemon/metrics_accept.c
sources_test_confirm := daemon/settings.c daemon/resource.c $(pins)
sources_test_config := daemon/listener.c daemon/config_lists.c daemon/lists.c daemon/lists_exchange.c \
	daemon/list_format.c daemon/list_file.c \
	daemon/list_guard.c daemon/netlink.c daemon/list_image.c daemon/list_levels.c daemon/list_nodes.c daemon/list_slots.c daemon/list_rules.c \
	daemon/prefix.c daemon/progress.c daemon/format.c daemon/config_schema.c daemon/config_read.c \
	daemon/config_text.c daemon/config_read_values.c daemon/config_check.c daemon/config_print.c \
	daemon/config_fill.c daemon/config_apply.c daemon/settings.c daemon/flood_options.c daemon/options.c \
	daemon/names.c daemon/resource.c $(pins)
libs_test_config := -lbpf -lyaml
sources_test_guard := daemon/guard.c
sources_test_reload := $(sources_test_confirm)
sources_test_settings := $(sources_test_confirm)
libs_test_settings := -lbpf
sources_test_flow_carry := daemon/flow_carry.c daemon/layout.c daemon/layout_rows.c
sources_test_cookie_clock := daemon/cookie.c daemon/log.c daemon/pins_path.c
libs_test_cookie_clock := -lbpf

sources_test_options := daemon/options.c daemon/log.c
sources_test_format := daemon/format.c
sources_test_filter := daemon/filter.c daemon/flow_table.c daemon/names.c daemon/options.c daemon/log.c
sources_test_ager := daemon/ager.c daemon/ager_pressure.c
sources_test_seed := daemon/seed_flow.c
sources_test_ager_race := daemon/ager.c daemon/ager_pressure.c
sources_test_service := daemon/service.c daemon/options.c daemon/log.c
sources_test_completion := daemon/completion.c daemon/names.c
sources_test_explain := daemon/explain.c
sources_test_capture := daemon/capture.c daemon/capture_ng.c daemon/capture_stream.c daemon/capture_write.c \
	daemon/replay_frame.c daemon/log.c
libs_test_capture := -lpcap -lz
libs_test_key := -lm
libs_test_flow_table := -lm
sources_test_parse := tests/bpf/frame.c
sources_test_flow_advance := tests/bpf/frame.c

# ThreadSanitizer where the compiler has it (gcc's, see the test) and this kernel's address layout
# allows it; else the test is built like the others.
tsan := -fsanitize=thread --param=tsan-distinguish-volatile=1 -fno-omit-frame-pointer -D_GNU_SOURCE -O1 -g -pthread
tsan_wrap := -Wl,--wrap=__tsan_atomic32_compare_exchange_val
tsan_works = $(shell t=$$(mktemp) && \
	echo 'int main(void) { return __SANITIZE_THREAD__ - 1; }' | \
	$(CC) -Werror $(tsan) -x c - -o $$t 2> /dev/null && $$t && $$t && $$t && echo yes; rm -f $$t)
flags_test_flow_race = $(eval flags_test_flow_race := $(if $(tsan_works),$(tsan) $(tsan_wrap)))$(flags_test_flow_race)
sources_test_doctor := daemon/doctor.c daemon/doctor_kernel.c daemon/doctor_host.c daemon/doctor_netdev.c \
	daemon/doctor_filter.c daemon/netlink.c daemon/format.c
sources_test_top := daemon/top_heap.c daemon/top_flows.c daemon/top_rates.c daemon/flow_table.c daemon/snapshot.c \
	daemon/names.c daemon/pins.c daemon/pins_lock.c daemon/log.c daemon/privilege.c
libs_test_top := -lbpf
sources_test_confirm := daemon/settings.c daemon/pins.c daemon/pins_lock.c daemon/log.c daemon/privilege.c
sources_test_config := daemon/config_schema.c daemon/config_read.c daemon/config_check.c daemon/config_print.c \
	daemon/config_fill.c daemon/config_apply.c daemon/settings.c daemon/flood_options.c daemon/options.c \
	daemon/names.c daemon/pins.c daemon/pins_lock.c daemon/log.c daemon/privilege.c
libs_test_config := -lbpf -lyaml
sources_test_guard := daemon/guard.c
sources_test_reload := $(sources_test_confirm)

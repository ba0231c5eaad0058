# SPDX-License-Identifier: GPL-2.0-or-later
# Two more tcpguards for tests/net/test_layouts.sh, as later versions may be: build/layouts/later/tcpguard,
# whose flow table has another layout, and build/layouts/again/tcpguard, with the present one again by a
# higher number.  See headers.py.  Included by the Makefile.
LATER := $(BUILD)/layouts/later
AGAIN := $(BUILD)/layouts/again
LAYOUT_PROGRAMS := $(LATER)/tcpguard $(AGAIN)/tcpguard
LAYOUT_SKELETONS := $(LATER)/tcpguard.skel.h $(LATER)/tcpguard_shared.skel.h $(LATER)/cookie_accept.skel.h
LAYOUT_OBJECTS := $(patsubst %.c,%.o,$(filter-out daemon/layout_rows.c,$(wildcard daemon/*.c)) tests/layouts/layout_rows.c)
# The others do not know the number, and have the present structures: the same objects.
NUMBERED := $(patsubst %.c,%.o,$(filter-out daemon/layout_rows.c,$(shell grep -l TG_LAYOUT_VERSION daemon/*.c)) \
	tests/layouts/layout_rows.c)
layout_cflags = -I$(1)/include -I$(1) $(filter-out -Iinclude,$(COMMON)) $(LIB_CFLAGS) -D_GNU_SOURCE -O0 -DTCPGUARD_VERSION='"$(VERSION)"'

$(LATER)/include/tcpguard/flow.h $(AGAIN)/include/tcpguard/flow.h: $(BUILD)/layouts/%/include/tcpguard/flow.h: tests/layouts/headers.py \
		$(wildcard include/tcpguard/*.h)
	$(call say,GEN,$@)
	$(Q)$(PYTHON) tests/layouts/headers.py include $(@D:/tcpguard=) $*

$(LAYOUT_SKELETONS:.skel.h=.bpf.o): $(LATER)/%.bpf.o: bpf/%.bpf.c Makefile $(LATER)/include/tcpguard/flow.h
	$(call say,CLANG,$@)
	$(Q)$(CLANG) -I$(LATER)/include $(filter-out -Iinclude,$(BPF_CFLAGS)) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(LAYOUT_SKELETONS): $(LATER)/%.skel.h: $(LATER)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(addprefix $(LATER)/,$(LAYOUT_OBJECTS)): $(LATER)/%.o: %.c tests/layouts/layouts.mk | $(LATER)/include/tcpguard/flow.h \
		$(LAYOUT_SKELETONS) $(SKELETONS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(call layout_cflags,$(LATER)) -c $< -o $@

$(addprefix $(AGAIN)/,$(NUMBERED)): $(AGAIN)/%.o: %.c tests/layouts/layouts.mk | $(AGAIN)/include/tcpguard/flow.h $(SKELETONS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(call layout_cflags,$(AGAIN)) -c $< -o $@

$(LATER)/tcpguard: $(addprefix $(LATER)/,$(LAYOUT_OBJECTS))
$(AGAIN)/tcpguard: $(addprefix $(AGAIN)/,$(NUMBERED)) \
	$(addprefix $(BUILD)/,$(filter-out $(NUMBERED) daemon/layout_rows.o,$(LAYOUT_OBJECTS)))

$(LAYOUT_PROGRAMS):
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

tests: $(LAYOUT_PROGRAMS)

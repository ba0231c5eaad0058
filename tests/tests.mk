sources_test_options := daemon/options.c daemon/log.c
sources_test_format := daemon/format.c
sources_test_filter := daemon/filter.c daemon/flow_table.c daemon/names.c daemon/options.c daemon/log.c
sources_test_ager := daemon/ager.c daemon/ager_pressure.c
sources_test_seed := daemon/seed_flow.c

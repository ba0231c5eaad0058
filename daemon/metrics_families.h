/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every family of metrics: one row is its head in the output, its line in tcpguard-metrics(7) (written
 * by scripts/metrics-table) and the function that fills it, put_ID() in output_metrics_*.c.  Names are part
 * of the interface.  No address, port or flow is ever a label: sources belong to `top` and `events`.
 *
 * Counters are only ever sums of what the data path counts, never differences: two counters are not read
 * at one moment, and what falls once looks like a restart to rate().
 */
#ifndef TCPGUARD_METRICS_FAMILIES_H
#define TCPGUARD_METRICS_FAMILIES_H

/* id, type, unit or "", name without _total and _info, labels, help */
#define METRICS_FAMILIES(X) \
	X(BUILD, INFO, "", "tcpguard_build", "version,libbpf", \
	  "What is running") \
	X(READY, GAUGE, "", "tcpguard_ready", "", \
	  "1 if an interface is attached and the programs of every attached one are in place") \
	X(DAEMON_RUNNING, GAUGE, "", "tcpguard_daemon_running", "", \
	  "1 if a daemon runs; without one nothing is aged, verdicts stay the same") \
	X(BYPASS_ACTIVE, GAUGE, "", "tcpguard_bypass_active", "", \
	  "1 while everything passes, whatever the mode") \
	X(CONFIG_GENERATION, GAUGE, "", "tcpguard_config_generation", "", \
	  "Number of the configuration in force, grows with each exchange") \
	X(CONFIG_HASH, INFO, "", "tcpguard_config_hash", "hash", \
	  "Of the configuration files in force, as config show has it; none: there was no file") \
	X(INTERFACE_MODE, GAUGE, "", "tcpguard_interface_mode", "iface,mode", \
	  "1 for the mode in force, 0 for the others") \
	X(INTERFACE_XDP, INFO, "", "tcpguard_interface_xdp", "iface,xdp,driver,profile", \
	  "How the interface is attached: native, generic or shared XDP") \
	X(INTERFACE_ATTACHED, GAUGE, "seconds", "tcpguard_interface_attached_timestamp_seconds", "iface", \
	  "When the interface was attached, Unix time") \
	X(PACKETS, COUNTER, "", "tcpguard_packets", "iface,verdict", \
	  "Packets by what was done with them") \
	X(BYTES, COUNTER, "bytes", "tcpguard_bytes", "iface,verdict", \
	  "Bytes of those packets, without link headers") \
	X(DROPS, COUNTER, "", "tcpguard_drops", "iface,reason", \
	  "Packets dropped, by reason") \
	X(WOULD_DROPS, COUNTER, "", "tcpguard_would_drops", "iface,reason", \
	  "Packets passed that mode enforce would have dropped, by reason") \
	X(SERVICE_DROPS, COUNTER, "", "tcpguard_service_drops", "service,class,verdict", \
	  "Drops by service, carried out or not; default is every port of no service") \
	X(ESTABLISHED_DROPS, COUNTER, "", "tcpguard_established_drops", "iface,class,verdict", \
	  "Drops on flows that had carried data both ways: a legitimate connection may have lost them") \
	X(ESTABLISHED_HIT, COUNTER, "", "tcpguard_established_flows_hit", "iface,class", \
	  "Such flows, counted at their first drop") \
	X(TCP_SEGMENTS, COUNTER, "", "tcpguard_tcp_segments", "iface,flags", \
	  "Segments with SYN, SYN and ACK, FIN or RST; the others are not told apart") \
	X(NON_TCP, COUNTER, "", "tcpguard_non_tcp_packets", "iface,proto", \
	  "UDP and ICMP packets, and later fragments; other protocols are not told apart") \
	X(FLOW_ENTRIES, GAUGE, "", "tcpguard_flow_entries", "", \
	  "Flows in the table") \
	X(FLOW_LIMIT, GAUGE, "", "tcpguard_flow_entries_limit", "", \
	  "Flows the table was made for") \
	X(FLOWS, GAUGE, "", "tcpguard_flows", "state", \
	  "Flows by phase") \
	X(FLOW_CREATED, COUNTER, "", "tcpguard_flow_created", "iface,origin", \
	  "Flows opened by a SYN from outside or of our own, by the ACK of a SYN cookie, or adopted in mid-stream") \
	X(FLOW_REMOVED, COUNTER, "", "tcpguard_flow_removed", "iface,cause", \
	  "Live flows whose slot a newcomer took; ended and expired ones: tcpguard_flow_ended_total") \
	X(FLOW_FAILURES, COUNTER, "", "tcpguard_flow_insert_failures", "iface,cause", \
	  "Packets that should have opened a flow: no room, or another CPU at work on the same one") \
	X(HANDSHAKES, COUNTER, "", "tcpguard_handshakes", "iface,result", \
	  "Handshakes completed, refused by the answering side, or given up by the opener's RST") \
	X(HANDSHAKE_DURATION, HISTOGRAM, "seconds", "tcpguard_handshake_duration_seconds", "iface", \
	  "From the first SYN to the third segment") \
	X(SYNCOOKIES, COUNTER, "", "tcpguard_syncookies", "iface,result", \
	  "SYN cookies sent, and what came back; no_listener: SYN for a port nobody listens on, not answered") \
	X(SYN_CHALLENGE, GAUGE, "", "tcpguard_syn_challenge_active", "action", \
	  "Destinations protected from a flood of SYNs now, by what is done; at most 64 are counted") \
	X(SOURCE_LIMIT, COUNTER, "", "tcpguard_source_limit_hits", "iface,limit", \
	  "Packets beyond the limits for one source, dropped or not") \
	X(LIST_HITS, COUNTER, "", "tcpguard_list_hits", "iface,list", \
	  "Packets whose source is on a list, dropped or not") \
	X(LIST_ENTRIES, GAUGE, "", "tcpguard_list_entries", "list,family,origin", \
	  "Rules of the lists: cli, added by command, or file, of a file the configuration names") \
	X(LIST_LIMIT, GAUGE, "", "tcpguard_list_entries_limit", "", \
	  "Rules that fit, of both lists together") \
	X(LIST_CHANGED, GAUGE, "seconds", "tcpguard_list_reload_timestamp_seconds", "", \
	  "When the lists were exchanged last, Unix time; 0: there are none") \
	X(EVENTS, COUNTER, "", "tcpguard_events", "type", \
	  "Events told; drop counts what was dropped and what would have been") \
	X(EVENTS_LOST, COUNTER, "", "tcpguard_events_lost", "type", \
	  "Events for which the ring had no room") \
	X(EVENTS_SUPPRESSED, COUNTER, "", "tcpguard_events_suppressed", "type", \
	  "Events left out by sampling or the limit a second") \
	X(EVENT_READERS, GAUGE, "", "tcpguard_event_readers", "", \
	  "Programs that read events now") \
	X(CAPTURE_PACKETS, COUNTER, "", "tcpguard_capture_packets", "", \
	  "Packets captured") \
	X(CAPTURE_LOST, COUNTER, "", "tcpguard_capture_lost", "", \
	  "Packets for which the capture's ring had no room") \
	X(DATAPATH_ERRORS, COUNTER, "", "tcpguard_datapath_errors", "iface,error", \
	  "Packets tcpguard could not judge, passed") \
	X(GUARD_STATE, GAUGE, "", "tcpguard_guard_state", "iface,class", \
	  "1 while the guard does not carry out verdicts of this class") \
	X(BPF_RUNS, COUNTER, "", "tcpguard_bpf_runs", "iface,prog", \
	  "Runs of the programs while kernel.bpf_stats_enabled is 1; absent when it never was") \
	X(BPF_RUN_SECONDS, COUNTER, "seconds", "tcpguard_bpf_run_seconds", "iface,prog", \
	  "Time those runs took") \
	X(MAP_BYTES, GAUGE, "bytes", "tcpguard_map_bytes", "map", \
	  "Kernel memory of each map")

/* What only the daemon knows: part of what it serves, not of `tcpguard metrics`. */
#define METRICS_DAEMON_FAMILIES(X) \
	X(SWEEP_ENTRIES, COUNTER, "", "tcpguard_sweep_entries", "result", \
	  "Entries the daemon's ageing freed since it started: expired, evicted early, recovered from a dead owner") \
	X(SWEEP_DURATION, HISTOGRAM, "seconds", "tcpguard_sweep_duration_seconds", "", \
	  "CPU time of a pass over the table") \
	X(FLOW_ENDED, COUNTER, "", "tcpguard_flow_ended", "cause", \
	  "Flows that ageing freed since the daemon started, by how they had ended") \
	X(FLOW_DURATION, HISTOGRAM, "seconds", "tcpguard_flow_duration_seconds", "", \
	  "From a flow's first packet to its last, of those whose handshake was completed, when ageing frees them") \
	X(GUARD_TRIPS, COUNTER, "", "tcpguard_guard_trips", "signal,class", \
	  "How often the guard has stepped a class back since the daemon started") \
	X(CONFIRM_REVERTS, COUNTER, "", "tcpguard_confirm_reverts", "", \
	  "Modes that went back because nobody confirmed, since the daemon started") \
	X(CONFIG_RELOAD_SUCCESS, GAUGE, "", "tcpguard_config_last_reload_success", "", \
	  "0 if the configuration file had a fault when the daemon read it last: the former one is in force") \
	X(CONFIG_RELOAD_TIME, GAUGE, "seconds", "tcpguard_config_last_reload_timestamp_seconds", "", \
	  "When that was, Unix time") \
	X(PROCESS_CPU, COUNTER, "seconds", "process_cpu_seconds", "", \
	  "CPU time of the daemon, user and system") \
	X(PROCESS_RESIDENT, GAUGE, "bytes", "process_resident_memory_bytes", "", \
	  "Resident memory of the daemon, mapped tables included") \
	X(PROCESS_VIRTUAL, GAUGE, "bytes", "process_virtual_memory_bytes", "", \
	  "Virtual memory of the daemon") \
	X(PROCESS_FDS, GAUGE, "", "process_open_fds", "", \
	  "Open file descriptors of the daemon") \
	X(PROCESS_MAX_FDS, GAUGE, "", "process_max_fds", "", \
	  "Limit of open file descriptors of the daemon") \
	X(PROCESS_START, GAUGE, "seconds", "process_start_time_seconds", "", \
	  "When the daemon started, Unix time")

#endif

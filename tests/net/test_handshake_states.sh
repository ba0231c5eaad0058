#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The states of both endpoints as `flows` shows them, step by step, of real sockets: a router with
# tcpguard between two endpoints, and a wire that lets one segment pass at a time.
. "$(dirname "$0")/lib.sh"

topology_wired_router
attach eth0 eth1 --profile gateway --no-daemon

"$PYTHON" "$HERE/states.py" || FAILED=1

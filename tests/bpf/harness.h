/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations through the real programs by BPF_PROG_TEST_RUN: what the client sends goes through
 * the XDP program, what the server sends through the TC program, as on a host that serves.  The
 * verdict of a segment is the one counter that moved: the product's own interface.  The clock is an
 * input; nothing sleeps.  Four parts: the guard, judging a frame, conversations, looking at the
 * flow.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include "tests/bpf/guard.h"
#include "tests/bpf/guard_flow.h"
#include "tests/bpf/judge.h"
#include "tests/bpf/talk.h"

#endif

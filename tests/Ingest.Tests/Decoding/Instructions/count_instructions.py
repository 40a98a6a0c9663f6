"""Counts the instructions of another process's main thread, by having it stop after each: no counters of the processor
are needed. Some 30,000 a second; what a system call does in the kernel is not counted.

    count_instructions.py LINE... -- COMMAND...

COMMAND prints a line when it is ready, and answers each line that it is given with one line. Each LINE is given once to
warm up, and once while it is counted; the counts are printed, one a line. Exit code 3: tracing is not allowed here.
"""

import ctypes
import os
import subprocess
import sys
import threading
import time

SEIZE, INTERRUPT, SINGLE_STEP, ALL_CHILDREN = 0x4206, 0x4207, 9, 0x40000000
TRAP = 5
SLEEPING = "S"

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Steps(threading.Thread):
    """All on one thread: a process that is traced answers none but its tracer."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.count = 0
        self.error = None
        self.attached = threading.Event()

    def run(self):
        # Both on one core: a step is then a switch, and not a call to another core.
        core = {min(os.sched_getaffinity(0))}
        os.sched_setaffinity(0, core)
        os.sched_setaffinity(self.process, core)
        if libc.ptrace(SEIZE, self.process, None, None) != 0:
            self.error = os.strerror(ctypes.get_errno())
            self.attached.set()
            return

        libc.ptrace(INTERRUPT, self.process, None, None)
        self.attached.set()
        status = ctypes.c_int()
        while libc.waitpid(self.process, ctypes.byref(status), ALL_CHILDREN) == self.process:
            if status.value & 0xFF != 0x7F:
                return
            signal, event = status.value >> 8 & 0xFF, status.value >> 16
            is_step = signal == TRAP and event == 0
            self.count += is_step
            if libc.ptrace(SINGLE_STEP, self.process, None, None if is_step or event else signal) != 0:
                return


def state_of(thread):
    with open(f"/proc/{thread}/task/{thread}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def main():
    lines, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(line):
        process.stdin.write(line + "\n")
        if not process.stdout.readline():
            sys.exit(f"it ended at {line}")

    def settle():
        # What it does between its answer and the next read is counted with that answer, not with the next one.
        deadline = time.monotonic() + 10
        while (state := state_of(process.pid)) != SLEEPING:
            if time.monotonic() > deadline:
                sys.exit(f"it does not come to rest, state {state}")
            time.sleep(0.001)

    process.stdout.readline()
    for line in lines:
        ask(line)

    steps = Steps(process.pid)
    steps.start()
    steps.attached.wait()
    if steps.error:
        print(f"ptrace: {steps.error}", file=sys.stderr)
        process.kill()
        sys.exit(3)

    ask(lines[0])
    for line in lines:
        settle()
        before = steps.count
        ask(line)
        settle()
        print(steps.count - before)
    process.kill()


main()

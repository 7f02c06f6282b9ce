"""A master that observes its configuration and forks workers, which do nothing else: argv says where, and how many.

It tells the numbers of its children, one a line; all of them live until the standard input ends.
"""

import os
import signal
import sys

import confbus
from confbus.metrics import observe

url, namespace, workers = sys.argv[1:]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody takes note of a child that dies
config = confbus.connect(url, namespace=namespace, timing=confbus.Timing(poll_s=0.2))
observe(config)
for _ in range(int(workers)):
    child = os.fork()
    if child == 0:
        break
    print(child, flush=True)
os.read(0, 1)
os._exit(0)

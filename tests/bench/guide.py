#!/usr/bin/env python3
"""From keystroke to next question in the guide.

guide.py BATTEN ROOT: drives BATTEN --root ROOT on a pseudo-terminal and prints the number of
findings, median and longest time in ms over one walk through all of them and back, and the time
for 'a' (the plan of all).
"""
import os
import pty
import re
import select
import statistics
import sys
import time


def read_until(fd, pattern, limit=20.0):
    text, end = b'', time.monotonic() + limit
    while not re.search(pattern, text):
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit('never asked: %r' % text[-300:])
        text += os.read(fd, 65536)
    return text


def press(fd, key, pattern):
    start = time.monotonic()
    os.write(fd, key)
    text = read_until(fd, pattern)
    return (time.monotonic() - start) * 1000, text


def main():
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM='vt100', LC_ALL='C.UTF-8', LINES='60', COLUMNS='80')
        os.execv(sys.argv[1], [sys.argv[1], '--root', sys.argv[2], '--history', 'none'])
    asked = rb'\? \(y n a d j k g / i w q \?\) (\[.\] )?$'
    read_until(fd, rb'q leaves $')
    ms, text = press(fd, b'\n', asked)
    times = [ms]
    count = int(re.search(rb'--- 1 of (\d+)', text).group(1))
    for key in b'j', b'k':
        for _ in range(count - 1):
            times.append(press(fd, key, asked)[0])
    everything, _ = press(fd, b'a', rb'-- more|w e q \?\) $')
    print('%d %.1f %.1f %.0f' % (count, statistics.median(times), max(times), everything))
    os.kill(pid, 9)
    os.waitpid(pid, 0)


main()

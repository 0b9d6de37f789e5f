"""One scenario for several simulators: 1000-byte UDP datagrams every 10 µs over a link of 1 Gbit/s and 2 ms.

Each model is a program that says "ready", and then for each line that it reads how many packets it took through the
scenario in one second of its process's CPU time. So they can take turns, each in the environment that it needs.
"""

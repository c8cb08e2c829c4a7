"""An idle broker does nothing: no busy waiting, keep-alives included."""

import os
import time

CLIENTS = 100
MEASURED_S = 10
SHARE_MAX = 0.01


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_100_idle_clients_cost_under_1_percent_of_a_core(town_factory, record_property):
    town = town_factory(accounts=CLIENTS)
    clients = [town.join(sub=True) for _ in range(CLIENTS)]
    settled = time.monotonic() + 3  # the topics tell their heads once more, 2 s after the last login
    for client in clients:
        client.pump(0)
    while time.monotonic() < settled:
        clients[0].pump(settled - time.monotonic())
    before, start = cpu_ticks(town.broker.pid), time.monotonic()
    while time.monotonic() - start < MEASURED_S:
        clients[0].keep_alive()
        clients[0].pump(1)
    elapsed = time.monotonic() - start
    share = (cpu_ticks(town.broker.pid) - before) / os.sysconf("SC_CLK_TCK") / elapsed
    record_property("share", share)
    print(f"the broker used {share:.2%} of a core")
    assert share < SHARE_MAX, f"{share:.2%} of a core"

"""A process that forks, at any moment and from anywhere: its child follows too, and the parent notices nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.scale import scaled

if TYPE_CHECKING:
    from support.bus import Bus
    from support.family import Family

IDLE = """
config = connect()
if os.fork() == 0:
    os.fork()
rest()
"""

FROM_A_THREAD = """
config = connect()
def fork():
    if os.fork() == 0:
        rest()
threading.Thread(target=fork).start()
rest()
"""

IN_A_CALLBACK = """
def fork_once(changes):
    told(changes)
    if changes[-1].new_value == 2 and os.fork() == 0:
        rest()
config = connect(fork_once)
rest()
"""

IN_A_VALIDATOR = """
PARENT = os.getpid()
def forks(snapshot):
    if snapshot["number"] == 2 and os.getpid() == PARENT and os.fork() == 0:
        rest()
config = connect(validators=[forks])
rest()
"""

BEFORE_THE_START = """
config = confbus.Subscriber(URL, namespace=NAMESPACE, timing=TIMING)
config.subscribe(told)
os.fork()
config.start()
rest()
"""

WITHOUT_DESCRIPTORS = """
config = connect()
keep = os.dup(0)
if os.fork() == 0:
    if len(sys.argv) > 1:
        while config.status().state != "live":
            time.sleep(0.01)
    for descriptor in set(range(3, 200)) - {keep}:
        try:
            os.close(descriptor)
        except OSError:
            pass
rest()
"""

FROM_DISK = """
good = Path(PLACE).parent / "good"
confbus.connect(URL, namespace=NAMESPACE, timing=TIMING, fallback=good).close()
config = confbus.Subscriber(URL, namespace=NAMESPACE, timing=TIMING, fallback=good)
config.subscribe(told)
config.start("cached")
os.fork()
rest()
"""

HOLDING_LOCKS = """
config = connect()
held = [config._lock, config._local.changing, config._local._waking, config._local.dispatcher._ready]
is_held, is_over = threading.Event(), threading.Event()
def hold():
    import contextlib
    with contextlib.ExitStack() as stack:
        for lock in held:
            stack.enter_context(lock)
        is_held.set()
        is_over.wait()
threading.Thread(target=hold).start()
is_held.wait()
is_child = os.fork() == 0
is_over.set()
rest()
"""

IMPORTS = """
import builtins
from confbus import importing

original = builtins.__import__
def watched(name, *more):
    is_following = threading.current_thread().name.startswith("confbus")
    if is_following and name not in sys.modules and not importing.guard._is_owned():
        print(name, "is imported by", threading.current_thread().name, file=sys.stderr, flush=True)
    return original(name, *more)

URL += "{options}"
builtins.__import__ = watched
config = connect()
rest()
"""

FORKS = {
    "twice": (IDLE, 3),
    "from another thread": (FROM_A_THREAD, 2),
    "before the start": (BEFORE_THE_START, 2),
    "after a start from disk": (FROM_DISK, 2),
    "and closes all descriptors": (WITHOUT_DESCRIPTORS, 2),
    "while another thread holds all locks": (HOLDING_LOCKS, 2),
}


@pytest.mark.parametrize(("program", "count"), FORKS.values(), ids=FORKS)
def test_every_process_of_one_that_forks_follows_by_itself(bus: Bus, family: Family, program: str, count: int) -> None:
    parent = family.run(program).pid
    instances = family.agree(count)
    of_the_parent = family.connections()[instances[parent]]

    for number in (2, 3):
        bus.publish(number)
        assert family.agree(count) == instances
        family.told_all(instances, number)

    assert family.connections()[instances[parent]] == of_the_parent
    assert family.errors == ""


@pytest.mark.parametrize("program", [IN_A_CALLBACK, IN_A_VALIDATOR], ids=["a callback", "a validator"])
def test_a_fork_inside_what_we_call_makes_a_process_that_follows(bus: Bus, family: Family, program: str) -> None:
    parent = family.run(program).pid
    instances = family.agree(1)
    of_the_parent = family.connections()[instances[parent]]

    bus.publish(2)
    instances = family.agree(2)
    bus.publish(3)

    assert family.agree(2) == instances
    family.told_all(instances, 3)
    assert family.connections()[instances[parent]] == of_the_parent
    assert family.errors == ""


@pytest.mark.slow
def test_a_child_that_follows_gets_over_the_loss_of_all_its_descriptors(bus: Bus, family: Family) -> None:
    family.run(WITHOUT_DESCRIPTORS.replace("len(sys.argv) > 1", "True"))

    bus.publish(2)

    instances = family.agree(2)
    bus.publish(3)
    family.told_all(instances, 3)
    assert family.errors == ""


@pytest.mark.slow
def test_a_hundred_children_at_once_all_follow(bus: Bus, family: Family) -> None:
    count = scaled(test=20, soak=100)
    parent = family.run(f"""
config = connect()
for _ in range({count}):
    if os.fork() == 0:
        break
rest()
""").pid
    instances = family.agree(count + 1)
    of_the_parent = family.connections()[instances[parent]]

    bus.publish(2)

    family.told_all(instances, 2)
    assert family.agree(count + 1) == instances
    assert family.connections()[instances[parent]] == of_the_parent
    assert family.errors == ""


@pytest.mark.parametrize("options", ["", "&socket_timeout=5"], ids=["plain", "over redis-py"])
def test_what_the_threads_that_follow_import_is_guarded(bus: Bus, family: Family, options: str) -> None:
    family.run(IMPORTS.format(options=options))
    instances = family.agree(1)

    for number, padding in ((2, 0), (3, 20_000), (4, 0)):
        bus.publish(number, padding=padding)
        family.told_all(instances, number)
        family.agree(1)

    assert family.errors == ""

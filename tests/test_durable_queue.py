"""A queue on disk that forgets nothing, whoever is killed."""

import multiprocessing
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_disk import mount, mounted

from pools.durable_queue import DurableQueue, Failed, Taken
from pools.errors import CampaignError, IntegrityError, SolverloopError, UsageError
from strategies.protocols import AbstractQueue

FIFOS: dict[str, Callable[[Path], AbstractQueue[Any]]] = {
    "queue.Queue": lambda _: queue.Queue(),
    "durable": DurableQueue,
    "one of many in a file": lambda file: DurableQueue(file, "label"),
}


@pytest.fixture(params=FIFOS)
def fifo(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return FIFOS[request.param](tmp_path / "queues.sqlite")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queues.sqlite"


@pytest.fixture
def durable(file: Path) -> Iterator[DurableQueue]:
    with DurableQueue(file) as opened:
        yield opened


def filled(durable: DurableQueue, items: int) -> DurableQueue:
    for item in range(items):
        durable.put(item)
    return durable


def in_order(taken: list[Taken]) -> list[Any]:
    return [each.item for each in taken]


# What any first-in first-out queue does


def test_first_in_is_first_out(fifo: AbstractQueue[Any]) -> None:
    assert isinstance(fifo, AbstractQueue)
    assert fifo.empty()
    fifo.put({"a": 1})
    fifo.put(None)
    assert not fifo.empty()
    assert fifo.get() == {"a": 1}
    fifo.put((1,))
    assert [fifo.get(), fifo.get()] == [None, (1,)]
    assert fifo.empty()


def test_what_queue_offers_is_there(fifo: Any) -> None:
    with pytest.raises(queue.Empty):
        fifo.get(block=False)
    with pytest.raises(queue.Empty):
        fifo.get_nowait()
    with pytest.raises(queue.Empty):
        fifo.get(True, 0.001)
    fifo.put_nowait(1)
    fifo.put(2, block=False)
    assert fifo.qsize() == 2
    assert [fifo.get_nowait(), fifo.get(True, 1)] == [1, 2]


def test_threads_share_a_queue(fifo: Any) -> None:
    got: list[int] = []

    def work(start: int) -> None:
        for item in range(start, start + 20):
            fifo.put(item)
            got.append(fifo.get_nowait())

    threads = [threading.Thread(target=work, args=(100 * i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [100 * i + j for i in range(3) for j in range(20)]


# What only a durable one does


def test_an_empty_queue_never_blocks_and_is_still_there(durable: DurableQueue) -> None:
    with pytest.raises(queue.Empty):
        durable.get()
    assert len(durable) == 0
    assert durable  # so that `queue or other` is this queue


def test_it_is_there_when_it_is_opened_again(file: Path) -> None:
    with DurableQueue(file) as first:
        filled(first, 3).get()
    with DurableQueue(file) as second:
        assert in_order(second.taken()) == [0]
        assert second.get() == 1
    assert list(file.parent.iterdir()) == [file]


def test_a_closed_queue_opens_again_by_itself(durable: DurableQueue) -> None:
    durable.put(1)
    durable.close()
    durable.close()
    assert durable.get() == 1


def test_queues_of_a_file_are_apart(file: Path) -> None:
    query, label = DurableQueue(file, "query"), DurableQueue(file, "label")
    query.put("asked")
    assert label.empty()
    label.put("answered")
    assert query.get() == "asked"
    assert label.snapshot() == ["answered"]
    with pytest.raises(UsageError, match=r"queue 'label' in .* is not there"):
        label.settle([query.taken()[0].number])


def test_what_is_taken_is_kept_until_it_is_settled(durable: DurableQueue) -> None:
    filled(durable, 3)
    one, two = durable.take(), durable.take()
    assert [(t.number, t.item) for t in durable.taken()] == [(one.number, 0), (two.number, 1)]
    durable.settle([one.number])
    assert in_order(durable.taken()) == [1]
    assert durable.count_done() == 1


def test_what_is_given_back_comes_first_and_in_its_old_order(durable: DurableQueue) -> None:
    filled(durable, 4)
    durable.get(), durable.get()
    durable.put(4)
    assert durable.give_back() == 2
    assert durable.give_back() == 0
    assert [durable.get() for _ in range(5)] == [0, 1, 2, 3, 4]


def test_given_back_comes_before_what_failed_and_is_tried_again(durable: DurableQueue) -> None:
    filled(durable, 3)
    durable.fail([durable.take().number], "diverged")
    durable.get()
    assert durable.retry_failed() == 1
    durable.give_back()
    assert [durable.get() for _ in range(3)] == [1, 2, 0]


def test_what_failed_keeps_its_reason(durable: DurableQueue) -> None:
    filled(durable, 2)
    number = durable.take().number
    durable.fail([number], "diverged")
    (failed,) = durable.failed()
    assert isinstance(failed, Failed)
    assert (failed.number, failed.item, failed.reason) == (number, 0, "diverged")
    assert durable.snapshot() == [1]
    assert durable.retry_failed() == 1
    assert durable.failed() == []
    assert [durable.get(), durable.get()] == [1, 0]


def test_only_what_is_taken_can_be_settled_and_all_or_none(durable: DurableQueue) -> None:
    filled(durable, 2)
    number = durable.take().number
    for other, state in ((number + 1, "waiting"), (99, "not there")):
        with pytest.raises(UsageError, match=f"item {other} of queue 'queue' in .* is {state}"):
            durable.settle([number, other])
    assert in_order(durable.taken()) == [0]
    durable.settle([number])
    with pytest.raises(UsageError, match="is done"):
        durable.fail([number], "too late")
    with pytest.raises(UsageError, match="is done"):
        durable.settle([number])


def test_all_that_is_taken_is_settled_at_once_and_in_order(durable: DurableQueue) -> None:
    filled(durable, 3)
    durable.get(), durable.get()
    durable.settle_taken()
    assert (list(durable.done()), durable.taken(), durable.snapshot()) == ([0, 1], [], [2])


def test_done_is_in_the_order_of_settling(durable: DurableQueue) -> None:
    filled(durable, 4)
    numbers = [durable.take().number for _ in range(4)]
    durable.settle([numbers[2], numbers[0]])
    durable.settle([numbers[3]])
    assert list(durable.done()) == [2, 0, 3]
    assert durable.count_done() == 3


def test_done_may_be_walked_while_more_is_settled(durable: DurableQueue) -> None:
    filled(durable, 2)
    durable.settle([durable.take().number])
    walk = durable.done()
    assert next(walk) == 0
    durable.settle([durable.take().number])
    assert list(walk) == [1]


def test_an_answer_and_its_question_change_together(file: Path) -> None:
    query, label = DurableQueue(file, "query"), DurableQueue(file, "label")
    number = filled(query, 1).take().number
    with pytest.raises(UsageError, match="not there"):
        label.put_and_settle("answer", [number, 99], query)
    assert label.empty()
    label.put_and_settle("answer", [number], of=query)
    assert (label.snapshot(), query.taken(), query.count_done()) == (["answer"], [], 1)
    with pytest.raises(UsageError, match="is done"):
        label.put_and_settle("again", [number], of=query)
    assert len(label) == 1


def test_answers_settle_only_in_their_own_file(file: Path) -> None:
    query, label = DurableQueue(file), DurableQueue(file.with_name("other"))
    with pytest.raises(UsageError, match="open both with the same path"):
        label.put_and_settle(1, [], of=query)


def test_a_snapshot_restores_what_it_held(durable: DurableQueue) -> None:
    filled(durable, 3).get()
    snapshot = durable.snapshot()
    assert snapshot == [0, 1, 2]
    with pytest.raises(UsageError, match=r"1 of its items are taken; .*give_back\(\)"):
        durable.restore(snapshot)
    durable.give_back()
    durable.restore(snapshot)
    durable.restore(durable.snapshot())
    assert [durable.get() for _ in range(3)] == [0, 1, 2]
    assert durable.empty()


def test_what_cannot_be_encoded_changes_nothing(durable: DurableQueue) -> None:
    filled(durable, 1)
    with pytest.raises(UsageError, match=r"item\['a'\]: a object"):
        durable.put({"a": object()})
    with pytest.raises(UsageError, match="a object"):
        durable.restore([1, object()])
    assert durable.snapshot() == [0]


def test_what_is_too_large_says_so(durable: DurableQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pools.durable_queue._LARGEST", 1000)
    with pytest.raises(UsageError, match=r"at most 1000 are allowed; put its numbers into a file"):
        durable.put(b"x" * 1000)


def test_numbers_are_never_used_again(durable: DurableQueue) -> None:
    filled(durable, 2).restore([])
    durable.put(1)
    assert durable.take().number == 3


# More than one process


def test_a_forked_process_opens_the_file_anew(durable: DurableQueue) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from pools.durable_queue import DurableQueue\n"
        "queue = DurableQueue(pathlib.Path(sys.argv[1]))\n"
        "queue.put('parent')\n"
        "if (child := os.fork()) == 0:\n"
        "    queue.put('child')\n"
        "    queue.close()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "queue.put('parent again')\n"
    )
    subprocess.run(command(code, durable.path), env=environment(), check=True)
    assert durable.snapshot() == ["parent", "child", "parent again"]


def take_all(path: Path, own: int, results: "multiprocessing.Queue[Any]") -> None:
    """Put some items and take what there is, in another process."""
    durable = DurableQueue(path)
    for item in range(30):
        durable.put([own, item])
    got = []
    for _ in range(30):
        taken = durable.take()
        got.append(taken.item)
        durable.settle([taken.number])
    results.put(got)


def test_two_processes_begin_and_share_a_file(file: Path) -> None:
    """Neither is refused, and every item goes to one of them, each putter's in order."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Any] = context.Queue()
    processes = [context.Process(target=take_all, args=(file, own, results)) for own in (0, 1)]
    for process in processes:
        process.start()
    got = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(got[0] + got[1]) == [[own, item] for own in (0, 1) for item in range(30)]
    for own in (0, 1):
        assert all(mine == sorted(mine) for mine in ([i for i in g if i[0] == own] for g in got))
    assert DurableQueue(file).count_done() == 60


def test_many_begin_at_once(tmp_path: Path) -> None:
    """Each with a connection of its own, and none is told that the file is locked."""
    got: list[Any] = []
    together = threading.Barrier(4, timeout=30)

    def work(own: int) -> None:
        for turn in range(5):
            together.wait()
            with DurableQueue(tmp_path / f"{turn}") as durable:
                for item in range(5):
                    durable.put([turn, own, item])
                    taken = durable.take()
                    durable.settle([taken.number])
                    got.append(taken.item)

    threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [
        [t, own, item] for t in range(5) for own in range(4) for item in range(5)
    ]


def test_what_is_put_survives_a_loss_of_power(durable: DurableQueue) -> None:
    """As far as SQLite promises it with these settings; a test cannot pull the plug."""
    with durable._file.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


WORKER = """
import pathlib, sys
from pools.durable_queue import DurableQueue
path, start = pathlib.Path(sys.argv[1]), int(sys.argv[2])
query, label = DurableQueue(path, "query"), DurableQueue(path, "label")

def say(*words):
    print(*words, flush=True)

say("ready")
query.give_back()
for number in range(start, start + 100_000):
    query.put({"n": number, "padding": b"x" * (number % 7 * 1500)})
    say("put", number)
    taken = query.take()
    say("took", taken.item["n"])
    if number % 5 == 0:
        query.fail([taken.number], "every fifth")
        say("failed", taken.item["n"])
    else:
        label.put_and_settle(taken.item["n"], [taken.number], of=query)
        say("answered", taken.item["n"])
    if number % 3 == 0:
        settled = [each.number for each in label.taken()]
        label.settle(settled)
        while not label.empty():
            label.settle([label.take().number])
"""


def command(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": "."}


def killed_after(file: Path, start: int, seconds: float) -> list[tuple[str, int]]:
    """Let a worker work, kill it, and return what it had said that it did."""
    arguments = command(WORKER, file, start)
    with subprocess.Popen(
        arguments, env=environment(), stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        time.sleep(seconds)
        worker.kill()
        said = [line.split() for line in worker.stdout.read().splitlines(keepends=True)]
    assert worker.returncode == -signal.SIGKILL
    return [(words[0], int(words[1])) for words in said]


def test_killed_at_any_instant_nothing_is_lost_or_doubled(file: Path) -> None:
    put, answered, failed = set(), set(), set()
    for round_ in range(30):
        said = killed_after(file, 1000 * round_, 0.011 + 0.0137 * (round_ % 6))
        put |= {number for what, number in said if what == "put"}
        answered |= {number for what, number in said if what == "answered"}
        failed |= {number for what, number in said if what == "failed"}
        query, label = DurableQueue(file, "query"), DurableQueue(file, "label")
        open_ = [item["n"] for item in query.snapshot()]
        settled = [item["n"] for item in query.done()]
        aside = [each.item["n"] for each in query.failed()]
        everywhere = open_ + settled + aside
        assert len(everywhere) == len(set(everywhere))
        assert put <= set(everywhere)
        assert failed <= set(aside)
        answers = [*label.done(), *label.snapshot()]
        assert answers == settled  # one transaction: no answer without its question settled
        assert answered <= set(answers)
        if round_ >= 5 and len(answered) > 10:
            return
    pytest.fail(f"killed too early every time: {len(answered)} answers")


# What is wrong with the file or the disk


def test_a_file_of_something_else_is_refused(file: Path) -> None:
    file.write_bytes(b"These are no queues, but some bytes. " * 50)
    before = file.read_bytes()
    with pytest.raises(IntegrityError, match=r"holds no queues .*move it away"):
        DurableQueue(file)
    assert file.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE birds (name)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(IntegrityError, match=r"of another program .*a path of their own"):
        DurableQueue(file)
    assert file.read_bytes() == before


def test_another_format_is_refused(file: Path) -> None:
    DurableQueue(file).close()
    change(file, "PRAGMA user_version = 7")
    with pytest.raises(IntegrityError, match="has the format 7, but this version reads 1"):
        DurableQueue(file)


def test_a_damaged_item_is_named(file: Path) -> None:
    filled(DurableQueue(file), 2).close()
    change(file, "UPDATE contents SET content = CAST('x' AS BLOB) WHERE number = 1")
    with pytest.raises(IntegrityError, match=r"item 1 of queue 'queue' in .*queues\.sqlite: "):
        DurableQueue(file).get()
    assert DurableQueue(file).qsize() == 2


def test_a_file_that_was_overwritten_is_said_to_be_damaged(file: Path) -> None:
    filled(DurableQueue(file), 200).close()
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(IntegrityError, match="holds no queues that can be read"):
        list(DurableQueue(file).snapshot())


def test_a_place_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("in the way")
    with pytest.raises(CampaignError, match=r"cannot write .*queue: .*nothing already solved"):
        DurableQueue(tmp_path / "a" / "queue")
    with pytest.raises(CampaignError, match=r"cannot write .*unable to open"):
        DurableQueue(tmp_path)


def test_who_waits_too_long_is_told_why(
    durable: DurableQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.close()
    monkeypatch.setattr("pools.sqlite_file._PATIENCE", 0.01)
    other = sqlite3.connect(durable.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CampaignError, match=r"another process has held it for 0\.01 seconds"):
        durable.put(1)
    other.execute("ROLLBACK")
    other.close()
    durable.put(2)
    assert durable.snapshot() == [2]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 256 kB."""
    with mounted(tmp_path / "disk", "256k") as directory:
        yield directory


def test_on_a_full_disk_what_was_put_is_kept(small_disk: Path) -> None:
    with DurableQueue(small_disk / "queues") as durable:
        put: list[int] = []
        with pytest.raises(CampaignError, match="free some disk space"):
            put_large_items(durable, put)
        assert [item[0] for item in durable.snapshot()] == put
        mount(small_disk, "remount,size=4m")
        durable.put([len(put), b""])
    with DurableQueue(small_disk / "queues") as durable:
        assert [item[0] for item in durable.snapshot()] == [*put, len(put)]


def put_large_items(durable: DurableQueue, put: list[int]) -> None:
    """Put items and note each, until the disk is full."""
    for item in range(1000):
        durable.put([item, b"x" * 5000])
        put.append(item)


def test_a_disk_that_is_read_only_is_a_clear_error(small_disk: Path) -> None:
    filled(DurableQueue(small_disk / "queues"), 1).close()
    mount(small_disk, "remount,ro")
    with pytest.raises(SolverloopError, match="make the directory writable"):
        DurableQueue(small_disk / "queues").put(1)
    with pytest.raises(CampaignError, match="make the directory writable"):
        DurableQueue(small_disk / "more" / "queues")


def change(file: Path, statement: str) -> None:
    """Do to a file what no queue does."""
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()

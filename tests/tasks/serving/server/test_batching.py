"""Requests that arrive together are answered together, and none changes the answer to another one."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tasks.serving.server.answering import answered
from tasks.serving.server.errors import RequestError
from tasks.serving.server.http import Limits
from tasks.serving.server.loading import LoadedVersion
from tasks.serving.server.request_queue import BatchingSettings


@pytest.fixture(scope="module")
def folder(small_model, tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("batching") / "small")


@pytest.fixture
def opened(folder):
    """Opens the small model, with settings of batching."""
    versions = []

    def open_(**settings) -> LoadedVersion:
        versions.append(LoadedVersion("small", 1, folder, BatchingSettings(**settings)))
        return versions[-1]

    yield open_
    for version in versions:
        version.drop()


def texts(*values: str) -> dict[str, np.ndarray]:
    return {"text": np.array([value.encode() for value in values], object)}


def at_once(version: LoadedVersion, signature: str, requests: list) -> list:
    """Queues requests while the signature is busy, so that they wait together; returns the futures."""
    batcher = version._batchers[signature]
    with batcher._queue.changed:  # the thread takes nothing until all are queued
        return [version.submit(signature, one) for one in requests]


def test_waiting_requests_share_a_call_and_each_gets_its_rows(opened):
    version = opened()
    found = [one.result(10) for one in at_once(version, "serving_default", [texts("a"), texts("bc", "d"), texts("")])]
    assert [one["text"].tolist() for one in found] == [[b"a"], [b"bc", b"d"], [b""]]
    assert [one["length"].tolist() for one in found] == [[1], [2, 1], [0]]
    assert {rows for one in found for rows in one["rows"].tolist()} == {4}


def test_a_call_has_at_most_the_rows_of_the_setting(opened):
    version = opened(max_batch_size=3)
    found = [one.result(10) for one in at_once(version, "serving_default", [texts("a", "b"), texts("c", "d")])]
    assert [one["rows"].tolist() for one in found] == [[2, 2], [2, 2]]
    # One request with more rows is answered in parts.
    [large] = [one.result(10) for one in at_once(version, "serving_default", [texts(*"abcdefgh")])]
    assert large["text"].tolist() == [letter.encode() for letter in "abcdefgh"]
    assert large["rows"].tolist() == [3, 3, 3, 3, 3, 3, 2, 2]


def test_requests_of_few_rows_do_not_wait_for_one_of_many(opened):
    version, order = opened(max_batch_size=2), []
    futures = at_once(version, "serving_default", [texts(*"abcdefghij" * 5), texts("a"), texts("b"), texts("bad")])
    for index, future in enumerate(futures):
        future.add_done_callback(lambda _, index=index: order.append(index))
    assert futures[0].result(10)["text"].tolist() == [letter.encode() for letter in "abcdefghij" * 5]
    assert [one.result(10)["text"].tolist() for one in futures[1:3]] == [[b"a"], [b"b"]]
    assert futures[3].exception(10).code == "INVALID_ARGUMENT"
    assert order[-1] == 0 and {*order} == {0, 1, 2, 3}


def test_without_batching_each_request_is_a_call(opened):
    version = opened(max_batch_size=1)
    found = [one.result(10) for one in at_once(version, "serving_default", [texts("a"), texts("b", "c")])]
    assert [one["rows"].tolist() for one in found] == [[1], [2, 2]]


def test_requests_with_equal_scalars_share_a_call(opened):
    version = opened()
    asked = [{"x": np.full([1, 2], index, np.float32), "factor": np.int32(index % 2 + 1)} for index in range(6)]
    asked = [{"x": one["x"], "factor": np.array(one["factor"])} for one in asked]
    found = [one.result(10) for one in at_once(version, "scale", asked)]
    assert [one["scaled"][0, 0] for one in found] == [0, 2, 2, 6, 4, 10]
    assert {rows for one in found for rows in one["rows"].tolist()} == {3}


def test_a_bad_row_fails_its_own_request_alone(opened):
    version = opened()
    asked = [texts("a"), texts("good", "bad"), texts("b"), texts("c"), texts("bad"), texts("d", "e")]
    futures = at_once(version, "serving_default", asked)
    for index, future in enumerate(futures):
        if index in (1, 4):
            with pytest.raises(RequestError, match="bad is no text") as error:
                future.result(10)
            assert error.value.code == "INVALID_ARGUMENT"
        else:
            assert future.result(10)["text"].tolist() == asked[index]["text"].tolist()


def test_an_answer_is_not_padded_to_those_of_other_requests(opened):
    version = opened()
    found = [one.result(10) for one in at_once(version, "split", [texts("a"), texts("abc")])]
    assert [one["characters"].tolist() for one in found] == [[[b"a"]], [[b"a", b"b", b"c"]]]


def test_requests_whose_answers_have_the_same_shape_share_a_call(opened):
    version = opened(max_batch_size=4)
    numbers = ([2], [3], [1, 2], [3], [1])
    asked = [texts(*"ab"[: len(times)]) | {"times": np.array(times, np.int32)} for times in numbers]
    found = [one.result(10) for one in at_once(version, "repeat", asked)]
    copies = [[[b"a"] * 2], [[b"a"] * 3], [[b"a", b""], [b"b"] * 2], [[b"a"] * 3], [[b"a"]]]
    assert [one["copies"].tolist() for one in found] == copies
    assert [one["rows"].tolist() for one in found] == [[3], [2], [3, 3], [2], [1]]
    # One with more rows than a call has is answered in parts if these have the same shape.
    for times, rows in (([2] * 6, [4] * 4 + [2] * 2), ([2] * 5 + [3], [6] * 6)):
        many = texts(*"abcdef") | {"times": np.array(times, np.int32)}
        [one] = [one.result(10) for one in at_once(version, "repeat", [many])]
        assert one["copies"][:, 1].tolist() == [letter.encode() for letter in "abcdef"]
        assert one["rows"].tolist() == rows


def test_a_full_queue_refuses_and_what_was_queued_is_answered(opened):
    version = opened(queue_size=4)
    batcher = version._batchers["serving_default"]
    with batcher._queue.changed:
        futures = [version.submit("serving_default", texts("a")) for _ in range(4)]
        with pytest.raises(RequestError, match="queue of signature serving_default is full") as error:
            version.submit("serving_default", texts("b"))
    assert error.value.status == 429
    assert all(one.result(10)["text"].tolist() == [b"a"] for one in futures)


def test_a_lone_request_does_not_wait_for_others(opened):
    version = opened(max_wait=5.0)
    version.submit("serving_default", texts("a")).result(10)
    began = time.monotonic()
    for _ in range(5):
        version.submit("serving_default", texts("a")).result(10)
    assert time.monotonic() - began < 4.0


def test_clients_that_ask_while_others_are_answered_soon_share_their_calls(opened):
    version, sizes = opened(max_wait=2.0), []
    batcher = version._batchers["count"]
    batcher._observe = sizes.append

    def ask_again_and_again(_) -> None:
        for _ in range(6):
            version.submit("count", {"steps": np.array([100_000], np.int32)}).result(10)

    with ThreadPoolExecutor(4) as clients:
        list(clients.map(ask_again_and_again, range(4)))
    assert sizes[2:5] == [4, 4, 4]


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        ({"max_batch_size": 32}, (1, 31)),  # they fill a call
        ({"queue_size": 2}, (1, 1)),  # no other one is accepted
    ],
)
def test_requests_do_not_wait_for_others_that_cannot_join_them(opened, settings, rows):
    version = opened(max_wait=5.0, **settings)
    first = at_once(version, "count", [{"steps": np.array([300_000], np.int32)}] * 2)
    while version.waiting["count"]:
        time.sleep(0.001)
    began = time.monotonic()
    futures = [version.submit("count", {"steps": np.full(number, 10, np.int32)}) for number in rows]
    assert not any(one.done() for one in first)
    [one.result(10) for one in futures]
    assert time.monotonic() - began < 4.0


def test_after_a_wait_in_vain_the_next_request_does_not_wait(opened):
    version = opened(max_wait=3.0)

    def ask(steps: int):
        return version.submit("count", {"steps": np.array([steps], np.int32)})

    seconds = []
    for _ in range(2):
        first = ask(300_000)
        time.sleep(0.05)
        began = time.monotonic()
        ask(10).result(10)  # its call comes next; the client of the first one does not ask again
        seconds.append(time.monotonic() - began)
        assert first.done()
    assert seconds[1] < 3.0 < seconds[0]


def test_coroutines_get_their_own_answers_and_those_that_have_left_are_not_asked(opened):
    version = opened()

    async def ask_all() -> list:
        batcher = version._batchers["serving_default"]
        with batcher._queue.changed:  # the thread takes nothing until all are queued
            asked = [
                asyncio.create_task(answered(version, "serving_default", texts(text), time.monotonic() + seconds))
                for text, seconds in (("a", 30), ("left", 30), ("bad", 30), ("late", 0.0), ("b", 30))
            ]
            await asyncio.sleep(0)
            asked[1].cancel()
            await asyncio.sleep(0.02)
        return await asyncio.gather(*asked, return_exceptions=True)

    first, left, bad, late, last = asyncio.run(ask_all())
    assert [first["text"].tolist(), last["text"].tolist()] == [[b"a"], [b"b"]]
    assert isinstance(left, asyncio.CancelledError)
    assert (bad.status, late.status) == (400, 504)


def test_an_answer_for_a_loop_that_has_ended_does_no_harm(opened):
    version = opened()

    async def leave() -> None:
        asking = asyncio.create_task(
            answered(version, "count", {"steps": np.array([200_000], np.int32)}, time.monotonic() + 30)
        )
        await asyncio.sleep(0.05)
        assert not asking.done()

    asyncio.run(leave())
    assert version.submit("count", {"steps": np.array([3], np.int32)}).result(30)["steps"].tolist() == [3]


def test_over_http_a_late_answer_is_504_and_a_full_queue_429(serving, small_model, tmp_path):
    small_model(tmp_path / "small")
    limits, batching = Limits(timeout=0.5), BatchingSettings(max_batch_size=1, queue_size=1)
    slow = {"signature_name": "count", "instances": [3_000_000]}
    with serving(tmp_path, limits=limits, batching=batching) as server, ThreadPoolExecutor(6) as pool:
        found = [*pool.map(lambda _: server.predict(slow), range(6))]
        assert {one.status_code for one in found} == {504, 429}
        assert {one.json()["error"] for one in found if one.status_code == 504} == {
            "The request was not answered in time"
        }
        # The signature is still busy; the others answer.
        assert server.predict({"instances": ["a"]}).status_code == 200


def test_many_threads_get_their_own_answers(opened):
    version = opened()
    failures = []

    def ask(name: str) -> None:
        for index in range(30):
            text = f"{name}{index}"
            found = version.submit("serving_default", texts(text)).result(30)
            if found["text"].tolist() != [text.encode()]:
                failures.append(text)

    threads = [threading.Thread(target=ask, args=(letter,)) for letter in "abcdefghijkl"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

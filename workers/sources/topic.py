"""Reads a Kafka topic between two offsets of each partition. Which offsets those are is decided by the rows that are there already."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from core.errors import Invalid
from workers.sources.reach import brokers
from workers.sources.spec import Kafka

BATCH = 10_000
ANSWER_S = 15.0
SILENCE_S = 30.0
QUEUED_KB = 32 * 1024  # what the client reads ahead of us, all partitions together; a slow warehouse slows the reading down
_MOMENT = re.compile(r" \(after \d+ms in state [A-Z_]+.*\)$")
_CAUSES = (KafkaError._SSL, KafkaError._AUTHENTICATION, KafkaError._RESOLVE)


@dataclass(frozen=True, slots=True)
class Message:
    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of a partition: first <= offset < end. missed: those that the broker no longer had before `first`."""

    partition: int
    first: int
    end: int
    missed: int = 0


class Topic:
    """A connection to a topic's brokers, for one run. allowed: hosts that the operator named."""

    def __init__(self, address: Kafka, allowed: Collection[str]) -> None:
        brokers(address.brokers, allowed)
        self._topic, self._allowed = address.topic, allowed
        self._told: list[KafkaError] = []
        self._consumer = Consumer(_settings(address) | {"error_cb": self._told.append}, logger=None)

    def __enter__(self) -> Topic:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._consumer.close()

    def spans(self, positions: Mapping[int, int]) -> tuple[Span, ...]:
        """What each partition holds from these offsets (else the earliest) up to now.

        Raises: Invalid when the brokers do not answer, may not be reached, or hold less than was read before.
        """
        try:
            found = self._listed()
            brokers((f"{one.host}:{one.port}" for one in found.brokers.values()), self._allowed)
            about = found.topics[self._topic]
            if about.error is not None:
                raise _failed(about.error)
            return tuple(self._span(partition, positions.get(partition)) for partition in sorted(about.partitions))
        except KafkaException as error:
            raise _failed(self._cause() or error.args[0]) from error

    def _listed(self) -> Any:
        """What the brokers say of the topic. A refused password is told at once: the client would go on trying it, some twenty times a second."""
        until_s = time.monotonic() + ANSWER_S
        while True:
            try:
                return self._consumer.list_topics(self._topic, timeout=1.0)
            except KafkaException:
                if self._cause() is not None or time.monotonic() > until_s:
                    raise

    def _cause(self) -> KafkaError | None:
        """Why no broker could be spoken to, where the client knows it: a certificate that is not trusted, a password that is wrong."""
        self._consumer.poll(0)
        return next((error for error in self._told if error.code() in _CAUSES), None)

    def _span(self, partition: int, position: int | None) -> Span:
        low, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=ANSWER_S)
        if position is not None and position > high:
            raise Invalid(
                f"Partition {partition} of the topic ends at {high:,}, but {position:,} messages of it were read: it was made anew. Run the "
                "source once with a full refresh.",
                code="source_rewound",
            )
        first = low if position is None else max(low, position)
        return Span(partition, first, high, first - position if position is not None else 0)

    def read(self, spans: Collection[Span], until_s: float) -> Iterator[tuple[list[Message], dict[int, int]]]:
        """Batches of messages, each with the offsets to go on from after it, by partition; until all are read or the clock (monotonic) says stop.

        Raises: Invalid when the brokers no longer answer.
        """
        left = {span.partition: span for span in spans if span.first < span.end}
        at = {span.partition: span.first for span in spans}
        if not left:
            return
        self._consumer.assign([TopicPartition(self._topic, span.partition, span.first) for span in left.values()])
        heard_s = time.monotonic()
        while left and time.monotonic() < until_s:
            batch: list[Message] = []
            for one in self._consumer.consume(BATCH, timeout=1.0):
                partition, offset, error = one.partition() or 0, one.offset() or 0, one.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise _failed(error)
                span = left.get(partition)
                if span is None:
                    continue
                if error is None and offset < span.end:
                    batch.append(Message(partition, offset, int(one.timestamp()[1]), one.key(), one.value()))
                    at[partition] = offset + 1
                # The last offsets may be marks of transactions, which are no messages: then the end of what can be read says how far that is, and
                # of a transaction that is not over it is less than was asked for.
                if error is not None or offset + 1 >= span.end:
                    at[partition] = span.end if error is None else max(at[partition], min(offset, span.end))
                    del left[partition]
                    self._consumer.pause([TopicPartition(self._topic, partition)])
            if batch or not left:
                heard_s = time.monotonic()
                yield batch, dict(at)
            elif time.monotonic() - heard_s > SILENCE_S:
                raise Invalid(f"The brokers sent nothing for {SILENCE_S:.0f} s; test the connection.", code="source_unreachable")


def _settings(address: Kafka) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "bootstrap.servers": ",".join(address.brokers),
        "group.id": "querent",  # named in the brokers' logs; nothing is committed to it
        "client.id": "querent",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "queued.max.messages.kbytes": QUEUED_KB,
        "reconnect.backoff.ms": 500,
        "socket.timeout.ms": int(ANSWER_S * 1000),
        "allow.auto.create.topics": False,
        "security.protocol": f"{'sasl_' if address.user else ''}{'ssl' if address.tls else 'plaintext'}",
        "log_level": 0,  # else each failed attempt to connect, twenty a second, is a line on standard error that is no JSON
    }
    if address.user:
        settings |= {
            "sasl.mechanism": address.mechanism,
            "sasl.username": address.user,
            "sasl.password": address.password.get_secret_value(),
        }
    return settings


def _failed(error: KafkaError) -> Invalid:
    return Invalid(
        f"The topic cannot be read: {_MOMENT.sub('', error.str())[:200]} ({error.name()}). Test the connection.", code="source_unreadable"
    )

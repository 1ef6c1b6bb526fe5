"""The task: which labels there are and how they are told apart, read from one TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.resources import schemas


class TaskKind(StrEnum):
    """What is asked of a micrograph."""

    NOMINAL = "nominal"
    """One of several labels."""
    ORDINAL = "ordinal"
    """One of several labels that stand in an order, such as good < fair < poor."""
    REGRESSION = "regression"
    """A number with a unit."""


@dataclass(frozen=True)
class LabelSource:
    """Where labels may come from.

    Attributes:
        name: ``review``, ``file``, ``record``, ``rule``, ...
        vocabulary: the labels it is able to say; None where it can say all.
        refines: whether its word overrules a better-ranked source whose vocabulary lacks that word.
    """

    name: str
    vocabulary: tuple[str, ...] | None
    refines: bool

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> LabelSource:
        """A source from its table of the task file."""
        refines = data.get("refines", False)
        if not isinstance(refines, bool):
            raise TypeError(f"refines of the source {data['name']} must be true or false, not {refines!r}")
        return cls(data["name"], tuple(data["vocabulary"]) if "vocabulary" in data else None, refines)


@dataclass(frozen=True)
class Rule:
    """A regular expression over a lower-case sentence, and the label it suggests."""

    label: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Task:
    """A labelling task.

    Attributes:
        kind: what is asked: a label, a label with a place in an order, or a number.
        labels: all labels, in the order in which they are shown; of an ordinal task in their own order. Empty of a
            number, as are the roles, sources, spellings, rules and the labelling page.
        positive, negative, partial: the three roles that a label can play in a split.
        sources: where labels may come from, the first that speaks wins.
        file_suffixes: suffix of a published file name -> label.
        spellings: how records spell a label, lower case -> label.
        rules: what words suggest, in the order in which they are tried.
        not_a_micrograph, unsure: answers of a reviewer that are no label.
        labelstudio: file of the labelling page in schemas/labelstudio.
        column: of a number, where records have it: a field of records, or a column of the table they came from.
        unit: of a number, such as ``um``.
    """

    name: str
    title: str
    question: str
    labels: tuple[str, ...] = ()
    positive: str = ""
    negative: str = ""
    partial: str = ""
    labelstudio: str = ""
    not_a_micrograph: str = ""
    unsure: str = ""
    sources: tuple[LabelSource, ...] = ()
    file_suffixes: Mapping[str, str] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    kind: TaskKind = TaskKind.NOMINAL
    column: str = ""
    unit: str = ""

    @classmethod
    def load(cls, name_or_path: str = "compatibility") -> Task:
        """Read a task by the name of a file in schemas/tasks, or from a path that ends in ``.toml``.

        Raises:
            InputError: if the file is missing, is no TOML, lacks a key or uses a label it does not list.
        """
        is_path = name_or_path.endswith(".toml")
        path = Path(name_or_path) if is_path else schemas() / "tasks" / f"{name_or_path}.toml"
        if not is_path and not re.fullmatch(r"[\w-]+", name_or_path):
            raise InputError(f"{name_or_path!r} is no name of a task.", "Name a file in schemas/tasks or a .toml path.")
        try:
            task = cls._from(_read(path))
            task._check(path)
            return task
        except FileNotFoundError:
            known = ", ".join(task_names())
            raise InputError(f"There is no task {name_or_path!r}.", f"Known tasks: {known}.") from None
        except (OSError, re.error, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} is not a task: {error}") from error
        except KeyError as error:
            raise InputError(f"{path} lacks the key {error}.") from error

    @classmethod
    def _from(cls, data: Mapping[str, Any]) -> Task:
        kind = _kind(data.get("kind", TaskKind.NOMINAL))
        asked: dict[str, Any] = {name: data[name] for name in ("name", "title", "question")}
        if kind is TaskKind.REGRESSION:
            return cls(**asked, kind=kind, column=_words(data, "column"), unit=_words(data, "unit"))
        return cls(
            **asked,
            **{name: data[name] for name in ("positive", "negative", "partial", "labelstudio")},
            kind=kind,
            labels=tuple(data["labels"]),
            not_a_micrograph=data["review"]["not_a_micrograph"],
            unsure=data["review"]["unsure"],
            sources=tuple(LabelSource.read(s) for s in data["sources"]),
            file_suffixes=dict(data["file_suffixes"]),
            spellings=dict(data["spellings"]),
            rules=tuple(Rule(r["label"], re.compile(r["pattern"])) for r in data["rules"]),
        )

    def _check(self, path: Path) -> None:
        if self.kind is TaskKind.REGRESSION:
            return
        used = [self.positive, self.negative, self.partial, *self.file_suffixes.values(), *self.spellings.values()]
        used += [r.label for r in self.rules] + [w for s in self.sources for w in s.vocabulary or ()]
        unknown = sorted(set(used) - set(self.labels))
        if unknown:
            raise InputError(f"{path} uses labels that it does not list: {', '.join(unknown)}.")

    @property
    def choices(self) -> tuple[str, ...]:
        """Every answer that a reviewer may give: the labels, then the answers that are no label."""
        return (*self.labels, self.not_a_micrograph, self.unsure)

    def label_of(self, spelling: str) -> str | None:
        """The label that a record's spelling means, None where it is unknown.

        Case, runs of spaces, and underscores do not matter.
        """
        return self.spellings.get(" ".join(spelling.replace("_", " ").lower().split()))

    @property
    def asked(self) -> dict[str, str]:
        """What is asked, as splits note it: nothing where it is one of several labels, so that older digests stay."""
        if self.kind is TaskKind.NOMINAL:
            return {}
        of_number = {"column": self.column, "unit": self.unit} if self.kind is TaskKind.REGRESSION else {}
        return {"kind": str(self.kind), **of_number}

    def positive_among(self, classes: Sequence[str]) -> str:
        """What counts as positive where these labels occur: the task's positive one, without it the first of them.

        Args:
            classes: in the task's order; of a number its bins, of which the highest counts.
        """
        if not self.positive:
            return classes[-1]
        return self.positive if self.positive in classes else classes[0]

    @property
    def usual_partial(self) -> str:
        """What is done with partial images unless something else is asked for: in an order they have their place."""
        return "own-class" if self.kind is TaskKind.ORDINAL else "drop"

    def partial_policies(self) -> dict[str, str | None]:
        """What may be done with partial images, and as what they then count: None leaves them out."""
        sides = {f"as-{side}": side for side in (self.positive, self.negative)}
        return {"drop": None, **sides, "own-class": self.partial}


def task_names() -> list[str]:
    """The tasks that polydata comes with, by the names of their files."""
    return sorted(path.stem for path in (schemas() / "tasks").glob("*.toml"))


def _read(path: Path) -> dict[str, Any]:
    """A task file, with what it does not say itself taken from the task that it ``extends``."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    if "extends" not in data:
        return data
    base = schemas() / "tasks" / f"{_words(data, 'extends')}.toml"
    if not base.is_file():
        raise ValueError(f"it extends {data['extends']!r}, which is no task in schemas/tasks")
    return tomllib.loads(base.read_text(encoding="utf-8")) | data


def _kind(word: Any) -> TaskKind:
    if word not in list(TaskKind):
        raise ValueError(f"kind is {', '.join(TaskKind)}, not {word!r}")
    return TaskKind(word)


def _words(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{name} must be words, not {value!r}")
    return value.strip()

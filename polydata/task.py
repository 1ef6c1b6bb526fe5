"""The task: which labels there are and how they are told apart, read from one TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.resources import schemas


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
        labels: all labels, in the order in which they are shown.
        positive, negative, partial: the three roles that a label can play in a split.
        sources: where labels may come from, the first that speaks wins.
        file_suffixes: suffix of a published file name -> label.
        spellings: how records spell a label, lower case -> label.
        rules: what words suggest, in the order in which they are tried.
        not_a_micrograph, unsure: answers of a reviewer that are no label.
        labelstudio: file of the labelling page in schemas/labelstudio.
    """

    name: str
    title: str
    question: str
    labels: tuple[str, ...]
    positive: str
    negative: str
    partial: str
    labelstudio: str
    not_a_micrograph: str
    unsure: str
    sources: tuple[LabelSource, ...]
    file_suffixes: Mapping[str, str]
    spellings: Mapping[str, str]
    rules: tuple[Rule, ...]

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
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            task = cls._from(data)
        except FileNotFoundError:
            known = ", ".join(sorted(p.stem for p in (schemas() / "tasks").glob("*.toml")))
            raise InputError(f"There is no task {name_or_path!r}.", f"Known tasks: {known}.") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, re.error, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a task: {error}") from error
        except KeyError as error:
            raise InputError(f"{path} lacks the key {error}.") from error
        task._check(path)
        return task

    @classmethod
    def _from(cls, data: Mapping[str, Any]) -> Task:
        plain = ("name", "title", "question", "positive", "negative", "partial", "labelstudio")
        return cls(
            **{name: data[name] for name in plain},
            labels=tuple(data["labels"]),
            not_a_micrograph=data["review"]["not_a_micrograph"],
            unsure=data["review"]["unsure"],
            sources=tuple(LabelSource.read(s) for s in data["sources"]),
            file_suffixes=dict(data["file_suffixes"]),
            spellings=dict(data["spellings"]),
            rules=tuple(Rule(r["label"], re.compile(r["pattern"])) for r in data["rules"]),
        )

    def _check(self, path: Path) -> None:
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

    def partial_policies(self) -> tuple[str, ...]:
        """What may be done with partial images: leave out, count as either side, or keep as a class."""
        return ("drop", f"as-{self.positive}", f"as-{self.negative}", "own-class")

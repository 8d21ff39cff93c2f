"""The course of a training: how far it is, what is held out says of it, what is kept of it, and when it ends.

All that a kill must not cost is in two files that are written aside and renamed: the trainer's state, and the best
weights so far, whose file is named by the step that the state tells of.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import Unpermitted
from ..trust.permit import Permit
from . import room, speaking
from .settings import Job

STATE, LOG, SAMPLES = "state.ckpt", "log.jsonl", "samples"
_OFTEN = 1.0  # Seconds between two words about progress, and between two looks at consent.


class Course:
    """Told of each step by the trainer."""

    def __init__(self, job: Job, held: Any, sentence: str, example: Path) -> None:
        self.job, self.run = job, Path(job.run)
        self._held, self._sentence, self._example = held, sentence, example
        self._permit = Permit(*job.permit) if job.permit else None
        self._begun = self._told = time.monotonic()
        self._before = 0.0  # Seconds of training in earlier processes.
        self._loss: list[float] = []
        self._looked, self._resumed = -1, False
        self.best, self.best_step, self.waits, self.why = float("inf"), 0, 0, ""

    @property
    def seconds(self) -> float:
        """Of training, in all processes together."""
        return self._before + time.monotonic() - self._begun

    @property
    def best_weights(self) -> Path:
        """The weights that came out best."""
        return self.run / f"best-{self.best_step:06d}.pt"

    def state(self) -> dict[str, Any]:
        """What belongs into the trainer's state."""
        return {"seconds": self.seconds, "best": self.best, "best_step": self.best_step, "waits": self.waits}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._before, self._resumed = state["seconds"], True
        self.best, self.best_step, self.waits = state["best"], state["best_step"], state["waits"]

    def begins(self, trainer: Any, model: Any) -> None:
        """The training begins, or goes on. The base is looked at first: what is no better than that is not kept."""
        self._looked, self._begun = int(trainer.global_step), time.monotonic()
        tell({"event": "begins", "step": self._looked, "resumed": self._resumed})
        if not self._resumed:
            self.look(trainer, model)

    def step(self, trainer: Any, model: Any, loss: float) -> None:
        """A batch is done; most of them end a step."""
        if not math.isfinite(loss):
            raise Diverged(f"the loss is no number at step {trainer.global_step}")
        self._loss.append(loss)
        step, now = int(trainer.global_step), time.monotonic()
        if now - self._told >= _OFTEN:
            self._told = now
            self._uphold()
            tell({"event": "step", "step": step, "loss": self._mean(), "left": self._left(step), "best": self._best()})
        self.why = self.why or self._over(step)
        if step > self._looked and (step % self.job.settings.every == 0 or self.why):
            self.look(trainer, model)
        trainer.should_stop = bool(self.why)

    def look(self, trainer: Any, model: Any) -> None:
        """Measure what is held out, let it be heard, and keep what a kill must not cost."""
        step = self._looked = int(trainer.global_step)
        held = self._measured(model)
        better = held < self.best
        if better:
            self.best, self.best_step, self.waits = held, step, 0
            with room.whole(self.best_weights) as aside:
                import_module("torch").save(model.state_dict(), aside)
        else:
            self.waits += 1
        sample = self._sample(model, step)
        line = {"step": step, "loss": self._mean(), "held": held, "sample": sample, "seconds": round(self.seconds, 1)}
        with (self.run / LOG).open("a", encoding="utf-8") as stream:
            stream.write(f"{json.dumps(line)}\n")
        self._loss.clear()
        with room.whole(self.run / STATE) as aside:
            trainer.save_checkpoint(aside, weights_only=False)
        for older in set(self.run.glob("best-*.pt")) - {self.best_weights}:
            older.unlink()
        tell({"event": "look", **line, "better": better, "best_step": self.best_step})
        if self.waits >= self.job.settings.patience and not self.why:
            self.why = f"what is held out has not come out better since step {self.best_step}"

    def _over(self, step: int) -> str:
        if self.job.seconds is not None and step and self.seconds >= self.job.seconds:
            return "its time is over"
        return "it has done all its steps" if step >= self.job.settings.most else ""

    def _uphold(self) -> None:
        """Raises Unpermitted where the person's consent is not what it was."""
        if self._permit is not None:
            self._permit.uphold()

    def _mean(self) -> float | None:
        return round(sum(self._loss) / len(self._loss), 4) if self._loss else None

    def _best(self) -> float | None:
        return round(self.best, 4) if self.best < float("inf") else None

    def _left(self, step: int) -> float | None:
        """Seconds until its time is over; without a limit, until all steps are done at this pace."""
        if self.job.seconds is not None:
            return max(0.0, self.job.seconds - self.seconds)
        return self.seconds / step * (self.job.settings.most - step) if step else None

    def _measured(self, model: Any) -> float:
        """The mean loss of what is held out; each time with the same random numbers, and none of the training's."""
        torch = import_module("torch")
        state = random.getstate()
        losses = []
        with torch.random.fork_rng(), torch.no_grad():
            random.seed(self.job.settings.seed)
            torch.manual_seed(self.job.settings.seed)
            model.eval()
            for batch in self._held:
                here = model.transfer_batch_to_device(batch, model.device, 0)
                with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
                    losses.append(float(model.process_batch(here)["loss"]))
            model.train()
        random.setstate(state)
        return round(sum(losses) / len(losses), 5)

    def _sample(self, model: Any, step: int) -> str:
        """A held-out sentence as the voice says it now."""
        torch = import_module("torch")
        state, name = random.getstate(), f"{SAMPLES}/step-{step:06d}.wav"
        with torch.random.fork_rng():
            speaking.say(
                model, self._sentence, self.job.language, self._example, self.run / name, self.job.settings.seed
            )
        random.setstate(state)
        model.train()
        return name


class Diverged(Exception):
    """The loss has become no number."""


def tell(said: dict[str, Any]) -> None:
    """A line for whoever started this process; who has gone hears nothing."""
    try:
        sys.__stdout__.write(f"{json.dumps(said)}\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]
    except BrokenPipeError:
        raise Unpermitted("nobody listens any more") from None

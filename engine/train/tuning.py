"""The training process: NeMo's trainer on a dataset, from a base that was looked over. Reads a job, tells JSON lines.

`python -m engine.train.tuning JOB` ends with its standard input, so that it never outlives who started it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import traceback
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

from ..backends import nemo_fit, nemo_model, nemo_speak
from ..errors import MikebotError, Unpermitted
from . import alone, room
from .course import LOG, STATE, Course, Diverged, tell
from .settings import Job

VOICE = "voice.nemo"
_TARGET = "nemo.collections.tts.data.text_to_speech_dataset.MagpieTTSDataset"


def main(arguments: list[str]) -> int:
    """Train, save, restore what was saved. What went wrong is told as the last line."""
    threading.Thread(target=_ends_with_input, daemon=True).start()
    job = Job.read(Path(arguments[0]).read_text("utf-8"))
    try:
        sys.stdout = sys.stderr  # What NeMo prints is for the log.
        with _alone(job), room.told(Path(job.run)), tempfile.TemporaryDirectory() as folder, nemo_model.offline():
            _train(job, Path(folder))
    except Unpermitted as problem:
        hint = "Look at persona.yaml, and type the same again: what was trained is kept."
        tell({"event": "failed", "message": f"the training was stopped: {problem}", "hint": hint, "code": 2})
        return 2
    except (MikebotError, Diverged) as problem:
        hint = getattr(problem, "hint", "Listen to what the dataset holds; a lower rate may help.")
        tell({"event": "failed", "message": getattr(problem, "message", str(problem)), "hint": hint})
        return 1
    except Exception as problem:
        traceback.print_exc()
        tell({"event": "failed", **_words(problem)})
        return 1
    return 0


def _words(problem: Exception) -> dict[str, str]:
    if type(problem).__name__ == "OutOfMemoryError":
        hint = "End what else uses the GPU, or train on a card with more."
        return {"message": "the GPU has too little memory for this training", "hint": hint}
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return {"message": f"{type(problem).__name__}: {lines[0][:300] if lines else ''}", "hint": "nemo.log has the rest."}


def _alone(job: Job) -> AbstractContextManager[None]:
    """Its command holds a lock too; but a command that is killed is gone at once, and its training a moment later."""
    said = "the training process of a command that was ended is still there"
    return alone.held(Path(job.run) / "training.lock", said, alone.LAST_WORDS)


def _ends_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _train(job: Job, folder: Path) -> None:
    """One training, from where the last one was ended."""
    torch = import_module("torch")
    lightning = import_module("lightning.pytorch")
    run = Path(job.run)
    base = nemo_model.opened(Path(job.base), Path(job.codec), folder / "base")
    lightning.seed_everything(job.settings.seed, verbose=False)
    trainer = _trainer(torch, lightning, job)
    model = nemo_model.built(base, trainer, optim=_optim(job))
    nemo_model.fill(nemo_model.ready(model), base)
    words = nemo_speak.tokenizer_of(model, job.language)
    model.setup_training_data(_data(job, words, "train.jsonl", shuffled=True))
    state = run / STATE
    _trimmed(run, state)
    held = model._setup_test_dataloader(_data(job, words, "held-out.jsonl", shuffled=False))
    course = Course(job, held, *_sentence(Path(job.dataset)))
    trainer.callbacks.append(_hook(lightning, course))
    trainer.fit(model, ckpt_path=str(state) if state.exists() else None)
    model.load_state_dict(torch.load(course.best_weights, map_location="cpu", weights_only=True))
    tell({"event": "saves"})
    _saved(model, job, folder)
    told = {"step": course.best_step, "held": course.best, "why": course.why, "seconds": round(course.seconds, 1)}
    told["speakers"] = int(model.num_baked_speakers)
    tell({"event": "done", **told})


def _trainer(torch: Any, lightning: Any, job: Job) -> Any:
    gpu = torch.cuda.is_available()
    return lightning.Trainer(
        max_steps=job.settings.most,
        max_epochs=-1,
        accelerator="gpu" if gpu else "cpu",
        devices=1,
        precision="bf16-mixed" if gpu else "32-true",
        accumulate_grad_batches=job.settings.accumulate,
        gradient_clip_val=job.settings.clip,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        use_distributed_sampler=False,
    )


def _optim(job: Job) -> dict[str, Any]:
    return {"_target_": "torch.optim.AdamW", "lr": job.settings.rate, "betas": [0.9, 0.98], "weight_decay": 0.01}


def _data(job: Job, tokenizer: str, manifest: str, *, shuffled: bool) -> Any:
    """What NeMo's dataset of a manifest is made of; `tokenizer` is that of the language."""
    rows = (Path(job.dataset) / manifest).read_text("utf-8").count("\n")
    meta = {
        "manifest_path": str(Path(job.dataset) / manifest),
        "audio_dir": job.dataset,
        "feature_dir": None,
        "sample_weight": 1.0,
        "tokenizer_names": [tokenizer],
    }
    size = max(1, min(job.settings.batch, rows))
    # Weighted sampling shuffles, and makes an epoch of so many batches.
    steps = max(1, rows // size) if shuffled else None
    data = {"_target_": _TARGET, "dataset_meta": {"persona": meta}, "min_duration": 0.2, "max_duration": 20.0}
    loader = {"batch_size": size, "num_workers": 0, "drop_last": shuffled, "pin_memory": False}
    said = {"datasets": {**data, "weighted_sampling_steps_per_epoch": steps}, "dataloader_params": loader}
    return import_module("omegaconf").OmegaConf.create(said)


def _sentence(dataset: Path) -> tuple[str, Path]:
    """A sentence that is held out, and the example of the voice that it is said after."""
    row = json.loads((dataset / "held-out.jsonl").read_text("utf-8").splitlines()[0])
    return row["text"], dataset / row["context_audio_filepath"]


def _trimmed(run: Path, state: Path) -> None:
    """The log without what came after the state that is gone on from."""
    log = run / LOG
    if not state.exists():
        log.unlink(missing_ok=True)
    elif log.exists():
        step = import_module("torch").load(state, map_location="cpu", weights_only=False)["global_step"]
        lines = [line for line in log.read_text("utf-8").splitlines() if line.endswith("}")]
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        log.write_text("".join(f"{line}\n" for line in kept), "utf-8")


def _hook(lightning: Any, course: Course) -> Any:
    """A callback of the trainer that hands on what it is told."""

    class Hook(lightning.Callback):  # type: ignore[misc]
        state_key = "mikebot"

        def state_dict(self) -> dict[str, Any]:
            return course.state()

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            course.resume(state_dict)

        def on_train_start(self, trainer: Any, model: Any) -> None:
            course.begins(trainer, model)

        def on_train_batch_end(self, trainer: Any, model: Any, outputs: Any, *_: Any) -> None:
            course.step(trainer, model, float(outputs["loss"]) * course.job.settings.accumulate)

    return Hook()


def _saved(model: Any, job: Job, folder: Path) -> None:
    """Save the voice without what training added, and see that it can be restored. Raises BackendError."""
    conf = import_module("omegaconf")
    with conf.open_dict(model.cfg):
        for name in ("train_ds", "validation_ds", "optim"):  # With these it would look for the dataset when restored.
            model.cfg.pop(name, None)
        model.cfg.codecmodel_path = Path(job.codec).name  # Where it lies is this machine's, and told anew each time.
        model.cfg.update(nemo_fit.facts(model))
    with room.whole(Path(job.run) / VOICE) as aside:
        model.save_to(str(aside))
        nemo_model.restored(aside, Path(job.codec), folder / "again")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

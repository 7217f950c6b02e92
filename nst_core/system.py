"""What a run ran on: library versions, device, memory."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
LIBRARIES = ("tensorflow", "keras", "numpy", "pillow", "scipy", "scikit-image")


def library_versions() -> dict[str, str]:
    """Versions of Python, of this program and of the libraries that decide a run's numbers."""
    versions = {"python": platform.python_version()}
    for name in ("nst-studio", *LIBRARIES):
        try:
            versions[name] = metadata.version(
                "tensorflow-cpu" if name == "tensorflow" and _cpu_build() else name
            )
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _cpu_build() -> bool:
    try:
        metadata.version("tensorflow-cpu")
    except metadata.PackageNotFoundError:
        return False
    return True


def device_name() -> str:
    """The GPU that TensorFlow will use, else the processor and how many cores it may use."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return str(details.get("device_name", "GPU"))
    return f"CPU, {cores()} cores ({platform.machine()})"


def processor_name() -> str:
    """The processor's model, or its family where the system does not tell more."""
    for line in CPUINFO.read_text("utf-8", "replace").splitlines() if CPUINFO.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def computes_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself (AVX512-BF16 or AMX) and TensorFlow makes use of it.

    TensorFlow is not asked, which would mean to import it: it hands convolutions to oneDNN on these
    processors unless it is told not to. Known on Linux alone; elsewhere False.
    """
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" or not CPUINFO.exists():
        return False
    lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory_mb() -> float | None:
    """Most resident memory of this process so far, MB (10^6 bytes); None where the system does not tell."""
    # Not ru_maxrss first: on Linux a process inherits it from the one that started it.
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    for line in lines:
        if line.startswith("VmHWM"):  # not every sandbox tells it
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


def settle_tensorflow() -> None:
    """What TensorFlow reads when it is imported, so to be called before; what is set already stays.

    Fewer start-up messages; no Keras, which only weight files need; and on a GPU no more memory than is
    used, where TensorFlow would take all of it at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

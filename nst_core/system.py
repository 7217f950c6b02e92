"""What a run runs on: library versions, processor and device, memory used and free."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
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
    return _computes_with({"avx512_bf16", "amx_bf16"})


def has_amx() -> bool:
    """Whether it does so in AMX' tiles, see `computes_bfloat16`."""
    return _computes_with({"amx_bf16"})


def expects_onednn() -> bool:
    """Whether TensorFlow will hand convolutions to oneDNN, as far as can be told without importing it."""
    told = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    return told == "1" or _computes_with({"avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16"})


def numpy_lacks_avx512() -> bool:
    """Whether TensorFlow computes with AVX512 and NumPy's matrix products do without.

    So does OpenBLAS on processors that it does not know: on an AMD EPYC of 2024 a product takes it twice as
    long as TensorFlow.
    """
    if not expects_onednn() or not _computes_with({"avx512f"}):
        return False
    kernels = [library.get("architecture") for library in threadpool_info() if library["user_api"] == "blas"]
    return bool(kernels) and all(kernel in {"Haswell", "Zen"} for kernel in kernels)


def _computes_with(wanted: set[str]) -> bool:
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" or not CPUINFO.exists():
        return False
    return not wanted.isdisjoint(_flags())


def _flags() -> list[str]:
    lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    return next((line.split() for line in lines if line.startswith("flags")), [])


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


def available_memory(*, meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that this process may still take: the machine's or its container's, whichever is less.

    None where the system does not tell.
    """
    known = [free for free in (_machine_free(meminfo), _container_free(cgroup)) if free is not None]
    return max(0, min(known)) if known else None


def _machine_free(meminfo: Path) -> int | None:
    for line in (_read(meminfo) or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    names = getattr(os, "sysconf_names", {})
    if "SC_AVPHYS_PAGES" in names and "SC_PAGE_SIZE" in names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _container_free(cgroup: Path) -> int | None:
    """What is left of a container's limit (cgroup, second version); None without one."""
    most, used = _read(cgroup / "memory.max"), _read(cgroup / "memory.current")
    if most is None or used is None or not most.isdigit() or not used.isdigit():
        return None  # "max" is no limit
    stat = dict(line.split(maxsplit=1) for line in (_read(cgroup / "memory.stat") or "").splitlines())
    # Files that were read long ago are counted as used, and dropped as soon as memory is wanted.
    return int(most) - int(used) + int(stat.get("inactive_file", 0))


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return None


def give_back_freed() -> bool:
    """Return what was freed to the system, after a run; whether there was anything, and a way to do it.

    glibc keeps it otherwise, for each thread apart: about 100 MB after a draft at 256 pixels.
    """
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    return trim is not None and trim(0) == 1


def settle_tensorflow() -> None:
    """What TensorFlow reads when it is imported, so to be called before; what is set already stays.

    Fewer start-up messages; no Keras, which only weight files need; and on a GPU no more memory than is
    used, where TensorFlow would take all of it at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

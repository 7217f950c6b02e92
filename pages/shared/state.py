"""What the process and the visitor hold: models, the queue, uploads, finished runs."""

import os
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from nst_core.config import TransferConfig
from nst_core.downloads import Downloads
from nst_core.errors import RunError
from nst_core.imagenet import Progress
from nst_core.images import Picture
from nst_core.jobs import MOST_KEPT, Epilogue, Job, JobQueue
from nst_core.lanes import Lane, Request
from nst_core.models import Models
from nst_core.networks import Network
from nst_core.presets import PRESETS
from nst_core.records import WeightsSource
from nst_core.speed_file import speed_path
from nst_core.speeds import Speeds
from nst_core.system import settle_tensorflow
from nst_core.warming import Warming

settle_tensorflow()  # before a job's thread imports it

_VISITOR, _JOBS, _RUNS, _UPLOADS = "state.visitor", "state.jobs", "state.runs", "state.uploads"
JOB_PAGES = ("transfer", "compare")  # those that start jobs
KEEP_ALIVE = 20  # seconds between two signs of life, well under the queue's patience
GLANCE = 2  # seconds between two looks at whether a job has ended
MOST_RUNS = 24  # finished runs kept for a visitor
GONE = f"The run of this address is gone: the last {MOST_KEPT} jobs are kept, none over a restart."


class AppModels(Models):
    """Models that leave no Keras behind where Streamlit looks for it.

    After each run of a page Streamlit calls `clear_session` of a `keras` that it finds among the loaded
    modules. That throws away what TensorFlow has compiled while a job is using it, and every step waits until
    it is made again. Only reading weight files needs Keras, and importing it again later is cheap.
    """

    def network(
        self, config: TransferConfig, *, progress: Progress = lambda done, size: None
    ) -> tuple[Network, WeightsSource]:
        """As `Models.network`."""
        try:
            return super().network(config, progress=progress)
        finally:
            sys.modules.pop("keras", None)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all visitors share: loaded models, the queue of jobs, and how fast runs go here."""

    models: Models
    queue: JobQueue
    speeds: Speeds
    downloads: Downloads
    warming: Warming


@st.cache_resource(show_spinner=False)
def workshop() -> Workshop:
    """The process' one workshop. Models are loaded into it once, whoever asks, from whichever page."""
    models = AppModels()
    # What the first press of Run asks for when nothing was changed.
    usual = TransferConfig(**PRESETS["draft"].settings())
    speeds = Speeds(speed_path())
    warming = Warming(models, usual, learn=speeds.learn_warming)
    return Workshop(models, JobQueue(models), speeds, Downloads(), warming)


def visitor() -> str:
    """This visitor's own name, for the queue; not guessable by others."""
    return str(st.session_state.setdefault(_VISITOR, uuid.uuid4().hex))


def current_job(page: str) -> Job | None:
    """The job that this page watches: the last in its address, which survives a reload, else its last one.

    Ids have 122 random bits, so a job is found only by who was given its address. The others that it names
    are this visitor's finished ones, which a reload is not to forget either.
    """
    queue, named = workshop().queue, _named()
    found = [job for job in map(queue.find, named) if job is not None]
    if len(found) < len(named):
        _name([job.id for job in found])
        _tell_gone()
    job = found[-1] if found else queue.find(st.session_state.get(f"{page}.job", ""))
    for each in found if job is None else (*found, job):
        if each.state == "done":
            collect(each)
    if job is not None:
        watch(page, job)
    return job


def _name(job_ids: Sequence[str]) -> None:
    """Put these jobs into the page's address."""
    if job_ids:
        st.query_params["job"] = ",".join(job_ids)
    elif "job" in st.query_params:
        del st.query_params["job"]


def _tell_gone() -> None:
    st.toast(GONE, icon=":material/history:", duration="long")


def watch(page: str, job: Job) -> None:
    """Make this page show the job, also after a reload, which keeps the visitor's finished ones too."""
    st.session_state[f"{page}.job"] = job.id
    others = [known for known in dict.fromkeys((*_jobs(), *_named())) if workshop().queue.find(known)]
    _name([*(known for known in others if known != job.id), job.id])


def start(
    page: str, requests: Sequence[Request], *, together: bool = True, epilogue: Epilogue | None = None
) -> Job:
    """Ask for a job and make this page show it; RunError while another page's job of this visitor goes on."""
    queue = workshop().queue
    going = queue.unfinished(visitor())
    for other in JOB_PAGES:
        if going is not None and other != page and st.session_state.get(f"{other}.job") == going.id:
            raise RunError(
                f"Your run on the {other.capitalize()} page is still going; stop it there, or wait."
            )
    job = queue.submit(requests, owner=visitor(), together=together, epilogue=epilogue)
    watch(page, job)
    return job


def keep_alive(awaited: Sequence[Job] = ()) -> None:
    """Tell the visitor's unfinished jobs that somebody is here, on whichever page, now and every so often.

    awaited: jobs whose end the page did not know when it was drawn; it is drawn anew as soon as one ends.

    Called last by every page, so that no element changes its place when a job begins or ends, and so that
    nothing is loaded ahead before a page is drawn.
    """
    if os.environ.get("NST_WARM_UP", "1") != "0":
        workshop().warming.begin()
    jobs = awaited or unfinished_jobs()

    def touch() -> None:
        for job in jobs:
            job.touch()
        if any(job.state == "done" for job in awaited):
            st.rerun()

    if jobs:
        st.fragment(touch, run_every=GLANCE if awaited else KEEP_ALIVE)()


def unfinished_jobs() -> list[Job]:
    """This visitor's, and those that the page's address names, which are of before a reload."""
    queue = workshop().queue
    found = [queue.unfinished(visitor()), *map(queue.find, _named())]
    return [job for job in found if job is not None and job.state != "done"]


def finished_runs() -> dict[str, Lane]:
    """This visitor's finished runs by record id, oldest first; also those that ended while nobody looked.

    The page's address names their jobs, so that a reload finds them again.
    """
    queue, named = workshop().queue, _named()
    started = [st.session_state[f"{page}.job"] for page in JOB_PAGES if f"{page}.job" in st.session_state]
    for job_id in (*named, *started):
        job = queue.find(job_id)
        if job is not None and job.state == "done":
            collect(job)
    if any(queue.find(job_id) is None and job_id not in _jobs() for job_id in named):
        _tell_gone()
    here = [job_id for job_id in dict.fromkeys((*_jobs(), *named, *started)) if queue.find(job_id)]
    _name(here)
    return _runs()


def _named() -> list[str]:
    """The jobs that the page's address names."""
    return list(filter(None, st.query_params.get("job", "").split(",")))


def _jobs() -> dict[str, None]:
    jobs: dict[str, None] = st.session_state.setdefault(_JOBS, {})
    return jobs


def _runs() -> dict[str, Lane]:
    runs: dict[str, Lane] = st.session_state.setdefault(_RUNS, {})
    return runs


def collect(job: Job) -> None:
    """Put the job's finished runs among the visitor's, and learn their speed."""
    if job.id in _jobs():  # what has made room for newer runs since is not to come back as the newest
        return
    runs = _runs()
    _jobs()[job.id] = None
    for lane in job.lanes:
        if lane.run is not None and lane.run.picture is not None and lane.run.record.id not in runs:
            runs[lane.run.record.id] = lane
            workshop().speeds.learn(lane.run.record)
    for record_id in list(runs)[:-MOST_RUNS]:
        del runs[record_id]


def uploads() -> dict[str, Picture]:
    """This visitor's own pictures by SHA-256."""
    pictures: dict[str, Picture] = st.session_state.setdefault(_UPLOADS, {})
    return pictures

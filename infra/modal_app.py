"""trm on Modal: `trm serve` as a web server, and data sets, weights, trainings and evaluations as functions.

    cargo build --release -p trm-cli --features cuda,hub,serve  # the binary that is uploaded; see infra/README.md
    modal secret create trm-serve TRM_SERVE_TOKEN=$(openssl rand -hex 32)
    modal deploy infra/modal_app.py                   # CPU; with a GPU: TRM_GPU=H100 modal deploy …

    modal run infra/modal_app.py::prepare_dataset
    modal run infra/modal_app.py::download_weights
    modal run --detach infra/modal_app.py::run_training --recipe maze-hard --name try-1
    modal run infra/modal_app.py::run_eval_local --model models/maze-hard --data data/maze-30x30-hard-1k

Everything lies in one volume: data/, models/, runs/, and what the server keeps. Settings are environment variables of
the command `modal`, listed in infra/README.md.
"""

import json
import os
import subprocess
from pathlib import Path

import modal

PORT = 7878
STATE = "/state"
HOURS_A_TRAINING_RUNS = 23  # then it saves and goes on in a new container; Modal ends a call after 24

# Read where `modal` runs, and again in the container: SETTINGS takes them there.
SETTINGS = {
    "TRM_GPU": "",  # of the server: a name such as A100, H100 or L4; empty for the CPU
    "TRM_TRAIN_GPU": "H100",  # of trainings and evaluations; H100:2 for two, empty for the CPU
    "TRM_MODEL": "",  # model folders of the volume to serve, comma-separated, such as models/maze-hard
    "TRM_DATA": "",  # a data set of the volume whose mazes can be taken by their index
    "TRM_CORS_ORIGIN": "",
    "TRM_ALLOW_JOBS": "",  # 1 lets holders of the token start jobs inside of the server
}
SETTINGS = {name: os.environ.get(name, default) for name, default in SETTINGS.items()}
GPU = SETTINGS["TRM_GPU"] or None
TRAIN_GPU = SETTINGS["TRM_TRAIN_GPU"] or None

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / os.environ.get("TRM_BINARY", "target/release/trm")

# As in the stage `cuda` of the Dockerfile: NVRTC compiles kernels at run time and reads headers of the toolkit.
image = (
    modal.Image.from_registry("nvidia/cuda:12.8.1-base-ubuntu24.04", add_python="3.12")
    .entrypoint([])
    .apt_install("ca-certificates", "cuda-nvrtc-12-8", "cuda-cudart-dev-12-8", "cuda-crt-12-8", "cuda-cccl-12-8")
    .env({"CUDA_PATH": "/usr/local/cuda", "XDG_CACHE_HOME": f"{STATE}/cache"})
    .add_local_dir(ROOT / "datasets", "/usr/share/trm/datasets")
    .add_local_file(BINARY, "/usr/local/bin/trm")
)
volume = modal.Volume.from_name("trm-state", create_if_missing=True)
token = modal.Secret.from_name("trm-serve", required_keys=["TRM_SERVE_TOKEN"])

app = modal.App("trm", image=image, volumes={STATE: volume})


def device(gpu: str | None) -> str:
    if gpu is None:
        return "cpu"
    return "cuda:all" if ":" in gpu else "cuda"


def trm(*arguments: str) -> str:
    """Runs trm in the volume and returns what it prints. Ended early, it lets trm save first."""
    print("trm", *arguments, flush=True)
    process = subprocess.Popen(["trm", *arguments], cwd=STATE, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate()
    except BaseException:  # preempted, cancelled, out of time
        process.terminate()
        process.communicate(timeout=25)
        raise
    finally:
        volume.commit()
    print(output, flush=True)
    if process.returncode != 0:
        raise RuntimeError(f"trm {arguments[0]} ended with status {process.returncode}")
    return output


@app.cls(
    gpu=GPU,
    cpu=2.0,
    memory=2048,
    env={**SETTINGS},
    secrets=[token],
    max_containers=1,  # jobs and saved mazes are one process's
    scaledown_window=300,
    timeout=3600,
)
@modal.concurrent(max_inputs=100)
class Server:
    """The endpoints are the server's own: /, /predict, /predict/stream, /get_visualizer, /save_custom, /jobs, …"""

    @modal.web_server(PORT, startup_timeout=120)
    def web(self) -> None:
        command = ["trm", "serve", "--listen", f"0.0.0.0:{PORT}", "--state", STATE, "--device", device(GPU)]
        command += ["--drain-seconds", "20", "--log-format", "json", "--behind-proxy"]
        for model in filter(None, SETTINGS["TRM_MODEL"].split(",")):
            command += ["--model", model]
        if SETTINGS["TRM_DATA"]:
            command += ["--data", SETTINGS["TRM_DATA"]]
        if SETTINGS["TRM_CORS_ORIGIN"]:
            command += ["--cors-origin", SETTINGS["TRM_CORS_ORIGIN"]]
        if SETTINGS["TRM_ALLOW_JOBS"] == "1":
            command.append("--allow-jobs")
        self.process = subprocess.Popen(command, cwd=STATE)

    @modal.exit()
    def stop(self) -> None:
        process = getattr(self, "process", None)
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=25)
            except subprocess.TimeoutExpired:
                process.kill()
        volume.commit()


@app.function(cpu=2.0, memory=2048, timeout=3600)
def prepare_dataset(recipe: str = "maze-30x30-hard-1k") -> str:
    """Makes data/RECIPE in the volume, by a recipe of the folder datasets/."""
    kind = "generate" if 'kind = "generate"' in Path(f"/usr/share/trm/datasets/{recipe}.toml").read_text() else "build"
    return trm("data", kind, "--recipe", f"/usr/share/trm/datasets/{recipe}.toml", "--output", f"data/{recipe}")


@app.function(cpu=2.0, memory=2048, timeout=3600)
def download_weights(weights: str = "alphaXiv/trm-model-maze", name: str = "maze-hard") -> str:
    """Downloads weights from the Hub into models/NAME of the volume."""
    return trm("weights", "fetch", weights, "--output", f"models/{name}")


@app.function(
    gpu=TRAIN_GPU,
    cpu=4.0,
    memory=8192,
    env={**SETTINGS},
    timeout=24 * 60 * 60,
    retries=modal.Retries(max_retries=5, initial_delay=10.0, backoff_coefficient=1.0),
    max_containers=1,  # the lock of a run's folder does not reach other containers
    single_use_containers=True,  # each try sees the volume as the last one left it
)
def run_training(recipe: str = "maze-hard", name: str = "", changes: str = "") -> dict:
    """Trains by a recipe into runs/NAME, or goes on with that run. CHANGES: key=value, semicolon-separated."""
    name = name or Path(recipe).stem
    arguments = ["train", recipe, "--output", f"runs/{name}", "--device", device(TRAIN_GPU), "--json"]
    arguments += ["--minutes", str(60 * HOURS_A_TRAINING_RUNS)]
    for change in filter(None, changes.split(";")):
        arguments += ["--set", change]
    if Path(STATE, "runs", name, "recipe.toml").exists():
        arguments.append("--resume")
    end = json.loads(trm(*arguments))
    if end["outcome"] == "stopped":
        raise RuntimeError("saved after its hours; the next try goes on")
    return end


@app.function(gpu=TRAIN_GPU, cpu=4.0, memory=8192, env={**SETTINGS}, timeout=4 * 3600)
def run_eval_local(model: str = "models/maze-hard", data: str = "data/maze-30x30-hard-1k") -> dict:
    """Evaluates a model folder of the volume on a data set of the volume."""
    return json.loads(trm("eval", "--model", model, "--data", data, "--device", device(TRAIN_GPU), "--json"))

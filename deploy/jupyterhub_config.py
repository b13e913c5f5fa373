"""A hub for a class on one machine: for a trial, and as a basis for your own configuration.

`make hub users=15` runs it on loopback with made-up students and stops it. Students are not
isolated from each other: each server is a process of the account that runs the hub. For a real
class use systemdspawner or Kubernetes (values.yaml), and an authenticator of your own.
"""

import os
import shutil
import sys
from pathlib import Path

c = get_config()  # noqa: F821

HERE = Path(os.environ["BOOK_HUB"])  # the hub's files, the students' files, the exchange
READING = Path(os.environ["BOOK_READING"])  # chapters as notebooks: python _ext/plain_notebooks.py
USERS = int(os.environ.get("BOOK_USERS", "15"))

# Anybody who knows the password gets in. Without an allow rule nobody would.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["BOOK_PASSWORD"]
c.Authenticator.allow_all = True

c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ.get('BOOK_PORT', '8000')}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ.get('BOOK_HUB_PORT', '8081')}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ.get('BOOK_PROXY_PORT', '8001')}"
c.ConfigurableHTTPProxy.command = [os.environ.get("BOOK_PROXY", "configurable-http-proxy")]
c.JupyterHub.db_url = f"sqlite:///{HERE}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(HERE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(HERE / "proxy.pid")
c.JupyterHub.log_level = "WARN"

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(HERE / "homes" / "{username}")
c.Spawner.notebook_dir = str(HERE / "homes" / "{username}")
c.Spawner.default_url = "/lab/tree/chapters/first-look.ipynb"
c.Spawner.cmd = [str(Path(sys.executable).parent / "jupyterhub-singleuser"), "--allow-root"]
c.Spawner.environment = {
    "OPENBLAS_NUM_THREADS": "1",  # many share the machine
    "OMP_NUM_THREADS": "1",
    "NNLIB_COURSE": "reader",
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "JUPYTER_CONFIG_PATH": str(HERE / "etc"),  # where nbgrader finds the exchange
}
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 180
# When a lesson begins, all students start their servers; a lower limit would refuse some (429).
c.JupyterHub.concurrent_spawn_limit = USERS


def give_chapters(spawner) -> None:
    """Copies the chapters into a student's home; files that are already there stay unchanged."""
    home = HERE / "homes" / spawner.user.name
    for chapter in READING.rglob("*.ipynb"):
        target = home / chapter.relative_to(READING)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(chapter, target)


c.Spawner.pre_spawn_hook = give_chapters

# nbgrader's exchange: students fetch assignments there and hand them in. With real accounts every
# student must be able to write there (chmod a+rwx), and cannot read what others have handed in.
EXCHANGE = HERE / "exchange"
EXCHANGE.mkdir(parents=True, exist_ok=True)
EXCHANGE.chmod(0o777)
(HERE / "etc").mkdir(exist_ok=True)
(HERE / "etc" / "nbgrader_config.py").write_text(
    f"c = get_config()\nc.Exchange.root = {str(EXCHANGE)!r}\n"
    'c.CourseDirectory.course_id = "sigmoid-to-sequence"\n'
)

# What the two services may do: stop idle servers, and start those of made-up students.
c.JupyterHub.load_roles = [
    {"name": "culler", "services": ["culler"],
     "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"]},
    {"name": "trial", "services": ["trial"],
     "scopes": ["admin:users", "admin:servers", "access:servers"]},
]  # fmt: skip
c.JupyterHub.services = [
    {"name": "culler",  # stops servers that nobody has used for an hour
     "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]},
]  # fmt: skip
if token := os.environ.get("BOOK_TRIAL_TOKEN"):  # for the made-up students of tools/hub.py
    c.JupyterHub.services.append({"name": "trial", "api_token": token})
else:
    c.JupyterHub.load_roles.pop()

"""Facts of the session."""

import getpass
import json
import os
import platform
import socket
import subprocess
import time
from pathlib import Path

import pytest

import nbtrack
from nbtrack.capture.environment import git_commit, session_facts


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *identity, *args], cwd=folder, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "first")
    return tmp_path


def test_facts_name_the_process_and_versions(tmp_path):
    facts = session_facts(tmp_path)
    assert facts["pid"] == os.getpid()
    assert facts["python"] == platform.python_version()
    assert facts["nbtrack"] == nbtrack.__version__
    assert facts["cpus"] == os.cpu_count()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert facts["boot_id"] == boot


def test_facts_are_json_without_names_of_people_or_hosts(tmp_path):
    text = json.dumps(session_facts(tmp_path))
    assert json.dumps(getpass.getuser()) not in text
    assert json.dumps(socket.gethostname()) not in text
    assert "kernel_id" not in text


def test_git_commit_of_a_branch_from_a_subfolder(repository):
    (repository / "notebooks").mkdir()
    assert git_commit(repository / "notebooks") == git(repository, "rev-parse", "HEAD")
    assert session_facts(repository)["git_commit"] == git_commit(repository)


def test_git_commit_of_packed_refs(repository):
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/main").exists()
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_git_commit_of_a_detached_head(repository):
    git(repository, "checkout", "--quiet", "--detach")
    assert git_commit(repository) == git(repository, "rev-parse", "HEAD")


def test_git_commit_of_a_worktree(repository, tmp_path_factory):
    tree = tmp_path_factory.mktemp("trees") / "side"
    git(repository, "worktree", "add", "--quiet", "-b", "side", str(tree))
    git(tree, "commit", "--quiet", "--allow-empty", "-m", "second")
    assert git_commit(tree) == git(tree, "rev-parse", "HEAD")
    assert git_commit(tree) != git_commit(repository)


def test_no_commit_outside_a_repository_and_before_the_first(tmp_path):
    assert git_commit(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert git_commit(tmp_path) is None


def test_a_head_that_is_no_commit_is_left_out(repository):
    (repository / ".git/HEAD").write_text("<script>")
    assert "git_commit" not in session_facts(repository)


def test_facts_cost_little_after_the_first_time(repository):
    session_facts(repository)

    def cost() -> float:
        start = time.perf_counter()
        session_facts(repository)
        return time.perf_counter() - start

    assert min(cost() for _ in range(10)) < 5e-3


def test_a_kernel_is_known_by_the_id_of_its_connection_file(tmp_path):
    from jupyter_client.manager import KernelManager

    # Jupyter Server names the file after the kernel's id.
    manager = KernelManager(connection_file=str(tmp_path / "kernel-1a2b-3c.json"))
    manager.start_kernel(cwd=tmp_path)
    client = manager.client()
    client.start_channels()
    said: list[str] = []
    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive(
            "from nbtrack.capture.environment import session_facts\n"
            "print(session_facts()['kernel_id'])",
            timeout=60,
            output_hook=lambda m: said.append(m["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(said).strip() == "1a2b-3c"

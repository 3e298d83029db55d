"""How much memory there is, on a computer and in a container."""

import pytest

from napari_patchmap.system import free_memory

GB = 2**30


@pytest.fixture
def computer(tmp_path):
    """Make a computer of 64 GB out of files; returns a function that writes some more."""

    def put(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    put("proc/meminfo", f"MemTotal: {64 * GB // 1024} kB\nMemAvailable: {48 * GB // 1024} kB")
    put.root = tmp_path
    return put


def mounts(*lines):
    return "\n".join(f"{30 + i} 23 0:{i} {line}" for i, line in enumerate(lines))


def v2(computer, mounted="/", group="/"):
    computer("proc/self/cgroup", f"0::{group}")
    line = f"{mounted} /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate"
    computer("proc/self/mountinfo", mounts("/ / rw - ext4 /dev/sda rw", line))


def v1(computer, mounted="/", group="/"):
    computer("proc/self/cgroup", f"9:cpu,cpuacct:/\n4:memory:{group}\n0::/")
    lines = (
        f"{mounted} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
        f"{mounted} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        "/ /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    )
    computer("proc/self/mountinfo", mounts(*lines))


def limit(computer, folder, **values):
    for name, value in values.items():
        computer(f"sys/fs/cgroup/{folder}/memory.{name}".replace("//", "/"), value)


def test_without_a_container_it_is_what_the_computer_says(computer, tmp_path):
    assert free_memory(computer.root) == 48 * GB
    assert free_memory(tmp_path / "no such system") is None


def test_docker_with_cgroups_of_version_2(computer):
    v2(computer)
    limit(computer, "", max=2 * GB, high="max", current=GB)
    assert free_memory(computer.root) == GB
    # What was read from files is given back when it is needed.
    limit(computer, "", stat=f"anon {GB // 4}\ninactive_file {GB // 2}\nactive_file {GB // 4}")
    assert free_memory(computer.root) == 2 * GB - GB // 4
    limit(computer, "", high=GB)
    assert free_memory(computer.root) == GB - GB // 4
    limit(computer, "", high=GB, current=3 * GB)
    assert free_memory(computer.root) == 0
    limit(computer, "", max="max", high="max")
    assert free_memory(computer.root) == 48 * GB


def test_slurm_limits_a_job_and_its_steps_are_inside(computer):
    v2(computer, group="/system.slice/slurmstepd.scope/job_7/step_0/user/task_0")
    job = "system.slice/slurmstepd.scope/job_7"
    limit(computer, f"{job}/step_0/user/task_0", max="max", current=GB)
    limit(computer, job, max=8 * GB, current=3 * GB)
    limit(computer, "system.slice", max="max", current=9 * GB)
    assert free_memory(computer.root) == 5 * GB
    limit(computer, f"{job}/step_0", max=4 * GB, current=GB)
    assert free_memory(computer.root) == 3 * GB


def test_cgroups_of_version_1(computer):
    v1(computer, group="/slurm/uid_5/job_7")
    endless = 2**63 - 4096
    limit(computer, "memory/slurm/uid_5/job_7", limit_in_bytes=endless, usage_in_bytes=GB)
    limit(computer, "memory", limit_in_bytes=endless, usage_in_bytes=20 * GB)
    assert free_memory(computer.root) == 48 * GB
    limit(computer, "memory/slurm/uid_5", limit_in_bytes=6 * GB, usage_in_bytes=3 * GB)
    assert free_memory(computer.root) == 3 * GB
    stat = f"inactive_file 0\ntotal_inactive_file {GB}\ntotal_active_file {GB}"
    limit(computer, "memory/slurm/uid_5", stat=stat)
    assert free_memory(computer.root) == 5 * GB


@pytest.mark.parametrize(
    ("inside", "group"), [("/docker/ab", "/docker/ab"), ("/", "/docker/ab")]
)
def test_a_container_that_sees_its_own_part_alone(computer, inside, group):
    v1(computer, mounted=inside, group=group)
    limit(computer, "memory", limit_in_bytes=GB, usage_in_bytes=GB // 4)
    assert free_memory(computer.root) == GB - GB // 4

"""What one submission may use."""

from dataclasses import dataclass

MB = 2**20
PATIENT = 4  # seconds by the clock that count as one


@dataclass(frozen=True)
class Limits:
    """Sizes are MB of 2**20 bytes.

    Seconds are those of a processor, and by the clock four times as many: a busy machine is not the
    student's fault, and a cell that waits ends too.
    """

    cell_seconds: float = 60.0  # one cell; then it is interrupted and the next one runs
    seconds: float = 300.0  # all cells; then the kernel is ended
    start_seconds: float = 120.0  # the kernel and `import oneprompt`; longer is our trouble
    memory_mb: int = 2048
    file_mb: int = 64  # what a submission writes, one file and all together
    processes: int = 32
    notebook_mb: int = 20
    output_chars: int = 20_000  # kept per cell

"""Ctrl-C while an engine runs: held back until the engine stands between two instants."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["HeldInterrupt"]


class HeldInterrupt:
    """Holds back SIGINT within a ``with`` block.

    Python raises ``KeyboardInterrupt`` between any two steps of a program, which in the middle of
    an engine's bookkeeping would leave it half done.  Here the signal is only noted; whoever holds
    it looks at ``pending`` and calls :meth:`deliver` where nothing is half done.

    Signals reach the main thread only: in another thread, or where SIGINT is ignored, nothing is
    changed.
    """

    def __init__(self) -> None:
        self.pending = False
        self._previous: Any = None
        self._open = False  # the user's own code runs: not ours to hold back

    def __enter__(self) -> HeldInterrupt:
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):
                self._previous = previous
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self.deliver()

    def deliver(self) -> None:
        """Hand a signal that was held back to the program's own handler, which may raise."""
        if self.pending:
            self.pending = False
            self._previous(signal.SIGINT, None)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Within: signals act at once, as anywhere in a program."""
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._open:
            self._previous(number, frame)
        else:
            self.pending = True

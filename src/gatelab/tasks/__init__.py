"""What is asked of a network: data, head, loss and measure, one file a task."""

from gatelab.tasks.batch import Batch
from gatelab.tasks.music import MusicTask
from gatelab.tasks.network import Network
from gatelab.tasks.registry import KINDS, open_task, reopen
from gatelab.tasks.task import Task

__all__ = ["KINDS", "Batch", "MusicTask", "Network", "Task", "open_task", "reopen"]

"""A real AMI server on TCP that plays a believable day, for machines without Asterisk."""

from telephony.simulator.model import Did, PbxConfig, QueueConfig
from telephony.simulator.plan import CallPlan, Transfer
from telephony.simulator.simulator import Simulator, city_pbx

__all__ = ["CallPlan", "Did", "PbxConfig", "QueueConfig", "Simulator", "Transfer", "city_pbx"]

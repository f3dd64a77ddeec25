"""Not too often? Token buckets, in this process or shared by all workers through Redis."""

from agentxsuite.engines.limits.bucket import Limiter, Rate, Taken
from agentxsuite.engines.limits.memory import MemoryLimiter
from agentxsuite.engines.limits.redis import RedisLimiter

__all__ = ["Limiter", "MemoryLimiter", "Rate", "RedisLimiter", "Taken"]

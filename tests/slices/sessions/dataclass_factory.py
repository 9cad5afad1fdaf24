"""default_factory reads a global at each construction."""
# kind: dataclass factories
# %%
from dataclasses import dataclass, field
counter = [0]
def fresh():
    counter[0] += 1
    return [counter[0]]
# %%
@dataclass
class Node:
    tags: list = field(default_factory=fresh)
# %%
n1 = Node()
# %%
Node(tags=[7])
# %%
Node()
# %%
n2 = Node()
for n in (n1, n2):
    loss = n.tags[0]
